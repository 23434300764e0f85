//! Addresses: parsed at the border, compared in one form (EM-64, EM-65, EM-133).

use std::fmt;

/// Longest local part in bytes (RFC 5321 section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Longest domain in bytes (RFC 5321 section 4.5.3.1.2).
const LONGEST_DOMAIN: usize = 255;

/// One `local@domain`, as it was written.
///
/// Holds no control character, no white space outside quotes and no angle bracket, so it can stand in a header or
/// an SMTP command without adding to it. `Debug` shows the domain only: addresses do not belong into logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

/// An address with the display name that its writer chose (which proves nothing).
#[derive(Clone, PartialEq, Eq)]
pub struct Named {
    /// The display name, one cleaned line.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

impl Address {
    /// Reads `local@domain`, with or without angle brackets; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '<' || c == '>');
        let (local, domain) = text.rsplit_once('@')?;
        (is_local(local) && is_domain(domain)).then(|| Self(text.to_owned()))
    }

    /// What stands before the last `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key for comparing: local part in lower case, domain as A-label in lower case (EM-64).
    pub fn normalized(&self) -> String {
        format!("{}@{}", self.local().to_lowercase(), ascii_domain(self.domain()))
    }

    /// Whether both mean the same box (EM-64).
    pub fn is_same(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }

    /// Without the plus form: `ann+shop@x.org` is `ann@x.org`; an address without a detail is itself.
    pub fn without_detail(&self) -> Self {
        match self.local().split_once('+') {
            Some((base, _)) if !base.is_empty() => Self(format!("{base}@{}", self.domain())),
            _ => self.clone(),
        }
    }

    /// The form for servers without SMTPUTF8: domain as A-label; `None` when the local part is not ASCII (EM-133).
    pub fn ascii(&self) -> Option<Self> {
        self.local().is_ascii().then(|| Self(format!("{}@{}", self.local(), ascii_domain(self.domain()))))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(..@{})", self.domain())
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named")
            .field("has_name", &self.name.is_some())
            .field("address", &self.address)
            .finish()
    }
}

/// The detail of `address` when the rest of it is `base`: `sales` for `inbox+sales@x.org` and `inbox@x.org` (EM-65).
///
/// The detail begins after the *first* `separator`. `None` when the address belongs to another box or has no detail.
pub fn plus_detail<'a>(address: &'a Address, base: &Address, separator: char) -> Option<&'a str> {
    let (local, detail) = address.local().split_once(separator)?;
    let is_base = local.to_lowercase() == base.local().to_lowercase()
        && ascii_domain(address.domain()) == ascii_domain(base.domain());
    (is_base && !detail.is_empty()).then_some(detail)
}

fn is_local(local: &str) -> bool {
    let is_sized = !local.is_empty() && local.len() <= LONGEST_LOCAL;
    is_sized && (is_quoted(local) || local.chars().all(is_local_char))
}

/// Obsolete dots (`a..b`, `a.`) pass: they are real on Japanese phone networks (CT-5b).
fn is_local_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || is_letter_beyond_ascii(c)
}

fn is_quoted(local: &str) -> bool {
    let inner = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| inner.chars().all(|c| (' '..='~').contains(&c) && !"\"\\<>".contains(c)))
}

fn is_domain(domain: &str) -> bool {
    let is_sized = !domain.is_empty() && domain.len() <= LONGEST_DOMAIN;
    let is_literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inner| {
        !inner.is_empty() && inner.chars().all(|c| c.is_ascii_alphanumeric() || ".:-".contains(c))
    });
    is_sized && (is_literal || has_labels(domain))
}

fn has_labels(domain: &str) -> bool {
    domain.split('.').all(|label| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c) || is_letter_beyond_ascii(c))
    })
}

fn is_letter_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !super::clean::is_invisible(c)
}

fn ascii_domain(domain: &str) -> String {
    if is_plain(domain) {
        return domain.to_ascii_lowercase();
    }
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) => ascii,
        _ => domain.to_lowercase(),
    }
}

/// Whether nothing but its case can differ from the A-labels.
fn is_plain(domain: &str) -> bool {
    let is_encoded = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    domain.is_ascii() && !domain.split('.').any(is_encoded)
}
