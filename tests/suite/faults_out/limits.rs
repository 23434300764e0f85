//! How much a mail server is asked to take of one mailbox, and what its owner hears of it.

use std::time::Duration;

use postkey::store::RunState;

use crate::support::database::on_both;
use crate::support::office::{LONG, Office};
use crate::support::raw::{execute, texts};
use crate::support::smtp_server::{Fault, Rule, Step};
use crate::support::wait::until;

on_both! {
    async fn a_mailbox_opens_no_more_connections_than_it_may(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.worker.per_user = 20;
        office.config.smtp.connections_per_account = 2;
        let ann = office.hire("ann@shop.test").await;
        (0..20).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 20).await;
        served.end().await;
        assert!(office.smtp.connections() <= 2, "{}", office.smtp.connections());
        office.check_answered_once(0..20);
    }

    async fn a_connection_takes_no_more_mails_than_it_may(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.connections_per_account = 1;
        office.config.smtp.messages_per_connection = 3;
        let ann = office.hire("ann@shop.test").await;
        (0..9).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 9).await;
        served.end().await;
        assert_eq!(office.smtp.connections(), 3);
        office.check_answered_once(0..9);
    }

    async fn a_mailbox_sends_no_more_within_a_minute_than_it_may(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.messages_per_minute = 2;
        let ann = office.hire("ann@shop.test").await;
        (0..3).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 2).await;
        office.until_reason(&ann, RunState::Waiting, "mailbox_rate", 1).await;
        served.end().await;
        assert_eq!((office.smtp.accepted().len(), office.provider.calls().len()), (2, 3));
    }

    async fn a_connection_that_nobody_wants_any_more_is_closed_in_order(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.smtp.idle = Duration::from_millis(300);
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        for number in 0..2 {
            office.deliver(&ann, number);
            until("the goodbye", LONG, async || office.smtp.times(Step::Quit) == number + 1).await;
        }
        served.end().await;
        office.check_answered_once(0..2);
    }

    async fn a_refusal_is_told_once_and_again_after_the_owner_has_looked(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.smtp.rule(Rule::at(Step::RcptTo, Fault::Reply("550 5.1.1 nobody")));
        (0..2).for_each(|number| office.deliver(&ann, number));
        office.until_reason(&ann, RunState::Failed, "smtp_refused", 2).await;
        assert_eq!(office.open_notices(&ann).await.len(), 1);
        office.smtp.clear_rules();
        for run in office.runs(&ann).await {
            assert!(office.store.retry_run(ann.user, run.id, false).await.unwrap());
        }
        office.until_counted(&ann, RunState::Replied, 2).await;
        assert_eq!(office.open_notices(&ann).await.len(), 0);
        office.smtp.rule(Rule::at(Step::RcptTo, Fault::Reply("550 5.1.1 nobody")));
        office.deliver(&ann, 2);
        office.until_reason(&ann, RunState::Failed, "smtp_refused", 1).await;
        assert_eq!(office.open_notices(&ann).await.len(), 1);
        // What nobody has looked at for a day is told again.
        let given = office.open_notices(&ann).await.remove(0).created_at;
        office.deliver(&ann, 3);
        office.until_reason(&ann, RunState::Failed, "smtp_refused", 2).await;
        assert_eq!(office.open_notices(&ann).await[0].created_at, given);
        execute(&database, "UPDATE notices SET created_at = created_at - 86400000, mailed_at = 1").await;
        office.deliver(&ann, 4);
        office.until_reason(&ann, RunState::Failed, "smtp_refused", 3).await;
        until("it is told again", LONG, async || office.open_notices(&ann).await[0].created_at >= given).await;
        assert_eq!(texts(&database, "SELECT 'one' FROM notices WHERE mailed_at IS NULL AND ended_at IS NULL").await.len(), 1);
        served.end().await;
    }
}
