//! The user itself.

use super::super::document::UserEntry;
use super::{Context, Step, Verb, changed};
use crate::cli::CliError;
use crate::store::NewUser;
use crate::vault::{hash_password, is_password};

pub(super) fn plan(entry: &UserEntry, context: &mut Context<'_>) -> Result<(), CliError> {
    let stored = context.stored.user.as_ref();
    let Some(name) = entry.name.clone().or_else(|| stored.map(|user| user.name.clone())) else {
        context.findings.fault(&entry.place, "`name` is missing: the user is new");
        return Ok(());
    };
    let hash = stored.and_then(|user| user.password_hash.as_deref());
    // Verified, not hashed again: a hash has a new salt each time and would look like a change.
    let is_same_password =
        entry.password.as_ref().is_none_or(|password| hash.is_some_and(|hash| is_password(password, hash)));
    let is_same_name = stored.is_some_and(|user| user.name == name);
    let is_same_role = entry.role.is_none_or(|role| stored.is_some_and(|user| user.role == role));
    let is_new = stored.is_none();
    let step = Step {
        verb: Verb::Left,
        kind: "user",
        name: entry.email.clone(),
        owner: entry.email.clone(),
        changes: changed([("name", is_same_name), ("role", is_same_role), ("password", is_same_password)]),
    };
    if context.step(step, is_new) {
        let password = entry.password.as_ref().filter(|_| !is_same_password);
        let password_hash = password.map(hash_password).transpose()?;
        let user =
            NewUser { id: context.owner, email: entry.email.clone(), name, role: entry.role, password_hash };
        context.plan.provision.users.push(user);
    }
    Ok(())
}
