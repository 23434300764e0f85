//! The variables of a process, and which of them are ours.

use std::collections::BTreeMap;

use zeroize::Zeroize;

const PREFIX: &str = "POSTKEY_";

/// Variables of tests; never settings, whatever their names look like.
const TEST_PREFIX: &str = "POSTKEY_TEST_";

/// All variables by name.
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Of these variables; the last of a name counts.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a variable that says something.
    pub fn get_filled(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Every `POSTKEY_<SECTION>__<KEY>`, known or not.
    pub fn overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX))
            .filter(|(name, _)| name.contains("__"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

/// The variable that overrides a key.
pub(super) fn variable(section: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", section.to_ascii_uppercase(), key.to_ascii_uppercase())
}

/// This process's variables; what is not Unicode is taken as far as it can be read.
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}
