//! Mails as different clients write them, to be delivered to a demo mailbox as they are.
//!
//! People wrote four of the six; [`bounce`] and [`out_of_office`] must not be answered (RFC 3834 section 2).
//! Lines end in CRLF. Trace headers are left to delivery, except that the bounce brings its null `Return-Path`.

use crate::clock::Timestamp;

/// What every sample needs to know. The caller gives sound values: nothing is escaped.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Display name of the writer, ASCII.
    pub name: &'a str,
    /// Address of the writer.
    pub from: &'a str,
    /// Address of the mailbox or agent.
    pub to: &'a str,
    /// Without angle brackets; unique.
    pub message_id: &'a str,
    /// The `Date` header.
    pub date: Timestamp,
}

/// A mail that another one refers to.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    /// Its Message-IDs up to the root of the thread, oldest first, without angle brackets; the last is its own.
    pub references: &'a [&'a str],
    /// Its subject, without `Re:`.
    pub subject: &'a str,
    /// Its text, to be quoted.
    pub text: &'a str,
}

/// One text part, flowed, as Thunderbird writes it.
pub fn plain(letter: &Letter<'_>) -> Vec<u8> {
    let body = "Hello,\n\nI ordered a blue kettle last Tuesday (order 4711) and the parcel has not moved since.\n\
                When will it arrive?\n\nThank you\n-- \nSent from a desk by the window\n";
    let headers = "MIME-Version: 1.0\nUser-Agent: Mozilla Thunderbird\n\
                   Content-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 7bit\n";
    mail(letter, "Where is my parcel?", headers, body)
}

/// Only HTML, with styles and a tracking pixel, as web forms and some phones write it.
pub fn html_only(letter: &Letter<'_>) -> Vec<u8> {
    let body = "<html><head><style>p { font-family: Calibri; }</style></head><body>\n\
                <p>Good morning,</p>\n\
                <p>do you ship to <b>Z=C3=BCrich</b>, and what does it cost?</p>\n\
                <p>Many thanks &amp; best wishes</p>\n\
                <img src=3D\"https://pixel.example/open.gif\" width=3D\"1\" height=3D\"1\" alt=3D\"\">\n\
                </body></html>\n";
    let headers = "MIME-Version: 1.0\nX-Mailer: Microsoft Outlook 16.0\nContent-Language: en-us\n\
                   Content-Type: text/html; charset=\"utf-8\"\nContent-Transfer-Encoding: quoted-printable\n";
    mail(letter, "=?utf-8?Q?Shipping_to_Z=C3=BCrich?=", headers, body)
}

/// The same words as text and as HTML, as Gmail writes them.
pub fn alternative(letter: &Letter<'_>) -> Vec<u8> {
    let body = "--000000000000d3m0\nContent-Type: text/plain; charset=\"UTF-8\"\n\n\
                Hi there,\n\nthe invoice for March shows our old address. Can you send a corrected one?\n\nBest\n\n\
                --000000000000d3m0\nContent-Type: text/html; charset=\"UTF-8\"\n\n\
                <div dir=\"ltr\">Hi there,<div><br></div><div>the invoice for March shows our old address. \
                Can you send a corrected one?</div><div><br></div><div>Best</div></div>\n\n\
                --000000000000d3m0--\n";
    let headers = "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"000000000000d3m0\"\n";
    mail(letter, "Invoice with the old address", headers, body)
}

/// A further question in the thread of `earlier`, above the quoted history.
pub fn thread_reply(letter: &Letter<'_>, earlier: &Earlier<'_>) -> Vec<u8> {
    let quoted: String = earlier.text.lines().map(|line| format!("> {line}\n")).collect();
    let day = letter.date.to_utc().format("%a, %b %-d, %Y at %-I:%M %p");
    let body = format!(
        "Thanks, that helps. May I also change the colour to green?\n\nOn {day} <{}> wrote:\n\n{quoted}",
        letter.to
    );
    let mut headers = references(earlier);
    headers.push_str(
        "Mime-Version: 1.0 (Mac OS X Mail)\nX-Mailer: Apple Mail\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n",
    );
    mail(letter, &format!("Re: {}", earlier.subject), &headers, &body)
}

/// A delivery report (RFC 3464) that says that `earlier` did not reach `lost_recipient`. Must stay unanswered.
pub fn bounce(letter: &Letter<'_>, earlier: &Earlier<'_>, lost_recipient: &str) -> Vec<u8> {
    let own_id = earlier.references.last().copied().unwrap_or_default();
    let body = format!(
        "--demo-report\nContent-Type: text/plain; charset=us-ascii\n\n\
         Your mail could not be delivered to <{lost_recipient}>: no such user.\n\n\
         --demo-report\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example.net\n\n\
         Final-Recipient: rfc822; {lost_recipient}\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 5.1.1 No such user\n\n\
         --demo-report\nContent-Type: text/rfc822-headers\n\n\
         From: <{}>\nTo: <{lost_recipient}>\nSubject: {}\nMessage-ID: <{own_id}>\n\n\
         --demo-report--\n",
        letter.to, earlier.subject
    );
    let mut headers = references(earlier);
    headers.push_str(
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"demo-report\"\n",
    );
    let mut bytes = b"Return-Path: <>\r\n".to_vec();
    bytes.extend(mail(letter, "Undelivered Mail Returned to Sender", &headers, &body));
    bytes
}

/// A person's absence note about `earlier`. Must stay unanswered.
pub fn out_of_office(letter: &Letter<'_>, earlier: &Earlier<'_>) -> Vec<u8> {
    let body = "I am out of the office until Monday and will read your mail then.\n\
                Is it urgent? Then please call the front desk.\n";
    let mut headers = references(earlier);
    headers.push_str(
        "Auto-Submitted: auto-replied (vacation)\nX-Auto-Response-Suppress: All\nPrecedence: bulk\n\
         MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n",
    );
    mail(letter, &format!("Automatic reply: {}", earlier.subject), &headers, body)
}

/// In-Reply-To and References (RFC 5322 section 3.6.4).
fn references(earlier: &Earlier<'_>) -> String {
    let ids: Vec<String> = earlier.references.iter().map(|id| format!("<{id}>")).collect();
    match ids.last() {
        None => String::new(),
        Some(parent) => format!("In-Reply-To: {parent}\nReferences: {}\n", ids.join("\n ")),
    }
}

/// Puts the usual headers on top, and CRLF at every line end.
fn mail(letter: &Letter<'_>, subject: &str, headers: &str, body: &str) -> Vec<u8> {
    let Letter { name, from, to, message_id, date } = letter;
    let date = date.to_utc().to_rfc2822();
    let text = format!(
        "From: {name} <{from}>\nTo: <{to}>\nSubject: {subject}\nDate: {date}\nMessage-ID: <{message_id}>\n\
         {headers}\n{body}"
    );
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}
