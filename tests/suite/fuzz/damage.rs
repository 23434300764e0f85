//! Ways to damage a mail. A failing one shrinks to the fewest.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::Index;

/// Longer ones are cut; the time allowed is for this much.
const LONGEST: usize = 512 * 1024;

/// Bytes that steer a reader into its corners.
const PIECES: [&[u8]; 28] = [
    b"\n",
    b"\r",
    b"\n\n",
    b"\n.\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1b$B",
    b"=",
    b"=?utf-8?b?",
    b"=?utf-8?q?=0D=0A?=",
    b"\"",
    b"(",
    b"<",
    b"<!--",
    b"<div style=\"display:none\">",
    b"</div>",
    b"<blockquote>",
    b"&#0;",
    b"\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
    b"\nContent-Type: message/rfc822\n\n",
    b"\nContent-Transfer-Encoding: base64\n",
    b"\nAuto-Submitted: auto-replied\n",
    b"\nOn 1 Jan 2026, Ann <ann@example.org> wrote:\n> ",
    b"\n-----Original Message-----\n",
    b"\n-- \n",
    b"\xe2\x80\xae\xe2\x80\x8b",
    b"\nReferences: <a@b> <",
];

/// A mail; what is shown of it can be pasted into a byte string.
#[derive(Clone)]
pub struct Raw(pub Vec<u8>);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

#[derive(Clone, Debug)]
enum Damage {
    /// One byte becomes another.
    Change(Index, u8),
    /// A stretch is lost.
    Lose(Index, Index),
    /// A stretch comes several times.
    Repeat(Index, Index, u16),
    /// A piece is put in.
    Insert(Index, Index),
    /// The rest is that of another mail.
    Continue(Index, Index, Index),
    /// Everything after a place is lost.
    Cut(Index),
}

/// One of `seeds`, damaged a few times.
pub fn damaged(seeds: &[Vec<u8>]) -> impl Strategy<Value = Raw> {
    let seeds = seeds.to_vec();
    let place = any::<Index>;
    let damage = prop_oneof![
        3 => (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        2 => (place(), place()).prop_map(|(from, to)| Damage::Lose(from, to)),
        1 => (place(), place(), 1..400_u16).prop_map(|(from, to, times)| Damage::Repeat(from, to, times)),
        3 => (place(), place()).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        1 => (place(), place(), place()).prop_map(|(at, other, from)| Damage::Continue(at, other, from)),
        1 => place().prop_map(Damage::Cut),
    ];
    (place(), prop::collection::vec(damage, 0..6)).prop_map(move |(seed, damages)| {
        let mut mail = seed.get(&seeds).clone();
        for damage in &damages {
            damage.apply(&mut mail, &seeds);
            mail.truncate(LONGEST);
        }
        Raw(mail)
    })
}

impl Damage {
    fn apply(&self, mail: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let places = mail.len() + 1;
        match self {
            Self::Change(at, byte) => {
                if let Some(changed) = mail.get_mut(at.index(places)) {
                    *changed = *byte;
                }
            }
            Self::Lose(one, other) => drop(mail.drain(stretch(one, other, places))),
            Self::Repeat(one, other, times) => {
                let stretch = stretch(one, other, places);
                let most = LONGEST / stretch.len().max(1);
                let repeated = mail[stretch.clone()].repeat(usize::from(*times).min(most));
                mail.splice(stretch, repeated);
            }
            Self::Insert(at, piece) => {
                let at = at.index(places);
                mail.splice(at..at, piece.get(&PIECES).iter().copied());
            }
            Self::Continue(at, other, from) => {
                let other = other.get(seeds);
                mail.truncate(at.index(places));
                mail.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
            Self::Cut(at) => mail.truncate(at.index(places)),
        }
    }
}

fn stretch(one: &Index, other: &Index, places: usize) -> std::ops::Range<usize> {
    let (one, other) = (one.index(places), other.index(places));
    one.min(other)..one.max(other)
}
