//! The gate, rule by rule (section 1 of the mail rules).

use postkey::mail::gate::SkipReason;
use postkey::mail::{loop_mark, own_message_id};

use super::{assert_answered, assert_skipped, mail_with, tag};

/// Every header line of `lines` on an otherwise human mail is refused for `reason`.
fn each_skips(lines: &[&str], reason: SkipReason) {
    for line in lines {
        assert_skipped(mail_with(&format!("{line}\r\n")), reason);
    }
}

fn each_is_answered(lines: &[&str]) {
    for line in lines {
        assert_answered(mail_with(&format!("{line}\r\n")), "ann@example.org");
    }
}

fn from(value: &str) -> String {
    mail_with("").replace("Ann Miller <ann@example.org>", value)
}

#[test]
fn a_question_from_a_person_is_answered() {
    assert_answered(mail_with(""), "ann@example.org");
}

#[test]
fn em_1_a_bounce_is_never_answered() {
    let nulls =
        ["Return-Path: <>", "Return-Path: < >", "Return-Path: <<>>", "Return-Path:", "X-Envelope-From: <>"];
    each_skips(&nulls, SkipReason::NullReturnPath);
    each_is_answered(&["Return-Path: <ann@example.org>", "X-Nothing: here"]);
}

#[test]
fn em_2_whatever_is_not_no_in_auto_submitted_is_automatic() {
    each_skips(
        &[
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-replied; owner-email=\"x@y\"",
            "AUTO-SUBMITTED: Auto-Generated (vacation)",
            "Auto-Submitted: auto-notified",
            "Auto-Submitted: (no) auto-replied",
            "Auto-Submitted: something-new",
            "Auto-Submitted:\r\n auto-replied",
        ],
        SkipReason::AutoSubmitted,
    );
    each_is_answered(&[
        "Auto-Submitted: no",
        "Auto-Submitted: No",
        "Auto-Submitted:  no (manual)",
        "auto-submitted: NO; x=1",
    ]);
}

#[test]
fn em_3_one_automatic_field_of_several_is_enough() {
    let first_or_last = [
        "Auto-Submitted: auto-replied\r\nAuto-Submitted: no",
        "Auto-Submitted: no\r\nAuto-Submitted: auto-replied",
    ];
    each_skips(&first_or_last, SkipReason::AutoSubmitted);
}

#[test]
fn em_4_bulk_mail_is_not_answered() {
    each_skips(
        &["Precedence: bulk", "Precedence: JUNK", "Precedence: list", "X-Precedence: auto_reply"],
        SkipReason::Bulk,
    );
    each_is_answered(&["Precedence: first-class"]);
}

#[test]
fn em_5_lists_are_not_answered() {
    each_skips(
        &[
            "List-Id: <a.example.org>",
            "List-Unsubscribe: <mailto:x@y>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Mailing-List: x",
            "X-BeenThere: a@b",
            "X-Mailman-Version: 3",
            "X-Loop: dev@lists.example.org",
        ],
        SkipReason::MailingList,
    );
}

#[test]
fn em_6_only_the_words_against_answers_suppress_one() {
    each_skips(
        &[
            "X-Auto-Response-Suppress: All",
            "X-Auto-Response-Suppress: DR, RN, OOF",
            "X-Auto-Response-Suppress: autoreply",
        ],
        SkipReason::AnswersSuppressed,
    );
    each_is_answered(&["X-Auto-Response-Suppress: DR, NDR, RN, NRN", "X-Auto-Response-Suppress: None"]);
}

#[test]
fn em_7_autoresponders_are_not_answered() {
    each_skips(
        &[
            "X-Autoreply: yes",
            "X-Autorespond: ",
            "X-Autoreply-From: a@b",
            "X-Failed-Recipients: a@b",
            "X-Apple-Action: VACATION",
            "X-MS-Exchange-Inbox-Rules-Loop: a@b",
            "X-Vacation: yes",
        ],
        SkipReason::Autoresponse,
    );
    each_is_answered(&["X-Autoreply: no"]);
}

#[test]
fn em_8_marks_of_machines_and_spam_filters_count_when_true() {
    each_skips(
        &["X-FC-Machinegenerated: true", "X-Loop: yes", "X-Ack: no", "X-Spam-Flag: YES"],
        SkipReason::MachineMark,
    );
    each_is_answered(&["X-FC-Machinegenerated: false", "X-Spam-Flag: NO", "X-Ack: yes"]);
}

#[test]
fn em_9_reports_of_any_type_are_not_answered() {
    for kind in ["delivery-status", "disposition-notification", "feedback-report", "tlsrpt", "other"] {
        let header =
            format!("Content-Type: Multipart/Report (x); report-type={kind};\r\n\tboundary=\"b\"\r\n");
        assert_skipped(mail_with(&header), SkipReason::Report);
    }
}

/// A mixed mail whose second part is of that kind and has that body.
fn mixed(kind: &str, body: &str) -> String {
    let parts = format!("--b\r\n\r\nHello\r\n--b\r\nContent-Type: {kind}\r\n\r\n{body}\r\n--b--\r\n");
    mail_with("Content-Type: multipart/mixed; boundary=b\r\n").replace("When do you open?\r\n", &parts)
}

#[test]
fn em_10_a_status_leaf_counts_under_any_root_but_not_inside_an_attached_mail() {
    for kind in ["message/delivery-status", "message/feedback-report", "Message/Disposition-Notification"] {
        assert_skipped(mixed(kind, "Final-Recipient: rfc822; a@b"), SkipReason::StatusPart);
    }
    let bounce = "From: x@y\r\nContent-Type: multipart/report; boundary=c\r\n\r\n--c\r\nContent-Type: message/delivery-status\r\n\r\nx\r\n--c--";
    assert_answered(mixed("message/rfc822", bounce), "ann@example.org");
}

#[test]
fn em_11_robots_are_not_answered() {
    let robots = [
        "MAILER-DAEMON@x.org",
        "Postmaster@x.org",
        "noreply@x.org",
        "no-reply-shop@x.org",
        "do_not_reply@x.org",
        "bounces+123-ann=b.org@x.org",
        "bounce-77@x.org",
        "dev-bounces@x.org",
        "owner-dev@x.org",
        "dev-owner@x.org",
        "dev-request@x.org",
        "majordomo@x.org",
        "prvs=12345678=postmaster@x.org",
        "SRS0=aB=cD=x.org=mailer-daemon@y.org",
        "noreply+tag@x.org",
    ];
    for robot in robots {
        assert_skipped(from(&format!("Shop <{robot}>")), SkipReason::RobotSender);
        assert_skipped(mail_with(&format!("Sender: {robot}\r\n")), SkipReason::RobotSender);
    }
    assert_skipped(mail_with("Return-Path: <MAILER-DAEMON>\r\n"), SkipReason::RobotSender);
    assert_skipped(from("Mail Delivery Subsystem <MAILER-DAEMON>"), SkipReason::RobotSender);
}

#[test]
fn em_12_system_roles_are_not_answered_but_people_at_desks_are() {
    for role in ["abuse", "root", "hostmaster"] {
        assert_skipped(from(&format!("{role}@x.org")), SkipReason::RoleSender);
    }
    for desk in ["info@x.org", "support@x.org", "norely@x.org", "owner@x.org"] {
        assert_answered(from(desk), desk);
    }
}

#[test]
fn em_15_our_own_addresses_are_not_answered() {
    for own in ["shop@postkey.example", "HELLO@Postkey.Example", "shop+sales@postkey.example"] {
        assert_skipped(from(own), SkipReason::Ourselves);
        for field in ["Sender", "Reply-To", "Return-Path"] {
            assert_skipped(mail_with(&format!("{field}: <{own}>\r\n")), SkipReason::Ourselves);
        }
    }
    assert_answered(from("other@postkey.example"), "other@postkey.example");
}

#[test]
fn em_16_our_own_message_id_stops_a_loop() {
    let random = [9; 16];
    let ours = own_message_id(random, tag(&random), "postkey.example").bracketed();
    assert_skipped(mail_with("").replace("<first@example.org>", &ours), SkipReason::OwnMessageId);
    // Quoting our id is what every human answer does.
    assert_answered(mail_with(&format!("In-Reply-To: {ours}\r\n")), "ann@example.org");
}

#[test]
fn em_17_our_own_loop_mark_stops_a_loop_and_a_forged_one_does_not() {
    let mark = loop_mark("test-1", 1, &tag);
    assert_skipped(mail_with(&format!("X-Agent-Loop: {mark}\r\n")), SkipReason::OwnLoopMark);
    assert_answered(
        mail_with("X-Agent-Loop: test-1;hop=1;00000000000000000000000000000000\r\n"),
        "ann@example.org",
    );
}

#[test]
fn em_18_more_than_a_hundred_hops_are_a_loop() {
    let hops =
        |count: usize| mail_with(&"Received: from a by b; Tue, 14 Jul 2026 10:00:00 +0200\r\n".repeat(count));
    assert_answered(hops(100), "ann@example.org");
    assert_skipped(hops(101), SkipReason::TooManyHops);
}

#[test]
fn em_33_nobody_or_several_authors_get_no_answer() {
    for nobody in ["", "undisclosed-recipients:;", "\"ann@example.org\"", "Ann <>", "<@>"] {
        assert_skipped(from(nobody), SkipReason::NoReplyAddress);
    }
    assert_skipped(mail_with("").replace("From:", "X-From:"), SkipReason::NoReplyAddress);
    assert_skipped(from("a@x.org, b@x.org"), SkipReason::SeveralAuthors);
    assert_answered(from("a@x.org, A@X.org"), "a@x.org");
}

#[test]
fn em_129_two_different_from_fields_are_not_believed() {
    assert_skipped(mail_with("From: boss@example.org\r\n"), SkipReason::SeveralAuthors);
}

#[test]
fn em_39_never_to_sender_cc_or_return_path() {
    let header = "Sender: secretary@example.org\r\nCc: all@example.org\r\nReturn-Path: <x@evil.example>\r\nErrors-To: e@x.org\r\n";
    assert_answered(mail_with(header), "ann@example.org");
}

#[test]
fn em_40_reply_to_counts_within_the_authors_organisation_only() {
    assert_answered(mail_with("Reply-To: Team <team@example.org>\r\n"), "team@example.org");
    assert_answered(mail_with("Reply-To: team@sub.example.org\r\n"), "team@sub.example.org");
    for ignored in
        ["victim@other.example", "a@example.org, b@example.org", "noreply@example.org", "x@notexample.org"]
    {
        assert_answered(mail_with(&format!("Reply-To: {ignored}\r\n")), "ann@example.org");
    }
}

#[test]
fn em_41_a_robot_or_we_ourselves_are_never_the_recipient() {
    for robot in ["noreply@example.org", "bounces-1@sub.example.org"] {
        assert_answered(mail_with(&format!("Reply-To: {robot}\r\n")), "ann@example.org");
    }
    each_skips(&["Reply-To: shop+x@postkey.example\r\n"], SkipReason::Ourselves);
}

#[test]
fn em_132_a_display_name_is_never_the_recipient() {
    assert_answered(from("\"ceo@bank.example\" <ann@example.org>"), "ann@example.org");
}

#[test]
fn every_reason_has_its_own_code_and_speaks() {
    for reason in SkipReason::ALL {
        assert_eq!(SkipReason::from_code(reason.as_str()), Some(reason));
        assert!(reason.rule().starts_with("EM-"));
        assert!(reason.explain().ends_with('.'));
    }
}
