//! Folders, searches and mails.

use postkey::clock::Timestamp;
use postkey::imap::{ByteLimit, ImapError, Refused, Step};
use postkey::mail::RfcMessageId;

use super::script::{Act, after_select};
use super::{ANNA, IMPATIENT, PATIENT, SECRET, error, inbox, open_with, password, server};
use crate::support::imap_server::{Fault, INBOX, Rule, SENT};

const MAIL: &[u8] = b"Message-ID: <one@example.org>\r\nSubject: hello\r\n\r\nhello\r\n";

#[tokio::test]
async fn a_folder_says_where_its_uids_are() {
    let (_server, address) = after_select(vec![]).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (_, folder) = session.select(INBOX).await.unwrap();
    assert_eq!((folder.uid_validity, folder.uid_next, folder.exists), (7, Some(42), 3));
    assert!(!folder.keeps_keywords);
}

#[tokio::test]
async fn mails_are_found_described_and_read_as_they_are() {
    let server = server().await;
    let arrived = Timestamp::from_millis(1_700_000_000_000);
    let sizes = [0, 1, 100, 5_000, 100_000];
    let mails: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b'x'; *size]).collect();
    let uids: Vec<u32> = mails.iter().map(|mail| server.deliver_dated(ANNA, mail, arrived)).collect();
    let session = inbox(&server, PATIENT).await;
    let (session, found) = session.uids_from(0).await.unwrap();
    assert_eq!(found, uids);
    let (session, summaries) = session.describe(&found).await.unwrap();
    assert_eq!(summaries.iter().map(|summary| summary.size.unwrap() as usize).collect::<Vec<_>>(), sizes);
    assert!(summaries.iter().all(|summary| summary.internal_date == Some(arrived) && !summary.flags.seen));
    let (session, got) = session.fetch(&found, 100_000).await.unwrap();
    assert_eq!(got, uids.iter().copied().zip(mails).collect::<Vec<_>>());
    let (_, start) = session.fetch_start(uids[4], 10).await.unwrap();
    assert_eq!(start.unwrap(), b"xxxxxxxxxx");
    assert!(server.flags(ANNA, uids[4]).is_empty(), "reading leaves no trace");
    assert_eq!(server.count(ANNA, "UID FETCH"), 3, "one command for all mails");
}

#[tokio::test]
async fn no_uids_are_no_command() {
    let server = server().await;
    let session = inbox(&server, PATIENT).await;
    let (session, none) = session.describe(&[]).await.unwrap();
    let (_, nothing) = session.fetch(&[], 10).await.unwrap();
    assert!(none.is_empty() && nothing.is_empty());
    assert_eq!(server.count(ANNA, "UID FETCH"), 0);
}

#[tokio::test]
async fn a_last_mail_below_the_asked_uid_is_dropped() {
    let server = server().await;
    let last = server.deliver(ANNA, MAIL);
    let session = inbox(&server, PATIENT).await;
    let (_, found) = session.uids_from(last + 1).await.unwrap();
    assert!(found.is_empty());
}

#[tokio::test]
async fn a_vanished_mail_is_missing_and_not_an_error() {
    let server = server().await;
    let (gone, kept) = (server.deliver(ANNA, MAIL), server.deliver(ANNA, MAIL));
    server.remove(ANNA, gone);
    let session = inbox(&server, PATIENT).await;
    let (session, summaries) = session.describe(&[gone, kept]).await.unwrap();
    assert_eq!(summaries.len(), 1);
    let (session, mails) = session.fetch(&[kept, gone], 1000).await.unwrap();
    assert_eq!(mails, [(kept, MAIL.to_vec())]);
    assert_eq!(session.fetch_start(gone, 10).await.unwrap().1, None);
}

#[tokio::test]
async fn a_mail_without_a_readable_size_is_there_all_the_same() {
    let answer = "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 99999999999)\r\n* 2 FETCH (UID 2 FLAGS (\\Answered))\r\n\
        * 2 FETCH (UID 2 FLAGS () RFC822.SIZE 7)\r\n* 3 FETCH (FLAGS (\\Seen))\r\nTAG OK done\r\n";
    let (_server, address) = after_select(vec![Act::Say(answer), Act::Hang]).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (session, _) = session.select(INBOX).await.unwrap();
    let (_, summaries) = session.describe(&[1, 2, 3]).await.unwrap();
    let sizes: Vec<_> = summaries.iter().map(|summary| (summary.uid, summary.size)).collect();
    assert_eq!(sizes, [(1, None), (2, Some(7))]);
}

#[tokio::test]
async fn a_folder_of_many_mails_is_searched_in_parts_and_what_is_new_with_one_search() {
    let server = server().await;
    server.set_next_uid(ANNA, 4_000_000_000);
    let uids: Vec<u32> = (0..50_000).map(|_| server.deliver(ANNA, b"")).collect();
    let mut session = inbox(&server, PATIENT).await;
    let mut found: Vec<u32> = Vec::new();
    loop {
        let part;
        (session, part) = session.uids_from(found.last().map_or(1, |last| last + 1)).await.unwrap();
        if part.is_empty() {
            break;
        }
        assert!(part.len() <= 20_000, "{} in one part", part.len());
        found.extend(part);
    }
    assert!(found == uids, "{} of {}", found.len(), uids.len());
    let searches = server.count(ANNA, "UID SEARCH");
    let new = server.deliver(ANNA, b"");
    let (_, part) = session.uids_from(found.last().unwrap() + 1).await.unwrap();
    assert_eq!((part, server.count(ANNA, "UID SEARCH")), (vec![new], searches + 1));
}

#[tokio::test]
async fn a_refusal_is_never_an_empty_result() {
    for (command, step) in [("UID SEARCH", Step::Search), ("UID FETCH", Step::Describe)] {
        for fault in [Fault::No("[SERVERBUG] later"), Fault::Bad("what?")] {
            let server = server().await;
            let uid = server.deliver(ANNA, MAIL);
            server.rule(Rule::on(command, fault));
            let session = inbox(&server, PATIENT).await;
            let got = match step {
                Step::Search => error(session.uids_from(1).await),
                _ => error(session.describe(&[uid]).await),
            };
            let ImapError::Refused(refused) = got else { panic!("{got:?}") };
            assert_eq!((refused.step, refused.is_bad), (step, fault == Fault::Bad("what?")));
        }
    }
}

#[tokio::test]
async fn a_refusal_after_some_mails_is_an_error_too() {
    let answer = "* 1 FETCH (UID 1 BODY[] {2}\r\nhi)\r\nTAG NO [SERVERBUG] the rest is gone\r\n";
    let (_server, address) = after_select(vec![Act::Say(answer), Act::Hang]).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (session, _) = session.select(INBOX).await.unwrap();
    let got = error(session.fetch(&[1, 2], 100).await);
    let ImapError::Refused(Refused { step: Step::Fetch, is_bad: false, code: Some(code) }) = &got else {
        panic!("{got:?}")
    };
    assert_eq!(code.as_str(), "SERVERBUG");
    assert!(!got.to_string().contains("the rest"), "no text of the server: {got}");
}

#[tokio::test]
async fn every_step_ends_when_the_server_hangs_or_leaves() {
    for (fault, expected) in [
        (Fault::Hang, ImapError::Timeout(Step::Fetch)),
        (Fault::Cut, ImapError::Closed),
        (Fault::CutInLiteral, ImapError::Closed),
        (Fault::Bye("maintenance"), ImapError::Bye),
        (Fault::SayAndHang(b"* 1 FETCH (UID 1 BODY[] {1000}\r\nhalf"), ImapError::Timeout(Step::Fetch)),
        (Fault::SayAndHang(b"* OK still here\r\n* OK still here\r\n"), ImapError::Timeout(Step::Fetch)),
    ] {
        let server = server().await;
        let uid = server.deliver(ANNA, MAIL);
        server.rule(Rule::on("UID FETCH", fault));
        let session = inbox(&server, IMPATIENT).await;
        assert_eq!(error(session.fetch(&[uid], 10_000).await), expected, "{fault:?}");
    }
}

#[tokio::test]
async fn nil_an_empty_string_and_an_empty_literal_are_all_empty_mails() {
    let answer = "* 1 FETCH (UID 1 BODY[] NIL)\r\n* 2 FETCH (BODY[] \"\" UID 2)\r\n* 9 FETCH (FLAGS (\\Seen))\r\n\
        * 3 FETCH (UID 3 BODY[] {0}\r\n)\r\n* 4 FETCH (UID 4 FLAGS (\\Seen))\r\nTAG OK done\r\n";
    let (_server, address) = after_select(vec![Act::Say(answer), Act::Hang]).await;
    let session = open_with(address, password(SECRET), PATIENT).await.unwrap();
    let (session, _) = session.select(INBOX).await.unwrap();
    let (_, mails) = session.fetch(&[1, 2, 3, 4], 100).await.unwrap();
    assert_eq!(mails, [(1, vec![]), (2, vec![]), (3, vec![])]);
}

#[tokio::test]
async fn what_is_larger_than_the_limit_is_refused_before_it_is_read() {
    let server = server().await;
    let uids = [server.deliver(ANNA, &[b'x'; 1000]), server.deliver(ANNA, &[b'x'; 1000])];
    let fetch = async |limit: ByteLimit| {
        inbox(&server, PATIENT).await.fetch(&uids, limit).await.map(|(_, mails)| mails.len())
    };
    assert_eq!(fetch(1000.into()).await, Ok(2));
    assert_eq!(fetch(999.into()).await, Err(ImapError::TooLarge));
    // The room for news between the mails is a MiB.
    let large = [server.deliver(ANNA, &vec![b'x'; 2_000_000]), server.deliver(ANNA, &vec![b'x'; 2_000_000])];
    let both =
        inbox(&server, PATIENT).await.fetch(&large, ByteLimit { each: 2_000_000, total: 2_500_000 }).await;
    assert_eq!(error(both), ImapError::TooLarge);
}

#[tokio::test]
async fn our_copy_is_found_by_its_id_only() {
    let server = server().await;
    let session = inbox(&server, PATIENT).await;
    let (session, sent) = session.sent_folder().await.unwrap();
    assert_eq!(sent.as_deref(), Some(SENT));
    let one = RfcMessageId::parse("one@example.org").unwrap();
    let (session, before) = session.find_by_message_id(SENT, &one).await.unwrap();
    let (session, stored) = session.append(SENT, MAIL, true).await.unwrap();
    assert_eq!(stored, Ok(()));
    let (session, after) = session.find_by_message_id(SENT, &one).await.unwrap();
    assert_eq!((before, after), (false, true));
    assert_eq!(server.sent(ANNA), [MAIL]);
    let other = RfcMessageId::parse("two@example.org").unwrap();
    let (session, other) = session.find_by_message_id(SENT, &other).await.unwrap();
    assert!(!other);
    let got = error(session.find_by_message_id("Nowhere", &one).await);
    assert!(matches!(got, ImapError::Refused(Refused { step: Step::Select, .. })), "{got:?}");
}

#[tokio::test]
async fn an_answered_mail_is_marked() {
    let server = server().await;
    let uid = server.deliver(ANNA, MAIL);
    let session = inbox(&server, PATIENT).await;
    let (session, marked) = session.mark_answered(&[uid]).await.unwrap();
    assert_eq!(marked, Ok(()));
    let (_, summaries) = session.describe(&[uid]).await.unwrap();
    assert!(summaries[0].flags.answered && !summaries[0].flags.seen);
}

#[tokio::test]
async fn a_full_mailbox_refuses_the_copy_by_name_and_the_session_goes_on() {
    let server = server().await;
    let uid = server.deliver(ANNA, MAIL);
    server.rule(Rule::on("APPEND", Fault::No("[OVERQUOTA] full")));
    server.rule(Rule::on("UID STORE", Fault::No("[NOPERM] for reading only")));
    let (session, stored) = inbox(&server, PATIENT).await.append(SENT, MAIL, true).await.unwrap();
    assert_eq!(stored.unwrap_err().to_string(), "NO to append [OVERQUOTA]");
    let (session, marked) = session.mark_answered(&[uid]).await.unwrap();
    assert!(marked.unwrap_err().to_string().ends_with("[NOPERM]"));
    session.noop().await.unwrap();
}

#[tokio::test]
async fn a_folder_with_a_line_break_is_never_asked_for() {
    let server = server().await;
    let session = inbox(&server, PATIENT).await;
    assert_eq!(error(session.select("INBOX\r\nA1 DELETE INBOX").await), ImapError::Unsendable);
}
