//! Our signed address: what it binds, and what it is not taken for (EM-66 to EM-68).

use postkey::clock::Timestamp;
use postkey::mail::{Address, AddressTag, Parties, signed_address, signed_thread, unsigned, without_details};
use uuid::{Uuid, uuid};

use super::{address, read};

const THREAD: Uuid = uuid!("ffffffff-ffff-7fff-bfff-ffffffffffff");
const NOW: Timestamp = Timestamp::from_millis(1_784_000_000_000);
const DAY: i64 = 24 * 60 * 60 * 1000;

const PARTIES: Parties<'static> = Parties {
    user: uuid!("01890a5d-ac96-774b-bcce-b302099a8057"),
    mailbox: uuid!("01890a5d-ac96-774b-bcce-b302099a8058"),
    correspondent: "ann@example.org",
};

/// Different bytes have different tags.
fn tag(bytes: &[u8]) -> AddressTag {
    let sum = bytes.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let mut tag = [0xFF; 10];
    tag[..8].copy_from_slice(&sum.to_be_bytes());
    tag
}

fn signed(own: &str) -> Option<Address> {
    signed_address(&address(own), PARTIES, THREAD, NOW, &tag)
}

/// The thread of a mail to this address from these parties at this time.
fn found(to: &str, parties: Parties<'_>, now: Timestamp) -> Option<Uuid> {
    let mail = read(format!("From: ann@example.org\nTo: other@x.org, <{to}>\n\nHello"));
    signed_thread(&mail, parties, now, &|bytes, given| tag(bytes) == *given)
}

#[test]
fn em_66_a_signed_address_names_its_thread_in_any_case() {
    let to = signed("shop@postkey.example").unwrap();
    assert!(to.local().len() <= 64 && to.local().starts_with("shop+r."), "{}", to.as_str());
    assert_eq!(to.as_str().to_lowercase(), to.as_str());
    assert_eq!(found(to.as_str(), PARTIES, NOW), Some(THREAD));
    assert_eq!(found(&to.as_str().to_uppercase(), PARTIES, NOW), Some(THREAD));
    let forwarded = read(format!("Delivered-To: {}\nFrom: ann@example.org\n\nHello", to.as_str()));
    let is_tag = |bytes: &[u8], given: &AddressTag| tag(bytes) == *given;
    assert_eq!(signed_thread(&forwarded, PARTIES, NOW, &is_tag), Some(THREAD));
}

#[test]
fn em_66_it_binds_owner_mailbox_correspondent_and_time() {
    let to = signed("shop@postkey.example").unwrap();
    let to = to.as_str();
    for others in [
        Parties { user: THREAD, ..PARTIES },
        Parties { mailbox: THREAD, ..PARTIES },
        Parties { correspondent: "eve@example.org", ..PARTIES },
        Parties { correspondent: "", ..PARTIES },
    ] {
        assert_eq!(found(to, others, NOW), None);
    }
    let at = |days: i64| Timestamp::from_millis(NOW.millis() + days * DAY);
    assert_eq!(found(to, PARTIES, at(365)), Some(THREAD));
    assert_eq!(found(to, PARTIES, at(366)), None);
}

#[test]
fn em_66_no_changed_character_passes() {
    let to = signed("shop@postkey.example").unwrap();
    let local = to.local();
    for place in "shop".len()..local.len() {
        for other in ["0", "v", "w", "+", ".", ""] {
            let mut changed = local.to_owned();
            changed.replace_range(place..=place, other);
            if changed != local {
                assert_eq!(found(&format!("{changed}@postkey.example"), PARTIES, NOW), None, "{changed}");
            }
        }
    }
}

#[test]
fn em_66_an_address_without_room_is_not_signed() {
    assert!(signed("thirteen.char@postkey.example").is_some());
    assert!(signed("fourteen.chars@postkey.example").is_none());
    assert!(signed("\"a b\"@postkey.example").is_none());
}

#[test]
fn em_65_without_its_detail_it_is_our_address_again() {
    for own in ["shop@postkey.example", "inbox+a@postkey.example"] {
        let to = signed(own).unwrap();
        assert_eq!(unsigned(&to), address(own));
        assert_eq!(unsigned(&address(&to.as_str().to_uppercase())).normalized(), own);
    }
    for other in ["shop+r.sales@postkey.example", "r.x@postkey.example", "shop@postkey.example"] {
        assert_eq!(unsigned(&address(other)), address(other));
    }
}

#[test]
fn em_66_it_is_taken_out_of_a_text_and_nothing_else_is() {
    let to = signed("shop@postkey.example").unwrap();
    let to = to.as_str();
    let text = format!("Ärger: <{to}>, {} and mailto:{}!", to.to_uppercase(), to.replace('+', "%2B"));
    assert_eq!(
        without_details(&text),
        "Ärger: <shop@postkey.example>, SHOP@POSTKEY.EXAMPLE and mailto:shop@postkey.example!"
    );
    for text in ["", "r", "+r.", "Our reply+r.x@y, r.r.r.", "für.über.r.Ä", "ärr\u{301}.r."] {
        assert_eq!(without_details(text), text);
    }
}
