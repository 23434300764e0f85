//! Servers that the operator names for the service itself, told at the start what the guard would refuse at every
//! connection (SR-58).

use crate::config::{Config, OperatorMail};
use crate::net::{Guard, Security, ServerFault, Use, is_host};

/// Answers the first section with faults, as sentences that begin with the key.
pub(super) fn check(config: &Config, guard: &Guard) -> Result<(), String> {
    if let Some(url) = config.platform_key.as_ref().and_then(|platform| platform.base_url.as_deref()) {
        guard.parse_base_url(url).map_err(|problem| format!("platform_key.base_url {problem}"))?;
    }
    config.operator_mail.as_ref().map_or(Ok(()), |mail| check_mail(mail, guard))
}

fn check_mail(mail: &OperatorMail, guard: &Guard) -> Result<(), String> {
    if !is_host(&mail.host) {
        return Err("operator_mail.host must be a host name, such as \"mail.example.com\"".to_owned());
    }
    let server = (mail.host.as_str(), u16::try_from(mail.port).unwrap_or_default());
    let faults = guard.check_mail_server(Use::Smtp, server, Security::from(mail.security));
    let told: Vec<_> = faults
        .into_iter()
        .map(|fault| match fault {
            ServerFault::Host(problem) => format!("operator_mail.host {problem}"),
            ServerFault::Port(problem) => format!("operator_mail.port {problem}"),
            ServerFault::Security(problem) => format!("operator_mail.security {problem}"),
        })
        .collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("; ")) }
}
