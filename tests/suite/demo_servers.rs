//! The demo's stand-ins, driven by the client crates that Postkey itself stands on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use futures::{StreamExt, TryStreamExt};
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use postkey::clock::{Clock, Timestamp};
use postkey::demo::control::{self, Order, Report};
use postkey::demo::model::{KeyUse, Model};
use postkey::demo::post_office::{Event, PostOffice};
use postkey::demo::samples::{self, Earlier, Letter};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const ADDRESS: &str = "ann@demo.test";
const PASSWORD: &str = "pass \"word\\ ü";
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

async fn start() -> PostOffice {
    let office = PostOffice::start(Clock::manual(START), None).await.unwrap();
    office.add_account(ADDRESS, SecretString::from(PASSWORD));
    office
}

#[expect(clippy::disallowed_methods, reason = "the stand-ins are tested without Postkey's own dialler")]
async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

async fn log_in<S>(stream: S) -> async_imap::Session<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug,
{
    let mut client = async_imap::Client::new(stream);
    client.read_response().await.unwrap().unwrap();
    client.login(ADDRESS, PASSWORD).await.map_err(|(error, _)| error).unwrap()
}

fn letter(message_id: &str) -> Letter<'_> {
    Letter { name: "Bob", from: "bob@out.test", to: ADDRESS, message_id, date: START }
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

async fn converse(address: SocketAddr, said: &[u8]) -> String {
    let mut stream = connect(address).await;
    stream.write_all(said).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    heard
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

#[tokio::test]
async fn dropping_the_office_ends_its_connections() {
    let office = start().await;
    let mut streams = [connect(office.imap).await, connect(office.smtp).await];
    for stream in &mut streams {
        stream.read_u8().await.unwrap();
    }
    drop(office);
    for stream in &mut streams {
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }
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

async fn ask(model: &Model, authorization: &str, request: &Value) -> (u16, Value) {
    let body = request.to_string();
    let address = model.address();
    let said = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\n{authorization}Connection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let heard = converse(address, said.as_bytes()).await;
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn the_model_answers_the_question_and_counts_for_the_key() {
    let model = Model::start(Clock::manual(START), Duration::ZERO).await.unwrap();
    let request = json!({
        "model": "demo-model",
        "messages": [
            { "role": "system", "content": "Be kind." },
            { "role": "user", "content": "> old words?\nHello there. When does it arrive? Thanks" },
        ],
    });
    let (status, answer) = ask(&model, "Authorization: Bearer sk-one\r\n", &request).await;
    assert_eq!(status, 200);
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("You wrote: \"When does it arrive?\""), "{text}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let input = answer["usage"]["prompt_tokens"].as_u64().unwrap();
    let output = answer["usage"]["completion_tokens"].as_u64().unwrap();
    assert_eq!(answer["usage"]["total_tokens"].as_u64(), Some(input + output));
    let used = KeyUse { calls: 1, input_tokens: input, output_tokens: output };
    assert_eq!(model.use_of(&SecretString::from("sk-one")), used);
    assert_eq!(model.use_of(&SecretString::from("sk-two")), KeyUse::default());

    let (status, answer) = ask(&model, "", &request).await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!("invalid_api_key")));
    let (status, _) = ask(&model, "Authorization: Bearer sk-one\r\n", &json!({ "messages": [] })).await;
    assert_eq!(status, 400);
    assert_eq!(model.calls(), 1);
}

#[tokio::test]
async fn the_model_stops_at_the_token_limit() {
    let model = Model::start(Clock::manual(START), Duration::ZERO).await.unwrap();
    let request = json!({
        "model": "m", "max_completion_tokens": 3, "messages": [{ "role": "user", "content": [{ "text": "Why?" }] }],
    });
    let (_, answer) = ask(&model, "Authorization: Bearer sk-one\r\n", &request).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
}

#[test]
fn samples_are_what_they_say() {
    let earlier = Earlier { references: &["root@x", "parent@x"], subject: "Parcel", text: "one\ntwo" };
    let letter = letter("sample@out.test");
    let all = [
        ("text/plain", samples::plain(&letter)),
        ("text/html", samples::html_only(&letter)),
        ("multipart/alternative", samples::alternative(&letter)),
        ("text/plain", samples::thread_reply(&letter, &earlier)),
        ("multipart/report", samples::bounce(&letter, &earlier, "lost@out.test")),
        ("text/plain", samples::out_of_office(&letter, &earlier)),
    ];
    for (kind, bytes) in &all {
        let mail = mail_parser::MessageParser::default().parse(bytes).unwrap();
        let content = mail_parser::MimeHeaders::content_type(&mail).unwrap();
        assert_eq!(format!("{}/{}", content.ctype(), content.subtype().unwrap()), *kind);
        assert_eq!(mail.message_id(), Some("sample@out.test"));
        assert_eq!(mail.date().unwrap().to_timestamp() * 1000, START.millis());
        assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("bob@out.test"));
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert_eq!(
            mail.header("Auto-Submitted").is_some(),
            *kind == "multipart/report" || text.contains("(vacation)")
        );
    }
    let reply = mail_parser::MessageParser::default().parse(&all[3].1).unwrap();
    assert_eq!(reply.references().as_text_list().unwrap(), ["root@x", "parent@x"]);
    assert!(reply.body_text(0).unwrap().ends_with("wrote:\r\n\r\n> one\r\n> two\r\n"));
    assert!(all[4].1.starts_with(b"Return-Path: <>\r\n"));
    let report = mail_parser::MessageParser::default().parse(&all[4].1).unwrap();
    assert_eq!(report.parts.len(), 4);
    let html = mail_parser::MessageParser::default().parse(&all[1].1).unwrap();
    assert_eq!(html.subject(), Some("Shipping to Zürich"));
    assert!(html.body_text(0).unwrap().contains("Zürich"));
}

#[tokio::test]
async fn another_process_can_lead_the_stand_ins() {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (orders, reports) = tokio::io::split(theirs);
    let setup = control::Setup { clock: Clock::manual(START), tls: None, latency: Duration::ZERO };
    let serving = tokio::spawn(control::serve(setup, BufReader::new(orders), reports));
    let (heard, mut say) = tokio::io::split(ours);
    let mut heard = BufReader::new(heard).lines();
    let Report::Ready { smtp, .. } = next(&mut heard).await else { panic!() };
    let account = Order::AddAccount { address: ADDRESS.to_owned(), password: PASSWORD.to_owned() };
    let deliver = |to: &str| Order::Deliver { address: to.to_owned(), mail: "Subject: a\r\n\r\n".to_owned() };
    for (order, done) in [(account, true), (Order::Watch, true), (deliver("no@demo.test"), false)] {
        say.write_all(format!("{}\n", serde_json::to_string(&order).unwrap()).as_bytes()).await.unwrap();
        assert_eq!(matches!(next(&mut heard).await, Report::Done), done);
    }
    let said =
        "MAIL FROM:<>\r\nRCPT TO:<ann@demo.test>\r\nDATA\r\nIn-Reply-To:\r\n <1@x>\r\n\r\n.\r\nQUIT\r\n";
    converse(smtp, said.as_bytes()).await;
    let Report::Accepted { to, in_reply_to, at } = next(&mut heard).await else { panic!() };
    assert_eq!((to, in_reply_to.as_deref(), at), (vec![ADDRESS.to_owned()], Some("1@x"), START));
    assert!(matches!(next(&mut heard).await, Report::Arrived { uid: 1001, .. }));
    say.shutdown().await.unwrap();
    serving.await.unwrap().unwrap();
}

async fn next(heard: &mut tokio::io::Lines<impl tokio::io::AsyncBufRead + Unpin>) -> Report {
    serde_json::from_str(&heard.next_line().await.unwrap().unwrap()).unwrap()
}
