//! The configuration in force, as a person may see it.

use std::fmt;

use super::Config;
use super::draft::Draft;
use super::setting::Setting;

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

/// Shows what [`Config::effective`] shows, so that no secret can be printed by accident.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.effective())
    }
}

fn line(setting: &Setting<'_>) -> String {
    match setting.show() {
        Some(value) => format!("{} = {value}\n", setting.name),
        None => format!("# {} is not set\n", setting.name),
    }
}
