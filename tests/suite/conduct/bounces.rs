//! Replies that come back: their recipients get no more automatic answers, and the owner knows (EM-34, EM-151 to EM-153).

use std::time::Duration;

use postkey::store::{RunId, RunState};

use super::letter;
use crate::support::database::{TestDatabase, on_both};
use crate::support::office::Office;
use crate::support::raw::texts;
use crate::support::world::Desk;

const EVE: &str = "eve@else.test";

/// A report on the mail of this Message-ID; `failed` and `5.1.1`, or `delayed` and `4.4.1`.
fn report(number: usize, about: &str, action: &str, status: &str) -> Vec<u8> {
    format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.else.test\r\nTo: ann@shop.test\r\nSubject: Delivery report\r\n\
         Message-ID: <report-{number}@mx.else.test>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=edge\r\n\r\n\
         --edge\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n\
         --edge\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.else.test\r\n\r\n\
         Final-Recipient: rfc822; {EVE}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n\
         --edge\r\nContent-Type: message/rfc822\r\n\r\nFrom: ann@shop.test\r\nTo: {EVE}\r\nSubject: Re: A question\r\n\
         Message-ID: <{about}>\r\n\r\nAn answer.\r\n--edge--\r\n"
    )
    .into_bytes()
}

/// An office that has answered one mail of Eve's; the Message-ID of the reply, and its run.
async fn with_one_reply(office: &Office) -> (Desk, String, RunId) {
    let ann = office.hire("ann@shop.test").await;
    let served = office.serve().await;
    office.bring(&ann, &letter("first", EVE));
    office.until_counted(&ann, RunState::Replied, 1).await;
    served.end().await;
    let run = office.only_run(&ann).await.id;
    (ann, office.last_reply(), run)
}

async fn bounced(database: &TestDatabase) -> usize {
    texts(database, "SELECT rfc_message_id FROM outbox WHERE bounced_at IS NOT NULL").await.len()
}

on_both! {
    async fn a_bounce_marks_the_reply_and_stops_writing_to_its_recipient(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, reply, run) = with_one_reply(&office).await;
        let served = office.serve().await;
        office.imap.deliver(&ann.address, &report(1, &reply, "failed", "5.1.1"));
        office.until_counted(&ann, RunState::Skipped, 1).await;
        assert_eq!(bounced(&database).await, 1);
        let replied = office.store.find_run(ann.user, run).await.unwrap().unwrap();
        assert_eq!((replied.state, replied.reason.as_deref()), (RunState::Replied, Some("bounced")));
        office.bring(&ann, &letter("second", EVE));
        office.until_reason(&ann, RunState::Skipped, "correspondent_bounced", 1).await;
        office.bring(&ann, &letter("somebody", "adam@else.test"));
        office.until_counted(&ann, RunState::Replied, 2).await;
        office.imap.deliver(&ann.address, &report(2, &reply, "failed", "5.1.1"));
        office.until_counted(&ann, RunState::Skipped, 3).await;
        served.end().await;
        let notices = office.open_notices(&ann).await;
        assert_eq!(notices.len(), 1, "told once: {notices:?}");
        assert!(notices[0].sentence.contains(&run.to_string()), "{}", notices[0].sentence);
        assert!(!notices[0].sentence.contains(EVE));
    }

    async fn a_delay_and_a_bounce_of_somebody_elses_mail_change_nothing(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, reply, _) = with_one_reply(&office).await;
        let served = office.serve().await;
        office.imap.deliver(&ann.address, &report(1, &reply, "delayed", "4.4.1"));
        office.imap.deliver(&ann.address, &report(2, "never-sent@shop.test", "failed", "5.1.1"));
        office.until_counted(&ann, RunState::Skipped, 2).await;
        office.bring(&ann, &letter("second", EVE));
        office.until_counted(&ann, RunState::Replied, 2).await;
        served.end().await;
        assert_eq!(bounced(&database).await, 0);
        assert_eq!(office.told(&ann).await, [""; 0]);
    }

    async fn a_bounce_is_known_after_its_run_was_forgotten(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, reply, _) = with_one_reply(&office).await;
        let later = office.store.clock().now().plus(Duration::from_secs(60));
        office.store.forget(later, later).await.unwrap();
        assert_eq!(office.runs(&ann).await.len(), 0);
        let served = office.serve().await;
        office.imap.deliver(&ann.address, &report(1, &reply, "failed", "5.1.1"));
        office.until_counted(&ann, RunState::Skipped, 1).await;
        office.bring(&ann, &letter("second", EVE));
        office.until_reason(&ann, RunState::Skipped, "correspondent_bounced", 1).await;
        served.end().await;
        assert_eq!(office.told(&ann).await, ["bounced"]);
    }
}
