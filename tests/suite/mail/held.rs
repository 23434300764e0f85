//! Mails that wait for a person.

use postkey::mail::gate::{HoldReason, SkipReason};

use super::{assert_answered, assert_held, assert_skipped, mail_with};

/// A mail with words and a calendar beside them, in a container of that kind.
fn with_calendar(container: &str, method: &str) -> String {
    let parts = format!(
        "--b\r\n\r\nShall we meet?\r\n--b\r\nContent-Type: text/calendar; method={method}\r\n\r\n\
         BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nEND:VCALENDAR\r\n--b--\r\n"
    );
    let header = format!("Content-Type: multipart/{container}; boundary=b\r\n");
    mail_with(&header).replace("When do you open?\r\n", &parts)
}

#[test]
fn em_21_an_invitation_waits_for_a_person() {
    assert_held(with_calendar("alternative", "REQUEST"), HoldReason::Invitation);
    assert_held(with_calendar("alternative", "COUNTER"), HoldReason::Invitation);
}

#[test]
fn em_21_answers_to_invitations_and_their_withdrawal_are_not_answered() {
    assert_skipped(with_calendar("alternative", "REPLY"), SkipReason::CalendarAnswer);
    assert_skipped(with_calendar("alternative", "CANCEL"), SkipReason::CalendarAnswer);
    let alone = mail_with("Content-Type: text/calendar\r\n")
        .replace("When do you open?", "BEGIN:VCALENDAR\r\nmethod:reply\r\nEND:VCALENDAR");
    assert_skipped(alone, SkipReason::CalendarAnswer);
}

#[test]
fn em_21_a_calendar_beside_the_words_is_a_file() {
    assert_answered(with_calendar("mixed", "REQUEST"), "ann@example.org");
    assert_answered(with_calendar("alternative", "PUBLISH"), "ann@example.org");
}

#[test]
fn em_127_what_nobody_here_can_read_waits_for_a_person() {
    let sealed = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n";
    assert_held(mail_with(sealed), HoldReason::Encrypted);
}

#[test]
fn em_133_an_address_that_not_every_server_takes_waits_for_a_person() {
    assert_held(mail_with("").replace("ann@example.org", "änn@example.org"), HoldReason::AddressBeyondAscii);
}

#[test]
fn every_hold_reason_has_its_own_code_and_speaks() {
    for reason in HoldReason::ALL {
        assert_eq!(HoldReason::from_code(reason.as_str()), Some(reason));
        assert_eq!(SkipReason::from_code(reason.as_str()), None);
        assert!(reason.rule().starts_with("EM-"));
        assert!(reason.explain().ends_with('.'));
    }
}
