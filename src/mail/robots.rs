//! Local parts of addresses behind which nobody reads (EM-11, EM-12).

/// What kind of box it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Robot {
    /// A mail system: it sends bounces.
    System,
    /// A list, a newsletter or a service that takes no mail.
    Service,
    /// The role of a system's administration (EM-12).
    Role,
}

/// Local parts of mail systems.
const SYSTEMS: [&str; 23] = [
    "mailer-daemon",
    "mail-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "mailer.daemon",
    "mdaemon",
    "postmaster",
    "post_master",
    "post-master",
    "postmast",
    "mail.delivery.system",
    "mail-delivery-system",
    "mail.delivery.subsystem",
    "mail-delivery-subsystem",
    "maildelivery",
    "mail-delivery",
    "mailadm",
    "ndr",
    "ndn",
    "smtp",
    "system administrator",
    "system-administrator",
    "microsoftexchange",
];

/// Beginnings of local parts of mail systems.
const SYSTEM_STARTS: [&str; 4] =
    ["mailer-daemon-", "postmaster-", "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e", "mailer-daemon."];

/// Local parts of services as a whole.
const SERVICES: [&str; 10] = [
    "bounce",
    "bounces",
    "listserv",
    "majordomo",
    "mailman",
    "sympa",
    "nobody",
    "autoreply",
    "auto-reply",
    "autoresponder",
];

/// Beginnings of services' local parts.
const SERVICE_STARTS: [&str; 15] = [
    "noreply",
    "no-reply",
    "no_reply",
    "no.reply",
    "donotreply",
    "do-not-reply",
    "do_not_reply",
    "do.not.reply",
    "donot-reply",
    "do-notreply",
    "bounce-",
    "bounce=",
    "bounces-",
    "bounces=",
    "owner-",
];

/// Ends of lists' service addresses.
const SERVICE_ENDS: [&str; 4] = ["-bounces", "-bounce", "-owner", "-request"];

/// Roles of a system's administration; `info` and `support` are people (EM-12).
const ROLES: [&str; 3] = ["abuse", "root", "hostmaster"];

/// What box a local part belongs to; `None` for one that a person may read.
pub(super) fn judge(local: &str) -> Option<Robot> {
    let lower = local.trim().trim_matches('"').to_lowercase();
    let name = without_detail(unwrapped(&lower));
    let is_system = SYSTEMS.contains(&name) || SYSTEM_STARTS.iter().any(|start| name.starts_with(start));
    let is_service = SERVICES.contains(&name)
        || SERVICE_STARTS.iter().any(|start| name.starts_with(start))
        || SERVICE_ENDS.iter().any(|end| name.ends_with(end));
    match (is_system, is_service, ROLES.contains(&name)) {
        (true, ..) => Some(Robot::System),
        (false, true, _) => Some(Robot::Service),
        (false, false, true) => Some(Robot::Role),
        (false, false, false) => None,
    }
}

/// The original local part inside BATV (`prvs=tag=user`) and SRS (`SRS0=hash=time=domain=user`) forms.
fn unwrapped(local: &str) -> &str {
    let is_srs =
        ["srs0=", "srs0-", "srs0+", "srs1=", "srs1-", "srs1+"].iter().any(|start| local.starts_with(start));
    let inner = match (local.strip_prefix("prvs="), is_srs) {
        (Some(rest), _) => rest.split_once('=').map(|(_, user)| user),
        (None, true) => local.rsplit_once('=').map(|(_, user)| user),
        (None, false) => None,
    };
    inner.unwrap_or(local)
}

fn without_detail(local: &str) -> &str {
    local.split_once('+').map_or(local, |(base, _)| base)
}

/// The local part of the last angle-bracketed or bare address of a raw value; a word without `@` counts as one,
/// because mail systems put bare words there. Some escape a second `@`; the first one ends it.
pub(super) fn bare_local(value: &str) -> &str {
    let address = value.rsplit_once('<').map_or(value, |(_, inner)| inner);
    let address = address.split(['>', '(']).next().unwrap_or("").trim();
    address.split_once('@').map_or(address, |(local, _)| local).trim_end_matches('\\')
}
