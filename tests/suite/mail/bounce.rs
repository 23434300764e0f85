//! Bounces as servers write them: whom they name, whether they are final, and which mail they are about.

use postkey::mail::Bounce;
use postkey::mail::gate::SkipReason;

use super::{address, assert_answered, assert_skipped, id, mail_with, read};

/// A mail with that author, subject and text.
fn notice(from: &str, subject: &str, text: &str) -> String {
    format!(
        "From: {from}\r\nTo: shop@postkey.example\r\nSubject: {subject}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    )
}

/// What a mail system says with that text.
fn system_says(text: &str) -> Bounce {
    bounce(notice("Mail Delivery System <mailer-daemon@mx.example>", "Notice", text))
}

fn bounce(mail: impl AsRef<[u8]>) -> Bounce {
    let mail = mail.as_ref();
    read(mail).bounce.unwrap_or_else(|| panic!("no bounce: {}", String::from_utf8_lossy(mail)))
}

fn failed(bounce: &Bounce) -> Vec<&str> {
    bounce.failed_recipients.iter().map(|address| address.as_str()).collect()
}

/// A report with these blocks of fields, and a returned mail.
fn report(blocks: &str) -> String {
    format!(
        "From: mailer-daemon@mx.example\r\nTo: shop@postkey.example\r\nSubject: Notice\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nSomething went wrong.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n{blocks}\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <sent-1@postkey.example>\r\n\
         References: <older@x.org>\r\nSubject: Your order\r\n\r\nIt is on its way.\r\n--b--\r\n"
    )
}

#[test]
fn em_151_a_report_names_whom_we_wrote_to() {
    let found = bounce(report(
        "Original-Recipient: rfc822;bob@x.example\r\nFinal-Recipient: rfc822; robert@inside.x.example\r\n\
         Action: failed\r\nStatus: 5.1.1\r\n\r\nFinal-Recipient: RFC822; <eve@y.example>\r\n\
         Action: Failed (unknown)\r\nStatus: 5.1.1\r\n",
    ));
    assert_eq!(failed(&found), ["bob@x.example", "eve@y.example"]);
    assert!(!found.is_temporary);
    assert_eq!(found.about, [id("sent-1@postkey.example")]);
}

#[test]
fn em_151_a_delay_is_temporary_and_success_is_no_bounce() {
    let block = |action: &str| format!("Final-Recipient: rfc822;bob@x.example\r\nAction: {action}\r\n");
    let delayed = bounce(report(&block("delayed")));
    assert_eq!((failed(&delayed), delayed.is_temporary), (vec!["bob@x.example"], true));
    // One who failed for good makes it final, and those who wait are not lost.
    let both = format!("{}\r\n{}", block("delayed"), block("failed").replace("bob", "eve"));
    let mixed = bounce(report(&both));
    assert_eq!((failed(&mixed), mixed.is_temporary), (vec!["eve@x.example"], false));
    for success in ["delivered", "relayed", "expanded"] {
        assert_eq!(read(report(&block(success))).bounce, None);
    }
}

#[test]
fn em_151_the_status_counts_where_the_action_is_missing() {
    let found = bounce(report("Final-Recipient: rfc822;bob@x.example\r\nStatus: 5.5.0\r\n"));
    assert_eq!(failed(&found), ["bob@x.example"]);
}

#[test]
fn em_151_a_report_wrapped_by_a_gateway_is_read() {
    let wrapped = format!(
        "From: postmaster@gate.example\r\nTo: shop@postkey.example\r\nSubject: Notice\r\n\
         Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n--outer--\r\n",
        report("Final-Recipient: rfc822;bob@x.example\r\nAction: failed\r\n")
    );
    assert_eq!(failed(&bounce(&wrapped)), ["bob@x.example"]);
    // The same that a person attaches is not the person's bounce.
    let forwarded = wrapped.replace("postmaster@gate.example", "ann@example.org");
    assert_eq!(read(&forwarded).bounce, None);
    assert_answered(forwarded, "ann@example.org");
}

#[test]
fn em_151_x_failed_recipients_is_a_list() {
    let mail = mail_with("X-Failed-Recipients: bob@x.example, eve@y.example\r\n");
    assert_eq!(failed(&bounce(mail)), ["bob@x.example", "eve@y.example"]);
}

#[test]
fn em_151_addresses_on_lines_of_their_own_have_failed() {
    for text in [
        "Sorry, your mail could not be delivered to:\r\n\r\n<bob@x.example>: host mx[192.0.2.1] said: 550 unknown\r\n",
        "The following address failed:\r\n\r\n  bob@x.example\r\n    no such user here\r\n",
        "Undelivered to these people:\r\n\r\n   * bob@x.example\r\n\r\nDelivery failed for good.\r\n",
        "Your message did not reach:\r\nbob@x.example on Tue, 14 Jul 2026 10:00\r\n  The name is wrong\r\n",
        "It could not be delivered.\r\n\r\nRecipient: [SMTP:bob@x.example]\r\nReason: 550 no\r\n",
        "The mailbox is full: <bob@x.example>\r\n",
        "Your message to bob@x.example was rejected: quota exceeded\r\n",
        "The message, addressed to 'bob@x.example',\r\ncould not be delivered for thirty days.\r\n",
        "----- permanent fatal errors -----\r\nthe list\r\n  (expanded from: bob@x.example)\r\n",
        "did not reach the following recipient(s):\r\n\r\nc=US;a= ;p=Shop;dda:SMTP=bob@x.example; on Tue, 14 Jul\r\n",
        "К сожалению, письмо не может быть доставлено:\r\n\r\n<bob@x.example>:\r\nящик полон\r\n",
        "Ihre Nachricht konnte nicht zugestellt werden an:\r\n\r\n  bob@x.example\r\n",
        "次の宛先に配信できませんでした。\r\n\r\n<bob@x.example>\r\n",
    ] {
        let found = system_says(text);
        assert_eq!((failed(&found), found.is_temporary), (vec!["bob@x.example"], false), "{text}");
    }
}

#[test]
fn em_151_several_recipients_are_each_named_once() {
    let text = "Unable to deliver to the following addresses.\r\n\r\n<bob@x.example>:\r\nSorry, bob@x.example is gone.\r\n\
                \r\n<eve@y.example>:\r\nno such user EVE@y.example\r\n";
    assert_eq!(failed(&system_says(text)), ["bob@x.example", "eve@y.example"]);
}

#[test]
fn em_151_nobody_from_the_returned_mail_has_failed() {
    for mark in [
        "--- Below this line is a copy of the message.",
        "------ Original message ------",
        "Original message follows.",
        "Here is a copy of your message:",
        "Received: from a.example by b.example; Tue, 14 Jul 2026 10:00:00 +0200",
    ] {
        let text = format!(
            "Could not be delivered to:\r\n\r\n<bob@x.example>\r\n\r\n{mark}\r\n\r\n<zoe@z.example>:\r\nMessage-ID: <sent-1@postkey.example>\r\n"
        );
        let found = system_says(&text);
        assert_eq!(failed(&found), ["bob@x.example"], "{mark}");
        assert_eq!(found.about, [id("sent-1@postkey.example")]);
    }
}

#[test]
fn em_151_help_desks_authors_and_readers_have_not_failed() {
    let text = "A mail from shop@postkey.example could not be delivered to:\r\n\r\n  bob@x.example\r\n\r\n\
                For further assistance, please contact\r\n<help@mx.example>\r\n\r\nFrom: zoe@z.example\r\n";
    assert_eq!(failed(&system_says(text)), ["bob@x.example"]);
}

#[test]
fn em_151_the_addressee_or_the_title_serve_where_nobody_is_listed() {
    let addressee =
        "I could not deliver the following mail.\r\n\r\nSubject: Your order\r\nTo: bob@x.example\r\n";
    assert_eq!(failed(&system_says(addressee)), ["bob@x.example"]);
    let title = notice("postmaster@mx.example", "Undeliverable: bob@x.example", "It could not be delivered.");
    assert_eq!(failed(&bounce(title)), ["bob@x.example"]);
    let bare = "Not delivered to the following recipients:\r\n   bob\r\n";
    assert_eq!(failed(&system_says(bare)), ["bob@mx.example"]);
}

#[test]
fn em_151_a_masked_address_is_nobody() {
    assert_eq!(failed(&system_says("It could not be delivered to:\r\n\r\n  bob...@x.example\r\n")), [""; 0]);
}

#[test]
fn em_151_a_notice_that_goes_on_trying_is_temporary() {
    for text in [
        "Delivery to bob@x.example has been delayed. It will be retried.",
        "Your message to:\r\n\tbob@x.example\r\n\r\nhas not yet been delivered. We will continue to try for 5 days.",
        "Could not deliver to:\r\n\r\nbob@x.example\r\n\r\nNo action is required on your part.",
    ] {
        let found = system_says(text);
        assert_eq!((failed(&found), found.is_temporary), (vec!["bob@x.example"], true), "{text}");
    }
}

#[test]
fn em_151_a_notice_in_html_is_read() {
    let html = "<p>Your mail could not be delivered to:</p><br>bob@x.example<br>no such user<br>";
    let mail = notice("mailer-daemon@mx.example", "Notice", html).replace("text/plain", "text/html");
    assert_eq!(failed(&bounce(mail)), ["bob@x.example"]);
}

#[test]
fn em_14_a_strangers_text_that_is_a_bounce_by_its_own_words_is_not_answered() {
    let text = "Votre message n'a pas pu être délivré à\r\nbob@x.example\r\n";
    let by_title = notice("gateway@mx.example", "Your order : delivery failed", text);
    assert_skipped(&by_title, SkipReason::Bounce);
    let copy = "This is an automated message. A mail could not be delivered to:\r\n\r\nbob@x.example\r\n\r\n\
                ---- Original message ----\r\nReceived: from a by b; Tue, 14 Jul 2026 10:00:00 +0200\r\n";
    assert_skipped(notice("gateway@mx.example", "Your order", copy), SkipReason::Bounce);
}

#[test]
fn em_14_people_who_write_about_bounces_and_parcels_are_answered() {
    for (subject, text) in [
        (
            "Cannot reach your colleague",
            "My mail to bob@x.example was returned: user unknown. What is his address?",
        ),
        (
            "Delivery failed",
            "My parcel could not be delivered.\r\n\r\nPlease tell\r\nbob@x.example\r\nwhere it is.",
        ),
        (
            "Fwd: Undelivered Mail",
            "Look what I got.\r\n\r\nThis is an automated message:\r\nbob@x.example: user unknown",
        ),
        ("Mailbox", "I think my mailbox is full. Can you look?"),
        (
            "Re: failure notice",
            "Hello, the message to bob@x.example was not delivered. Did you change something?",
        ),
    ] {
        let mail = notice("Ann <ann@example.org>", subject, text);
        assert_eq!(read(&mail).bounce, None, "{subject}");
        assert_answered(mail, "ann@example.org");
    }
}

#[test]
fn em_153_a_bounce_tells_which_mails_it_claims_to_be_about() {
    let mail = notice("mailer-daemon@mx.example", "Notice", "It was not delivered.\r\n")
        .replace("Subject:", "In-Reply-To: <a@x.org>\r\nReferences: <b@x.org> <a@x.org>\r\nSubject:");
    assert_eq!(bounce(mail).about, [id("a@x.org"), id("b@x.org")]);
    assert_eq!(system_says("It was not delivered.\r\n").about, []);
}

#[test]
fn em_11_a_name_that_no_person_has_is_a_robot() {
    for name in ["Mail Delivery Subsystem", "MAILER DAEMON", "System Administrator"] {
        let mail = mail_with("").replace("Ann Miller", name);
        assert_skipped(mail, SkipReason::RobotSender);
    }
    assert_answered(mail_with("").replace("Ann Miller", "Sys Admin Ann"), "ann@example.org");
}

#[test]
fn bounces_show_no_addresses_when_they_are_debugged() {
    let shown =
        format!("{:?}", Bounce { failed_recipients: vec![address("bob@x.example")], ..Bounce::default() });
    assert!(!shown.contains("bob"), "{shown}");
}

#[test]
fn em_151_a_holiday_note_with_an_empty_return_path_is_no_bounce() {
    let note = notice(
        "Bob <bob@x.example>",
        "I am away",
        "My mailbox is full of sand.\r\n\r\nContact\r\neve@y.example\r\n",
    );
    let note = format!("Return-Path: <>\r\n{note}");
    assert_eq!(read(&note).bounce, None);
    assert_skipped(note, SkipReason::NullReturnPath);
}

#[test]
fn em_106_a_notice_full_of_addresses_costs_little() {
    let many = "Could not be delivered to ".to_owned() + &"a@b.example ".repeat(200_000);
    let began = std::time::Instant::now();
    assert_eq!(failed(&system_says(&many)), ["a@b.example"]);
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
