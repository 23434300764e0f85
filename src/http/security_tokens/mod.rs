//! Security tokens: what a front end gets in place of a provider key, for one purpose and a while (SR-48 to SR-53).

pub(super) mod contents;
pub(super) mod create;
pub(super) mod list;
pub(super) mod pass;
pub(super) mod redeem;
pub(super) mod revoke;

mod keys;

use crate::store::SecurityTokenId;

/// What the audit log calls it.
fn subject(token: SecurityTokenId) -> Option<String> {
    Some(format!("security_token:{token}"))
}
