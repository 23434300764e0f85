//! What is wrong between entries of the file.

use std::collections::HashMap;
use std::hash::Hash;

use super::document::{Document, UserEntry};
use super::reading::{Findings, Place};

/// Notes what stands twice.
pub(super) fn check_document(document: &Document, findings: &mut Findings) {
    refuse_repeated("user", document.users.iter().map(|user| (&user.email, &user.place)), findings);
    for user in &document.users {
        check_user(user, findings);
    }
}

fn check_user(user: &UserEntry, findings: &mut Findings) {
    let providers = user.ai_configurations.iter().map(|entry| (entry.provider, &entry.place));
    refuse_repeated("ai_config", providers, findings);
    let addresses = user.mailboxes.iter().map(|entry| (entry.address.normalized(), &entry.place));
    refuse_repeated("mailbox", addresses, findings);
    let names = user.agents.iter().map(|entry| (&entry.name, &entry.place));
    refuse_repeated("agent", names, findings);
    let mut defaults = user.ai_configurations.iter().filter(|entry| entry.default == Some(true));
    if let (Some(_), Some(second)) = (defaults.next(), defaults.next()) {
        let problem = "a user has one default; write default = true at one ai_config only";
        findings.fault(&second.place.key("default"), problem);
    }
}

/// `what` with the same name again would be one row with two meanings.
fn refuse_repeated<'a, K: Eq + Hash>(
    what: &str,
    entries: impl Iterator<Item = (K, &'a Place)>,
    findings: &mut Findings,
) {
    let mut first: HashMap<K, &Place> = HashMap::new();
    for (name, place) in entries {
        if let Some(first) = first.get(&name) {
            findings.fault(place, format!("the same {what} stands in line {} already", first.line));
        } else {
            first.insert(name, place);
        }
    }
}
