//! An answer finds its thread by the signed address that it was sent to, whatever became of its other headers
//! (EM-66 to EM-68, EM-71).

use postkey::store::RunState;

use super::letter;
use crate::support::database::on_both;
use crate::support::office::{Office, read};
use crate::support::raw::texts;
use crate::support::world::Desk;

const EVE: &str = "eve@else.test";

/// An owner whose mail host delivers plus forms.
async fn hire(office: &Office, address: &str) -> Desk {
    let desk = office.hire(address).await;
    office.change_mailbox(&desk, |mailbox| mailbox.reception.plus_addressing = Some(true)).await;
    desk
}

impl Office {
    /// Where the newest reply wants its answer.
    fn last_reply_to(&self) -> String {
        read(self.smtp.accepted().last().unwrap()).reply_to[0].as_str().to_owned()
    }
}

on_both! {
    async fn em_66_an_answer_without_any_ids_finds_its_thread_by_its_address(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = hire(&office, "ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE).saying("My number is 4711."));
        office.until_counted(&ann, RunState::Replied, 1).await;
        let to = office.last_reply_to();
        assert!(to.starts_with("ann+r.") && to.ends_with("@shop.test"), "{to}");
        // Some hosts change the case.
        let quoting = format!("And mine?\r\n\r\nYour address {to} is odd.");
        office.bring(&ann, &letter("second", EVE).saying(&quoting).addressed_to(&to.to_uppercase()));
        office.until_counted(&ann, RunState::Replied, 2).await;
        served.end().await;
        assert_eq!(texts(&database, "SELECT correspondent FROM threads").await, [EVE]);
        let asked = office.provider.calls();
        let shown = asked[1].request.to_string();
        assert!(shown.contains("4711") && shown.contains("Your address ann@shop.test is odd."), "{shown}");
        assert!(!shown.contains("+r."), "the model was shown a signed address");
    }

    async fn em_66_nothing_is_signed_where_the_host_may_not_deliver_it(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let bob = hire(&office, "bob.with.a.long.name@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.bring(&bob, &letter("second", EVE));
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.until_counted(&bob, RunState::Replied, 1).await;
        served.end().await;
        assert!(office.smtp.accepted().iter().all(|reply| read(reply).reply_to.is_empty()));
    }

    async fn em_69_the_signed_address_counts_before_the_ids(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = hire(&office, "ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE).saying("One."));
        office.until_counted(&ann, RunState::Replied, 1).await;
        let to = office.last_reply_to();
        office.bring(&ann, &letter("second", EVE).saying("Two."));
        office.until_counted(&ann, RunState::Replied, 2).await;
        let both = letter("third", EVE).saying("Three.").answering(&office.last_reply()).addressed_to(&to);
        office.bring(&ann, &both);
        office.until_counted(&ann, RunState::Replied, 3).await;
        served.end().await;
        let shown = office.provider.calls()[2].request.to_string();
        assert!(shown.contains("One.") && !shown.contains("Two."), "{shown}");
    }

    async fn em_67_em_70_what_others_send_to_a_signed_address_is_a_conversation_of_its_own(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (hire(&office, "ann@shop.test").await, hire(&office, "bob@shop.test").await);
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE).saying("My secret is 4711."));
        office.until_counted(&ann, RunState::Replied, 1).await;
        let to = office.last_reply_to();
        let (signed, last) = to.split_at(to.find('@').unwrap() - 1);
        let forged = format!("{signed}{}@shop.test", if last.starts_with('0') { '1' } else { '0' });
        office.bring(&ann, &letter("nosy", "nosy@else.test").addressed_to(&to));
        office.bring(&ann, &letter("forged", EVE).addressed_to(&forged));
        office.bring(&bob, &letter("elsewhere", EVE).addressed_to(&to).with("Delivered-To: bob@shop.test"));
        office.until_counted(&ann, RunState::Replied, 3).await;
        office.until_counted(&bob, RunState::Replied, 1).await;
        served.end().await;
        assert_eq!(texts(&database, "SELECT correspondent FROM threads").await.len(), 4);
        let asked = office.provider.calls();
        let told = asked.iter().filter(|call| call.request.to_string().contains("4711")).count();
        assert_eq!(told, 1, "somebody was told of another's conversation");
    }

    async fn em_71_a_message_id_that_the_provider_put_in_the_place_of_ours_is_learned(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = hire(&office, "ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.until_counted(&ann, RunState::Replied, 1).await;
        let replaced = "0100018f-000000@email.relay.test";
        let answer = letter("second", EVE).answering(replaced).addressed_to(&office.last_reply_to());
        office.bring(&ann, &answer);
        office.until_counted(&ann, RunState::Replied, 2).await;
        office.bring(&ann, &letter("third", EVE).answering(replaced));
        office.bring(&ann, &letter("fourth", "nosy@else.test").answering(replaced));
        office.until_counted(&ann, RunState::Replied, 4).await;
        served.end().await;
        let mut threads = texts(&database, "SELECT correspondent FROM threads").await;
        threads.sort();
        assert_eq!(threads, [EVE, "nosy@else.test"]);
    }

    async fn em_61_em_65_an_answer_to_a_signed_address_reaches_the_agent_that_wrote(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = hire(&office, "ann@shop.test").await;
        office.change_agent(&ann, |agent| agent.address = Some("ann@shop.test".into())).await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.bring(&ann, &letter("second", EVE).addressed_to(&office.last_reply_to()));
        office.until_counted(&ann, RunState::Replied, 2).await;
        served.end().await;
    }
}
