//! Every way to write an address that must not be reached (SR-58, SR-59).

use postkey::net::{NetError, Refusal, Use};

use super::{Names, PRIVATE};

/// Spellings of addresses that are not public.
const PRIVATE_SPELLINGS: [&str; 71] = [
    // loopback: plain, short, decimal, octal, hexadecimal, mixed, with a dot at the end, in other digits
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "2130706433.",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "127.0x1",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "127．0．0．1",
    // this host, private networks, carriers
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "0.1.2.3",
    "10.0.0.1",
    "10.1",
    "012.0.0.1",
    "0xa.0.0.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "0xc0a80001",
    "3232235521",
    "100.64.0.1",
    "100.127.255.255",
    // metadata services
    "169.254.169.254",
    "169.254.43518",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "168.63.129.16",
    "192.0.0.192",
    // documentation, benchmarks, relays, multicast, reserved, broadcast
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    // IPv6
    "::1",
    "[::1]",
    "0:0:0:0:0:0:0:1",
    "::",
    "fe80::1",
    "fec0::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    // IPv4 hidden in IPv6: mapped, compatible, NAT64, 6to4, Teredo
    "[::ffff:127.0.0.1]",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
];

/// Spellings that are not a host at all, or that readers understand differently.
const NOT_HOSTS: [&str; 18] = [
    "",
    ".",
    "..",
    "a..example",
    "127.0.0.1:80",
    "user@mail.example",
    "mail.example/x",
    "mail.example#x",
    "mail.example?x",
    "mail example",
    "mail\r\n.example",
    "%31%32%37.0.0.1",
    "fe80::1%25eth0",
    "[::1",
    "[::1%1]",
    "256.256.256.256",
    "0x7f.0.0.0.1",
    "99999999999",
];

/// Spellings of addresses that are public.
const PUBLIC_SPELLINGS: [&str; 6] =
    ["8.8.8.8", "134744072", "0x08080808", "2606:4700::1111", "[2606:4700::1111]", "64:ff9b::8.8.8.8"];

#[tokio::test]
async fn no_spelling_of_a_private_address_is_let_through() {
    let guard = Names::default().guard(&[]);
    for spelling in PRIVATE_SPELLINGS {
        assert_eq!(guard.resolve(spelling, 993, Use::Imap).await, Err(PRIVATE), "{spelling}");
    }
    for also in ["64:ff9b:1::7f00:1", "2001:0:7f00:1::1", "3fff::1", "::ffff:8.8.8.8"] {
        assert_eq!(guard.resolve(also, 993, Use::Imap).await, Err(PRIVATE), "{also}");
    }
}

#[tokio::test]
async fn what_is_not_a_host_is_refused() {
    let guard = Names::default().guard(&[]);
    for spelling in NOT_HOSTS {
        let answer = guard.resolve(spelling, 993, Use::Imap).await;
        assert_eq!(answer, Err(NetError::Refused(Refusal::Host)), "{spelling}");
    }
}

#[tokio::test]
async fn public_addresses_pass() {
    let guard = Names::default().guard(&[]);
    for spelling in PUBLIC_SPELLINGS {
        assert!(guard.resolve(spelling, 993, Use::Imap).await.is_ok(), "{spelling}");
    }
}

#[test]
fn no_spelling_of_a_private_address_is_let_through_as_a_base_url() {
    let clients = super::http::clients(Names::default().guard(&[]));
    for spelling in PRIVATE_SPELLINGS {
        let is_bare_v6 = spelling.contains(':') && !spelling.starts_with('[');
        let host = if is_bare_v6 { format!("[{spelling}]") } else { spelling.to_owned() };
        let base = format!("https://{host}/v1").parse().unwrap();
        assert_eq!(clients.for_base(&base).err(), Some(PRIVATE), "{spelling}");
    }
}
