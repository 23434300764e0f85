//! Addresses and Message-IDs as values.

use postkey::mail::{
    RfcMessageId, is_own_loop_mark, is_own_message_id, loop_mark, own_message_id, plus_detail,
};

use super::{address, id, tag};
use postkey::mail::Address;

#[test]
fn em_64_brackets_case_and_idn_give_the_same_address() {
    let plain = address("ann@b\u{fc}cher.example");
    for other in ["<Ann@B\u{dc}CHER.example>", " ANN@xn--bcher-kva.EXAMPLE "] {
        assert!(address(other).is_same(&plain), "{other}");
    }
    assert_eq!(plain.normalized(), "ann@xn--bcher-kva.example");
    assert_eq!(plain.ascii().unwrap().as_str(), "ann@xn--bcher-kva.example");
}

#[test]
fn em_64_a_domain_is_compared_as_the_url_standard_writes_it() {
    for domain in [
        "Shop.TEST",
        "a-b.c_d.x",
        "XN--bcher-kva.example",
        "m.xn--BCHER-kva.de",
        "xn--.x",
        "xn--a.x",
        "1.2.3.4",
        "[1.2.3.4]",
        "[IPv6:2001:DB8::1]",
        "0x7F.1",
        "BÜCHER.de",
    ] {
        let written = match url::Host::parse(domain) {
            Ok(url::Host::Domain(ascii)) => ascii,
            _ => domain.to_lowercase(),
        };
        let read = address(&format!("ann@{domain}"));
        assert_eq!(read.normalized(), format!("ann@{written}"), "{domain}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "@",
        "a@",
        "@b",
        "a b@c.org",
        "a@b c",
        "a\r\nBcc: x@y",
        "a@b\r\n",
        "a@b..c",
        "a,b@c.org",
        "a<b@c.org",
    ] {
        let parsed = Address::parse(text).map(|parsed| parsed.as_str().to_owned());
        assert!(parsed.is_none() || parsed.as_deref() == Some("a@b"), "{text:?} gave {parsed:?}");
    }
    assert!(Address::parse(&format!("{}@x.org", "a".repeat(65))).is_none());
}

#[test]
fn obsolete_forms_are_read() {
    for text in
        ["a..b@phone.example", "a.@phone.example", "\"a b\"@x.org", "user@[192.0.2.1]", "root@localhost"]
    {
        assert_eq!(address(text).as_str(), text);
    }
}

#[test]
fn em_65_the_detail_begins_after_the_first_separator() {
    let base = address("inbox@postkey.example");
    assert_eq!(plus_detail(&address("Inbox+sales+x@POSTKEY.example"), &base, '+'), Some("sales+x"));
    assert_eq!(plus_detail(&address("inbox-sales@postkey.example"), &base, '-'), Some("sales"));
    for other in [
        "inbox@postkey.example",
        "inbox+@postkey.example",
        "xinbox+a@postkey.example",
        "inbox+a@evil.example",
    ] {
        assert_eq!(plus_detail(&address(other), &base, '+'), None, "{other}");
    }
    assert_eq!(address("ann+shop@x.org").without_detail(), address("ann@x.org"));
}

#[test]
fn debug_does_not_show_who() {
    assert!(!format!("{:?}", address("ann@example.org")).contains("ann"));
}

#[test]
fn em_47_ids_are_found_among_junk() {
    let found = RfcMessageId::extract_all("<a@x>,<b@x><c@x>\r\n\tYour message of Monday <d d@x> <e> <> <f@x");
    let found: Vec<_> = found.iter().map(RfcMessageId::as_str).collect();
    assert_eq!(found, ["a@x", "b@x", "c@x", "e"]);
}

#[test]
fn em_54_and_em_16_our_ids_are_known_again_and_forged_ones_are_not() {
    let random = [7; 16];
    let ours = own_message_id(random, tag(&random), "Postkey.Example");
    assert!(ours.as_str().ends_with("@postkey.example"));
    assert!(is_own_message_id(&ours, &tag));
    assert!(is_own_message_id(&id(&ours.as_str().to_uppercase()), &tag));
    for forged in
        [ours.as_str().replace("07", "08"), "a.b@postkey.example".to_owned(), "x@postkey.example".to_owned()]
    {
        assert!(!is_own_message_id(&id(&forged), &tag), "{forged}");
    }
}

#[test]
fn em_54_a_domain_cannot_break_the_id() {
    let made = own_message_id([1; 16], [2; 16], "x.org>\r\nBcc: a@b");
    assert!(made.is_sendable());
    assert!(!made.as_str().contains(['\r', '\n', '>', ' ']));
    assert!(own_message_id([1; 16], [2; 16], "").as_str().ends_with("@invalid"));
}

#[test]
fn em_17_a_loop_mark_with_another_tag_or_name_is_no_mark() {
    let mark = loop_mark("test-1", 2, &tag);
    assert!(is_own_loop_mark(&mark, "test-1", &tag));
    assert!(!is_own_loop_mark(&mark.replace("hop=2", "hop=3"), "test-1", &tag));
    assert!(!is_own_loop_mark(&mark, "test-2", &tag));
    assert!(!is_own_loop_mark("yes", "test-1", &tag));
}
