//! What the words of a text speak of, found in one pass over it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::clean;
use super::vocabulary::{COPIES, DELAYS, FAILURES, MACHINES, MAILS};

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
    FAILURE.is_in(&folded(clean::cut_bytes(text, 4 * 1024)))
}

/// Lower case, and every run of white space one space, so that a phrase is found across line ends.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    let lower = out.to_lowercase();
    if lower.is_ascii() { lower } else { lower.replace('’', "'") }
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
