//! What comes back to a mail of ours without owning up in a header field (EM-13, EM-14, EM-23, EM-24).

use super::super::bounce;
use super::super::read::Mail;
use super::{Ours, SkipReason};

/// How programs begin the subject of an automatic answer, in lower case (EM-13).
const AUTOMATIC_SUBJECTS: [&str; 38] = [
    "auto:",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "autoresponse",
    "automated reply",
    "automated response",
    "automatic reply",
    "automatic response",
    "automatic answer",
    "out of office",
    "out of the office",
    "out-of-office",
    "vacation",
    "away from my mail",
    "i am away",
    "abwesend",
    "abwesenheit",
    "automatische antwort",
    "automatisch antwoord",
    "afwezig",
    "autosvar",
    "automatisk svar",
    "automaattinen vastaus",
    "frånvaro",
    "réponse automatique",
    "absence du bureau",
    "absent du bureau",
    "respuesta automática",
    "fuera de la oficina",
    "resposta automática",
    "risposta automatica",
    "fuori sede",
    "automatyczna odpowiedź",
    "автоответ",
    "автоматический ответ",
];

/// The same where letters have no case.
const AUTOMATIC_SUBJECTS_CJK: [&str; 4] = ["自動返信", "自动回复", "自動回覆", "자동 회신"];

/// Local parts from which providers send complaints (EM-23).
const COMPLAINT_SENDERS: [&str; 6] = ["staff", "scomp", "fbl", "fbl-no-reply", "feedbackloop", "complaints"];

/// How services ask for a proof of being a person, in lower case (EM-24).
const CHALLENGES: [&str; 14] = [
    "confirm you are human",
    "confirm that you are human",
    "confirm you're human",
    "prove you are human",
    "prove that you are human",
    "verify that you are a person",
    "verify you are a person",
    "verify that you are human",
    "challenge-response",
    "challenge/response",
    "to release your message",
    "to have your message delivered",
    "approve this message so",
    "waiting for your verification",
];

/// Services whose only mails to strangers are such questions.
const CHALLENGE_DOMAINS: [&str; 5] =
    ["boxbe.com", "bluebottle.com", "spamarrest.com", "sendio.com", "mailblocks.com"];

/// A bounce, as [`bounce::find`] has read it: by its report or by its own words.
pub(super) fn is_bounce(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    mail.bounce.is_some().then_some(SkipReason::Bounce)
}

/// A stranger returns a mail of ours, or answers one by saying that it was not delivered (EM-14).
///
/// People forward and attach mail as well: their title says so, or they answer in their own words.
pub(super) fn returns_our_mail(mail: &Mail, ours: &Ours<'_>) -> Option<SkipReason> {
    let is_answer = answers_our_mail(mail, ours);
    let speaks = || bounce::speaks_of_failure(&mail.text.visible) && !is_by_a_person(mail);
    let returns = mail.signals.returned_ids.iter().any(|id| (ours.sent)(id));
    let is_bounce = (is_answer && speaks()) || (returns && !is_by_a_person(mail));
    is_bounce.then_some(SkipReason::Bounce)
}

/// A complaint that is not marked as one: from a known sender, with the mail that it is about (EM-23).
pub(super) fn is_complaint(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    let is_titled = mail.subject.to_lowercase().starts_with("complaint about message from");
    let is_sender = |local: &str| COMPLAINT_SENDERS.contains(&local.to_lowercase().as_str());
    let is_known = mail.from.iter().any(|named| is_sender(named.address.local()));
    let has_mail = mail.signals.leaf_kinds.iter().any(|kind| kind == "message/rfc822");
    ((is_titled || is_known) && has_mail).then_some(SkipReason::Complaint)
}

/// "Confirm that you are human" (EM-24).
pub(super) fn is_challenge(mail: &Mail, ours: &Ours<'_>) -> Option<SkipReason> {
    let is_service = mail.from.iter().any(|named| {
        let domain = named.address.domain().to_lowercase();
        CHALLENGE_DOMAINS.iter().any(|known| domain == *known || domain.ends_with(&format!(".{known}")))
    });
    let asks = || {
        let text = mail.text.visible.to_lowercase();
        CHALLENGES.iter().any(|phrase| text.contains(phrase))
    };
    (is_service || (answers_our_mail(mail, ours) && asks())).then_some(SkipReason::Challenge)
}

/// A subject alone proves nothing: people write "Out of office setup is broken". With a mail of ours behind it, it
/// does (EM-13).
pub(super) fn is_automatic_by_subject(mail: &Mail, ours: &Ours<'_>) -> Option<SkipReason> {
    let lower = mail.subject.to_lowercase();
    let is_automatic =
        AUTOMATIC_SUBJECTS.iter().chain(&AUTOMATIC_SUBJECTS_CJK).any(|start| lower.starts_with(start))
            || bounce::has_bounce_subject(&lower);
    (is_automatic && answers_our_mail(mail, ours)).then_some(SkipReason::AutomaticSubject)
}

fn answers_our_mail(mail: &Mail, ours: &Ours<'_>) -> bool {
    mail.in_reply_to.iter().chain(&mail.references).any(|id| (ours.sent)(id))
}

/// `Re:`, `AW:`, `Fwd:`: programs that return mail do not title it so.
fn is_by_a_person(mail: &Mail) -> bool {
    bounce::is_answer_subject(&mail.subject)
}
