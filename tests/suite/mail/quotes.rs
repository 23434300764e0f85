//! What was written now, what was repeated, and how it is signed (EM-114, EM-119 to EM-123).

use std::time::Duration;

use postkey::mail::VisibleText;

use super::{processor_time, read};

fn split(body: &str) -> VisibleText {
    split_under("Opening hours", body)
}

fn split_under(subject: &str, body: &str) -> VisibleText {
    read(format!(
        "From: ann@example.org\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}"
    ))
    .text
}

/// `body` is the new words and then only history.
fn assert_history(words: &str, history: &str) {
    let text = split(&format!("{words}\n\n{history}\n"));
    assert_eq!((text.visible.as_str(), text.quoted.as_str()), (words, history.trim_end()), "{history}");
}

#[test]
fn em_119_introductions_of_many_languages_begin_the_history() {
    for introduction in [
        "On Tue, Jul 14, 2026 at 10:00 AM Shop Team <shop@postkey.example> wrote:",
        "On 14 Jul 2026, at 10:00, Shop wrote:",
        "Am Di., 14. Juli 2026 um 10:00 Uhr schrieb Shop <shop@postkey.example>:",
        "Shop <shop@postkey.example> schrieb am Di., 14. Juli 2026, 10:00:",
        "Le mar. 14 juil. 2026 à 10:00, Shop <shop@postkey.example> a écrit :",
        "El mar, 14 jul 2026 a las 10:00, Shop (<shop@postkey.example>) escribió:",
        "Il giorno mar 14 lug 2026 alle ore 10:00 Shop <shop@postkey.example> ha scritto:",
        "Op di 14 jul 2026 om 10:00 schreef Shop <shop@postkey.example>:",
        "Em ter., 14 de jul. de 2026 às 10:00, Shop <shop@postkey.example> escreveu:",
        "Den tis 14 juli 2026 kl 10:00 skrev Shop <shop@postkey.example>:",
        "wt., 14 lip 2026 o 10:00 Shop <shop@postkey.example> napisał(a):",
        "út 14. 7. 2026 v 10:00 odesílatel Shop <shop@postkey.example> napsal:",
        "вт, 14 июл. 2026 г. в 10:00, Shop <shop@postkey.example>:",
        "вт, 14 лип. 2026 р. о 10:00 Shop <shop@postkey.example> пише:",
        "Shop <shop@postkey.example>, 14 Tem 2026 Sal, 10:00 tarihinde şunu yazdı:",
        "Shop <shop@postkey.example> ezt írta (időpont: 2026. júl. 14., K, 10:00):",
        "În mar., 14 iul. 2026 la 10:00, Shop <shop@postkey.example> a scris:",
        "Στις Τρί, 14 Ιουλ 2026 στις 10:00 π.μ., ο χρήστης Shop <shop@postkey.example> έγραψε:",
        "ti 14. heinäk. 2026 klo 10.00 Shop (shop@postkey.example) kirjoitti:",
        "בתאריך יום ג׳, 14 ביולי 2026 ב-10:00 מאת Shop <shop@postkey.example>:",
        "في الثلاثاء، 14 يوليو 2026 في 10:00 ص كتب Shop <shop@postkey.example>:",
        "Vào Th 3, 14 thg 7, 2026 vào lúc 10:00 Shop <shop@postkey.example> đã viết:",
        "Shop <shop@postkey.example> 于2026年7月14日周二 10:00写道：",
        "2026年7月14日(火) 10:00 Shop <shop@postkey.example>:",
        "2026년 7월 14일 (화) 오전 10:00, Shop <shop@postkey.example>님이 작성:",
        "2026-07-14 10:00 GMT+02:00 Shop <shop@postkey.example>:",
        "---- On Tue, 14 Jul 2026 10:00:00 +0200 Shop <shop@postkey.example> wrote ----",
    ] {
        assert_history("Thanks!", &format!("{introduction}\n\n> We open at nine.\n>\n> Shop"));
        // Some programs put no marks before the old mail.
        assert_history("Thanks!", &format!("{introduction}\n\nWe open at nine.\n\nShop"));
    }
}

#[test]
fn em_119_an_introduction_may_be_broken_over_lines() {
    for introduction in [
        "On Tue, Jul 14, 2026 at 10:00 AM The Whole Shop Team via Help <\nshop@postkey.example> wrote:",
        "On Tue, Jul 14, 2026 at 10:00 AM Shop <shop@postkey.example>\nwrote:",
        "wt., 14 lip 2026 o 10:00 Shop\n<shop@postkey.example> napisał(a):",
        "Am 14.07.2026 10:00 schrieb \"Shop\" <shop@postkey.example\n>:",
        "Shop <shop@postkey.example> schrieb am Di., 14. Juli\n2026 um 10:00 Uhr:",
    ] {
        assert_history("See you on 15 July at 11:30\nAnn", &format!("{introduction}\n\n> We open at nine."));
    }
}

#[test]
fn em_119_an_unknown_language_is_known_by_its_shape() {
    assert_history("Thanks!", "Tiw 14.07.2026 10:00 Shop <shop@postkey.example> blahed:\n> We open at nine.");
}

#[test]
fn em_119_printed_headers_and_titles_begin_the_history() {
    for history in [
        "From: Shop <shop@postkey.example>\nSent: Tuesday, July 14, 2026 10:00 AM\nTo: Ann\nSubject: RE: Hours\n\nNine.",
        "________________________________\nFrom: Shop\nSent: Tuesday\nTo: Ann\nSubject: Hours\n\nNine.",
        "*From:* Shop\n*Date:* Tuesday\n*To:* Ann\n*Subject:* Hours\n\nNine.",
        "Von: Shop <shop@postkey.example>\nGesendet: Dienstag, 14. Juli 2026 10:00\nAn: Ann\nBetreff: Zeiten\n\nNeun.",
        "De : Shop <shop@postkey.example>\nEnvoyé : mardi 14 juillet 2026\nÀ : Ann\nObjet : Heures\n\nNeuf.",
        "Od: Shop <shop@postkey.example>\nWysłano: wtorek, 14 lipca 2026\nDo: Ann\nTemat: Godziny\n\nDziewięć.",
        "发件人: Shop <shop@postkey.example>\n发送时间: 2026年7月14日\n收件人: Ann\n主题: 时间\n\n九点。",
        "-----Original Message-----\nFrom: Shop\n\nNine.",
        "-------- Messaggio originale --------\n\nNove.",
        "----- Исходное сообщение -----\n\nДевять.",
    ] {
        let text = split(&format!("Thanks!\n\n{history}\n"));
        assert_eq!(text.visible, "Thanks!", "{history}");
        assert!(history.ends_with(text.quoted.lines().last().unwrap()), "{history}");
    }
}

#[test]
fn em_119_answers_below_and_between_quotes_stay() {
    let introduction = "On Tue, Jul 14, 2026 at 10:00 AM Shop <shop@postkey.example> wrote:";
    let below = split(&format!("{introduction}\n> When do you come?\n\nAt ten."));
    assert_eq!(below.visible, "At ten.");
    assert_eq!(below.quoted, format!("{introduction}\n> When do you come?"));

    let between = split(&format!("{introduction}\n> When?\nAt ten.\n> Alone?\nNo.\n"));
    assert_eq!(between.visible, "> When?\nAt ten.\n> Alone?\nNo.");

    let around = split(&format!("Hello,\n\n{introduction}\n> When?\n\nAt ten.\n"));
    assert_eq!(around.visible, "Hello,\n\n> When?\n\nAt ten.");
}

#[test]
fn em_119_what_a_person_writes_is_no_history() {
    for words in [
        "On this day\n\nI wrote something\n\nwhich was very interesting.",
        "On 14 July 2026 at 10:00 I wrote:\n\nplease cancel my order.\n\nNobody answered.",
        "My boss wrote:\nplease hurry",
        "I need a flight.\n\nFrom: Berlin\nTo: Rome\nDate: 3 May\n\nFor two.",
        "New question\n\nFrom: Ann <ann@example.org>\nPhone: 123\nColour: red\nSize: 4\nSubject: Help\nDate: today\n\nHi",
        "The page says:\n> error 17\n> try again",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "Title\n=====\n\ntext\n\n---\n\nmore text",
        "> only quoted\n> lines",
    ] {
        assert_eq!(split(words).visible, words);
    }
}

#[test]
fn em_119_introductions_of_nothing_are_nobodys_words() {
    let nothing = "> On Tue, Jul 14, 2026 at 10:00 AM Shop <shop@postkey.example> wrote:\n\
                   >> On Tue, Jul 14, 2026 at 9:00 AM Ann <ann@example.org> wrote:";
    assert_eq!((split(nothing).visible.as_str(), split(nothing).quoted.as_str()), ("", nothing));
}

#[test]
fn em_121_a_forward_is_the_matter_of_the_mail() {
    for forward in [
        "---------- Forwarded message ---------\nFrom: Bob <bob@x.org>\nDate: Monday\nSubject: x\n\nthe matter",
        "Begin forwarded message:\n\n> From: Bob <bob@x.org>\n> Subject: x\n>\n> the matter",
        "> Begin forwarded message:\n>\n> From: Bob <bob@x.org>\n> Subject: x\n>\n> the matter",
        "-------- Weitergeleitete Nachricht --------\nVon: Bob <bob@x.org>\nDatum: Montag\n\nthe matter",
        "---------------------- Forwarded by Bob/Shop on 07/14/2026 ----------------------\n\nthe matter",
    ] {
        for words in ["", "What do you think?\n\n"] {
            let whole = format!("{words}{forward}");
            assert_eq!(split(&whole).visible, whole);
        }
    }
    let printed = "Please look.\n\nFrom: Bob <bob@x.org>\nSent: Monday\nTo: Ann\nSubject: x\n\nthe matter";
    assert_eq!(split_under("FW: x", printed).visible, printed);
    assert_eq!(split_under("Re: x", printed).visible, "Please look.");
}

#[test]
fn em_121_a_forward_within_the_history_stays_there() {
    let history = "On Tue, Jul 14, 2026 at 10:00 AM Shop <shop@postkey.example> wrote:\n\
                   > ---------- Forwarded message ---------\n> the matter";
    assert_history("Thanks!", history);
}

#[test]
fn em_122_signatures_are_taken_off_and_kept_aside() {
    for signature in [
        "-- \nAnn Miller\nhttps://example.org",
        "--\nAnn Miller",
        "—\nAnn Miller",
        "_______________________________________________\nfriends mailing list\nfriends@lists.example.org",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon téléphone",
        "Enviado desde mi móvil",
        "Inviato da iPad",
        "Verzonden vanaf mijn telefoon",
        "Enviado do meu celular",
        "Skickat från min telefon",
        "Sendt fra min telefon",
        "Lähetetty puhelimesta",
        "Wysłane z telefonu",
        "Odesláno z mobilu",
        "Отправлено с телефона",
        "Надіслано з телефону",
        "Στάλθηκε από το κινητό μου",
        "telefonumdan gönderildi",
        "发自我的手机",
        "iPhoneから送信",
        "Get Outlook for Android",
    ] {
        let text = split(&format!("See you there.\n\n{signature}\n"));
        assert_eq!((text.visible.as_str(), text.signature.as_str()), ("See you there.", signature));
        let introduction = "On Tue, Jul 14, 2026 at 10:00 AM Shop <shop@postkey.example> wrote:";
        let text = split(&format!("See you there.\n\n{signature}\n\n{introduction}\n> When?\n"));
        assert_eq!((text.visible.as_str(), text.signature.as_str()), ("See you there.", signature));
        assert_eq!(text.quoted, format!("{introduction}\n> When?"));
    }
}

#[test]
fn em_122_rules_and_sentences_within_the_text_are_no_signature() {
    let many = "line\n".repeat(12);
    for words in [
        "One\n---\nTwo",
        "Name:\n_____________\nWhere do you live?",
        &format!("One\n\n--\n{many}Two"),
        "—Ann says hello",
        "My parcel was\nSent from Berlin on Monday",
        "This mail was sent from my old account, please delete it.",
        "```\n# code\n####\n```",
        "-- \nonly a signature",
    ] {
        assert_eq!(split(words).visible, words.trim_end());
    }
}

#[test]
fn em_119_indentation_and_blank_lines_within_the_words_stay() {
    let words = "    four spaces\n\n\n- a\n    - b";
    assert_eq!(split(&format!("\n\n{words}\n\n\n")).visible, words);
}

#[test]
fn em_114_flowed_lines_are_one_paragraph_before_quotes_are_looked_for() {
    let flowed = |parameters: &str, body: &str| {
        read(format!("Content-Type: text/plain; charset=utf-8; format=flowed{parameters}\n\n{body}")).text
    };
    let text = flowed("", "A long \nline.\n From here\n> old \n> words\n>> older\n");
    assert_eq!(text.visible, "A long line.\nFrom here");
    assert_eq!(text.quoted, "> old words\n>> older");
    assert_eq!(flowed("; delsp=yes", "日本 \n語").visible, "日本語");
    assert_eq!(flowed("", "See you \nthere\n-- \nAnn").signature, "-- \nAnn");
    assert_eq!(flowed("", " > no quote\nend").visible, " > no quote\nend");
}

#[test]
fn em_123_many_marks_end_soon() {
    let before = processor_time();
    for line in [
        "-- \n",
        "----\n",
        "x:\n",
        "On 1 Jan 2026 10:00\n",
        "From: a@example.org\n",
        "> On 1 Jan 2026 a wrote:\n",
        "____\n",
        "Sent from my\n",
    ] {
        split(&line.repeat(64 * 1024 / line.len()));
        split(&format!("words\n\n{}", format!("{line}> quote\n").repeat(3000)));
    }
    let used = processor_time() - before;
    assert!(used < Duration::from_secs(10), "{used:?}");
}
