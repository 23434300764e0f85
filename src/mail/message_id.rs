//! `Message-ID` values: read from others leniently (EM-47), made by us in one form (EM-54).

/// Longest id kept: with its brackets it still fits one line (RFC 5322 section 2.1.1).
const LONGEST: usize = 990;
/// Longest id that is written into a header of ours (EM-48).
const LONGEST_SENT: usize = 250;

/// What stands between `<` and `>` of a `Message-ID`, byte for byte; never with white space or brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RfcMessageId(String);

impl RfcMessageId {
    /// Reads one id, with or without its angle brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
        let is_id = !inner.is_empty() && inner.len() <= LONGEST && inner.chars().all(is_id_char);
        is_id.then(|| Self(inner.to_owned()))
    }

    /// Every `<id>` of a `References` or `In-Reply-To` value in order; commas and junk words between are passed over (EM-47).
    pub fn extract_all(text: &str) -> Vec<Self> {
        let pieces = text.split('<').skip(1);
        pieces.filter_map(|piece| piece.split_once('>').and_then(|(id, _)| Self::parse(id))).collect()
    }

    /// The id without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id with brackets, as headers carry it.
    pub fn bracketed(&self) -> String {
        format!("<{}>", self.0)
    }

    /// Whether the id may be repeated in a header of ours: printable ASCII, at most 250 bytes (EM-48).
    pub fn is_sendable(&self) -> bool {
        self.0.len() <= LONGEST_SENT && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

fn is_id_char(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && c != '<' && c != '>'
}

/// Our id for a reply: `{random}.{tag}@{domain}` in lower-case hex (EM-54).
///
/// `tag` is the keyed tag of exactly the bytes of `random`; `domain` is the sender's mail domain, never a host name.
/// Characters that a domain cannot hold are left out.
pub fn own_message_id(random: [u8; 16], tag: [u8; 16], domain: &str) -> RfcMessageId {
    let (random, tag) = (u128::from_be_bytes(random), u128::from_be_bytes(tag));
    let ascii = url::Host::parse(domain).map_or_else(|_| domain.to_lowercase(), |host| host.to_string());
    let domain: String =
        ascii.chars().filter(|c| c.is_ascii_alphanumeric() || "-.:[]".contains(*c)).take(180).collect();
    let domain = if domain.is_empty() { "invalid" } else { &domain };
    RfcMessageId(format!("{random:032x}.{tag:032x}@{domain}"))
}

/// Whether we made this id: its tag is the keyed tag of its random part (EM-16). The domain does not matter.
pub fn is_own_message_id(id: &RfcMessageId, message_tag: &dyn Fn(&[u8]) -> [u8; 16]) -> bool {
    let parts = id.as_str().split_once('@').and_then(|(left, _)| left.split_once('.'));
    let Some((Some(random), Some(tag))) =
        parts.map(|(random, tag)| (sixteen_bytes(random), sixteen_bytes(tag)))
    else {
        return false;
    };
    is_equal_in_constant_time(message_tag(&random), tag)
}

/// 32 hex digits as bytes; case is folded because some hosts change it.
pub(super) fn sixteen_bytes(hex: &str) -> Option<[u8; 16]> {
    let is_hex = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(hex, 16).ok()).flatten().map(u128::to_be_bytes)
}

/// Compares tags without telling by its duration where they differ.
pub(super) fn is_equal_in_constant_time(left: [u8; 16], right: [u8; 16]) -> bool {
    left.iter().zip(right).fold(0, |difference, (l, r)| difference | (l ^ r)) == 0
}
