//! The configuration in force, as a person may see it.

use std::fmt;

use super::draft::Draft;
use super::setting::Setting;
use super::{Config, Database, OperatorMail, PlatformKey, VaultSource, operator_mail, platform_key};

impl Config {
    /// The configuration in force as TOML: every key, secrets and passwords in URLs replaced, keys without
    /// a value as comments.
    pub fn effective(&self) -> String {
        let mut draft = Draft::from(self.clone());
        let sections = draft.sections();
        let texts: Vec<String> = sections
            .iter()
            .map(|section| {
                format!("[{}]\n{}", section.name, section.settings.iter().map(line).collect::<String>())
            })
            .collect();
        texts.join("\n")
    }

    /// Every key as `section.key`, in the order of the file.
    pub fn keys() -> Vec<String> {
        let mut draft = Draft::default();
        let sections = draft.sections();
        let keys = sections.iter().flat_map(|section| {
            section.settings.iter().map(|setting| format!("{}.{}", section.name, setting.name))
        });
        keys.collect()
    }
}

// `Debug` shows what `effective` shows, so that no secret can be printed by accident.

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.effective())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.clone().settings(), f)
    }
}

impl fmt::Debug for VaultSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.clone().settings(), f)
    }
}

impl fmt::Debug for PlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&platform_key::Draft::from(self.clone()).settings(), f)
    }
}

impl fmt::Debug for OperatorMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&operator_mail::Draft::from(self.clone()).settings(), f)
    }
}

fn show(settings: &[Setting<'_>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    settings.iter().try_for_each(|setting| f.write_str(&line(setting)))
}

fn line(setting: &Setting<'_>) -> String {
    match setting.show() {
        Some(value) => format!("{} = {value}\n", setting.name),
        None => format!("# {} is not set\n", setting.name),
    }
}
