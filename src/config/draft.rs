//! A configuration while it is read: all sections, also those that may be absent.

use super::setting::Section;
use super::{Config, ConfigError, ConfigErrors, operator_mail, platform_key};

/// Starts from the defaults, or from a configuration that is to be shown.
#[derive(Default)]
pub(super) struct Draft {
    config: Config,
    platform_key: platform_key::Draft,
    operator_mail: operator_mail::Draft,
}

impl Draft {
    /// Every section in the order of the file.
    pub(super) fn sections(&mut self) -> Vec<Section<'_>> {
        let config = &mut self.config;
        vec![
            Section { name: "database", settings: config.database.settings() },
            Section { name: "vault", settings: config.vault.settings() },
            Section { name: "worker", settings: config.worker.settings() },
            Section { name: "mailbox", settings: config.mailbox.settings() },
            Section { name: "smtp", settings: config.smtp.settings() },
            Section { name: "network", settings: config.network.settings() },
            Section { name: "provider", settings: config.provider.settings() },
            Section { name: "openrouter", settings: config.openrouter.settings() },
            Section { name: "platform_key", settings: self.platform_key.settings() },
            Section { name: "answers", settings: config.answers.settings() },
            Section { name: "http", settings: config.http.settings() },
            Section { name: "operator_mail", settings: self.operator_mail.settings() },
            Section { name: "retention", settings: config.retention.settings() },
            Section { name: "log", settings: config.log.settings() },
        ]
    }

    /// The section whose keys also have variables of their own.
    pub(super) fn vault(&mut self) -> &mut super::VaultSource {
        &mut self.config.vault
    }

    /// The configuration, if no error was found before and its values fit together.
    pub(super) fn finish(self, mut errors: Vec<ConfigError>) -> Result<Config, ConfigErrors> {
        let mut config = self.config;
        match self.platform_key.finish() {
            Ok(key) => config.platform_key = key,
            // A key that could not be read is not also a key that is missing.
            Err(error) if errors.is_empty() => errors.push(error),
            Err(_) => {}
        }
        match self.operator_mail.finish() {
            Ok(mail) => config.operator_mail = mail,
            Err(error) if errors.is_empty() => errors.push(error),
            Err(_) => {}
        }
        config.provider.app_url = config.provider.app_url.take().or_else(|| config.http.public_url.clone());
        errors.extend(at_odds(&config));
        ConfigErrors::check(errors)?;
        Ok(config)
    }
}

impl From<Config> for Draft {
    fn from(mut config: Config) -> Self {
        let platform_key = config.platform_key.take().map(Into::into).unwrap_or_default();
        let operator_mail = config.operator_mail.take().map(Into::into).unwrap_or_default();
        Self { config, platform_key, operator_mail }
    }
}

/// Values that are each allowed, but not together.
fn at_odds(config: &Config) -> Vec<ConfigError> {
    let (worker, mailbox, provider) = (&config.worker, &config.mailbox, &config.provider);
    let rules = [
        (
            config.vault.sources() > 1,
            "vault",
            "has several sources of keys; keep one of POSTKEY_KEKS, keks_file and keks_command",
        ),
        (
            worker.retry_first > worker.retry_longest,
            "worker.retry_first",
            "is longer than worker.retry_longest; make it shorter",
        ),
        (worker.idle_tick > worker.lease, "worker.idle_tick", "is longer than worker.lease; make it shorter"),
        (
            worker.run_timeout < provider.call_timeout,
            "worker.run_timeout",
            "is shorter than provider.call_timeout; make it longer",
        ),
        (
            mailbox.reconnect_first > mailbox.reconnect_longest,
            "mailbox.reconnect_first",
            "is longer than mailbox.reconnect_longest; make it shorter",
        ),
        (
            config.http.access_token_life > config.http.session_life,
            "http.access_token_life",
            "is longer than http.session_life; make it shorter",
        ),
        (mailbox.refresh > mailbox.lease, "mailbox.refresh", "is longer than mailbox.lease; make it shorter"),
        (
            provider.max_output_tokens >= provider.context_tokens,
            "provider.max_output_tokens",
            "leaves no room in provider.context_tokens; make it smaller",
        ),
    ];
    rules
        .into_iter()
        .filter(|(wrong, ..)| *wrong)
        .map(|(_, key, problem)| ConfigError::new(key, problem))
        .collect()
}
