//! One mail as the gate and a model would see it, in the shape that is printed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use crate::mail::gate::{Allowed, Decision, Ours, decide};
use crate::mail::wishes::{Wish, wish};
use crate::mail::{self, Address, Limits, Mail, RfcMessageId};

/// The reason of a file that could not be read.
pub(super) const FILE_UNREADABLE: &str = "file_unreadable";
/// The reason of a mail on which the program failed, which is a fault of the program.
pub(super) const PANICKED: &str = "panicked";

/// What the arguments tell about us.
pub(super) struct Known<'a> {
    pub(super) own: &'a [Address],
    pub(super) sent: &'a [RfcMessageId],
}

/// The names and the order of the fields are those of the JSON lines.
#[derive(Default, Serialize)]
pub(super) struct Seen {
    pub(super) file: String,
    /// `answer`, `skip` or `hold`.
    pub(super) decision: &'static str,
    /// The stored code; none for an answer.
    pub(super) reason: Option<&'static str>,
    /// The rule of the mail reference behind it.
    pub(super) rule: Option<&'static str>,
    pub(super) from: Option<String>,
    /// To whom the answer goes; where none is due, what `Reply-To` says.
    pub(super) reply_to: Option<String>,
    pub(super) to: Vec<String>,
    pub(super) subject: String,
    pub(super) message_id: Option<String>,
    pub(super) visible_text: String,
    pub(super) quoted_text: String,
    pub(super) attachments: Vec<File>,
    pub(super) failed_recipients: Vec<String>,
    pub(super) flags: Vec<&'static str>,
    /// The reason as a sentence, for people only.
    #[serde(skip)]
    pub(super) sentence: &'static str,
}

/// One attachment.
#[derive(Serialize)]
pub(super) struct File {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) bytes: usize,
}

impl Seen {
    /// What is told of a file that could not be read.
    pub(super) fn unread(file: &str) -> Self {
        let sentence = "The file cannot be read.";
        Self::failed(file, FILE_UNREADABLE, sentence)
    }

    /// Not answered, since nothing is known about it (EM-31).
    fn failed(file: &str, reason: &'static str, sentence: &'static str) -> Self {
        let (decision, reason, rule) = ("skip", Some(reason), Some("EM-31"));
        Self { file: file.to_owned(), decision, reason, rule, sentence, ..Self::default() }
    }
}

/// Looks at the bytes of one mail, or of a text without a header block, which is all body.
///
/// A panic would be a fault of this program or of a library; it must not take the other mails along.
pub(super) fn look(file: &str, raw: &[u8], known: &Known<'_>) -> Seen {
    let seen = catch_unwind(AssertUnwindSafe(|| describe(file, raw, known)));
    seen.unwrap_or_else(|_| {
        Seen::failed(file, PANICKED, "The program has a fault that this mail brings out.")
    })
}

fn describe(file: &str, raw: &[u8], known: &Known<'_>) -> Seen {
    let limits = Limits::default();
    let mail = if mail::has_header_block(raw) {
        mail::read(raw, &limits)
    } else {
        mail::read(&[b"\n", raw].concat(), &limits)
    };
    let seen = Seen {
        file: file.to_owned(),
        from: mail.from.first().map(|named| named.address.as_str().to_owned()),
        reply_to: mail.reply_to.first().map(|address| address.as_str().to_owned()),
        to: mail.to.iter().map(|address| address.as_str().to_owned()).collect(),
        subject: mail.subject.clone(),
        message_id: mail.message_id.as_ref().map(|id| id.as_str().to_owned()),
        visible_text: mail.text.visible.clone(),
        quoted_text: mail.text.quoted.clone(),
        attachments: files(&mail),
        failed_recipients: failed(&mail),
        flags: flags(&mail),
        ..Seen::default()
    };
    decided(seen, &mail, known)
}

fn decided(seen: Seen, mail: &Mail, known: &Known<'_>) -> Seen {
    let ours = Ours {
        addresses: known.own.to_vec(),
        mailbox: known.own.to_vec(),
        allowed: Allowed::default(),
        sent: &|id| known.sent.contains(id),
        // Without the installation's key no mark can be known as ours: no tag equals a random one.
        message_tag: &|_| rand::random(),
        installation: String::new(),
    };
    match decide(mail, &ours) {
        Decision::Answer { recipient } => {
            let reply_to = Some(recipient.as_str().to_owned());
            Seen { decision: "answer", reply_to, sentence: "Nothing tells of a robot.", ..seen }
        }
        Decision::Skip(reason) => {
            let (code, rule) = (Some(reason.as_str()), Some(reason.rule()));
            Seen { decision: "skip", reason: code, rule, sentence: reason.explain(), ..seen }
        }
        Decision::Hold(reason) => {
            let (code, rule) = (Some(reason.as_str()), Some(reason.rule()));
            Seen { decision: "hold", reason: code, rule, sentence: reason.explain(), ..seen }
        }
    }
}

fn files(mail: &Mail) -> Vec<File> {
    let files = mail.attachments.iter();
    files.map(|file| File { name: file.name.clone(), kind: file.kind.clone(), bytes: file.bytes }).collect()
}

/// Whom a bounce says that it did not reach.
fn failed(mail: &Mail) -> Vec<String> {
    let failed = mail.bounce.iter().flat_map(|bounce| &bounce.failed_recipients);
    failed.map(|address| address.as_str().to_owned()).collect()
}

fn flags(mail: &Mail) -> Vec<&'static str> {
    let (flags, bounce, wish) = (mail.flags, mail.bounce.as_ref(), wish(mail));
    let told = [
        (flags.is_message_cut, "message_cut"),
        (flags.are_headers_cut, "headers_cut"),
        (flags.are_parts_cut, "parts_cut"),
        (flags.is_text_cut, "text_cut"),
        (flags.has_hidden_text, "hidden_text"),
        (flags.invisible_chars > 0, "invisible_characters"),
        (flags.is_encrypted, "encrypted"),
        (bounce.is_some(), "bounce"),
        (bounce.is_some_and(|bounce| bounce.is_temporary), "temporary_failure"),
        (wish == Some(Wish::Human), "asks_for_a_person"),
        (wish == Some(Wish::LeaveAlone), "asks_to_be_left_alone"),
    ];
    told.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect()
}
