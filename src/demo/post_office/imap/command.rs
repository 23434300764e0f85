//! One command off the wire, with its literals (RFC 3501 sections 4 and 9), cut into tokens.

use std::borrow::Cow;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::wire::Wire;

/// Tokens of one command; a client that sends more is not one of ours.
const MOST_TOKENS: usize = 1024;

/// What came.
pub(super) enum Read {
    Command(Command),
    Nonsense {
        tag: String,
    },
    /// A line or literal over the limit: the place of the next command is lost.
    TooMuch,
    Gone,
}

/// A command as sent: `tag name arguments`.
pub(super) struct Command {
    pub(super) tag: String,
    /// Upper-case.
    pub(super) name: String,
    pub(super) arguments: Vec<Token>,
}

/// An argument or a bracket.
pub(super) enum Token {
    /// Also `BODY.PEEK[HEADER]<0.10>`, as one.
    Atom(String),
    /// A quoted string or a literal.
    Text(Vec<u8>),
    Open,
    Close,
}

impl Token {
    /// The text of an atom or string; brackets have none.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Atom(text) => Cow::Borrowed(text),
            Self::Text(bytes) => String::from_utf8_lossy(bytes),
            Self::Open | Self::Close => Cow::Borrowed(""),
        }
    }

    /// Is it the atom `word`, in any case?
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Atom(atom) if atom.eq_ignore_ascii_case(word))
    }
}

/// The tokens between the brackets at the beginning, and what follows; without brackets, the first token.
pub(super) fn split_list(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    match tokens {
        [Token::Open, rest @ ..] => {
            let end = rest.iter().position(|token| matches!(token, Token::Close))?;
            Some((rest.get(..end)?, rest.get(end.checked_add(1)?..)?))
        }
        [Token::Close, ..] | [] => None,
        [_, rest @ ..] => Some((tokens.get(..1)?, rest)),
    }
}

/// Reads the next command.
pub(super) async fn read<S>(wire: &mut Wire<S>, line_limit: usize, literal_limit: usize) -> io::Result<Read>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut tokens, mut literals, mut sound) = (Vec::new(), 0_usize, true);
    loop {
        let line = match wire.read_line(line_limit).await {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Read::Gone),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Read::TooMuch),
            Err(error) => return Err(error),
        };
        let (text, literal) = split_literal(&line);
        sound &= tokenize(text, &mut tokens).is_some();
        let Some(Literal { length, waits }) = literal else {
            return Ok(finish(tokens, sound));
        };
        literals = literals.saturating_add(length);
        if literals > literal_limit || tokens.len() > MOST_TOKENS {
            return Ok(Read::TooMuch);
        }
        if waits {
            wire.say("+ Go ahead");
        }
        tokens.push(Token::Text(wire.read_bytes(length).await?));
    }
}

fn finish(tokens: Vec<Token>, sound: bool) -> Read {
    let mut tokens = tokens.into_iter();
    let (tag, name) = match (tokens.next(), tokens.next()) {
        (Some(Token::Atom(tag)), Some(Token::Atom(name))) if sound => (tag, name),
        (Some(Token::Atom(tag)), _) => return Read::Nonsense { tag },
        _ => return Read::Nonsense { tag: "*".to_owned() },
    };
    Read::Command(Command { tag, name: name.to_ascii_uppercase(), arguments: tokens.collect() })
}

struct Literal {
    length: usize,
    /// `{n}` waits to be asked for; `{n+}` (RFC 7888) does not.
    waits: bool,
}

/// Splits `{n}` or `{n+}` off the end of a line.
fn split_literal(line: &[u8]) -> (&[u8], Option<Literal>) {
    let announced = || {
        let inner = line.strip_suffix(b"}")?;
        let start = inner.iter().rposition(|byte| *byte == b'{')?;
        let digits = std::str::from_utf8(inner.get(start.checked_add(1)?..)?).ok()?;
        let (digits, waits) = digits.strip_suffix('+').map_or((digits, true), |digits| (digits, false));
        Some((line.get(..start)?, Literal { length: digits.parse().ok()?, waits }))
    };
    announced().map_or((line, None), |(text, literal)| (text, Some(literal)))
}

/// Cuts a piece of a line; `None` where it makes no sense.
fn tokenize(mut text: &[u8], tokens: &mut Vec<Token>) -> Option<()> {
    while let [first, rest @ ..] = text {
        if tokens.len() > MOST_TOKENS {
            return None;
        }
        text = match first {
            b' ' => rest,
            b'(' => {
                tokens.push(Token::Open);
                rest
            }
            b')' => {
                tokens.push(Token::Close);
                rest
            }
            b'"' => {
                let (quoted, rest) = split_quoted(rest)?;
                tokens.push(Token::Text(quoted));
                rest
            }
            _ => {
                let (atom, rest) = text.split_at_checked(atom_length(text))?;
                tokens.push(Token::Atom(std::str::from_utf8(atom).ok()?.to_owned()));
                rest
            }
        };
    }
    Some(())
}

/// Up to the closing quote, `\` taken off.
fn split_quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut quoted = Vec::new();
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', rest @ ..] => return Some((quoted, rest)),
            [b'\\', escaped, rest @ ..] | [escaped, rest @ ..] => {
                quoted.push(*escaped);
                rest
            }
            [] => return None,
        };
    }
}

/// An atom ends at a space or bracket, except within `[` and `]`.
fn atom_length(text: &[u8]) -> usize {
    let mut within = false;
    let end = text.iter().position(|byte| {
        match byte {
            b'[' => within = true,
            b']' => within = false,
            _ => {}
        }
        !within && matches!(byte, b' ' | b'(' | b')' | b'"')
    });
    end.unwrap_or(text.len())
}
