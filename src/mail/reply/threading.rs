//! `In-Reply-To` and `References`: what keeps a conversation together (EM-44 to EM-48; RFC 5322 section 3.6.4).

use super::super::message_id::RfcMessageId;
use super::super::read::Mail;

/// Most ids in `References` (EM-48).
const MOST_IDS: usize = 20;
/// Longest `References` value in bytes, brackets and spaces included (EM-48).
const LONGEST: usize = 900;

/// The parent's id; none when it has none or one that cannot be written.
pub(super) fn in_reply_to(parent: &Mail) -> Option<String> {
    parent.message_id.as_ref().filter(|id| id.is_sendable()).map(RfcMessageId::bracketed)
}

/// The parent's chain and the parent's id at its end; of a long chain the first and the last ones.
pub(super) fn references(parent: &Mail) -> Option<String> {
    let chain = shortened(chain(parent));
    let ids: Vec<String> = chain.into_iter().map(RfcMessageId::bracketed).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// In order, each id once (its first place counts), the parent last (EM-45, EM-46).
fn chain(parent: &Mail) -> Vec<&RfcMessageId> {
    let before = match (parent.references.is_empty(), parent.in_reply_to.as_slice()) {
        (true, [only]) => std::slice::from_ref(only),
        (true, _) => &[],
        (false, _) => parent.references.as_slice(),
    };
    let mut seen = std::collections::HashSet::new();
    let last = parent.message_id.as_ref();
    let earlier = before.iter().filter(|id| Some(*id) != last && id.is_sendable() && seen.insert(*id));
    let mut chain: Vec<_> = earlier.collect();
    chain.extend(last.filter(|id| id.is_sendable()));
    chain
}

fn shortened(chain: Vec<&RfcMessageId>) -> Vec<&RfcMessageId> {
    let cost = |id: &RfcMessageId| id.as_str().len() + "<> ".len();
    let Some((first, rest)) = chain.split_first() else { return chain };
    let mut room = LONGEST.saturating_sub(cost(first));
    let mut kept: Vec<&RfcMessageId> = Vec::new();
    for id in rest.iter().rev().take(MOST_IDS - 1) {
        if cost(id) > room {
            break;
        }
        room -= cost(id);
        kept.push(id);
    }
    kept.push(first);
    kept.reverse();
    kept
}
