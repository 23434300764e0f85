//! The variables of a process, and which of them are ours.

use std::collections::BTreeMap;

use zeroize::Zeroize;

use super::vault::{ACTIVE_VARIABLE, KEKS_VARIABLE};

const PREFIX: &str = "POSTKEY_";

/// Variables of tests and benchmarks; never settings, whatever their names look like.
const OF_TESTS: [&str; 5] =
    ["POSTKEY_TEST_", "POSTKEY_BENCH_", "POSTKEY_FUZZ_", "POSTKEY_SCHEMATHESIS_", "POSTKEY_CORPORA"];

/// Names the file that is loaded.
pub const CONFIG_VARIABLE: &str = "POSTKEY_CONFIG";

/// Variables that are read and override no key.
pub(super) const BESIDE_KEYS: [&str; 3] = [KEKS_VARIABLE, ACTIVE_VARIABLE, CONFIG_VARIABLE];

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

    /// Everything that begins as our variables do, except those that are read by their names.
    pub fn overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| name.starts_with(PREFIX) && !BESIDE_KEYS.contains(name))
            .filter(|(name, _)| !OF_TESTS.iter().any(|prefix| name.starts_with(prefix)))
            .filter(|(name, value)| !tells_of_a_service(name, value))
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

/// Where Kubernetes and Docker tell of a service or container named `postkey`: nobody has written these.
fn tells_of_a_service(name: &str, value: &str) -> bool {
    let is_link = || ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| name.contains(protocol));
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_") && is_link()
        || name.ends_with("_PORT") && value.contains("://")
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
