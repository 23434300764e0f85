//! What correspondents say to the automation itself.

use postkey::mail::Wish;
use postkey::mail::wishes::wish;

use super::{mail_with, read};

fn wish_of(words: &str) -> Option<Wish> {
    wish(&read(mail_with("Content-Type: text/plain; charset=utf-8\r\n").replace("When do you open?", words)))
}

#[test]
fn sr_90_the_word_human_in_a_first_line_reaches_a_person() {
    for words in [
        "HUMAN",
        "human",
        " Human! ",
        "\"HUMAN\"",
        "Human, please.",
        "Hello,\r\n\r\nHUMAN\r\n\r\nRegards\r\nAnn",
        "HUMAN\r\n\r\nMy bicycle has been broken since last Tuesday, and I have written to you four times about it \
         and want to know when it will be repaired, since I need it every day for my way to work.",
        "MENSCH",
        "humain",
        "Человек",
        "人間",
        "Can I talk to a person?",
        "Ich möchte mit einem Menschen sprechen.",
    ] {
        assert_eq!(wish_of(words), Some(Wish::Human), "{words}");
    }
}

#[test]
fn sr_90_a_request_to_be_left_alone_stops_the_mails() {
    for words in [
        "STOP",
        "Stop.",
        "unsubscribe",
        "Please unsubscribe me from your list.",
        "Please stop sending me these mails!",
        "Leave me alone.",
        "Don't write to me again",
        "Don't write to me at the office. And don't write to me again.",
        "Remove me from your database, thanks.",
        "Lassen Sie mich in Ruhe!",
        "Laissez-moi tranquille.",
        "Отписаться",
    ] {
        assert_eq!(wish_of(words), Some(Wish::LeaveAlone), "{words}");
    }
}

#[test]
fn sr_90_the_subject_speaks_for_who_writes_nothing() {
    let empty = |subject: &str| {
        wish(&read(mail_with("").replace("Opening hours", subject).replace("When do you open?", "")))
    };
    assert_eq!(empty("Unsubscribe"), Some(Wish::LeaveAlone));
    assert_eq!(empty("Human"), Some(Wish::Human));
    assert_eq!(empty("Opening hours"), None);
}

#[test]
fn sr_90_a_story_with_such_words_is_no_wish() {
    for words in [
        "When do you open?",
        "Is this a human or a machine?",
        "The human resources department asked me to write to you.",
        "My printer does not stop. What can I do?",
        "How do I unsubscribe from your newsletter on the website?",
        "Don't write to me at the office before Monday, use my private address.",
        "Person: 3\r\nNights: 2",
        "Please stop sending me to the wrong department whenever I call, because I have been passed on five times \
         now and nobody there knows anything about the order that I made in March and paid at once.",
    ] {
        assert_eq!(wish_of(words), None, "{words}");
    }
}

#[test]
fn sr_90_quoted_text_and_signatures_never_express_a_wish() {
    for words in [
        "Thanks, that helps.\r\n\r\nOn Tue, 14 Jul 2026 Shop wrote:\r\n> Reply HUMAN to reach a person.\r\n> HUMAN",
        "> HUMAN\r\n\r\nWhat does that mean?",
        "All right then.\r\n-- \r\nHUMAN\r\nUnsubscribe",
    ] {
        assert_eq!(wish_of(words), None, "{words}");
    }
}
