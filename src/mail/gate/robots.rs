//! Addresses behind which nobody reads (EM-11, EM-12).

use super::super::read::Mail;
use super::{Ours, SkipReason};

/// Local parts that are robots as a whole.
const ROBOTS: [&str; 19] = [
    "mailer-daemon",
    "mail-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "postmaster",
    "post_master",
    "post-master",
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
    "system administrator",
    "system-administrator",
];

/// Beginnings of robots' local parts.
const ROBOT_STARTS: [&str; 16] = [
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
    "mailer-daemon-",
];

/// Ends of lists' service addresses.
const ROBOT_ENDS: [&str; 4] = ["-bounces", "-bounce", "-owner", "-request"];

/// Roles of a system's administration; `info` and `support` are people (EM-12).
const ROLES: [&str; 3] = ["abuse", "root", "hostmaster"];

/// Looks at From, Sender and Return-Path, the last as raw text because bounces put a bare word there.
pub(super) fn is_from_a_robot(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    let authors =
        mail.from.iter().map(|named| named.address.local()).chain(mail.sender.iter().map(|s| s.local()));
    let raw = ["return-path", "from", "sender"].into_iter().flat_map(|name| mail.signals.fields.all(name));
    authors.chain(raw.map(bare_local)).find_map(judge)
}

/// What is wrong with a local part, if anything.
pub(super) fn judge(local: &str) -> Option<SkipReason> {
    let lower = local.trim().trim_matches('"').to_lowercase();
    let name = without_detail(unwrapped(&lower));
    let is_robot = ROBOTS.contains(&name)
        || ROBOT_STARTS.iter().any(|start| name.starts_with(start))
        || ROBOT_ENDS.iter().any(|end| name.ends_with(end));
    match (is_robot, ROLES.contains(&name)) {
        (true, _) => Some(SkipReason::RobotSender),
        (false, true) => Some(SkipReason::RoleSender),
        (false, false) => None,
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

/// The local part of the last angle-bracketed or bare address of a raw value; a word without `@` counts as one.
fn bare_local(value: &str) -> &str {
    let address = value.rsplit_once('<').map_or(value, |(_, inner)| inner);
    let address = address.split(['>', '(']).next().unwrap_or("").trim();
    address.rsplit_once('@').map_or(address, |(local, _)| local)
}
