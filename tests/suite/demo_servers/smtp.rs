//! The post office's SMTP, spoken to by lettre and byte by byte.

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use postkey::demo::post_office::{Event, PostOffice};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ADDRESS, PASSWORD, START, connect, converse, start};

fn submission(office: &PostOffice, mechanism: Mechanism) -> AsyncSmtpTransport<Tokio1Executor> {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(office.smtp.ip().to_string())
        .port(office.smtp.port())
        .credentials(Credentials::new(ADDRESS.to_owned(), PASSWORD.to_owned()))
        .authentication(vec![mechanism])
        .build()
}

#[tokio::test]
async fn a_submitted_mail_reaches_local_accounts_and_the_watcher() {
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        let office = start().await;
        let mut events = office.subscribe();
        let mail = b"Subject: dots\r\n\r\n.\r\n..\r\n.end\r\n".as_slice();
        let recipients = vec!["Ann+help@demo.test".parse().unwrap(), "eve@out.test".parse().unwrap()];
        let envelope = Envelope::new(Some(ADDRESS.parse().unwrap()), recipients).unwrap();
        submission(&office, mechanism)
            .send_raw(&envelope, mail.strip_suffix(b"\r\n").unwrap())
            .await
            .unwrap();

        let Some(Event::MailAccepted { envelope, bytes, at }) = events.recv().await else { panic!() };
        assert_eq!((&*bytes, at), (mail, START), "as submitted");
        assert_eq!(envelope.from.as_deref(), Some(ADDRESS));
        assert_eq!(envelope.to, ["Ann+help@demo.test", "eve@out.test"]);
        assert_eq!(envelope.submitted_by.as_deref(), Some(ADDRESS));
        let Some(Event::MailArrived { address, bytes, .. }) = events.recv().await else { panic!() };
        assert_eq!(&*address, ADDRESS);
        let delivered = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(
            delivered.starts_with("Return-Path: <ann@demo.test>\r\nDelivered-To: Ann+help@demo.test\r\n")
        );
        assert!(delivered.ends_with("\r\nSubject: dots\r\n\r\n.\r\n..\r\n.end\r\n"));
        assert!(events.try_recv().is_err(), "the other recipient is not ours");
    }
}

#[tokio::test]
async fn strangers_reach_local_accounts_and_nobody_else() {
    let office = start().await;
    let stranger = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(office.smtp.ip().to_string())
        .port(office.smtp.port())
        .build();
    let envelope = |to: &str| Envelope::new(None, vec![to.parse().unwrap()]).unwrap();
    stranger.send_raw(&envelope(ADDRESS), b"Subject: bounce\r\n\r\n").await.unwrap();
    assert_eq!(office.count(ADDRESS, "INBOX"), Some(1));
    let refused = stranger.send_raw(&envelope("eve@out.test"), b"Subject: x\r\n\r\n").await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
}

#[tokio::test]
async fn a_bare_line_feed_does_not_end_a_mail() {
    let office = start().await;
    let said = "EHLO x\r\nMAIL FROM:<a@out.test>\r\nRCPT TO:<ann@demo.test>\r\nDATA\r\n\
                one\n.\r\nMAIL FROM:<evil@out.test>\r\n.\nRCPT\r\n.\r\nQUIT\r\n";
    let heard = converse(office.smtp, said.as_bytes()).await;
    assert!(
        heard.ends_with("354 The mail, then a dot\r\n250 2.0.0 Taken\r\n221 2.0.0 Goodbye\r\n"),
        "{heard}"
    );
    assert_eq!(office.count(ADDRESS, "INBOX"), Some(1));
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let office = start().await;
    office.deliver(ADDRESS, *b"Subject: a\r\n\r\n").unwrap();
    let said = format!(
        "a LOGIN {ADDRESS} {{{}+}}\r\n{PASSWORD}\r\nb SELECT inbox\r\nc FETCH 1 (FLAGS)\r\n\
         d STATUS Sent (MESSAGES UIDNEXT)\r\n\r\ne FETCH 1 ENVELOPE\r\nf LOGOUT\r\n",
        PASSWORD.len()
    );
    let heard = converse(office.imap, said.as_bytes()).await;
    let expected = "b OK [READ-WRITE] Selected\r\n* 1 FETCH (FLAGS ())\r\nc OK Fetched\r\n\
                    * STATUS Sent (MESSAGES 0 UIDNEXT 1001)\r\nd OK Told\r\n* BAD Not a command\r\n\
                    e BAD Not something that can be fetched here\r\n* BYE Goodbye\r\nf OK Done\r\n";
    assert!(heard.ends_with(expected), "{heard}");
}

#[tokio::test]
async fn too_much_from_a_stranger_ends_the_conversation() {
    let office = start().await;
    for said in [b"a LOGIN {999999999}\r\n".to_vec(), vec![b'x'; 300 * 1024]] {
        let mut stream = connect(office.imap).await;
        let _cut_short = stream.write_all(&said).await;
        let mut heard = Vec::new();
        // with unread input on its side the server's end may arrive as a reset
        let _ended = stream.read_to_end(&mut heard).await;
    }
    assert!(converse(office.imap, b"a LOGIN {999999999}\r\n").await.ends_with("* BYE That is too much\r\n"));
}
