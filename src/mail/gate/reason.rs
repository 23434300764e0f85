//! Why a mail is not answered: a stable code for the store, a sentence for people, the rule for developers.

/// A closed set; codes are stored and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// The header block is bigger than we read, so a mark of a robot may be in the rest (EM-31).
    Unreadable,
    /// A bounce: sent with an empty return path (EM-1).
    NullReturnPath,
    /// `Auto-Submitted` says that a program wrote it (EM-2, EM-3).
    AutoSubmitted,
    /// `Precedence: bulk` and the like (EM-4).
    Bulk,
    /// A mailing list or a newsletter (EM-5).
    MailingList,
    /// The sender asked for no automatic answers (EM-6).
    AnswersSuppressed,
    /// The marks of an autoresponder (EM-7).
    Autoresponse,
    /// A machine, an acknowledgement or the spam filter marked it (EM-8).
    MachineMark,
    /// A delivery or reading report (EM-9).
    Report,
    /// A part that reports on another mail (EM-10).
    StatusPart,
    /// A bounce by its own words, or one that returns a mail of ours (EM-14).
    Bounce,
    /// A spam complaint about a mail of ours (EM-23).
    Complaint,
    /// A service that wants to know whether we are people (EM-24).
    Challenge,
    /// An automatic answer to a mail of ours, by its subject (EM-13).
    AutomaticSubject,
    /// An answer to an invitation, or its withdrawal (EM-21).
    CalendarAnswer,
    /// An address behind which nobody reads (EM-11).
    RobotSender,
    /// An address of a system's role (EM-12).
    RoleSender,
    /// Sent by one of the owner's own addresses (EM-15).
    Ourselves,
    /// Our own Message-ID came back (EM-16).
    OwnMessageId,
    /// Our own loop mark came back (EM-17).
    OwnLoopMark,
    /// Passed on too often (EM-18).
    TooManyHops,
    /// None of the mailbox's addresses is among the recipients (EM-19).
    NotAddressed,
    /// The mailbox got a copy only (EM-20).
    OnlyCopied,
    /// Nobody to answer to (EM-33).
    NoReplyAddress,
    /// Several authors and no one address for answers (EM-33).
    SeveralAuthors,
    /// The answer would go to an address behind which nobody reads (EM-41).
    RobotRecipient,
    /// The answer would go to ourselves (EM-41).
    OwnRecipient,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: [Self; 27] = [
        Self::Unreadable,
        Self::NullReturnPath,
        Self::AutoSubmitted,
        Self::Bulk,
        Self::MailingList,
        Self::AnswersSuppressed,
        Self::Autoresponse,
        Self::MachineMark,
        Self::Report,
        Self::StatusPart,
        Self::Bounce,
        Self::Complaint,
        Self::Challenge,
        Self::AutomaticSubject,
        Self::CalendarAnswer,
        Self::RobotSender,
        Self::RoleSender,
        Self::Ourselves,
        Self::OwnMessageId,
        Self::OwnLoopMark,
        Self::TooManyHops,
        Self::NotAddressed,
        Self::OnlyCopied,
        Self::NoReplyAddress,
        Self::SeveralAuthors,
        Self::RobotRecipient,
        Self::OwnRecipient,
    ];

    /// The stored code.
    pub fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// The rule it follows from.
    pub fn rule(self) -> &'static str {
        self.entry().1
    }

    /// One sentence for the owner.
    pub fn explain(self) -> &'static str {
        self.entry().2
    }

    /// The reason with that stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }

    fn entry(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Unreadable => ("unreadable", "EM-31", "Its header is too big to be read safely."),
            Self::NullReturnPath => {
                ("null_return_path", "EM-1", "It is a bounce: it has no sender to return to.")
            }
            Self::AutoSubmitted => ("auto_submitted", "EM-2", "It says that a program sent it."),
            Self::Bulk => ("bulk", "EM-4", "It was sent in bulk."),
            Self::MailingList => {
                ("mailing_list", "EM-5", "It came through a mailing list or is a newsletter.")
            }
            Self::AnswersSuppressed => {
                ("answers_suppressed", "EM-6", "Its sender asked for no automatic answers.")
            }
            Self::Autoresponse => ("autoresponse", "EM-7", "It is itself an automatic answer."),
            Self::MachineMark => ("machine_mark", "EM-8", "It is marked as sent by a machine or as spam."),
            Self::Report => ("report", "EM-9", "It is a delivery or reading report."),
            Self::StatusPart => ("status_part", "EM-10", "It contains a report about another mail."),
            Self::Bounce => ("bounce", "EM-14", "It reports that a mail could not be delivered."),
            Self::Complaint => {
                ("complaint", "EM-23", "It is a complaint about a mail, sent by a mail provider.")
            }
            Self::Challenge => ("challenge", "EM-24", "It asks a mail's sender to prove to be a person."),
            Self::AutomaticSubject => {
                ("automatic_subject", "EM-13", "By its subject it answers a mail of ours automatically.")
            }
            Self::CalendarAnswer => {
                ("calendar_answer", "EM-21", "It answers or withdraws an invitation to a meeting.")
            }
            Self::RobotSender => ("robot_sender", "EM-11", "Nobody reads mail at its sender's address."),
            Self::RoleSender => ("role_sender", "EM-12", "Its sender is the administration of a system."),
            Self::Ourselves => ("ourselves", "EM-15", "It was sent from one of your own addresses."),
            Self::OwnMessageId => ("own_message_id", "EM-16", "It is a mail of ours that came back."),
            Self::OwnLoopMark => ("own_loop_mark", "EM-17", "It is a mail of ours that came back."),
            Self::TooManyHops => {
                ("too_many_hops", "EM-18", "It was passed on so often that it must be in a loop.")
            }
            Self::NotAddressed => {
                ("not_addressed", "EM-19", "None of the mailbox's addresses is among its recipients.")
            }
            Self::OnlyCopied => ("only_copied", "EM-20", "The mailbox got only a copy of it."),
            Self::NoReplyAddress => ("no_reply_address", "EM-33", "It has no usable address to answer to."),
            Self::SeveralAuthors => {
                ("several_authors", "EM-33", "It has several authors and no one address for answers.")
            }
            Self::RobotRecipient => {
                ("robot_recipient", "EM-41", "Nobody reads mail at the address for answers.")
            }
            Self::OwnRecipient => {
                ("own_recipient", "EM-41", "The answer would go to one of your own addresses.")
            }
        }
    }
}
