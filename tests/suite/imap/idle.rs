//! Waiting for news.

use std::time::{Duration, Instant};

use postkey::imap::{ImapError, Refused, Step};
use tokio_util::sync::CancellationToken;

use super::script::{Act, after_select};
use super::{ANNA, IMPATIENT, PATIENT, SECRET, error, inbox, open_with, password, server};
use crate::support::imap_server::{Fault, Rule};
use crate::support::wait;

const LONG: Duration = Duration::from_secs(60);

/// What comes of a wait whose `IDLE` is answered by this.
async fn idle_answered_with(answer: Vec<Act>) -> Result<(), ImapError> {
    let (_server, address) = after_select(answer).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (session, _) = session.select("INBOX").await.unwrap();
    session.idle(LONG, &CancellationToken::new()).await.map(|_| ())
}

#[tokio::test]
async fn a_new_mail_ends_the_wait_at_once() {
    let server = server().await;
    let session = inbox(&server, PATIENT).await;
    let (began, stop) = (Instant::now(), CancellationToken::new());
    let deliver = async {
        wait::until("IDLE", LONG, async || server.count(ANNA, "IDLE") == 1).await;
        server.deliver(ANNA, b"\r\n")
    };
    let (idled, uid) = tokio::join!(session.idle(LONG, &stop), deliver);
    assert!(began.elapsed() < LONG);
    let (_, found) = idled.unwrap().0.uids_from(1).await.unwrap();
    assert_eq!(found, [uid]);
}

#[tokio::test]
async fn the_wait_ends_by_itself_and_the_session_goes_on() {
    let server = server().await;
    let mut session = inbox(&server, PATIENT).await;
    let stop = CancellationToken::new();
    for _ in 0..3 {
        (session, ()) = session.idle(Duration::from_millis(20), &stop).await.unwrap();
        (session, ()) = session.noop().await.unwrap();
    }
    stop.cancel();
    (session, ()) = session.idle(LONG, &stop).await.unwrap();
    session.logout().await.unwrap();
}

#[tokio::test]
async fn signs_of_life_are_no_news_but_news_before_the_plus_are() {
    let stop = CancellationToken::new();
    let lively = vec![
        Act::Say("+ idling\r\n* OK Still here\r\n"),
        Act::ReadBare,
        Act::Say("TAG OK done\r\n"),
        Act::Hang,
    ];
    let (_server, address) = after_select(lively).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (session, _) = session.select("INBOX").await.unwrap();
    let began = Instant::now();
    session.idle(Duration::from_millis(200), &stop).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
    let early =
        vec![Act::Say("* 4 EXISTS\r\n+ idling\r\n"), Act::ReadBare, Act::Say("TAG OK done\r\n"), Act::Hang];
    assert_eq!(idle_answered_with(early).await, Ok(()));
}

#[tokio::test]
async fn a_server_that_declines_leaves_or_takes_leave_is_told_apart() {
    let declined = |is_bad| ImapError::Refused(Refused { step: Step::Idle, is_bad, code: None });
    assert_eq!(
        idle_answered_with(vec![Act::Say("TAG NO not now\r\n"), Act::Hang]).await,
        Err(declined(false))
    );
    assert_eq!(idle_answered_with(vec![Act::Say("TAG BAD what\r\n"), Act::Hang]).await, Err(declined(true)));
    assert_eq!(idle_answered_with(vec![]).await, Err(ImapError::Closed));
    assert_eq!(idle_answered_with(vec![Act::Say("+ idling\r\n")]).await, Err(ImapError::Closed));
    assert_eq!(
        idle_answered_with(vec![Act::Say("+ idling\r\n* BYE autologout\r\n")]).await,
        Err(ImapError::Bye)
    );
    let late = vec![Act::Say("+ idling\r\nTAG NO tired\r\n"), Act::Hang];
    assert_eq!(idle_answered_with(late).await, Err(declined(false)));
    assert_eq!(idle_answered_with(vec![Act::Say("+ idling\r\nTAG OK enough\r\n"), Act::Hang]).await, Ok(()));
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_at_both_ends() {
    for (command, step) in [("IDLE", Step::Idle), ("DONE", Step::Done)] {
        let server = server().await;
        server.rule(Rule::on(command, Fault::Hang));
        let session = inbox(&server, IMPATIENT).await;
        let got = error(session.idle(Duration::from_millis(20), &CancellationToken::new()).await);
        assert_eq!(got, ImapError::Timeout(step));
    }
}
