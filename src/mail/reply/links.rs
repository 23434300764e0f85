//! Which links a reply may carry: those to the agent's own domains, whatever the mail or the model says (SR-69).

use linkify::{LinkFinder, LinkKind, Span};
use url::{Host, Url};

/// Endings by which readers' programs take a bare name for a link. Longer lists exist; a name with another ending
/// leads nowhere unless its reader copies it.
const ENDINGS: [&str; 72] = [
    "com", "net", "org", "info", "biz", "io", "co", "app", "dev", "ai", "xyz", "online", "site", "website",
    "shop", "store", "club", "top", "link", "click", "live", "page", "cloud", "email", "support", "services",
    "icu", "vip", "pro", "edu", "gov", "eu", "us", "uk", "de", "at", "ch", "fr", "es", "it", "pt", "nl",
    "be", "lu", "dk", "se", "no", "fi", "pl", "cz", "hu", "ro", "gr", "ie", "ru", "ua", "tr", "in", "cn",
    "jp", "kr", "au", "nz", "ca", "br", "mx", "za", "me", "tv", "cc", "ly", "gg",
];

/// The domains that a reply may link to.
pub(super) struct Links {
    domains: Vec<String>,
}

/// A stretch of text.
pub(super) enum Piece<'a> {
    /// Words.
    Words(&'a str),
    /// Something that may be a link, and where it leads.
    Link(&'a str, Url),
    /// A link that may not stand.
    Forbidden,
    /// A bare name that a reader's program would make a link of.
    Name(&'a str),
}

impl Links {
    /// Links to these domains and what is below them; names that are no domains allow nothing.
    pub(super) fn to(domains: &[String]) -> Self {
        let domains = domains.iter().filter_map(|domain| match Host::parse(domain.trim()) {
            Ok(Host::Domain(ascii)) => Some(ascii),
            _ => None,
        });
        Self { domains: domains.collect() }
    }

    /// Where a link leads, if it may stand: `http` or `https`, without a user, to one of the domains.
    pub(super) fn allowed(&self, target: &str) -> Option<Url> {
        let url = Url::parse(target).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        let host = url.domain().unwrap_or_default();
        let is_ours = self.domains.iter().any(|domain| {
            host.strip_suffix(domain.as_str()).is_some_and(|below| below.is_empty() || below.ends_with('.'))
        });
        // Some readers' programs end a link there and look for another behind it.
        let is_one = !target.contains('*');
        (is_web && is_anonymous && is_ours && is_one).then_some(url)
    }

    /// The text in pieces, in order. Linear.
    pub(super) fn pieces<'a>(&self, text: &'a str) -> Vec<Piece<'a>> {
        let mut finder = LinkFinder::new();
        finder.url_must_have_scheme(false);
        let mut pieces = Vec::new();
        for span in finder.spans(text) {
            match self.judge(&span) {
                Piece::Words(words) if span.kind() != Some(&LinkKind::Email) => {
                    look_closer(words, &mut pieces)
                }
                other => pieces.push(other),
            }
        }
        pieces
    }

    /// Whether nothing in the text would be a link that may not stand.
    pub(super) fn are_all_allowed(&self, text: &str) -> bool {
        !self.pieces(text).iter().any(|piece| matches!(piece, Piece::Forbidden | Piece::Name(_)))
    }

    fn judge<'a>(&self, span: &Span<'a>) -> Piece<'a> {
        let shown = span.as_str();
        if span.kind() != Some(&LinkKind::Url) {
            return Piece::Words(shown);
        }
        let has_scheme = shown.contains("://");
        let target = if has_scheme { shown.to_owned() } else { format!("https://{shown}") };
        match self.allowed(&target) {
            Some(url) => Piece::Link(shown, url),
            None if has_scheme || leads_somewhere(shown) => Piece::Forbidden,
            None if is_name(shown) => Piece::Name(shown),
            None => Piece::Words(shown),
        }
    }
}

/// Readers' programs take more for a link than the finder does: `https://x.com*1` has no right ending, and is cut there.
fn look_closer<'a>(words: &'a str, pieces: &mut Vec<Piece<'a>>) {
    for word in words.split_inclusive(char::is_whitespace) {
        // Every link has one of them, and few words do.
        if !word.contains(['.', ':']) {
            pieces.push(Piece::Words(word));
            continue;
        }
        let bare = word.trim_end();
        let (bare, space) = word.split_at_checked(bare.len()).unwrap_or((word, ""));
        if bare.contains("://") || bare.to_ascii_lowercase().contains("www.") {
            pieces.push(Piece::Forbidden);
        } else {
            pieces.extend(names_apart(bare));
        }
        pieces.push(Piece::Words(space));
    }
}

/// The word with every name in it as a piece of its own.
fn names_apart(word: &str) -> impl Iterator<Item = Piece<'_>> {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let mut rest = word;
    std::iter::from_fn(move || {
        let is_name_first = is_of_name(rest.chars().next()?);
        let end = rest.find(|c| is_of_name(c) != is_name_first).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        let name = piece.trim_matches('.');
        let may_lead = is_name_first && name.contains('.') && is_name(name);
        Some(if may_lead { Piece::Name(piece) } else { Piece::Words(piece) })
    })
}

/// `www.x.example` or `x.example/path`; `v1.2/v1.3` does not.
fn leads_somewhere(shown: &str) -> bool {
    let host = host_of(shown);
    let has_path = host.len() < shown.len();
    let ending = ending_of(host);
    let is_word = ending.chars().count() >= 2 && ending.chars().all(char::is_alphabetic);
    (has_path && is_word) || host.to_ascii_lowercase().starts_with("www.")
}

/// `x.com`; not `Thanks.It`, where only the space behind the full stop is missing.
fn is_name(shown: &str) -> bool {
    let ending = ending_of(host_of(shown));
    let begins_a_sentence = ending.len() == 2 && ending.starts_with(|c: char| c.is_ascii_uppercase());
    !begins_a_sentence && ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

fn host_of(shown: &str) -> &str {
    shown.split(['/', '?', '#', ':']).next().unwrap_or_default()
}

fn ending_of(host: &str) -> &str {
    host.rsplit('.').next().unwrap_or_default()
}
