//! Mail that is too little, too much or meant to harm.

use postkey::store::RunState;

use super::scene::{ANN, Scene};
use crate::support::database::on_both;
use crate::support::world::letter;

const MEGABYTE: usize = 1024 * 1024;

/// A mail with these header lines after From and To, each ended by CRLF.
fn mail(header: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Eve <eve@else.test>\r\nTo: {ANN}\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n{header}\r\n{body}"
    )
    .into_bytes()
}

/// So many multiparts, each the only part of the one before.
fn nested(depth: usize) -> Vec<u8> {
    let mut body = String::new();
    for level in 1..=depth {
        body += &format!("--b{}\r\nContent-Type: multipart/mixed; boundary=b{level}\r\n\r\n", level - 1);
    }
    body += &format!("--b{depth}\r\nContent-Type: text/plain\r\n\r\nIs anybody down here?\r\n");
    for level in (0..=depth).rev() {
        body += &format!("--b{level}--\r\n");
    }
    let header = "Subject: deep\r\nMessage-ID: <deep@else.test>\r\nMIME-Version: 1.0\r\n\
                  Content-Type: multipart/mixed; boundary=b0\r\n";
    mail(header, &body)
}

on_both! {
    async fn empty_mails_have_an_outcome_each_and_hold_up_nothing(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.deliver(b"");
        scene.deliver(b"");
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        let runs = scene.settled(3).await;
        assert_eq!(runs.iter().map(|run| run.state).collect::<Vec<_>>(), [
            RunState::Skipped,
            RunState::Skipped,
            RunState::Replied,
        ]);
        scene.cursor_at(4).await;
        served.end().await;
        assert_eq!(scene.smtp.accepted().len(), 1);
    }

    async fn of_sixty_megabytes_only_the_beginning_is_taken_and_answered(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let line = format!("{}\r\n", "What about my bicycle? ".repeat(3));
        let body = line.repeat(60 * MEGABYTE / line.len() + 1);
        let large = mail("Subject: large\r\nMessage-ID: <large@else.test>\r\n", &body);
        assert!(large.len() > 60 * MEGABYTE);
        scene.deliver(&large);
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        scene.all_replied(2).await;
        served.end().await;
        let stored = scene.store.find_message(scene.desk.user, scene.runs().await[0].id.message()).await.unwrap().unwrap();
        assert!(stored.truncated);
        assert!(stored.raw.unwrap().len() <= MEGABYTE);
        let whole = |line: &String| line.contains("BODY.PEEK[])") && (line.contains("FETCH 1 ") || line.contains("FETCH 1:"));
        assert!(!scene.imap.commands(ANN).iter().any(whole), "{:#?}", scene.imap.commands(ANN));
        assert!(scene.provider.calls()[0].request.to_string().len() < MEGABYTE);
    }

    async fn ten_thousand_headers_and_five_hundred_nested_parts_hold_up_nothing(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let headers: String = (0..10_000).map(|number| format!("X-Header-{number}: value {number}\r\n")).collect();
        scene.deliver(&mail(&format!("{headers}Subject: many\r\nMessage-ID: <many@else.test>\r\n"), "Hello?\r\n"));
        scene.deliver(&nested(500));
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        let runs = scene.settled(3).await;
        served.end().await;
        assert_eq!(runs[2].state, RunState::Replied);
        for run in &runs[..2] {
            assert!(matches!(run.state, RunState::Replied | RunState::Skipped), "{run:?}");
            assert!(run.state == RunState::Replied || run.reason.is_some());
        }
        let replied = runs.iter().filter(|run| run.state == RunState::Replied).count();
        assert_eq!(scene.smtp.accepted().len(), replied);
    }

    async fn a_mail_without_message_id_is_answered_once_however_often_it_is_seen(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let nameless = mail("Subject: nameless\r\n", "Who am I?\r\n");
        scene.deliver(&nameless);
        let served = scene.serve().await;
        scene.all_replied(1).await;
        scene.deliver(&[b"Received: by another.test\r\nDelivered-To: ann@shop.test\r\n", &nameless[..]].concat());
        scene.cursor_at(3).await;
        scene.imap.change_uid_validity(ANN);
        scene.imap.cut();
        scene.deliver(&letter(1, ANN));
        scene.all_replied(2).await;
        scene.looked().await;
        served.end().await;
        scene.all_replied(2).await;
        let reply = &scene.replies()[0];
        assert!(reply.in_reply_to.is_empty() && reply.references.is_empty());
    }

    async fn line_breaks_hidden_in_encoded_words_make_no_header_and_no_second_recipient(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let hidden = "=?utf-8?Q?Hello=0D=0ABcc:_victim@else.test=0D=0AX-Injected:_yes=0D=0A=0D=0Abody?=";
        let named = "=?utf-8?Q?Eve=0D=0ABcc:_victim@else.test=0D=0A?=";
        let bad = format!(
            "From: {named} <eve@else.test>\r\nTo: {ANN}\r\nSubject: {hidden}\r\nMessage-ID: <crlf@else.test>\r\n\
             Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nHello?\r\n"
        );
        scene.deliver(bad.as_bytes());
        let served = scene.serve().await;
        scene.all_replied(1).await;
        served.end().await;
        let sent = &scene.smtp.accepted()[0];
        assert_eq!(sent.to, ["eve@else.test"]);
        let text = String::from_utf8_lossy(&sent.bytes).into_owned();
        let header = text.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        for line in header.split("\r\n") {
            assert!(!line.starts_with("bcc:") && !line.starts_with("x-injected:"), "{header}");
        }
        assert_eq!(header.split("\r\n").filter(|line| line.starts_with("subject:")).count(), 1);
        let reply = &scene.replies()[0];
        assert_eq!(reply.to.len(), 1);
        assert!(!reply.subject.contains(['\r', '\n']));
    }
}
