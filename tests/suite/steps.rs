//! What many runs do at the same time: each has its own, whatever becomes of the others.

use std::time::Duration;

use futures::future::join_all;
use postkey::clock::Clock;
use postkey::store::{AgentId, CallId, Claim, ClaimLimits, Holder, MessageId, NewCall, Payer, Store};

use crate::support::database::on_both;
use crate::support::rows::{enqueue, new_mailbox, open_store};

const RUNS: usize = 20;

async fn claim_all(store: &Store) -> Vec<Claim> {
    let limits = ClaimLimits { most: RUNS, per_user: 20, lease: Duration::from_secs(60) };
    let claims = store.claim_runs(Holder::new(store.clock()), limits).await.unwrap();
    assert_eq!(claims.len(), RUNS);
    claims
}

fn new_call(store: &Store) -> NewCall {
    NewCall {
        id: CallId::new(store.clock()),
        ai_configuration: None,
        payer: Payer::Platform,
        provider: "openai".into(),
        model: "m".into(),
        is_probe: false,
    }
}

on_both! {
    async fn a_step_that_is_refused_hurts_no_other(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 20).await;
        let claims = claim_all(&store).await;
        let agent = AgentId::new(store.clock());
        let taken = new_call(&store);
        assert!(store.begin_call(claims[0].lease(), agent, taken.clone()).await.unwrap());
        let begun = join_all(claims.iter().enumerate().skip(1).map(|(number, claim)| {
            let call = if number == 7 { taken.clone() } else { new_call(&store) };
            store.begin_call(claim.lease(), agent, call)
        })).await;
        for (number, begun) in (1..).zip(begun) {
            match begun {
                Ok(begun) => assert!(begun && number != 7, "{number}"),
                Err(error) => assert_eq!(number, 7, "{error}"),
            }
        }
        for (number, claim) in claims.iter().enumerate() {
            let calls = store.list_calls(claim.user_id, claim.id).await.unwrap();
            assert_eq!(calls.len(), usize::from(number != 7), "{number}");
        }
    }

    async fn everybody_is_told_of_their_own_mail(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let (anns, bobs) = (new_mailbox(&store, "ann").await, new_mailbox(&store, "bob").await);
        let (ann, bob) = (enqueue(&store, anns, 10).await, enqueue(&store, bobs, 10).await);
        let unknown = MessageId::new(store.clock());
        let mut asked: Vec<_> = ann.iter().map(|run| (anns.user, run.message(), true)).collect();
        asked.extend(bob.iter().map(|run| (bobs.user, run.message(), true)));
        // The same once more, somebody else's, and none at all.
        asked.extend([(anns.user, ann[0].message(), true), (anns.user, bob[0].message(), false), (bobs.user, unknown, false)]);
        let found = join_all(asked.iter().map(|(user, message, _)| store.find_dossier(*user, *message))).await;
        for ((user, message, is_there), dossier) in asked.into_iter().zip(found) {
            let dossier = dossier.unwrap();
            assert_eq!(dossier.is_some(), is_there);
            let Some(dossier) = dossier else { continue };
            assert_eq!((dossier.message.user_id, dossier.message.id), (user, message));
            let mailbox = if user == anns.user { anns } else { bobs };
            assert_eq!((dossier.mailbox.user_id, dossier.mailbox.id), (user, mailbox.mailbox));
            assert!(dossier.own_addresses.contains(&dossier.mailbox.address));
        }
    }
}
