//! Notices by mail: everything that has gone wrong for an owner goes in one letter, once.
//!
//! A notice is claimed before its letter is handed over. If the process dies in between, its owner finds it in the
//! list only; no crash sends a letter twice.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Letters;
use crate::store::{OwnerWithNews, Store, StoreError};

const SUBJECT: &str = "Your Postkey needs you";
/// Sentences in one letter; the list has all of them.
const MOST: usize = 20;
/// Longest time between two looks at what is new.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Mails owners what has lasted for `delay`, until `stop`.
pub async fn mail_notices_until(store: Store, letters: Letters, delay: Duration, stop: CancellationToken) {
    let pause = delay.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        if let Err(error) = mail_notices(&store, &letters, delay).await {
            tracing::warn!(%error, "cannot look for notices to be mailed");
        }
    }
}

/// One look at each owner.
async fn mail_notices(store: &Store, letters: &Letters, delay: Duration) -> Result<(), StoreError> {
    let given_before = store.clock().now().minus(delay);
    let mut last = None;
    while let Some(owner) = store.find_owner_with_news(given_before, last).await? {
        last = Some(owner.id);
        if !mail_to(store, letters, &owner).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Answers whether it makes sense to go on with others.
async fn mail_to(store: &Store, letters: &Letters, owner: &OwnerWithNews) -> Result<bool, StoreError> {
    let claimed_at = store.clock().now();
    let sentences = store.claim_news(owner.id, claimed_at).await?;
    if sentences.is_empty() {
        return Ok(true);
    }
    let Err(error) = letters.send(&owner.email, SUBJECT, &text(&sentences)).await else {
        return Ok(true);
    };
    tracing::warn!(user = %owner.id, %error, "an owner's notices were not mailed");
    if error.may_pass() {
        store.return_news(owner.id, claimed_at).await?;
    }
    Ok(!error.is_for_everybody())
}

fn text(sentences: &[String]) -> String {
    let mut text = "Postkey needs your attention:\n".to_owned();
    for sentence in sentences.iter().take(MOST) {
        text.push_str(&format!("\n- {sentence}\n"));
    }
    let more = sentences.len().saturating_sub(MOST);
    if more > 0 {
        text.push_str(&format!("\n- and {more} more.\n"));
    }
    text.push_str("\nEach of these is told once. Your notices list what still lasts.\n");
    text
}
