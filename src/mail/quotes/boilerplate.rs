//! What mail programs write around a quote, in the languages in which they write it.
//!
//! All phrases are in lower case, with `|` between them. A new language is a few words more here and nothing else.

use std::collections::HashSet;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Anchored, Input, StartKind};

/// A list of phrases, read once.
pub(super) type Phrases = LazyLock<HashSet<&'static str>>;

fn rows(text: &'static str) -> HashSet<&'static str> {
    text.split(['|', '\n']).map(str::trim).filter(|phrase| !phrase.is_empty()).collect()
}

/// Phrases that are looked for within a text, all of them in one pass.
pub(super) struct Finder(Option<AhoCorasick>);

impl Finder {
    fn of(phrases: &Phrases) -> Self {
        // Only tables of gigabytes cannot be made.
        Self(AhoCorasick::builder().start_kind(StartKind::Both).build(phrases.iter()).ok())
    }

    /// Whether `text` begins with a phrase.
    pub(super) fn begins(&self, text: &str) -> bool {
        let start = Input::new(text).anchored(Anchored::Yes);
        self.0.as_ref().is_some_and(|table| table.is_match(start))
    }

    /// Whether a phrase stands in `text` as words of its own; scripts without spaces need no border.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let mut found = self.0.iter().flat_map(|table| table.find_overlapping_iter(text));
        found.any(|found| {
            let phrase = text.get(found.range()).unwrap_or("");
            let is_spaced = phrase.chars().next().is_some_and(|c| c < '\u{3000}');
            let before = text.get(..found.start()).and_then(|text| text.chars().next_back());
            let after = text.get(found.end()..).and_then(|text| text.chars().next());
            !is_spaced || ![before, after].into_iter().flatten().any(char::is_alphanumeric)
        })
    }
}

/// Finds [`WROTE`].
pub(super) static FIND_WROTE: LazyLock<Finder> = LazyLock::new(|| Finder::of(&WROTE));

/// Finds [`SENT_FROM`].
pub(super) static FIND_SENT_FROM: LazyLock<Finder> = LazyLock::new(|| Finder::of(&SENT_FROM));

/// Finds [`I_WROTE`].
pub(super) static FIND_I_WROTE: LazyLock<Finder> = LazyLock::new(|| Finder::of(&I_WROTE));

/// "Wrote": stands in the line above a quote.
pub(super) static WROTE: Phrases = Phrases::new(|| {
    rows(
        "
        wrote | writes | schrieb | schrieben | a écrit | écrit | a ecrit | escribió | escribio
        ha scritto | scrisse | scriveva | schreef | geschreven | heeft geschreven | skrev | skreiv
        kirjoitti | skrifaði | escreveu | va escriure | ha escrit | escribiu | a scris | idatzi du
        napisał | napisała | napisał(a) | pisze | napsal | napsala | napsal(a) | napísal | napísala
        napísal(a) | írta | je napisal | je napisala | je napisao | napisao je | napisala je | rašė
        parašė | rakstīja | kirjutas | написал | написала | написал(а) | пишет | писал | написав | пише
        написа | је написао | έγραψε | έγραψαν | yazdı | şunu yazdı | şunları yazdı | כתב | כתבה | كتب
        كتبت | نوشت | đã viết | viết | menulis | 写道 | 寫道 | 写到 | 寫到 | 写了 | 写于 | のメール | 書きました | 書いた | 作成
        님이 작성 | 작성 | 썼습니다 | เขียน | เขียนว่า
        ",
    )
});

/// A person who tells what they wrote themselves; no program says "I".
pub(super) static I_WROTE: Phrases = Phrases::new(|| {
    rows(
        "
        i wrote | i write | we wrote | ich schrieb | schrieb ich | wir schrieben | ik schreef
        schreef ik | jag skrev | skrev jag | jeg skrev | skrev jeg | minä kirjoitti | я написал
        я написала | я писал | я написав
        ",
    )
});

/// First words of a line that tells when the quoted mail was written.
pub(super) static DATE_STARTS: Phrases = Phrases::new(|| {
    rows(
        "
        on | at | am | le | el | il | op | em | den | på | dne | dnia | w | dana | dňa | pe | la | a
        în | u | в | во | у | на | от | od | vào | pada | στις | no | o | lúc | ngày | в' | ב | בתאריך
        في | بتاريخ | در | 在 | 於 | 于 | date: | ---- on | ----
        ",
    )
});

/// Titles of the line above a repeated mail, without the dashes around them.
pub(super) static HISTORY_TITLES: Phrases = Phrases::new(|| {
    rows(
        "
        original message | original mail | original email | quoted message
        ursprüngliche nachricht | ursprüngliche e-mail | originalnachricht | original-nachricht
        message d'origine | message d’origine | message original | message initial | courriel d'origine
        mensaje original | correo original | messaggio originale | messaggio originario
        oorspronkelijk bericht | origineel bericht | mensagem original | e-mail original
        missatge original | mesaj original | mesajul original | ursprungligt meddelande
        originalmeddelande | oprindelig meddelelse | original meddelelse | opprinnelig melding
        alkuperäinen viesti | oryginalna wiadomość | wiadomość oryginalna | původní zpráva
        původní e-mail | pôvodná správa | eredeti üzenet | izvorna poruka | originalna poruka
        izvirno sporočilo | originalus laiškas | algkiri | исходное сообщение | исходное письмо
        оригинальное сообщение | первоначальное сообщение | вихідне повідомлення | оригинално съобщение
        αρχικό μήνυμα | orijinal mesaj | orijinal ileti | özgün ileti | özgün mesaj | הודעה מקורית
        الرسالة الأصلية | thư gốc | pesan asli | 原始邮件 | 原始郵件 | 原始信件 | 原邮件 | 元のメッセージ | オリジナルメッセージ
        원본 메시지 | 원본 이메일 | 원본메일
        ",
    )
});

/// Titles of a forward: what follows is the matter of the mail, not history (EM-121).
pub(super) static FORWARD_TITLES: Phrases = Phrases::new(|| {
    rows(
        "
        forwarded message | forwarded mail | forwarded email | forwarded by | begin forwarded message
        start of forwarded message | weitergeleitete nachricht | anfang der weitergeleiteten nachricht
        anfang der weitergeleiteten e-mail | message transféré | message transmis
        début du message transféré | début du message réexpédié | mensaje reenviado
        inicio del mensaje reenviado | messaggio inoltrato | inizio messaggio inoltrato
        messaggio inoltrato da | doorgestuurd bericht | begin doorgestuurd bericht
        mensagem encaminhada | mensagem reencaminhada | início da mensagem encaminhada
        início da mensagem reencaminhada | missatge reenviat | mesaj redirecționat
        vidarebefordrat meddelande | vidarebefordrat brev | vidarebefordrat mejl
        videresendt meddelelse | videresendt besked | start på videresendt besked | videresendt melding
        videresendt e-post | välitetty viesti | välitetty viesti alkaa | wiadomość przekazana
        przekazana wiadomość | przekazana wiadomość dalej | přeposlaná zpráva
        začátek přeposlané zprávy | preposlaná správa | továbbított üzenet | proslijeđena poruka
        пересылаемое сообщение | пересланное сообщение | начало переадресованного сообщения
        перенаправленное сообщение | переслане повідомлення | препратено съобщение | προωθημένο μήνυμα
        iletilen mesaj | iletilmiş mesaj | yönlendirilen ileti | הודעה שהועברה | رسالة محولة
        رسالة معاد توجيهها | thư đã chuyển tiếp | pesan terusan | 转发的邮件 | 已转发的邮件 | 轉寄的郵件 | 轉寄郵件 | 转发邮件信息
        转发邮件 | 転送メッセージ | 転送されたメッセージ | 전달된 메시지 | 전달된 메일 | forwarded conversation
        ",
    )
});

/// `From` in a repeated header block.
pub(super) static FROM_LABELS: Phrases = Phrases::new(|| {
    rows(
        "
        from | von | de | da | van | från | fra | lähettäjä | expéditeur | remitente | mittente | od
        od kogo | feladó | от | от кого | від | από | kimden | gönderen | מאת | من | từ | dari | 发件人
        寄件者 | 寄件人 | 差出人 | 보낸 사람 | 보낸사람 | чаво | nuo | no | saatja | de la
        ",
    )
});

/// `Date` in a repeated header block; people write it above their own lists, too.
pub(super) static DATE_LABELS: Phrases = Phrases::new(|| {
    rows(
        "
        date | datum | fecha | data | dato | päiväys | dátum | дата | ημερομηνία | tarih | תאריך
        التاريخ | ngày | tanggal | 日期 | 日時 | 날짜
        ",
    )
});

/// `Sent` in a repeated header block.
pub(super) static SENT_LABELS: Phrases = Phrases::new(|| {
    rows(
        "
        sent | gesendet | envoyé | envoyé le | date d'envoi | enviado | enviado el | enviada em
        enviada | enviado em | inviato | verzonden | skickat | sendt | lähetetty | wysłano | odesláno
        odoslané | elküldve | küldve | trimis | отправлено | надіслано | изпратено | στάλθηκε
        gönderme tarihi | gönderildi | נשלח | تاريخ الإرسال | đã gửi | dikirim | 发送时间 | 發送時間 | 寄件日期
        寄送日期 | 送信日時 | 보낸 날짜 | 보낸날짜 | išsiųsta | poslano
        ",
    )
});

/// `To`, `Cc` and `Reply-To` in a repeated header block.
pub(super) static TO_LABELS: Phrases = Phrases::new(|| {
    rows(
        "
        to | cc | bcc | reply-to | reply to | an | kopie | antwort an | à | a | para | per | aan | till
        til | kopia | kopi | vastaanottaja | kopio | do | komu | dw | címzett | másolatot kap | către
        кому | копия | копія | до | προς | κοιν. | kime | alıcı | bilgi | אל | עותק | إلى | نسخة | đến
        tới | kepada | 收件人 | 抄送 | 收件者 | 副本 | 宛先 | 받는 사람 | 받는사람 | 참조 | kam | za | répondre à
        responder a | rispondi a | risposta | destinataire | destinatario | destinatário | ann
        ",
    )
});

/// `Subject` in a repeated header block.
pub(super) static SUBJECT_LABELS: Phrases = Phrases::new(|| {
    rows(
        "
        subject | betreff | objet | sujet | asunto | oggetto | onderwerp | assunto | ämne | emne | aihe
        temat | předmět | predmet | tárgy | subiect | тема | относно | θέμα | konu | נושא | הנדון
        الموضوع | chủ đề | tiêu đề | perihal | subjek | 主题 | 主題 | 主旨 | 件名 | 제목 | tema | zadeva
        assumpte | teema
        ",
    )
});

/// How the line begins that a telephone or program puts below its mails.
pub(super) static SENT_FROM: Phrases = Phrases::new(|| {
    rows(
        "
        sent from | sent via | sent with | sent using | sent by | sent on | from my | get outlook for
        get [outlook for | download outlook for | typed on my | gesendet von | gesendet mit
        gesendet aus | von meinem | von unterwegs gesendet | versendet mit
        diese nachricht wurde von mein | diese nachricht wurde mit | diese e-mail wurde von
        outlook für | holen sie sich outlook | envoyé depuis | envoyé de mon | envoyé de
        envoyé à partir | envoyé avec | téléchargez outlook | obtenez outlook | télécharger outlook
        enviado desde | enviado de mi | enviado con | obtener outlook | obtén outlook
        descargar outlook | inviato da | inviato dal | inviato con | scarica outlook | ottieni outlook
        verzonden vanaf | verzonden met | verzonden via | verstuurd vanaf | verstuurd met | outlook voor
        enviado do | enviado a partir | enviado pelo | enviado via | obter o outlook | obtenha o outlook
        enviat des | trimis de pe | trimis din | skickat från | skickat med | skickades från | sendt fra
        sendt med | sendt via | hent outlook | få outlook | hämta outlook | lähetetty | hanki outlook
        wysłane z | wysłano z | pobierz program outlook | pobierz aplikację outlook | odesláno z
        odesláno pomocí | odoslané z | získat outlook | küldve | elküldve | poslano s | poslano z
        poslato sa | отправлено с | отправлено из | отправлено через | отправлено от | надіслано з
        надіслано від | изпратено от | скачать outlook | στάλθηκε από | απεστάλη από | נשלח מ | أرسلت من
        أُرسلت من | مرسل من | được gửi từ | đã gửi từ | dikirim dari | 发自我的 | 发自 | 來自我的 | 從我的 | 从我的
        傳送自 | 發自 | 發自我的 | 获取 outlook | 나의 | 내 | išsiųsta iš | saadetud minu | nosūtīts no | bidalia nire
        ส่งจาก | <<sent
        ",
    )
});

/// How such a line ends, in languages that put the verb last.
pub(super) static SENT_FROM_ENDS: Phrases = Phrases::new(|| {
    rows(
        "
        gesendet | gesendet. | から送信 | より送信 | から送信されました | 傳送 | 发送 | 發送 | 寄出 | gönderildi | gönderilmiştir
        에서 보냄 | 에서 전송됨 | küldve | from mobile | from my mobile | from my phone
        ",
    )
});
