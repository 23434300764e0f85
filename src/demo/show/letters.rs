//! What the correspondents write, and when: each letter in its turn, an answer only to what was read.

use std::time::Duration;

use super::cast::{KETTLES, LAMPS, Part};
use crate::clock::{Clock, Timestamp};
use crate::demo::samples::{self, Earlier, Letter};
use crate::mail::{self, Limits, Mail};

/// Between two letters, so that an eye can follow.
const PAUSE: Duration = Duration::from_millis(900);

/// A sample mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    Plain,
    HtmlOnly,
    ThreadReply,
    Alternative,
    Bounce,
    OutOfOffice,
}

const SCENES: [Scene; 6] = [
    Scene::Plain,
    Scene::HtmlOnly,
    Scene::ThreadReply,
    Scene::Alternative,
    Scene::Bounce,
    Scene::OutOfOffice,
];

impl Scene {
    fn to(self) -> &'static Part {
        match self {
            Self::Plain | Self::ThreadReply | Self::OutOfOffice => &KETTLES,
            Self::HtmlOnly | Self::Alternative | Self::Bounce => &LAMPS,
        }
    }

    /// Name and address of the writer.
    fn from(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain | Self::ThreadReply | Self::OutOfOffice => ("Mara Lind", "mara@lind.example"),
            Self::HtmlOnly => ("Jonas Frei", "jonas@frei.example"),
            Self::Alternative => ("Priya Nair", "priya@nair.example"),
            Self::Bounce => ("Mail Delivery System", "mailer-daemon@mx.example.net"),
        }
    }

    /// The letter whose answer must have come before this one can be written.
    fn follows(self) -> Option<Self> {
        match self {
            Self::Plain | Self::HtmlOnly | Self::Alternative => None,
            Self::ThreadReply => Some(Self::Plain),
            Self::Bounce => Some(Self::Alternative),
            Self::OutOfOffice => Some(Self::ThreadReply),
        }
    }

    /// What kind of mail it is, for people.
    fn client(self) -> &'static str {
        match self {
            Self::Plain => "Thunderbird, plain text",
            Self::HtmlOnly => "Outlook, HTML only",
            Self::ThreadReply => "Apple Mail, answering the reply",
            Self::Alternative => "Gmail, text and HTML",
            Self::Bounce => "a mail server, delivery report",
            Self::OutOfOffice => "an absence note",
        }
    }

    /// Unique, and tells which scene a reply belongs to.
    fn message_id(self) -> String {
        format!("{self:?}@demo.example").to_lowercase()
    }

    fn write(self, date: Timestamp, answer: Option<&Mail>) -> Vec<u8> {
        let (name, from) = self.from();
        let message_id = self.message_id();
        let letter = Letter { name, from, to: self.to().address, message_id: &message_id, date };
        let references: Vec<&str> = answer.map(references).unwrap_or_default();
        let earlier = Earlier {
            references: &references,
            subject: answer.map_or("", |mail| mail.subject.trim_start_matches("Re: ")),
            text: answer.map_or("", |mail| &mail.text.visible),
        };
        match self {
            Self::Plain => samples::plain(&letter),
            Self::HtmlOnly => samples::html_only(&letter),
            Self::ThreadReply => samples::thread_reply(&letter, &earlier),
            Self::Alternative => samples::alternative(&letter),
            Self::Bounce => samples::bounce(&letter, &earlier, Self::Alternative.from().1),
            Self::OutOfOffice => samples::out_of_office(&letter, &earlier),
        }
    }
}

fn references(answer: &Mail) -> Vec<&str> {
    answer.references.iter().chain(&answer.message_id).map(|id| id.as_str()).collect()
}

/// Which letters are written, and which answers came.
pub(super) struct Script {
    clock: Clock,
    unwritten: Vec<Scene>,
    answers: Vec<(Scene, Mail)>,
    next_at: Timestamp,
}

impl Script {
    pub(super) fn new(clock: Clock) -> Self {
        let next_at = clock.now();
        Self { clock, unwritten: SCENES.to_vec(), answers: Vec::new(), next_at }
    }

    /// The next letter and its recipient, if its time has come.
    pub(super) fn next(&mut self) -> Option<(&'static str, Vec<u8>)> {
        let now = self.clock.now();
        if now < self.next_at {
            return None;
        }
        let scene = self.unwritten.remove(self.find_possible()?);
        self.next_at = now.plus(PAUSE);
        let answer = scene.follows().and_then(|before| self.answer_to(before));
        Some((scene.to().address, scene.write(now, answer)))
    }

    /// A mail was handed to the post office; perhaps an answer to one of ours.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let mail = mail::read(bytes, &Limits::default());
        let is_answered = |scene: &Scene| {
            let id = scene.message_id();
            mail.in_reply_to.iter().any(|answered| answered.as_str() == id)
        };
        if let Some(scene) = SCENES.into_iter().find(is_answered) {
            self.answers.push((scene, mail));
            // Who wants to write back reads first.
            self.next_at = self.next_at.max(self.clock.now().plus(PAUSE / 2));
        }
    }

    /// What kind of sample a mail is, if it is one.
    pub(super) fn client_of(&self, mail: &Mail) -> Option<&'static str> {
        let id = mail.message_id.as_ref()?;
        let scene = SCENES.into_iter().find(|scene| scene.message_id() == id.as_str())?;
        Some(scene.client())
    }

    /// How many letters are still to be written.
    pub(super) fn unwritten(&self) -> usize {
        self.unwritten.len()
    }

    /// Whether there is a letter that can be written without a further answer.
    pub(super) fn can_go_on(&self) -> bool {
        self.find_possible().is_some()
    }

    /// Index of the first letter whose answer has come, if it needs one.
    fn find_possible(&self) -> Option<usize> {
        let has_come = |before| self.answer_to(before).is_some();
        self.unwritten.iter().position(|scene| scene.follows().is_none_or(has_come))
    }

    fn answer_to(&self, scene: Scene) -> Option<&Mail> {
        self.answers.iter().find(|(answered, _)| *answered == scene).map(|(_, mail)| mail)
    }
}
