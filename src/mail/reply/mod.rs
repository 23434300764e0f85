//! The reply as bytes: what the outbox freezes and the wire carries (section 2 of the mail rules, EM-35 to EM-59).
//!
//! The model chooses the words of the body and nothing else (EM-58). The same draft gives the same bytes (EM-55).
//! The builder writes the syntax of the header; everything that goes into it is cleaned before (CT-1 to CT-5b).
//!
//! ```text
//! words (markdown) -> markdown: safe events -> plain: text/plain  \
//!                         ^                 -> text/html           multipart/alternative
//!                       links: the agent's own domains only
//! ```

mod body;
mod links;
mod markdown;
mod plain;
mod subject;
mod threading;

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, MultiPartKind, SinglePart};
use sha2::{Digest, Sha256};

use self::body::Below;
use self::links::Links;
use super::address::Address;
use super::clean;
use super::disclosure::disclosure;
use super::fields;
use super::language::Language;
use super::limits::Limits;
use super::loop_mark;
use super::message_id::RfcMessageId;
use super::read::{Mail, address_list};
use super::wording::Wording;
use crate::clock::Timestamp;

/// Longest display name written, in characters (EM-53).
const LONGEST_NAME: usize = 64;
/// Longest model name written, in characters.
const LONGEST_MODEL: usize = 100;
/// Longest words that are mailed, in bytes (SR-69).
const LONGEST_WORDS: usize = 64 * 1024;
/// The last second of the year 9999, behind which the date format ends.
const LAST_SECOND: i64 = 253_402_300_799;

/// Everything a reply is made of.
pub struct Draft<'a> {
    /// The mail that is answered.
    pub parent: &'a Mail,
    /// Our address, of the account that sends (EM-155).
    pub from: &'a Address,
    /// Our display name.
    pub from_name: Option<&'a str>,
    /// Where answers to the reply go, if not to `from` (EM-66).
    pub reply_to: Option<&'a Address>,
    /// The one recipient that the gate chose (EM-39).
    pub to: &'a Address,
    /// The recipient's display name, as far as it is harmless (EM-53).
    pub to_name: Option<&'a str>,
    /// The model's words, in markdown.
    pub body: &'a str,
    /// The owner whom the disclosure below the words names; it is written in the language of the mail. `None` only
    /// for a reply that a person approved (SR-88).
    pub on_behalf_of: Option<&'a str>,
    /// How the owner wants it to sound.
    pub voice: Voice<'a>,
    /// The domains that the reply may link to, with what is below them (SR-69).
    pub link_domains: &'a [String],
    /// Our id, made by [`super::own_message_id`] and stored before (EM-54).
    pub message_id: &'a RfcMessageId,
    /// When the reply was frozen; stands in `Date`.
    pub date: Timestamp,
    /// The value of [`super::loop_mark()`] (EM-17).
    pub loop_mark: &'a str,
    /// Provider and model for `X-AI-Model` (SR-89).
    pub model: &'a str,
}

/// How an owner wants replies to sound, beyond the words; the default is what we say by ourselves.
#[derive(Clone, Copy, Default)]
pub struct Voice<'a> {
    /// Lines below the reply.
    pub signature: Option<&'a str>,
    /// The owner's wording of the disclosure.
    pub wording: Option<&'a Wording>,
    /// The language of our own words, whatever the mail is written in.
    pub language: Option<Language>,
}

/// Why no reply can be written. None of these goes away by trying again: a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The agent's own address cannot stand in a header.
    #[error("the sending address cannot be written into a mail")]
    From,
    /// The recipient's address is of a form that we cannot send to (CT-5b, EM-133).
    #[error("the recipient's address is of a form that cannot be sent to")]
    To,
    /// The model gave no words.
    #[error("the reply has no text")]
    NoText,
    /// The model gave more words than anybody reads in a mail.
    #[error("the reply is too long for a mail")]
    TooLong,
    /// The Message-ID is not one that we would make.
    #[error("the Message-ID cannot be written into a mail")]
    MessageId,
    /// The mail builder refused.
    #[error("the mail could not be put together")]
    Builder,
}

/// The whole mail with CRLF line ends, ASCII only, no line over 998 bytes (EM-49, EM-157, EM-158).
pub fn compose(draft: &Draft<'_>) -> Result<Vec<u8>, ComposeError> {
    if !draft.message_id.is_sendable() {
        return Err(ComposeError::MessageId);
    }
    if draft.body.len() > LONGEST_WORDS {
        return Err(ComposeError::TooLong);
    }
    // The mail says which language it is; where it is too short for that, the answer to it may not be.
    let guess = || Language::of_first_sure(&[&draft.parent.text.visible, draft.body]);
    let language = draft.voice.language.unwrap_or_else(guess);
    let line = draft.on_behalf_of.map(|owner| match draft.voice.wording {
        Some(wording) => wording.of_owner(owner),
        None => disclosure(owner, language),
    });
    let below = Below { disclosure: line.as_deref(), signature: draft.voice.signature };
    let links = Links::to(draft.link_domains);
    let body = body::write(draft.body, &below, &links, language).ok_or(ComposeError::NoText)?;
    let parts = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(boundary(draft.message_id))
        .singlepart(part(ContentType::TEXT_PLAIN, &body.plain))
        .singlepart(part(ContentType::TEXT_HTML, &body.html));
    let message = header(draft, language)?.multipart(parts).map_err(|_| ComposeError::Builder)?;
    Ok(message.formatted())
}

/// To whom a composed mail is: its `To`, as it was written.
pub fn recipient(raw: &[u8]) -> Option<Address> {
    let (fields, _) = fields::split(raw, &Limits::default());
    address_list(fields.first("to")?, 1).pop().map(|to| to.address)
}

pub(super) fn part(kind: ContentType, text: &str) -> SinglePart {
    let encoded =
        Body::dangerous_pre_encoded(body::quoted_printable(text), ContentTransferEncoding::QuotedPrintable);
    SinglePart::builder().header(kind).body(encoded)
}

/// The same for the same mail (EM-55); `=_` cannot stand in quoted-printable text (RFC 2045 section 6.7).
fn boundary(message_id: &RfcMessageId) -> String {
    let hash = Sha256::digest(message_id.as_str());
    let digits: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("=_{digits}")
}

fn header(draft: &Draft<'_>, language: Language) -> Result<MessageBuilder, ComposeError> {
    let mut builder = lettre::Message::builder()
        .from(mailbox(draft.from, draft.from_name).ok_or(ComposeError::From)?)
        .to(mailbox(draft.to, draft.to_name).ok_or(ComposeError::To)?)
        .date(date(draft.date))
        .message_id(Some(draft.message_id.bracketed()))
        .subject(subject::reply_subject(&draft.parent.subject, language));
    if let Some(address) = draft.reply_to.and_then(|address| mailbox(address, draft.from_name)) {
        builder = builder.reply_to(address);
    }
    if let Some(parent) = threading::in_reply_to(draft.parent) {
        builder = builder.in_reply_to(parent);
    }
    if let Some(references) = threading::references(draft.parent) {
        builder = builder.references(references);
    }
    Ok(with_marks(builder, draft))
}

/// What tells other programs that a program wrote this (EM-35, EM-37, EM-17, SR-89).
fn with_marks(builder: MessageBuilder, draft: &Draft<'_>) -> MessageBuilder {
    let model: String = clean::line(draft.model).chars().filter(char::is_ascii).take(LONGEST_MODEL).collect();
    let mark: String = draft.loop_mark.chars().filter(char::is_ascii_graphic).take(200).collect();
    builder
        .raw_header(field("Auto-Submitted", "auto-replied"))
        .raw_header(field("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"))
        .raw_header(field(loop_mark::FIELD, &mark))
        .raw_header(field("X-AI-Generated", "true"))
        .raw_header(field("X-AI-Model", &model.replace("=?", "= ?")))
}

pub(super) fn field(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

pub(super) fn mailbox(address: &Address, name: Option<&str>) -> Option<Mailbox> {
    let address = address.ascii()?.as_str().parse().ok()?;
    Some(Mailbox::new(name.and_then(display_name), address))
}

/// A name that cannot pass for an address or reach beyond its field; the builder panics at line breaks (CT-1, CT-4).
fn display_name(name: &str) -> Option<String> {
    let name = clean::cut_chars(&clean::line(name), LONGEST_NAME).trim().to_owned();
    let is_harmless = !name.is_empty() && !name.contains(['@', '<', '>']) && !name.contains("=?");
    is_harmless.then_some(name)
}

/// Kept within the years that the date format knows, outside of which its crate panics.
pub(super) fn date(timestamp: Timestamp) -> SystemTime {
    let seconds = timestamp.millis().div_euclid(1000).clamp(0, LAST_SECOND);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}
