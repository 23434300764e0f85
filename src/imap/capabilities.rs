//! What a server can do, as it says after the login (EM-84).

use async_imap::imap_proto::{Capability, Response, ResponseCode};

/// More names than this are not kept.
const MOST_NAMES: usize = 100;

/// The capabilities of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `IDLE` (RFC 2177): it tells new mail by itself.
    pub idle: bool,
    /// `UIDPLUS` (RFC 4315).
    pub uidplus: bool,
    /// `MOVE` (RFC 6851).
    pub r#move: bool,
    /// `SPECIAL-USE` (RFC 6154): it says which folder is for sent mail.
    pub special_use: bool,
    /// `LIST-EXTENDED` (RFC 5258).
    pub list_extended: bool,
    /// `ID` (RFC 2971).
    pub id: bool,
    /// `LITERAL+` (RFC 7888): it takes a mail without being asked whether it will.
    pub literal_plus: bool,
    names: Vec<String>,
}

impl Capabilities {
    /// All names in upper case, sorted; at most 100.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the server named this capability.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The capabilities in an answer: the untagged one, or the code of another one.
    pub(super) fn of(answer: &Response<'_>) -> Option<Self> {
        let code = match answer {
            Response::Capabilities(list) => return Some(Self::from_list(list)),
            Response::Done { outcome, .. } | Response::Data { outcome, .. } => outcome.code.as_ref(),
            _ => None,
        };
        match code {
            Some(ResponseCode::Capabilities(list)) => Some(Self::from_list(list)),
            _ => None,
        }
    }

    fn from_list(list: &[Capability<'_>]) -> Self {
        let mut names: Vec<String> = list.iter().take(MOST_NAMES).map(name).collect();
        names.sort_unstable();
        names.dedup();
        let has = |name: &str| names.iter().any(|known| known == name);
        Self {
            idle: has("IDLE"),
            uidplus: has("UIDPLUS"),
            r#move: has("MOVE"),
            special_use: has("SPECIAL-USE"),
            list_extended: has("LIST-EXTENDED"),
            id: has("ID"),
            literal_plus: has("LITERAL+"),
            names,
        }
    }
}

fn name(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(atom) => atom.to_ascii_uppercase(),
    }
}
