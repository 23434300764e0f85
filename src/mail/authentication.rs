//! Whether the sender is who `From` says: read from the receiving host's own verdict (EM-135 to EM-141; RFC 8601).
//!
//! Nothing is verified here. The receiving host checks SPF, DKIM and DMARC and writes `Authentication-Results`; a
//! forger can write that field as well. So only a field counts that bears the name that the owner has pinned and
//! stands where the host writes: above the first `Received` of anybody else.

use super::fields::Fields;
use super::read::Mail;

/// Results of one field that are read; a host writes about four.
const MOST_RESULTS: usize = 50;

/// What is known of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authentication {
    /// The receiving host vouches for the domain of `From`: DMARC passed, or a DKIM signature of that domain (EM-137).
    Passed,
    /// The receiving host found the domain of `From` forged: DMARC failed.
    Failed,
    /// The receiving host found no proof, for or against.
    Unproven,
    /// There is no verdict of the receiving host, or it is not known which name it writes (EM-136).
    Unknown,
}

impl Authentication {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Unproven, Self::Unknown];

    /// The stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unproven => "unproven",
            Self::Unknown => "unknown",
        }
    }

    /// One sentence for the owner and the model.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Passed => "The receiving mail server has verified the sender's domain.",
            Self::Failed => "The receiving mail server says that the sender's address is forged.",
            Self::Unproven => "The receiving mail server found no proof of who sent it.",
            Self::Unknown => "Nobody has checked who sent it.",
        }
    }

    /// The verdict with that stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == code)
    }
}

/// Judges by the `Authentication-Results` of the host that calls itself `authserv_id`.
///
/// Copies inside attached mails, `X-` and `ARC-` forms, and fields of other hosts are not looked at. Two differing
/// `From` fields, or several authors, are never proved (EM-129).
pub fn judge(mail: &Mail, authserv_id: Option<&str>) -> Authentication {
    let pinned = authserv_id.map(|id| id.trim().to_ascii_lowercase()).filter(|id| !id.is_empty());
    let verdict = pinned.and_then(|pinned| results_of(&mail.signals.fields, &pinned));
    let Some(results) = verdict else { return Authentication::Unknown };
    if results.iter().any(|one| one.method == "dmarc" && one.verdict == "fail") {
        return Authentication::Failed;
    }
    let is_one_field = mail.signals.fields.all("from").nth(1).is_none();
    let is_passed = match mail.from.as_slice() {
        [author] if is_one_field => {
            let domain = author.address.domain().to_lowercase();
            results.iter().any(|one| one.proves(&domain))
        }
        _ => false,
    };
    if is_passed { Authentication::Passed } else { Authentication::Unproven }
}

/// The name that the host behind this IMAP server writes, where it is one and the same for all of its mail (EM-136).
pub fn usual_authserv_id(imap_host: &str) -> Option<&'static str> {
    let host = imap_host.to_ascii_lowercase();
    matches!(host.as_str(), "imap.gmail.com" | "imap.googlemail.com").then_some("mx.google.com")
}

/// One `method=verdict` with the properties that stand behind it.
struct MethodResult {
    method: String,
    verdict: String,
    /// `header.from`, `header.d`, `header.i` and their values, in lower case.
    properties: Vec<(String, String)>,
}

impl MethodResult {
    /// DMARC for exactly that domain, or a signature of it or of a domain above. SPF proves the envelope only (EM-137).
    fn proves(&self, domain: &str) -> bool {
        let is_about = |name: &str, matches: &dyn Fn(&str) -> bool| {
            self.properties.iter().any(|(property, value)| property == name && matches(value))
        };
        let is_signer = |value: &str| {
            let signer = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
            is_within(domain, signer)
        };
        self.verdict == "pass"
            && match self.method.as_str() {
                "dmarc" => is_about("header.from", &|value| value == domain),
                "dkim" => is_about("header.d", &is_signer) || is_about("header.i", &is_signer),
                _ => false,
            }
    }
}

/// The results of the topmost field of the pinned host, which writes above what the mail came with.
fn results_of(fields: &Fields, pinned: &str) -> Option<Vec<MethodResult>> {
    let trusted = fields.iter().take_while(|(name, value)| *name != "received" || is_inside(value, pinned));
    let mut verdicts = trusted.filter(|(name, _)| *name == "authentication-results").map(|(_, value)| value);
    verdicts.find_map(|value| results(value, pinned))
}

/// Whether a `Received` was written on the way inside the host's own network.
///
/// Its `by` is the host or a neighbour in the same organisation, or an internal hop: an address literal or a name
/// without a dot, which hosts of other people do not call themselves.
fn is_inside(received: &str, pinned: &str) -> bool {
    let words = without_comments(received).to_lowercase();
    let mut words = words.split_whitespace().skip_while(|word| *word != "by").skip(1);
    let by = words.next().unwrap_or("").trim_end_matches([';', '.']);
    let is_literal =
        by.contains(':') || by.starts_with('[') || by.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_literal || !by.contains('.') || is_same_network(by, pinned)
}

/// Whether `domain` is `parent` or lies below it.
fn is_within(domain: &str, parent: &str) -> bool {
    let above = domain.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.'));
    domain == parent || (parent.contains('.') && above.is_some())
}

/// The same last labels: two, or three where the second is as short as in `co.uk`.
fn is_same_network(one: &str, other: &str) -> bool {
    let organisation = |name: &str| -> Vec<String> {
        let labels: Vec<&str> = name.rsplit('.').collect();
        let is_short = labels.get(1).is_some_and(|label| label.len() <= 3);
        labels.into_iter().take(if is_short { 3 } else { 2 }).map(str::to_owned).collect()
    };
    organisation(one) == organisation(other)
}

/// The results of a field that names `pinned` as its author.
///
/// Microsoft 365 names nobody: its field counts for hosts of `outlook.com` (EM-136).
fn results(value: &str, pinned: &str) -> Option<Vec<MethodResult>> {
    let pieces = pieces(value);
    let (first, others) = pieces.split_first()?;
    let id = first.split_whitespace().next().unwrap_or("");
    let is_unnamed = id.contains('=') || id == "none";
    let is_microsoft = pinned == "outlook.com" || pinned.ends_with(".outlook.com");
    if id == pinned {
        Some(others.iter().filter_map(|piece| result(piece)).collect())
    } else {
        (is_unnamed && is_microsoft).then(|| pieces.iter().filter_map(|piece| result(piece)).collect())
    }
}

/// `dkim=pass reason="x" header.d=example.org`, quotes and comments already taken out.
fn result(piece: &str) -> Option<MethodResult> {
    let mut pairs = piece.split_whitespace().filter_map(|word| word.split_once('='));
    let (method, verdict) = pairs.next()?;
    // The method may carry a version: `dkim/1`.
    let method = method.split('/').next().unwrap_or(method).to_owned();
    let properties = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some(MethodResult { method, verdict: verdict.to_owned(), properties })
}

/// The pieces between semicolons in lower case. Comments and quoted strings are taken out first, so that nothing in
/// them can begin a result (EM-140); spaces around `=` are folded away (RFC 8601 section 2.2).
fn pieces(value: &str) -> Vec<String> {
    let bare = without_comments(value).to_ascii_lowercase();
    let pieces = bare.split(';').take(MOST_RESULTS);
    pieces.map(|piece| piece.split('=').map(str::trim).collect::<Vec<_>>().join("=")).collect()
}

/// Without `(comments)`, which may nest, and `"quoted strings"`; a backslash takes the next character along.
fn without_comments(value: &str) -> String {
    let (mut depth, mut is_quoted) = (0_usize, false);
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if depth > 0 || is_quoted => drop(chars.next()),
            '"' if depth == 0 => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 && !is_quoted => out.push(c),
            _ => {}
        }
    }
    out
}
