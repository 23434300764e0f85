//! A private Dovecot starts, keeps mail, pushes news, and is gone afterwards.

use async_imap::extensions::idle::IdleResponse;

use super::imap_client::{LONG, fetch, idle, log_in, log_in_with_tls};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::wait;

const ANNA: &str = "anna@example.com";
const BOB: &str = "bob@example.com";
const MAIL: &[u8] = b"Subject: hello\r\n\r\nhello\r\n";

#[tokio::test]
async fn delivered_mail_is_seen_pushed_and_answered_into_sent() {
    let dovecot = Dovecot::start(&[ANNA, BOB]).await;
    dovecot.deliver(ANNA, MAIL);
    let mut session = log_in(dovecot.imap(), ANNA, PASSWORD).await.unwrap();
    assert_eq!(session.select("INBOX").await.unwrap().exists, 1, "{}", dovecot.log());
    assert_eq!(fetch(&mut session, "1", "BODY.PEEK[]").await.unwrap()[0].body(), Some(MAIL));

    let (woken, ()) = tokio::join!(idle(session, LONG), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        dovecot.deliver(ANNA, MAIL);
    });
    let (mut session, woke) = woken;
    assert!(matches!(woke, IdleResponse::NewData(_)));
    assert_eq!(dovecot.inbox(ANNA).len(), 2);

    session.append("Sent", Some("(\\Seen)"), None, MAIL).await.unwrap();
    assert_eq!(dovecot.sent(ANNA), [MAIL]);
    assert!(dovecot.sent(BOB).is_empty());
}

#[tokio::test]
async fn tls_works_and_a_wrong_password_does_not() {
    let dovecot = Dovecot::start(&[ANNA]).await;
    log_in_with_tls(dovecot.imaps(), dovecot.certificate(), ANNA, PASSWORD).await.noop().await.unwrap();
    let refused = log_in(dovecot.imap(), ANNA, "wrong").await.unwrap_err();
    assert!(refused.to_string().contains("AuthenticationFailed") || refused.to_string().contains("failed"));
}

#[tokio::test]
async fn a_dropped_dovecot_is_gone() {
    let dovecot = Dovecot::start(&[ANNA]).await;
    let address = dovecot.imap();
    drop(dovecot);
    wait::until("the port to be free", LONG, || async { std::net::TcpListener::bind(address).is_ok() }).await;
}
