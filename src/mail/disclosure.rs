//! The line that says who answers (SR-88, EM-59).

use super::clean;

/// Longest owner name shown, in characters.
const LONGEST_NAME: usize = 80;

/// "This answer was written by an AI system on behalf of ..." for an owner of that name.
///
/// A name that is empty after cleaning is written as `the owner of this mailbox`: the line itself is never left out.
pub fn disclosure(owner_name: &str) -> String {
    let name = clean::cut_chars(&clean::line(owner_name), LONGEST_NAME);
    let owner = if name.is_empty() { "the owner of this mailbox" } else { &name };
    format!("This answer was written by an AI system on behalf of {owner}. Reply HUMAN to reach a person.")
}
