//! What a correspondent says to the automation itself: "HUMAN", or "leave me alone" (SR-88, SR-90).
//!
//! Only their own new words count, and only when there is little else: whoever tells a story and mentions
//! "unsubscribe" in it wants an answer.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::read::Mail;

/// Lines in which `HUMAN` may stand: a greeting may come before it.
const FIRST_LINES: usize = 3;
/// Lines that are read; more are a letter.
const MOST_LINES: usize = 30;
/// More words than this are a letter, not a wish.
const MOST_WORDS: usize = 25;

/// Words for a person, as an answer to the disclosure line. In lower case.
const HUMAN_WORDS: [&str; 26] = [
    "human",
    "a human",
    "person",
    "mensch",
    "humain",
    "humano",
    "humana",
    "persona",
    "pessoa",
    "umano",
    "mens",
    "człowiek",
    "människa",
    "menneske",
    "ihminen",
    "ember",
    "člověk",
    "insan",
    "человек",
    "людина",
    "άνθρωπος",
    "人間",
    "人工",
    "人类",
    "사람",
    "إنسان",
];

/// How people ask for a person in a few words. In lower case.
const HUMAN_PHRASES: [&str; 18] = [
    "human please",
    "please human",
    "reply human",
    "speak to a human",
    "speak with a human",
    "talk to a human",
    "talk to a person",
    "speak to a person",
    "speak to a real person",
    "a real person please",
    "reach a person",
    "mit einem menschen",
    "parler à un humain",
    "parler à une personne",
    "hablar con una persona",
    "falar com uma pessoa",
    "parlare con una persona",
    "met een mens",
];

/// How people ask to be left alone: the whole text, punctuation aside. In lower case.
const LEAVE_WORDS: [&str; 26] = [
    "stop",
    "stop it",
    "please stop",
    "stop please",
    "unsubscribe",
    "unsubscribe me",
    "please unsubscribe",
    "unsubscribe please",
    "remove me",
    "please remove me",
    "opt out",
    "no more",
    "leave me alone",
    "abmelden",
    "abbestellen",
    "bitte abmelden",
    "stopp",
    "désabonner",
    "désinscription",
    "désinscrire",
    "baja",
    "darme de baja",
    "cancelar suscripción",
    "cancelar inscrição",
    "disiscrivimi",
    "отписаться",
];

/// The same as part of a short text, when the sentence ends there or goes on with one of [`OBJECTS`]: "don't write to
/// me" is a wish, "don't write to me at the office" is not. In lower case.
const LEAVE_PHRASES: [&str; 33] = [
    "leave me alone",
    "stop emailing me",
    "stop e-mailing me",
    "stop mailing me",
    "stop writing to me",
    "stop writing me",
    "stop contacting me",
    "stop sending me",
    "stop replying to me",
    "do not email me",
    "do not contact me",
    "do not write to me",
    "don't email me",
    "don't contact me",
    "don't write to me",
    "unsubscribe me",
    "please unsubscribe",
    "remove me from",
    "take me off",
    "no more emails",
    "no more e-mails",
    "lassen sie mich in ruhe",
    "lass mich in ruhe",
    "schreiben sie mir nicht",
    "keine weiteren",
    "laissez-moi tranquille",
    "ne m'écrivez",
    "ne me contactez",
    "déjeme en paz",
    "no me escriban",
    "deixe-me em paz",
    "lasciatemi in pace",
    "laat me met rust",
];

/// What may follow: the mails that are meant, or for how long.
const OBJECTS: [&str; 25] = [
    "again",
    "anymore",
    "any",
    "ever",
    "email",
    "emails",
    "e-mail",
    "e-mails",
    "mails",
    "messages",
    "these",
    "this",
    "your",
    "now",
    "please",
    "from",
    "mehr",
    "mail",
    "nachrichten",
    "plus",
    "más",
    "mensajes",
    "mensagens",
    "me",
    "thanks",
];

static ASKS_FOR_A_PERSON: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(HUMAN_PHRASES).ok());
static ASKS_FOR_SILENCE: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(LEAVE_PHRASES).ok());

/// What a correspondent wishes of the automation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// A person is to answer in this thread.
    Human,
    /// No automatic mail to this address any more.
    LeaveAlone,
}

impl Wish {
    /// The stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::LeaveAlone => "leave_alone",
        }
    }

    /// One sentence for the owner.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Human => "The correspondent asks for a person.",
            Self::LeaveAlone => "The correspondent asks for no more automatic mail.",
        }
    }
}

/// The wish that the new words of `mail` express; never found in what they quote.
pub fn wish(mail: &Mail) -> Option<Wish> {
    let lines = own_lines(mail);
    let is_human_line = |line: &String| HUMAN_WORDS.contains(&without_please(line));
    if lines.iter().take(FIRST_LINES).any(is_human_line) {
        return Some(Wish::Human);
    }
    let text = lines.join(". ");
    if text.split_whitespace().count() > MOST_WORDS {
        return None;
    }
    let is_first = |words: &[&str]| lines.first().is_some_and(|line| words.contains(&line.as_str()));
    let asks_for_silence = || after_phrases(&text, &ASKS_FOR_SILENCE).any(ends_the_wish);
    if is_first(&LEAVE_WORDS) || asks_for_silence() {
        return Some(Wish::LeaveAlone);
    }
    after_phrases(&text, &ASKS_FOR_A_PERSON).next().map(|_| Wish::Human)
}

/// The first lines with words in them, up to the signature; quoted ones that were left in are passed over. Who writes
/// nothing has said it in the subject.
fn own_lines(mail: &Mail) -> Vec<String> {
    let lines = mail.text.visible.lines().take_while(|line| line.trim_end() != "--");
    let own = lines.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('>'));
    let own: Vec<String> = own.take(MOST_LINES).map(plain).collect();
    if own.is_empty() && mail.text.quoted.is_empty() { vec![plain(&mail.subject)] } else { own }
}

/// Lower case, single spaces, and no punctuation at the ends. A colon stays: `Person:` is a form's label.
fn plain(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    let joined = words.join(" ").replace('’', "'");
    joined.trim_matches(|c: char| !c.is_alphanumeric() && c != ':').to_owned()
}

fn without_please(line: &str) -> &str {
    let (before, after) = (["please ", "bitte "], [" please", " bitte"]);
    let line = before.iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
    let line = after.iter().find_map(|word| line.strip_suffix(word)).unwrap_or(line);
    line.trim_end_matches(',')
}

/// What follows each of the phrases that stand in `text` as whole words.
fn after_phrases<'a>(text: &'a str, phrases: &'a Option<AhoCorasick>) -> impl Iterator<Item = &'a str> {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    phrases.iter().flat_map(move |phrases| phrases.find_overlapping_iter(text)).filter_map(move |found| {
        let before = text.get(..found.start())?.chars().next_back();
        let after = text.get(found.end()..)?;
        (is_edge(before) && is_edge(after.chars().next())).then_some(after)
    })
}

/// The end, the end of a sentence, or a word that belongs to the wish.
fn ends_the_wish(after: &str) -> bool {
    let next = after.trim_start();
    let word: String = next.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
    word.is_empty() || OBJECTS.contains(&word.as_str())
}
