//! What many runs do at the same time: each has its own, whatever becomes of the others.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use postkey::clock::Clock;
use postkey::mail::RfcMessageId;
use postkey::store::{
    Agent, AgentId, AiConfigurationId, Answer, Brakes, CallEnd, CallId, Claim, ClaimLimits, Due, Exchange,
    Frozen, Holder, Lease, MessageId, NewCall, NewReply, OutboxState, Payer, Provision, Refusal, RunId,
    RunState, Store, StoreError, StoredCompletion, UserId, Verdict,
};

use crate::support::database::{TestDatabase, on_both};
use crate::support::rows::{enqueue, new_mailbox, open_store};
use crate::support::world;

const RUNS: usize = 20;

/// Runs of one user, all of them claimed.
async fn claimed(database: &TestDatabase) -> (Store, Vec<Claim>) {
    let store = open_store(database, Clock::system()).await;
    let mailbox = new_mailbox(&store, "ann").await;
    enqueue(&store, mailbox, 20).await;
    let limits = ClaimLimits { most: RUNS, per_user: 20, lease: Duration::from_secs(60) };
    let claims = store.claim_runs(Holder::new(store.clock()), limits).await.unwrap();
    assert_eq!(claims.len(), RUNS);
    (store, claims)
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

/// The lease before the one that holds.
fn over(claim: &Claim) -> Lease {
    Lease { epoch: claim.lease_epoch - 1, ..claim.lease() }
}

fn answer(call: &NewCall, number: usize) -> Answer {
    let completion = StoredCompletion {
        model: "m".into(),
        finish: "stop".into(),
        body: Some(format!("Words {number}.")),
        edited: false,
    };
    let end = CallEnd { output_tokens: number.try_into().unwrap(), ..CallEnd::default() };
    Answer { call: call.id, end, completion }
}

/// To the only correspondent of the run's thread, whom no other run of these has.
async fn new_reply(store: &Store, claim: &Claim, agent: AgentId, number: usize) -> NewReply {
    let message = store.find_dossier(claim.user_id, claim.id.message()).await.unwrap().unwrap().message;
    let exchange = Exchange {
        user: claim.user_id,
        run: claim.id,
        mailbox: message.mailbox_id,
        thread: message.thread_id,
        agent,
        recipient: format!("{number}@else.test"),
        asked_at: message.received_at,
        question_hash: None,
        answer_hash: None,
    };
    let rfc_message_id = RfcMessageId::parse(&format!("reply-{number}@shop.test")).unwrap();
    let frozen = Frozen { exchange, rfc_message_id, raw: format!("Mail {number}.").into_bytes() };
    NewReply { frozen, brakes: None }
}

on_both! {
    async fn a_step_that_is_refused_hurts_no_other(database: TestDatabase) {
        let (store, claims) = claimed(&database).await;
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
        for (lease, url) in [(anns, "http://ann.test/v1"), (bobs, "http://bob.test/v1")] {
            let agents = [2, 1].map(|number| {
                let address = Some(format!("agent{number}@shop.test"));
                let agent = world::agent(store.clock(), lease.user, lease.mailbox, &number.to_string());
                Agent { address, ..agent }
            });
            let off = Agent { enabled: false, ..world::agent(store.clock(), lease.user, lease.mailbox, "off") };
            let id = AiConfigurationId::new(store.clock());
            let ai_configurations = vec![world::ai_configuration(id, lease.user, url, "a-key")];
            let agents = agents.into_iter().chain([off]).collect();
            store.provision(Provision { agents, ai_configurations, ..Provision::default() }).await.unwrap();
        }
        let (ann, bob) = (enqueue(&store, anns, 10).await, enqueue(&store, bobs, 10).await);
        let unknown = MessageId::new(store.clock());
        // Each twice and beside somebody who asks for another's, so that they come into the same group.
        let asked_of = |runs: &[RunId], owner: UserId, other: UserId| -> Vec<_> {
            let asked = |run: &RunId| [(other, false), (owner, true), (owner, true)].map(|(user, is_there)| (user, run.message(), is_there));
            runs.iter().flat_map(asked).collect()
        };
        let mut asked = asked_of(&ann, anns.user, bobs.user);
        asked.extend(asked_of(&bob, bobs.user, anns.user));
        asked.push((bobs.user, unknown, false));
        let found = join_all(asked.iter().map(|(user, message, _)| store.find_dossier(*user, *message))).await;
        for ((user, message, is_there), dossier) in asked.into_iter().zip(found) {
            let dossier = dossier.unwrap();
            assert_eq!(dossier.is_some(), is_there);
            let Some(dossier) = dossier else { continue };
            assert_eq!((dossier.message.user_id, dossier.message.id), (user, message));
            let (mailbox, url) = if user == anns.user { (anns, "http://ann.test/v1") } else { (bobs, "http://bob.test/v1") };
            assert_eq!((dossier.mailbox.user_id, dossier.mailbox.id), (user, mailbox.mailbox));
            let own = [dossier.mailbox.address.as_str(), "agent2@shop.test", "agent1@shop.test"];
            let found: HashSet<&str> = dossier.own_addresses.iter().map(String::as_str).collect();
            assert_eq!((found, dossier.own_addresses.len()), (HashSet::from(own), own.len()));
            // The oldest first.
            let names: Vec<&str> = dossier.agents.iter().map(|agent| agent.name.as_str()).collect();
            assert_eq!(names, ["agent of 2", "agent of 1"]);
            assert!(dossier.agents.iter().all(|agent| agent.user_id == user));
            let [configuration] = dossier.ai_configurations.as_slice() else { panic!("one configuration each") };
            assert_eq!((configuration.user_id, configuration.base_url.as_deref()), (user, Some(url)));
        }
    }

    async fn what_a_run_keeps_is_its_own_and_needs_its_lease(database: TestDatabase) {
        let (store, claims) = claimed(&database).await;
        let agent = AgentId::new(store.clock());
        let calls: Vec<NewCall> = claims.iter().map(|_| new_call(&store)).collect();
        let begun = claims.iter().zip(&calls).map(|(claim, call)| store.begin_call(claim.lease(), agent, call.clone()));
        assert!(join_all(begun).await.into_iter().all(Result::unwrap));
        let mut replies = Vec::new();
        for (number, claim) in claims.iter().enumerate() {
            replies.push(new_reply(&store, claim, agent, number).await);
        }
        // One writes under a lease that is over, one would take a Message-ID that is taken.
        let (late, twin) = (3, 7);
        replies[twin].frozen.rfc_message_id = replies[0].frozen.rfc_message_id.clone();
        let keep = |number: usize| {
            let lease = if number == late { over(&claims[number]) } else { claims[number].lease() };
            store.store_answer(lease, answer(&calls[number], number), Some(replies[number].clone()))
        };
        assert!(keep(0).await.unwrap().is_ok());
        for (number, kept) in (1..RUNS).zip(join_all((1..RUNS).map(keep)).await) {
            match kept {
                Ok(kept) => assert!(kept.is_ok() && number != late && number != twin, "{number}"),
                Err(StoreError::LeaseLost) => assert_eq!(number, late),
                Err(error) => assert_eq!(number, twin, "{error}"),
            }
        }
        for (number, claim) in claims.iter().enumerate() {
            let dossier = store.find_dossier(claim.user_id, claim.id.message()).await.unwrap().unwrap();
            let words = dossier.completion.and_then(|completion| completion.body);
            let sent = dossier.reply.and_then(|reply| reply.raw);
            let has = number != late && number != twin;
            assert_eq!(words, has.then(|| format!("Words {number}.")));
            assert_eq!(sent, has.then(|| format!("Mail {number}.").into_bytes()));
            // What was paid is known, whoever has the run now.
            let tokens = store.list_calls(claim.user_id, claim.id).await.unwrap()[0].output_tokens;
            assert_eq!(tokens, if number == twin { 0 } else { i64::try_from(number).unwrap() });
        }
        let send = |number: usize| {
            let lease = if number == late + 1 { over(&claims[number]) } else { claims[number].lease() };
            store.begin_sending(lease)
        };
        for (number, begun) in (0..RUNS).zip(join_all((0..RUNS).map(send)).await) {
            let has = ![late, late + 1, twin].contains(&number);
            assert_eq!(begun.is_ok(), has, "{number}");
            let reply = store.find_outbox_mail(claims[0].user_id, claims[number].id).await.unwrap();
            assert_eq!(reply.is_some_and(|reply| reply.state == OutboxState::Sending), has, "{number}");
        }
    }

    async fn a_runs_agent_is_that_of_its_reply_or_of_its_last_call(database: TestDatabase) {
        let (store, claims) = claimed(&database).await;
        let agents = [AgentId::new(store.clock()), AgentId::new(store.clock())];
        let of_run = async |run| store.find_run(claims[0].user_id, run).await.unwrap().unwrap().agent_id;
        for (number, claim) in claims.iter().enumerate().take(2) {
            for agent in agents {
                let call = new_call(&store);
                assert!(store.begin_call(claim.lease(), agent, call.clone()).await.unwrap());
                assert_eq!(of_run(claim.id).await, Some(agent), "while it is asked");
                if number == 1 && agent == agents[0] {
                    let reply = new_reply(&store, claim, agent, number).await;
                    store.store_answer(claim.lease(), answer(&call, number), Some(reply)).await.unwrap().unwrap();
                }
            }
            let parked = Verdict { state: RunState::Waiting, due: Due::Never, ..Verdict::hand_back(claim.lease()) };
            assert_eq!(store.end_leases(vec![parked]).await.unwrap(), vec![claim.id]);
        }
        assert_eq!(of_run(claims[0].id).await, Some(agents[1]), "of its last call");
        assert_eq!(of_run(claims[1].id).await, Some(agents[0]), "of its reply");
        assert_eq!(of_run(claims[2].id).await, None);
    }

    async fn a_reply_that_is_kept_again_counts_once(database: TestDatabase) {
        let (store, claims) = claimed(&database).await;
        let agent = AgentId::new(store.clock());
        let mut kept = Vec::new();
        for (number, claim) in claims.iter().enumerate().take(3) {
            let call = new_call(&store);
            assert!(store.begin_call(claim.lease(), agent, call.clone()).await.unwrap());
            kept.push((claim.lease(), answer(&call, number), new_reply(&store, claim, agent, number).await));
        }
        // Side by side and one after the other.
        for _ in 0..2 {
            let keep = |(lease, answer, reply): &(Lease, Answer, NewReply)| {
                store.store_answer(*lease, answer.clone(), Some(reply.clone()))
            };
            let all = join_all(kept.iter().chain(&kept).map(keep)).await;
            assert!(all.into_iter().all(|kept| kept.unwrap().is_ok()));
        }
        let next = new_reply(&store, &claims[3], agent, 3).await.frozen.exchange;
        let refusal = async |per_agent_day| {
            let most = Brakes { per_correspondent_10_minutes: 9, per_correspondent_day: 9, per_thread_day: 9, per_agent_day };
            store.find_refusal(&next, most).await.unwrap()
        };
        assert_eq!(refusal(4).await, None);
        assert_eq!(refusal(3).await, Some(Refusal::Agent));
    }
}
