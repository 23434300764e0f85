//! The words of bounces in many languages, in lower case and with single spaces.
//!
//! Each is what several servers say, or a plain way to say it; whole sentences of one program are not here.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Mail was not delivered, or not yet.
static FAILURE: LazyLock<Table> = LazyLock::new(|| Table::new(FAILURES));
/// Delivery goes on.
static DELAY: LazyLock<Table> = LazyLock::new(|| Table::new(DELAYS));
/// Mail, and not a parcel.
static MAIL: LazyLock<Table> = LazyLock::new(|| Table::new(MAILS));
/// Only a program would say it.
static MACHINE: LazyLock<Table> = LazyLock::new(|| Table::new(MACHINES));
/// From here on the returned mail is shown.
static COPY: LazyLock<Table> = LazyLock::new(|| Table::new(COPIES));

/// Whether a text says that a mail was not delivered. Reads the first few KiB.
pub(in super::super) fn speaks_of_failure(text: &str) -> bool {
    FAILURE.is_in(&folded(super::super::clean::cut_bytes(text, 4 * 1024)))
}

/// Lower case, and every run of white space one space, so that a phrase is found across line ends.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase).map(|c| if c == '’' { '\'' } else { c }));
    }
    out
}

/// Whether folded text says that a mail was not delivered.
pub(super) fn is_failure(folded: &str) -> bool {
    FAILURE.is_in(folded)
}

/// Whether folded text says that delivery is still being tried.
pub(super) fn is_delay(folded: &str) -> bool {
    DELAY.is_in(folded)
}

/// Whether folded text speaks of mail at all: parcels are not delivered either.
pub(super) fn is_about_mail(folded: &str) -> bool {
    MAIL.is_in(folded)
}

/// Whether folded text is a program's.
pub(super) fn is_machine(folded: &str) -> bool {
    MACHINE.is_in(folded)
}

/// Whether a folded line says that the returned mail follows.
pub(super) fn is_copy(folded: &str) -> bool {
    COPY.is_in(folded)
}

/// Phrases searched for in one pass. A table that cannot be built finds nothing; a test finds something in each.
struct Table(Option<AhoCorasick>);

impl Table {
    fn new(phrases: &[&str]) -> Self {
        Self(AhoCorasick::new(phrases).ok())
    }

    fn is_in(&self, folded: &str) -> bool {
        self.0.as_ref().is_some_and(|table| table.is_match(folded))
    }
}

const FAILURES: &[&str] = &[
    // the mail
    "could not be delivered",
    "couldn't be delivered",
    "cannot be delivered",
    "can't be delivered",
    "can not be delivered",
    "not be delivered to",
    "was not delivered",
    "were not delivered",
    "wasn't delivered",
    "not been delivered",
    "not yet been delivered",
    "not delivered to",
    "not delivered:",
    "not delivered because",
    "is undeliverable",
    "was undeliverable",
    "is not deliverable",
    "undeliverable to",
    "undeliverable address",
    "undeliverable mail",
    "undeliverable message",
    "undelivered mail",
    "undelivered message",
    "unable to deliver",
    "unable to be delivered",
    "not able to deliver",
    "wasn't able to deliver",
    "could not deliver",
    "couldn't deliver",
    "cannot deliver",
    "can't deliver",
    "failed to deliver",
    "delivery failed",
    "delivery failure",
    "delivery has failed",
    "delivery error",
    "delivery problem",
    "fatal delivery error",
    "delivery to the following",
    "delevery to the following",
    "delivery of your message",
    "delivery status notification",
    "delivery notifications",
    "non-delivery",
    "did not reach",
    "could not be reached",
    "did not receive",
    "not receive this message",
    "could not be sent",
    "couldn't be sent",
    "could not be relayed",
    "could not be processed",
    "error while being processed",
    "has been postponed",
    "has been delayed",
    "was delayed",
    "was rejected",
    "been rejected",
    "automatically rejected",
    "message was refused",
    "was blocked by",
    "has been blocked",
    "was returned",
    "has been returned",
    "being returned",
    "permanent fatal error",
    "permanent error",
    "permanent failure",
    "address failed",
    "addresses failed",
    "address(es) failed",
    "failed address",
    "failed recipient",
    "message delivery failed",
    "mail delivery failed",
    "mail delivery problem",
    "no valid recipients",
    "problem delivering",
    "problems delivering",
    "trouble delivering",
    "error delivering",
    "error was detected while",
    "attempting to deliver",
    "had delivery problems",
    "rejected recipient",
    "recipients were affected",
    "non-delivered",
    "sorry, no mailbox here",
    "returned to you because",
    "returned to sender",
    // the addressee
    "user unknown",
    "unknown user",
    "unknown recipient",
    "recipient unknown",
    "unknown address",
    "unknown local part",
    "unknown or illegal",
    "invalid recipient",
    "invalid mailbox",
    "invalid address",
    "invalid final delivery",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such address",
    "no such person",
    "user not known",
    "user not found",
    "address not found",
    "recipient not found",
    "mailbox not found",
    "not listed in",
    "name is not recognized",
    "does not exist",
    "doesn't exist",
    "no longer exists",
    "no longer valid",
    "does not like recipient",
    "recipient address rejected",
    "address rejected",
    "recipient rejected",
    "did not exactly match",
    "mailbox unavailable",
    "mailbox is unavailable",
    "mailbox is full",
    "mailbox full",
    "mailbox is inactive",
    "mailbox disabled",
    "account is disabled",
    "account has been disabled",
    "account disabled",
    "over quota",
    "overquota",
    "over disk quota",
    "quota exceeded",
    "quota violation",
    "exceeded storage allocation",
    "exceeding their quota",
    "insufficient disk space",
    "host unknown",
    "unknown host",
    "unrouteable address",
    "unroutable address",
    "not accepting mail",
    "retry timeout exceeded",
    // other languages
    "nicht zugestellt",
    "nicht zustellbar",
    "unzustellbar",
    "konnte nicht gesendet",
    "konnte nicht ausgeliefert",
    "pas pu être délivré",
    "pas pu etre delivre",
    "pas pu être remis",
    "pas être remis",
    "n'a pas été remis",
    "échec de la remise",
    "échec de remise",
    "no pudo ser entregado",
    "no se pudo entregar",
    "no se ha podido entregar",
    "no ha podido ser entregado",
    "não pôde ser entregue",
    "não foi possível entregar",
    "nao pode ser enviada",
    "non è stato possibile recapitare",
    "impossibile recapitare",
    "non è stato recapitato",
    "non può essere consegnato",
    "niet worden bezorgd",
    "niet afgeleverd",
    "kon niet worden afgeleverd",
    "nie została dostarczona",
    "nie można dostarczyć",
    "kunde inte levereras",
    "kunne ikke leveres",
    "не может быть доставлено",
    "не удалось доставить",
    "невозможно доставить",
    "не доставлено",
    "配信できません",
    "配送できません",
    "送信できません",
    "届きませんでした",
    "無法投遞",
    "无法投递",
    "无法发送",
];

const DELAYS: &[&str] = &[
    "has been delayed",
    "was delayed",
    "is delayed",
    "message delayed",
    "delivery delayed",
    "delivery is delayed",
    "delivery status notification (delay)",
    "has been postponed",
    "not yet been delivered",
    "not yet delivered",
    "could not be delivered yet",
    "still being attempted",
    "still in the queue",
    "still being retried",
    "will be retried",
    "will be attempted again",
    "will keep trying",
    "will continue to try",
    "will continue trying",
    "will continue to attempt",
    "continue to be made",
    "attempts will continue",
    "retries will continue",
    "will try again",
    "will retry",
    "only a warning",
    "just a warning",
    "warning message only",
    "advisory-only",
    "no action is required on your part",
    "you do not need to resend",
    "do not need to resend your message",
    "noch nicht zugestellt",
    "weiterhin versucht",
    "n'a pas encore été",
    "todavía no se ha",
    "aún no se ha",
    "non è stato ancora",
    "nog niet",
    "ещё не доставлено",
];

const MAILS: &[&str] = &[
    "message",
    "mail",
    "correo",
    "mensaje",
    "mensagem",
    "messaggio",
    "courriel",
    "nachricht",
    "bericht",
    "meddelande",
    "wiadomoś",
    "сообщени",
    "письм",
    "メール",
    "邮件",
    "郵件",
    "메일",
];

const MACHINES: &[&str] = &[
    "created automatically",
    "automatically generated",
    "automatically-generated",
    "auto-generated",
    "generated automatically",
    "machine generated",
    "automated message",
    "automatic message",
    "mail delivery software",
    "mail delivery system",
    "mail delivery subsystem",
    "mail delivery agent",
    "mail system at host",
    "mail transfer agent",
    "mailer-daemon",
    "the postfix program",
    "qmail-send",
    "program at",
    "delivery status notification",
    "non-delivery report",
    "delivery failure notification",
    "transcript of session",
    "session transcript",
    "remote host said",
    "remote server said",
    "smtp error",
    "error code",
    "rcpt to",
    "this is a permanent error",
    "permanent fatal errors",
    "giving up on",
    "message identifier",
    "failed recipient",
    "following address(es)",
    "following recipient(s)",
    "following addresses",
    "following recipients",
    "recipient(s)",
    "automatisch erstellt",
    "générée automatiquement",
    "generado automáticamente",
    "создано автоматически",
];

const COPIES: &[&str] = &[
    "a copy of the",
    "is a copy of",
    "copy of your message",
    "copy of your mail",
    "copy of the message",
    "copy of the original",
    "below this line",
    "below the next line",
    "original message",
    "original mail",
    "original email",
    "original e-mail",
    "message follows",
    "mail follows",
    "message headers follow",
    "headers follow",
    "header follows",
    "sent follows",
    "message header",
    "message body",
    "message text",
    "mail header",
    "header of the",
    "headers of the",
    "returned message",
    "returned mail",
    "undelivered message",
    "unsent message",
    "rejected message",
    "source mail",
    "forwarded message",
    "your message reads",
    "your original message",
    "text of your message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "kopie der nachricht",
    "kopie ihrer nachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "исходное сообщение",
    "копия сообщения",
];
