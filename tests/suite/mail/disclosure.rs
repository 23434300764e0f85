//! Who answers is said in the language of the mail (SR-88, EM-59).

use postkey::mail::reply::Voice;
use postkey::mail::{Language, Mail, VisibleText, Wording, WordingFault, disclosure, without_disclosure};

use super::read;
use super::reply::Given;

/// A question and its answer in each language that we speak.
const CONVERSATIONS: [(&str, &str, &str); 24] = [
    (
        "en",
        "Hello, could you please tell me when my order will arrive? I have been waiting for two weeks.",
        "It will arrive tomorrow.",
    ),
    (
        "de",
        "Guten Tag, wann kommt meine Bestellung an? Ich warte schon seit zwei Wochen darauf.",
        "Sie kommt morgen an.",
    ),
    (
        "fr",
        "Bonjour, quand ma commande va-t-elle arriver ? Je l'attends depuis deux semaines.",
        "Elle arrive demain.",
    ),
    (
        "es",
        "Buenos días, ¿cuándo llegará mi pedido? Lo estoy esperando desde hace dos semanas.",
        "Llegará mañana.",
    ),
    (
        "it",
        "Buongiorno, quando arriverà il mio ordine? Lo sto aspettando da due settimane.",
        "Arriverà domani.",
    ),
    ("pt", "Bom dia, quando chega a minha encomenda? Estou à espera há duas semanas.", "Chega amanhã."),
    (
        "nl",
        "Goedendag, wanneer komt mijn bestelling aan? Ik wacht er al twee weken op.",
        "Die komt morgen aan.",
    ),
    (
        "sv",
        "Hej, när kommer min beställning fram? Jag har väntat på den i två veckor.",
        "Den kommer i morgon.",
    ),
    (
        "da",
        "Hej, hvornår kommer min bestilling frem? Jeg har ventet på den i to uger nu.",
        "Den kommer i morgen.",
    ),
    (
        "nb",
        "Hei, når kommer bestillingen min fram? Jeg har ventet på den i to uker nå, og den har ikke kommet.",
        "Den kommer i morgen.",
    ),
    ("fi", "Hei, milloin tilaukseni saapuu? Olen odottanut sitä jo kaksi viikkoa.", "Se saapuu huomenna."),
    ("pl", "Dzień dobry, kiedy dotrze moje zamówienie? Czekam na nie już dwa tygodnie.", "Dotrze jutro."),
    ("cs", "Dobrý den, kdy dorazí moje objednávka? Čekám na ni už dva týdny.", "Dorazí zítra."),
    ("hu", "Jó napot, mikor érkezik meg a rendelésem? Már két hete várok rá.", "Holnap érkezik."),
    ("ro", "Bună ziua, când va ajunge comanda mea? O aștept de două săptămâni.", "Va ajunge mâine."),
    ("tr", "Merhaba, siparişim ne zaman gelecek? İki haftadır bekliyorum.", "Yarın gelecek."),
    ("el", "Καλημέρα, πότε θα φτάσει η παραγγελία μου;", "Θα φτάσει αύριο."),
    ("ru", "Здравствуйте, когда придёт мой заказ? Я жду его уже две недели.", "Он придёт завтра."),
    ("uk", "Добрий день, коли прийде моє замовлення? Я чекаю на нього вже два тижні.", "Воно прийде завтра."),
    ("ja", "こんにちは、注文した商品はいつ届きますか？", "明日届きます。"),
    ("zh", "您好，我的订单什么时候能到？", "明天到。"),
    ("ko", "안녕하세요, 제 주문은 언제 도착하나요?", "내일 도착합니다."),
    ("ar", "مرحبا، متى سيصل طلبي؟", "سيصل غدا."),
    ("he", "שלום, מתי ההזמנה שלי תגיע?", "היא תגיע מחר."),
];

fn parent(subject: &str, words: &str) -> Mail {
    let text = VisibleText { visible: words.to_owned(), ..VisibleText::default() };
    Mail { subject: subject.to_owned(), text, ..Mail::default() }
}

fn language(tag: &str) -> Language {
    Language::all().find(|language| language.tag() == tag).unwrap()
}

#[test]
fn sr_88_the_disclosure_speaks_the_language_of_the_mail() {
    assert_eq!(Language::all().count(), CONVERSATIONS.len());
    for (tag, question, answer) in CONVERSATIONS {
        let reply = Given { parent: parent("x", question), body: answer, ..Given::default() }.bytes();
        let line = disclosure("Bob's Shop", language(tag));
        assert_eq!(read(&reply).text.visible, format!("{answer}\n\n{line}"), "{tag}");
        let html = mail_parser::MessageParser::default().parse(&reply).unwrap();
        let html = html.html_part(0).unwrap().text_contents().unwrap();
        assert!(html.contains(&format!("<html lang=\"{tag}\">")), "{html}");
        assert!(
            html.contains(&format!("<hr />\r\n<p>{line}</p>"))
                || html.contains(&format!("<hr />\n<p>{line}</p>")),
            "{html}"
        );
    }
}

#[test]
fn sr_88_every_disclosure_names_the_owner_and_offers_a_person() {
    for language in Language::all() {
        let line = disclosure("Bob's Shop", language);
        assert!(line.contains("Bob's Shop") && line.contains("HUMAN"), "{line}");
        assert!(disclosure(" \r\n", language).chars().count() > line.chars().count() - 8, "{line}");
        assert!(!disclosure("a\r\nBcc: x", language).contains(['\r', '\n']));
    }
    assert!(disclosure("", Language::ENGLISH).contains("on behalf of the owner of this mailbox."));
}

#[test]
fn sr_88_one_short_sentence_is_enough() {
    let sentences = [
        ("en", "When do you open?"),
        ("en", "Please send me the invoice."),
        ("de", "Wann haben Sie geöffnet?"),
        ("de", "Können Sie mir bitte die Rechnung schicken?"),
        ("fr", "Bonjour, à quelle heure ouvrez-vous demain ?"),
        ("fr", "Pouvez-vous m'envoyer la facture pour ma commande ?"),
        ("es", "Hola, quisiera cancelar mi pedido por favor."),
        ("it", "Vorrei annullare il mio ordine."),
        ("pt", "Gostaria de cancelar a minha encomenda."),
        ("nl", "Hallo, hoe laat gaan jullie morgen open?"),
        ("sv", "Hej, när öppnar ni i morgon?"),
        ("da", "Hej, hvornår åbner I i morgen?"),
        ("nb", "Hei, når åpner dere i morgen?"),
        ("fi", "Hei, milloin avaatte huomenna?"),
        ("pl", "Proszę o fakturę do mojego zamówienia, dziękuję."),
        ("cs", "Dobrý den, v kolik hodin zítra otevíráte?"),
        ("hu", "Jó napot, mikor nyitnak holnap?"),
        ("ro", "Bună ziua, la ce oră deschideți mâine?"),
        ("tr", "Merhaba, yarın saat kaçta açıyorsunuz?"),
    ];
    for (tag, sentence) in sentences {
        assert_eq!(Language::of(sentence).map(Language::tag), Some(tag), "{sentence}");
    }
}

#[test]
fn sr_88_the_dashes_of_a_list_are_no_words() {
    let list = "- the Kylmälaukku\n- your Pöytälevy\n- the Jääkaappi";
    assert_eq!(Language::of(list).map(Language::tag), Some("en"));
}

#[test]
fn sr_88_the_answer_tells_the_language_where_the_mail_is_too_short() {
    let bytes = Given {
        parent: parent("x", "Ok?"),
        body: "Ja, das können Sie gerne jederzeit bei uns abholen, wir freuen uns auf Sie.",
        ..Given::default()
    }
    .bytes();
    assert!(read(&bytes).text.visible.contains("im Auftrag von Bob's Shop geschrieben"));
}

#[test]
fn sr_88_a_language_that_cannot_be_told_is_answered_in_english() {
    for words in ["", "12345", "???", "ok", "Rewqt asdf"] {
        let bytes = Given { parent: parent("x", words), body: "4 pm", ..Given::default() }.bytes();
        assert!(read(&bytes).text.visible.contains("on behalf of Bob's Shop"), "{words}");
    }
}

#[test]
fn sr_88_a_reply_that_a_person_approved_needs_no_disclosure() {
    let bytes = Given { on_behalf_of: None, ..Given::default() }.bytes();
    assert_eq!(read(&bytes).text.visible, "We open at nine.");
    assert!(!String::from_utf8(bytes).unwrap().contains("HUMAN"));
}

#[test]
fn sr_88_an_owner_chooses_the_wording_but_not_what_it_says() {
    for language in Language::all() {
        let line = disclosure("{owner}", language);
        assert!(Wording::parse(&line).is_ok(), "{line}");
    }
    for (text, fault) in [
        ("", WordingFault::Form),
        (" An AI wrote for {owner}. HUMAN!", WordingFault::Form),
        ("An AI wrote\nfor {owner}. HUMAN!", WordingFault::Form),
        ("An AI wrote this. Reply HUMAN.", WordingFault::NoOwner),
        ("Maid Service of {owner}. Reply HUMAN.", WordingFault::NoArtificial),
        ("Written by {owner}'s AI.", WordingFault::NoHuman),
    ] {
        assert_eq!(Wording::parse(text).unwrap_err(), fault, "{text}");
    }
    let wording = Wording::parse("{owner}'s AI assistant; HUMAN gets you a person.").unwrap();
    let voice = Voice { wording: Some(&wording), ..Voice::default() };
    let told = read(Given { voice, ..Given::default() }.bytes()).text.visible;
    assert_eq!(told, "We open at nine.\n\nBob's Shop's AI assistant; HUMAN gets you a person.");
    assert_eq!(wording.cut(&told, "Bob's Shop"), "We open at nine.");
}

#[test]
fn an_owner_chooses_the_language_of_our_own_words() {
    let voice = Voice { language: Language::of_tag("de"), ..Voice::default() };
    let bytes = Given { voice, ..Given::default() }.bytes();
    assert!(read(&bytes).text.visible.contains("im Auftrag von Bob's Shop"));
    assert!(String::from_utf8(bytes).unwrap().contains("<html lang=3D\"de\">"));
    assert!(Language::of_tag("xx").is_none());
}

#[test]
fn a_signature_stands_below_the_disclosure_and_is_known_as_one() {
    let voice = Voice { signature: Some("Bob <b>\nwww.shop.example\n"), ..Voice::default() };
    let text = String::from_utf8(Given { voice, ..Given::default() }.bytes()).unwrap();
    assert!(text.contains("reach a person.\r\n\r\n--=20\r\nBob <b>\r\nwww.shop.example\r\n"), "{text}");
    assert!(text.contains("<p>-- <br />\r\nBob &lt;b&gt;<br />\r\nwww.shop.example</p>"), "{text}");
    let visible = read(text.as_bytes()).text.visible;
    assert!(visible.ends_with("to reach a person."), "{visible}");
}

#[test]
fn a_mark_of_a_signature_among_the_words_does_not_hide_the_disclosure() {
    for body in ["x\u{202f}*0\u{2028}--*\u{2028}", "At nine.\n\n—\n\nBob", "At nine.\n\n`--`\n\nBob"] {
        let text = read(Given { body, ..Given::default() }.bytes()).text;
        assert!(text.visible.contains("HUMAN") && text.signature.is_empty(), "{body:?}: {text:?}");
    }
}

#[test]
fn our_disclosure_is_not_read_as_words_of_ours() {
    for (tag, _, answer) in CONVERSATIONS {
        let line = disclosure("Bob's Shop", language(tag));
        assert_eq!(without_disclosure(&format!("{answer}\n\nBob\n\n{line}\n")), format!("{answer}\n\nBob"));
        assert_eq!(without_disclosure(&line), "");
    }
    for kept in ["", "We open at nine.", "Reply HUMAN to reach a person.", "a\nb"] {
        assert_eq!(without_disclosure(kept), kept);
    }
}

#[test]
fn em_50_that_there_is_no_subject_is_said_in_the_language_of_the_mail() {
    for (empty, expected) in
        [("", "Re: (kein Betreff)"), ("AW: ", "Re: (kein Betreff)"), ("Bestellung", "Re: Bestellung")]
    {
        let parent = parent(empty, CONVERSATIONS[1].1);
        assert_eq!(read(Given { parent, ..Given::default() }.bytes()).subject, expected);
    }
}
