//! What is wrong with a configuration: everything at once, each with its place and what to do.

use std::fmt;

/// Every fault of a configuration; never empty, never with a configured value that may be secret.
#[derive(Debug)]
pub struct ConfigErrors(Vec<ConfigError>);

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// `<file>:<line>:<column>`, the name of an environment variable, or the key that is missing or at odds.
    pub place: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl ConfigErrors {
    pub(super) fn check(errors: Vec<ConfigError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    /// The faults: those of the file in its order, then of the environment, then of keys at odds.
    pub fn list(&self) -> &[ConfigError] {
        &self.0
    }
}

impl ConfigError {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}
