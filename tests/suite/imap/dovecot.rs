//! The same steps against a real server.

use std::time::Duration;

use postkey::imap::Session;
use postkey::mail::RfcMessageId;
use postkey::net::Security;
use tokio_util::sync::CancellationToken;

use super::{ANNA, PATIENT, error, password};
use crate::support::dialling::{dialler, encrypted};
use crate::support::dovecot::{Dovecot, PASSWORD};

const MAIL: &[u8] = b"Message-ID: <one@example.org>\r\nSubject: hello\r\n\r\nhello\r\n";

#[tokio::test]
async fn a_real_server_is_read_written_and_waited_for() {
    let dovecot = Dovecot::start(&[ANNA]).await;
    let (plain, tls) = (dovecot.imap(), dovecot.imaps());
    let dialler = dialler(&[plain, tls]);
    for (address, security) in [(plain, Security::StartTls), (tls, Security::Tls)] {
        let endpoint = encrypted(address, security, dovecot.certificate());
        let wrong = Session::open(&dialler, &endpoint, password("wrong"), PATIENT).await;
        assert!(error(wrong).is_credential());
        let session = Session::open(&dialler, &endpoint, password(PASSWORD), PATIENT).await.unwrap();
        journey(&dovecot, session).await;
    }
}

async fn journey(dovecot: &Dovecot, session: Session) {
    assert!(session.capabilities().idle && session.capabilities().uidplus);
    let (session, folder) = session.select("INBOX").await.unwrap();
    assert!(folder.uid_validity > 0 && folder.keeps_keywords);
    let next = folder.uid_next.unwrap();
    let stop = CancellationToken::new();
    let deliver = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        dovecot.deliver(ANNA, MAIL);
    };
    let (idled, ()) = tokio::join!(session.idle(Duration::from_secs(20), &stop), deliver);
    let (session, uids) = idled.unwrap().0.uids_from(next).await.unwrap();
    let (session, mails) = session.fetch(&uids, 10_000).await.unwrap();
    assert_eq!(mails.iter().map(|(_, mail)| mail.as_slice()).collect::<Vec<_>>(), [MAIL]);
    let (session, _) = session.mark_answered(&uids).await.unwrap();
    let (session, summaries) = session.describe(&uids).await.unwrap();
    assert!(summaries[0].flags.answered && !summaries[0].flags.seen && summaries[0].internal_date.is_some());
    let (session, sent) = session.sent_folder().await.unwrap();
    let sent = sent.unwrap();
    let (session, _) = session.append(&sent, MAIL, true).await.unwrap();
    let id = RfcMessageId::parse("one@example.org").unwrap();
    let (session, found) = session.find_by_message_id(&sent, &id).await.unwrap();
    assert!(found);
    session.logout().await.unwrap();
}
