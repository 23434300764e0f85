//! What a person has to look at: the mail may deserve an answer that no model can give.

use super::super::address::Address;
use super::super::read::Mail;
use super::invitation;

/// Why a mail waits for a person: a closed set; codes are stored and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldReason {
    /// An invitation to a meeting, which words do not answer (EM-21).
    Invitation,
    /// The words are encrypted; nobody here can read them (EM-127).
    Encrypted,
    /// The address for answers has letters that mail servers do not take everywhere (EM-133).
    AddressBeyondAscii,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Invitation, Self::Encrypted, Self::AddressBeyondAscii];

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
            Self::Invitation => (
                "invitation",
                "EM-21",
                "It is an invitation to a meeting: accept or decline it in your calendar.",
            ),
            Self::Encrypted => {
                ("encrypted", "EM-127", "It is encrypted: read and answer it in your mail program.")
            }
            Self::AddressBeyondAscii => (
                "address_beyond_ascii",
                "EM-133",
                "The address for answers has letters that not every mail server takes: answer it in your mail program.",
            ),
        }
    }
}

/// Looks at a mail that would be answered to `recipient`.
pub(super) fn judge(mail: &Mail, recipient: &Address) -> Option<HoldReason> {
    if mail.flags.is_encrypted {
        return Some(HoldReason::Encrypted);
    }
    if recipient.ascii().is_none() {
        return Some(HoldReason::AddressBeyondAscii);
    }
    invitation::is_invitation(mail).then_some(HoldReason::Invitation)
}
