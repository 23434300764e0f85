//! What a message says: pure functions from bytes to values and from values to bytes, without any I/O.
//!
//! The pages in the order in which a mail meets them:
//!
//! | page | from | to |
//! |---|---|---|
//! | `fields`, `structure` | raw bytes | header fields and MIME leaves, within [`Limits`] |
//! | `encoded_words`, `smime` | a field, a signed mail | what is within |
//! | `content_type`, `transfer`, `uuencode`, `charset`, `flowed`, `html`, `clean` | a leaf | readable text |
//! | `visible`, `quotes` | the leaves | [`VisibleText`] |
//! | `attachments`, `file_kind`, `tnef`, `uuencode` | the other leaves | [`Attachment`]s |
//! | `bounce` | fields and leaves | [`Bounce`]: who did not get which mail |
//! | `read` | all of it | [`Mail`] |
//! | [`identity()`] | a mail | what stays the same when it is seen again |
//! | [`gate`] | a mail and who we are | answer to whom, or skip or hold and why |
//! | [`authentication`] | a mail and its host's name | who sent it, as the host says |
//! | [`wishes`] | a mail | whether a person is wanted, or silence |
//! | [`reply`] | a parent and words | the bytes of the answer |
//! | [`Language`], `own_words` | a text | the few words of our own in its language |
//! | [`disclosure()`], [`own_message_id`], [`loop_mark()`], [`signed_address`] | | what goes into it |
//! | [`signed_thread`] | a mail and who writes with whom | the thread that it was signed for |
//!
//! Rules of the mail reference that are built here:
//!
//! | topic | rules |
//! |---|---|
//! | gate | EM-1 to EM-21, EM-23, EM-24, EM-31 to EM-34, EM-39 to EM-41, EM-63, EM-127, EM-129 (two authors), EM-133 |
//! | bounces | EM-151, EM-153 |
//! | sender | EM-129, EM-135 to EM-137, EM-140, EM-141 |
//! | wishes | SR-88, SR-90 |
//! | reply | EM-35, EM-37 to EM-42, EM-44 to EM-56, EM-58, EM-59; SR-69, SR-88, SR-89 |
//! | routing | EM-62, EM-64 to EM-68, identity by EM-72; EM-69 to EM-71 where threads are found: `store` |
//! | reading | EM-106, EM-107, EM-109 to EM-117, EM-119 to EM-128, EM-130 to EM-132 |
//!
//! Rules that are deliberately not built here:
//!
//! | rule | why |
//! |---|---|
//! | EM-5, switch for `List-Unsubscribe` alone | who mails through a newsletter system expects no answer; the owner sees each skipped mail and its reason |
//! | EM-13, subject and a null-like sender | an empty return path or a robot's address skips without a look at the subject |
//! | EM-22 | there is nothing to forbid: no code writes reading receipts |
//! | EM-24, "not the addressee we wrote to" | people answer from second addresses; the words of the question decide |
//! | EM-25, EM-26 | they need the folder and its dates: see [`crate::mailbox`] |
//! | EM-27 to EM-29 | they need the store: they are kept where the reply's row is written |
//! | EM-30 | there is no side effect to withhold: the model has no tools, and attachments are not sent |
//! | EM-36 | a notice to an owner is no reply and is not composed here; a draft goes out as it was frozen and approved, byte for byte, so it says of itself that a program wrote it |
//! | EM-42, EM-151, VERP | a tag in the sender's address works only where the domain is ours; bounces are found by Message-ID |
//! | EM-43 | [`crate::smtp`] asks for no delivery status: the failure notice comes without being asked for |
//! | EM-50, more languages | forwards (`Fwd:`, `WG:`, `TR:`) stay in the subject; a prefix that is not in the table does too, since a word before a colon may be the subject's own |
//! | EM-57 | nothing of the parent is quoted: the programs of both sides keep the thread, and what is not repeated cannot leak |
//! | EM-66, long addresses | a signed detail takes 51 of the 64 bytes before an `@`; an address of ours with more than 13 there is not signed |
//! | EM-71, from the Sent folder | an id that a provider puts in the place of ours is learned from the first answer to a signed address only |
//! | EM-60 | the copy in the Sent folder is filed by [`crate::mailbox`] |
//! | EM-108 | archives are not unpacked: nothing that a reply needs is in them, and unpacking is where readers get hurt |
//! | EM-115, `@media` and long selectors | passed over: that shows more than a reader sees, never less |
//! | EM-119, the share of 10 % | interleaved quotes are kept as they are, so nothing is left to compare |
//! | EM-121, the forwarded sender | it stays in the text, where it is what it is: a claim |
//! | EM-122, `Sent from` within the text | such lines count at the end only; within the words they are somebody's sentence |
//! | EM-125, unpacking `winmail.dat` | its files are named; the model gets no binary content |
//! | EM-126, other pictures | trackers are GIF or PNG pictures, of which the size is looked at; no picture is decoded |
//! | EM-127, signatures | not checked: who sent a mail is told by its host, not by us |
//! | EM-133, EM-142, look-alikes | addresses are compared as A-labels; a likeness proves nothing and would be shown to nobody |
//! | EM-134, files keep no bytes | the stored mail has them |
//! | EM-138 | ARC needs a list of trusted sealers that somebody keeps; without it forwarded mail is merely unproven |
//! | EM-139 | our own DKIM check would need DNS; the receiving host has made one, on the bytes as they came |
//! | SR-69, links in the mail | a link that came in the mail is written only if it leads to one of the agent's domains, as any other; it is not looked up where it came from |
//! | SR-69, bare names | a name whose ending is not in our list stays as it is: file names look the same |
//! | SR-69, own prompt | an answer that repeats the owner's instructions is not found: instructions hold sentences to be used as they are |
//!
//! Everything here is total: any bytes give a value, none gives a panic, and time and memory grow with the size of
//! the mail at most.

mod address;
mod attachments;
pub mod authentication;
mod bounce;
mod calendar;
mod charset;
mod clean;
mod content_type;
mod disclosure;
mod encoded_words;
mod fields;
mod file_kind;
mod flowed;
pub mod gate;
mod header_block;
mod html;
mod identity;
mod language;
mod letter;
mod limits;
mod loop_mark;
mod message_id;
mod own_words;
mod quotes;
mod read;
pub mod reply;
mod reply_address;
mod robots;
mod sender_rule;
mod smime;
mod structure;
mod tnef;
mod transfer;
mod uuencode;
mod visible;
pub mod wishes;
mod wording;

pub use address::{Address, Named, plus_detail};
pub use attachments::Attachment;
pub use authentication::Authentication;
pub use bounce::Bounce;
pub use disclosure::{disclosure, without_disclosure};
pub use header_block::has_header_block;
pub use identity::{Identity, identity};
pub use language::Language;
pub use letter::Letter;
pub use limits::Limits;
pub use loop_mark::{is_own_loop_mark, loop_mark};
pub use message_id::{RfcMessageId, is_own_message_id, own_message_id};
pub use read::{Flags, Mail, Signals, hash_words, read};
pub use reply_address::{
    AddressTag, LONGEST_SIGNED, Parties, has_room_for_detail, signed_address, signed_thread, unsigned,
    without_details,
};
pub use sender_rule::{SenderRule, comparable_domain};
pub use visible::VisibleText;
pub use wishes::Wish;
pub use wording::{Wording, WordingFault};
