//! Where we are in the file, and what is wrong there.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

use crate::net::Guard;
use crate::telemetry::redact;

/// A place in the file: its line for an editor, its path for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub line: usize,
    /// For example `user[0] "ann@example.com".mailbox[1].imap`; empty for the whole file.
    pub path: String,
}

impl Place {
    /// The place of a key of the table that is here.
    pub(super) fn key(&self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { line: self.line, path }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line in the file, from 1.
    pub line: usize,
    /// The path to the entry or key, for example `user[0] "ann@example.com".mailbox[1].imap.port`.
    pub place: String,
    /// What is wrong and what to write instead; never a secret.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.problem)
    }
}

/// Everything that was found in the file.
#[derive(Default)]
pub(super) struct Findings {
    /// What keeps it from being applied.
    pub faults: Vec<Fault>,
    /// What should be better.
    pub warnings: Vec<Fault>,
}

impl Findings {
    /// Notes a fault.
    pub(super) fn fault(&mut self, place: &Place, problem: impl Into<String>) {
        self.faults.push(fault(place, problem));
    }
}

/// The file while it is read, and what its values may refer to.
pub(super) struct Reading<'a> {
    /// The file's text.
    pub text: &'a str,
    /// Where relative paths begin: the file's folder.
    pub folder: &'a Path,
    /// The value of a variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Which destinations are the operator's own.
    pub guard: &'a Guard,
    findings: RefCell<Findings>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        text: &'a str,
        folder: &'a Path,
        environment: &'a dyn Fn(&str) -> Option<String>,
        guard: &'a Guard,
    ) -> Self {
        Self { text, folder, environment, guard, findings: RefCell::default() }
    }

    /// Notes a fault.
    pub(super) fn fault(&self, place: &Place, problem: impl Into<String>) {
        self.findings.borrow_mut().fault(place, problem);
    }

    /// Notes what should be better.
    pub(super) fn warn(&self, place: &Place, problem: impl Into<String>) {
        self.findings.borrow_mut().warnings.push(fault(place, problem));
    }

    /// The line of a byte of the file, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or(self.text).matches('\n').count() + 1
    }

    /// What was found.
    pub(super) fn finish(self) -> Findings {
        self.findings.into_inner()
    }
}

/// A reference may be a secret that was put into the wrong place, so that what looks like one is not repeated.
fn fault(place: &Place, problem: impl Into<String>) -> Fault {
    Fault { line: place.line, place: place.path.clone(), problem: redact(&problem.into()) }
}
