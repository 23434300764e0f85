//! The post office's IMAP, read by async-imap.

use std::sync::Arc;
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use futures::{StreamExt, TryStreamExt};
use postkey::clock::Clock;
use postkey::demo::post_office::PostOffice;
use postkey::demo::samples;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{ADDRESS, PASSWORD, START, connect, letter, start};

async fn log_in<S>(stream: S) -> async_imap::Session<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug,
{
    let mut client = async_imap::Client::new(stream);
    client.read_response().await.unwrap().unwrap();
    client.login(ADDRESS, PASSWORD).await.map_err(|(error, _)| error).unwrap()
}

#[tokio::test]
async fn a_mail_is_found_and_fetched_as_it_was_delivered() {
    let office = start().await;
    let mails: Vec<Vec<u8>> =
        (0..50).map(|number| samples::plain(&letter(&format!("{number}@out.test")))).collect();
    let uids: Vec<u32> = mails.iter().map(|mail| office.deliver(ADDRESS, mail.clone()).unwrap()).collect();
    let mut session = log_in(connect(office.imap).await).await;
    assert!(session.capabilities().await.unwrap().has_str("IDLE"));

    let folder = session.select("INBOX").await.unwrap();
    assert_eq!((folder.exists, folder.uid_next), (50, Some(uids[49] + 1)));
    assert_eq!(folder.uid_validity, Some(1_700_000_000));

    let mut found: Vec<u32> =
        session.uid_search(format!("UID {}:*", uids[10])).await.unwrap().into_iter().collect();
    found.sort_unstable();
    assert_eq!(found, uids[10..]);
    let beyond = session.uid_search(format!("UID {}:*", uids[49] + 1)).await.unwrap();
    assert_eq!(beyond.into_iter().collect::<Vec<_>>(), [uids[49]], "n:* always names the last mail");

    let set = format!("{}:{}", uids[0], uids[49]);
    let fetched: Vec<_> = session
        .uid_fetch(set, "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(fetched.len(), 50);
    for (fetch, (uid, mail)) in fetched.iter().zip(uids.iter().zip(&mails)) {
        assert_eq!(fetch.uid, Some(*uid));
        assert_eq!(fetch.body(), Some(mail.as_slice()));
        assert_eq!(fetch.size.unwrap() as usize, mail.len());
        assert_eq!(fetch.internal_date().unwrap().timestamp_millis(), START.millis());
        assert_eq!(fetch.flags().count(), 0);
    }
}

#[tokio::test]
async fn a_part_of_a_mail_can_be_fetched() {
    let office = start().await;
    let uid = office.deliver(ADDRESS, *b"Subject: a\r\n\r\nbody").unwrap();
    let mut session = log_in(connect(office.imap).await).await;
    session.examine("INBOX").await.unwrap();
    let query = "(BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[]<0.4>)";
    let fetched: Vec<_> =
        session.uid_fetch(uid.to_string(), query).await.unwrap().try_collect().await.unwrap();
    assert_eq!(fetched[0].header(), Some(&b"Subject: a\r\n\r\n"[..]));
    assert_eq!(fetched[0].text(), Some(&b"body"[..]));
    assert_eq!(fetched[0].body(), Some(&b"Subj"[..]));
}

#[tokio::test]
async fn idle_wakes_when_a_mail_is_delivered() {
    let office = start().await;
    let mut session = log_in(connect(office.imap).await).await;
    session.select("INBOX").await.unwrap();
    let mut idle = session.idle();
    idle.init().await.unwrap();
    let (wait, _stop) = idle.wait_with_timeout(Duration::from_secs(20));
    office.deliver(ADDRESS, samples::plain(&letter("1@out.test"))).unwrap();
    assert!(matches!(wait.await.unwrap(), IdleResponse::NewData(_)));
    let mut session = idle.done().await.unwrap();
    session.noop().await.unwrap();
    assert_eq!(session.uid_search("ALL").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_mail_that_came_between_select_and_idle_is_told_in_idle() {
    let office = start().await;
    let mut session = log_in(connect(office.imap).await).await;
    session.select("INBOX").await.unwrap();
    office.deliver(ADDRESS, samples::plain(&letter("1@out.test"))).unwrap();
    let mut idle = session.idle();
    idle.init().await.unwrap();
    let (wait, _stop) = idle.wait_with_timeout(Duration::from_secs(20));
    assert!(matches!(wait.await.unwrap(), IdleResponse::NewData(_)));
}

#[tokio::test]
async fn an_appended_copy_is_found_in_sent_by_its_message_id() {
    let office = start().await;
    let mut session = log_in(connect(office.imap).await).await;
    let folders: Vec<_> = session.list(None, Some("*")).await.unwrap().try_collect().await.unwrap();
    assert_eq!(folders.iter().map(|folder| folder.name()).collect::<Vec<_>>(), ["INBOX", "Sent"]);

    let mail = samples::plain(&letter("copy.1@demo.test"));
    session.append("Sent", Some("(\\Seen)"), Some("\"05-Nov-2020 10:00:00 +0000\""), &mail).await.unwrap();
    assert_eq!(office.count(ADDRESS, "Sent"), Some(1));
    session.select("Sent").await.unwrap();
    let found = session.uid_search("HEADER Message-ID \"<copy.1@demo.test>\"").await.unwrap();
    assert_eq!(found.len(), 1);
    let absent = session.uid_search("HEADER Message-ID \"<copy.2@demo.test>\"").await.unwrap();
    assert!(absent.is_empty());
    for (field, text) in [("subject", "PARCEL?"), ("from", "bob@out"), ("content-type", "flowed")] {
        let found = session.uid_search(format!("HEADER {field} {text}")).await.unwrap();
        assert_eq!(found.len(), 1, "{field}");
    }
    assert!(session.uid_search("HEADER Subject kettle").await.unwrap().is_empty(), "that is in the body");
    assert_eq!(session.uid_search("SEEN UNANSWERED").await.unwrap().len(), 1);
    assert!(session.append("Other", None, None, &mail).await.is_err());
}

#[tokio::test]
async fn flags_and_keywords_are_kept() {
    let office = start().await;
    let uid = office.deliver(ADDRESS, samples::plain(&letter("1@out.test"))).unwrap().to_string();
    let mut session = log_in(connect(office.imap).await).await;
    session.select("INBOX").await.unwrap();
    for change in ["+FLAGS (\\Answered $AgentDone \\Flagged)", "-FLAGS.SILENT (\\flagged)"] {
        let _told: Vec<_> = session.uid_store(&uid, change).await.unwrap().collect().await;
    }
    assert_eq!(session.uid_search("ANSWERED KEYWORD $agentdone UNFLAGGED UNSEEN").await.unwrap().len(), 1);
    let _read: Vec<_> = session.uid_fetch(&uid, "BODY[]").await.unwrap().collect().await;
    assert_eq!(session.uid_search("SEEN").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_its_code() {
    let office = start().await;
    let mut client = async_imap::Client::new(connect(office.imap).await);
    client.read_response().await.unwrap().unwrap();
    let (error, _client) = client.login(ADDRESS, "wrong").await.unwrap_err();
    assert!(error.to_string().contains("[AUTHENTICATIONFAILED]"), "{error}");
}

#[tokio::test]
async fn tls_is_spoken_from_the_first_byte_where_it_is_given() {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let chain = vec![certified.cert.der().clone()];
    let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider));
    let server = server.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let server = server.with_single_cert(chain, key).unwrap();
    let office = PostOffice::start(Clock::system(), Some(Arc::new(server))).await.unwrap();
    office.add_account(ADDRESS, SecretString::from(PASSWORD));
    office.deliver(ADDRESS, vec![b'a'; 1_000_000]).unwrap();

    let mut roots = rustls::RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider);
    let client = client.with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = connect(office.imap).await;
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    let mut session = log_in(stream).await;
    session.select("INBOX").await.unwrap();
    let fetched: Vec<_> = session.fetch("1", "BODY.PEEK[]").await.unwrap().try_collect().await.unwrap();
    assert_eq!(fetched[0].body().unwrap().len(), 1_000_000);
}
