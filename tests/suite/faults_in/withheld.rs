//! Mails that the server shows, and does not describe or hand over as it should.

use postkey::store::RunState;

use super::scene::{ANN, Scene};
use crate::support::database::on_both;
use crate::support::imap_server::{Fault, Rule};
use crate::support::world::letter;

/// A letter of a few hundred kilobytes.
fn long_letter(number: usize) -> Vec<u8> {
    let mut letter = letter(number, ANN);
    letter.extend("And what about this?\r\n".repeat(15_000).into_bytes());
    letter
}

/// Whether each mail that was taken in is only the beginning of one, in order.
async fn truncated(scene: &Scene) -> Vec<bool> {
    let mut truncated = Vec::new();
    for run in scene.runs().await {
        let message = scene.store.find_message(scene.desk.user, run.id.message()).await.unwrap().unwrap();
        truncated.push(message.truncated);
    }
    truncated
}

on_both! {
    async fn mails_without_a_size_are_answered(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.hide_sizes(ANN);
        scene.deliver(&letter(1, ANN));
        let mut large = letter(2, ANN);
        large.extend("And what about this?\r\n".repeat(100_000).into_bytes());
        scene.deliver(&large);
        scene.deliver(&letter(3, ANN));
        let served = scene.serve().await;
        scene.all_replied(3).await;
        scene.cursor_at(4).await;
        served.end().await;
        assert_eq!(truncated(&scene).await, [false, true, false]);
    }

    async fn a_mail_that_is_there_and_never_comes_has_a_row_and_a_notice(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        for number in 1..=3 {
            scene.deliver(&letter(number, ANN));
        }
        for command in ["UID FETCH 1:3 ", "UID FETCH 2 "] {
            scene.imap.rule(Rule::on(command, Fault::Nothing).containing("BODY.PEEK["));
        }
        let served = scene.serve().await;
        let runs = scene.settled(3).await;
        scene.cursor_at(4).await;
        served.end().await;
        let lost: Vec<_> = runs.iter().filter(|run| run.reason.as_deref() == Some("unfetchable")).collect();
        assert_eq!(lost.len(), 1, "{runs:#?}");
        assert_eq!(lost[0].state, RunState::Failed);
        assert_eq!(scene.smtp.accepted().len(), 2);
        let notices = scene.store.list_notices(scene.desk.user, None, 10).await.unwrap();
        assert_eq!(notices.iter().filter(|notice| notice.kind == "unfetchable").count(), 1);
        assert_eq!(scene.imap.accepted(), 1, "the others came over the same connection");
    }

    async fn a_mail_that_comes_only_in_parts_is_asked_for_in_parts(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.deliver(&letter(1, ANN));
        scene.imap.rule(Rule::on("UID FETCH", Fault::Nothing).containing("BODY.PEEK[])"));
        let served = scene.serve().await;
        scene.all_replied(1).await;
        served.end().await;
        assert_eq!(truncated(&scene).await, [false], "the part is all of it");
    }

    async fn the_beginning_of_a_large_mail_is_asked_for_twice(database: TestDatabase) {
        let scene = Scene::begin_with(&database, |config| config.mailbox.max_message_bytes = 100_000).await;
        scene.deliver(&long_letter(1));
        scene.imap.rule(Rule::on("UID FETCH", Fault::Nothing).containing("BODY.PEEK[]<").times(1));
        let served = scene.serve().await;
        scene.all_replied(1).await;
        served.end().await;
    }

    async fn a_server_that_sends_more_than_it_says_is_read_once_there_is_room_for_it(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.imap.lie_about_size(ANN, Some(10));
        scene.deliver(&long_letter(1));
        let served = scene.serve().await;
        scene.all_replied(1).await;
        assert_eq!(scene.imap.accepted(), 2, "what there was no room for was not read");
        scene.deliver(&long_letter(2));
        scene.all_replied(2).await;
        served.end().await;
        assert_eq!(scene.imap.accepted(), 2, "from then on there is room for any mail");
        assert_eq!(truncated(&scene).await, [false, false]);
    }
}
