//! A conversation of three mails and our replies is one thread in the programs that people use, by headers alone
//! (EM-44 to EM-50).

use std::collections::HashSet;

use postkey::mail::Mail;

use super::reply::{Given, field};
use super::{id, read};

/// The headers by which programs group.
#[derive(Clone, Debug)]
struct Headers {
    id: String,
    in_reply_to: Vec<String>,
    references: Vec<String>,
    subject: String,
}

impl Headers {
    fn of(raw: &[u8]) -> Self {
        let mail = read(raw);
        let texts =
            |ids: &[postkey::mail::RfcMessageId]| ids.iter().map(|id| id.as_str().to_owned()).collect();
        Self {
            id: mail.message_id.as_ref().unwrap().as_str().to_owned(),
            in_reply_to: texts(&mail.in_reply_to),
            references: texts(&mail.references),
            subject: mail.subject,
        }
    }

    fn named(&self) -> HashSet<&String> {
        self.references.iter().chain(&self.in_reply_to).collect()
    }

    /// The subject as Gmail and Outlook compare it.
    fn topic(&self) -> &str {
        let mut topic = self.subject.as_str();
        while let Some(rest) =
            ["Re: ", "RE: ", "AW: ", "Sv: "].iter().find_map(|prefix| topic.strip_prefix(prefix))
        {
            topic = rest;
        }
        topic
    }
}

/// Gmail: the same subject, and an id of the conversation among those that the mail names.
fn gmail_groups(mails: &[Headers]) -> bool {
    mails.iter().enumerate().skip(1).all(|(index, mail)| {
        let known: HashSet<&String> = mails[..index].iter().map(|earlier| &earlier.id).collect();
        mail.topic() == mails[0].topic() && mail.named().iter().any(|id| known.contains(id))
    })
}

/// Outlook: the same subject, and the conversation's first mail in front of the references.
fn outlook_groups(mails: &[Headers]) -> bool {
    mails
        .iter()
        .skip(1)
        .all(|mail| mail.topic() == mails[0].topic() && mail.references.first() == Some(&mails[0].id))
}

/// Apple Mail: each mail hangs below the one that it answers, which is the last one of its references.
fn apple_mail_groups(mails: &[Headers]) -> bool {
    mails.windows(2).all(|pair| {
        pair[1].in_reply_to == [pair[0].id.clone()] && pair[1].references.last() == Some(&pair[0].id)
    })
}

/// A mail of a person whose program answers as it should.
fn from_ann(number: usize, subject: &str, before: Option<&Headers>) -> Vec<u8> {
    let threading = before.map(|before| {
        let ids: Vec<String> =
            before.references.iter().chain([&before.id]).map(|id| format!("<{id}>")).collect();
        format!("In-Reply-To: <{}>\r\nReferences: {}\r\n", before.id, ids.join("\r\n "))
    });
    format!(
        "From: Ann <ann@example.org>\r\nTo: shop@postkey.example\r\nSubject: {subject}\r\n\
         Message-ID: <ann-{number}@mail.example.org>\r\n{}\r\nWords of mail {number}\r\n",
        threading.unwrap_or_default()
    )
    .into_bytes()
}

fn answer(parent: &[u8], number: usize) -> Vec<u8> {
    let parent: Mail = read(parent);
    Given { parent, message_id: id(&format!("{number:032x}.ff@postkey.example")), ..Given::default() }.bytes()
}

/// Three mails of Ann, each answered; the subjects are what her program writes.
fn conversation(subjects: [&str; 3]) -> (Vec<Headers>, Vec<Vec<u8>>) {
    let (mut headers, mut replies): (Vec<Headers>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    for (number, subject) in subjects.iter().enumerate() {
        let mail = from_ann(number, subject, headers.last());
        let reply = answer(&mail, number);
        headers.extend([Headers::of(&mail), Headers::of(&reply)]);
        replies.push(reply);
    }
    (headers, replies)
}

#[test]
fn em_45_gmail_outlook_and_apple_mail_show_three_mails_and_their_replies_as_one() {
    let programs = [
        ["Opening hours", "Re: Opening hours", "Re: Opening hours"],
        ["Öffnungszeiten", "AW: Re: Öffnungszeiten", "AW: Re: Öffnungszeiten"],
        ["Re: Opening hours", "RE: Opening hours", "Sv: Opening hours"],
    ];
    for subjects in programs {
        let (mails, _) = conversation(subjects);
        assert_eq!(mails.len(), 6);
        assert!(gmail_groups(&mails), "Gmail: {mails:#?}");
        assert!(outlook_groups(&mails), "Outlook: {mails:#?}");
        assert!(apple_mail_groups(&mails), "Apple Mail: {mails:#?}");
    }
}

#[test]
fn em_45_the_last_reply_names_the_whole_conversation_in_order() {
    let (mails, replies) = conversation(["Opening hours", "Re: Opening hours", "Re: Opening hours"]);
    let expected: Vec<String> = mails[..5].iter().map(|mail| format!("<{}>", mail.id)).collect();
    let last = &replies[2];
    assert_eq!(field(last, "References").unwrap(), expected.join(" "));
    assert_eq!(field(last, "In-Reply-To").unwrap(), expected[4]);
    assert_eq!(field(last, "Subject").unwrap(), "Re: Opening hours");
    let own: Vec<String> = replies.iter().map(|reply| field(reply, "Message-ID").unwrap()).collect();
    assert_eq!(own.iter().collect::<HashSet<_>>().len(), 3, "each reply has an id of its own");
}

#[test]
fn em_48_a_conversation_of_a_hundred_mails_stays_one() {
    let mut mails: Vec<Headers> = Vec::new();
    for number in 0..50 {
        let mail = from_ann(number, "Opening hours", mails.last());
        let reply = answer(&mail, number);
        mails.extend([Headers::of(&mail), Headers::of(&reply)]);
    }
    assert!(gmail_groups(&mails) && outlook_groups(&mails) && apple_mail_groups(&mails));
    assert!(mails.iter().all(|mail| mail.references.len() <= 21));
}
