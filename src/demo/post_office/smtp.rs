//! The SMTP conversation (RFC 5321): takes mail for local accounts from anybody, as an MX does, and mail for
//! anybody from those who logged in (RFC 6409, RFC 4954).

use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncWrite};

use super::LARGEST_MAIL;
use super::account::Account;
use super::event::Envelope;
use super::office::Office;
use super::wire::Wire;

/// A command line in bytes: RFC 5321 asks for 512, AUTH (RFC 4954 section 4) for 12,288.
const LONGEST_LINE: usize = 12_288;

/// RFC 5321 section 4.5.3.1.8.
const MOST_RECIPIENTS: usize = 100;

/// Holds one conversation until QUIT or until the client goes.
pub(super) async fn converse<S>(wire: Wire<S>, office: Arc<Office>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session { wire, office, account: None, envelope: None };
    session.wire.say("220 post-office.localhost ESMTP Postkey demo");
    while let Some(line) = session.wire.read_line(LONGEST_LINE).await? {
        let line = String::from_utf8_lossy(&line);
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        if session.obey(&verb.to_ascii_uppercase(), rest.trim()).await? == Next::Goodbye {
            break;
        }
    }
    session.wire.flush().await
}

#[derive(PartialEq, Eq)]
enum Next {
    Command,
    Goodbye,
}

struct Session<S> {
    wire: Wire<S>,
    office: Arc<Office>,
    account: Option<Arc<Account>>,
    /// From `MAIL` to the end of `DATA`.
    envelope: Option<Envelope>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn obey(&mut self, verb: &str, rest: &str) -> io::Result<Next> {
        match verb {
            "EHLO" => self.hello(),
            "HELO" => self.wire.say("250 post-office.localhost"),
            "AUTH" => self.log_in(rest).await?,
            "MAIL" => self.begin(rest),
            "RCPT" => self.address(rest),
            "DATA" => self.take_mail().await?,
            "RSET" => {
                self.envelope = None;
                self.wire.say("250 2.0.0 Forgotten");
            }
            "NOOP" => self.wire.say("250 2.0.0 Still here"),
            "VRFY" => self.wire.say("252 2.5.0 Send and see"),
            "QUIT" => {
                self.wire.say("221 2.0.0 Goodbye");
                return Ok(Next::Goodbye);
            }
            _ => self.wire.say("500 5.5.1 Not a command here"),
        }
        Ok(Next::Command)
    }

    fn hello(&mut self) {
        self.envelope = None;
        self.wire.say("250-post-office.localhost");
        self.wire.say("250-PIPELINING");
        self.wire.say(&format!("250-SIZE {LARGEST_MAIL}"));
        self.wire.say("250-8BITMIME");
        self.wire.say("250-ENHANCEDSTATUSCODES");
        self.wire.say("250 AUTH PLAIN LOGIN");
    }

    /// AUTH, RFC 4954.
    async fn log_in(&mut self, rest: &str) -> io::Result<()> {
        if self.account.is_some() || self.envelope.is_some() {
            self.wire.say("503 5.5.1 Not now");
            return Ok(());
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let offered = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => self.read_plain(initial).await?,
            "LOGIN" => self.read_login(initial).await?,
            _ => {
                self.wire.say("504 5.5.4 PLAIN or LOGIN");
                return Ok(());
            }
        };
        self.account = offered.and_then(|(name, password)| self.office.log_in(&name, &password));
        self.wire.say(match self.account {
            Some(_) => "235 2.7.0 Welcome",
            None => "535 5.7.8 Wrong user name or password",
        });
        Ok(())
    }

    async fn read_plain(&mut self, initial: &str) -> io::Result<Option<(String, String)>> {
        let message = if initial.is_empty() { self.ask("").await? } else { decode(initial) };
        Ok(message.and_then(|message| plain_credentials(&message)))
    }

    async fn read_login(&mut self, initial: &str) -> io::Result<Option<(String, String)>> {
        let name = if initial.is_empty() { self.ask("Username:").await? } else { decode(initial) };
        let password = self.ask("Password:").await?;
        Ok(name.zip(password))
    }

    async fn ask(&mut self, prompt: &str) -> io::Result<Option<String>> {
        self.wire.say(&format!("334 {}", BASE64.encode(prompt)));
        let line = self.wire.read_line(LONGEST_LINE).await?.unwrap_or_default();
        Ok(decode(&String::from_utf8_lossy(&line)))
    }

    fn begin(&mut self, rest: &str) {
        if self.envelope.is_some() {
            return self.wire.say("503 5.5.1 One mail at a time");
        }
        let Some((from, parameters)) = path_after(rest, "FROM:") else {
            return self.wire.say("501 5.5.4 MAIL FROM:<address>");
        };
        match refused_parameter(parameters) {
            Some(refusal) => self.wire.say(refusal),
            None => {
                let submitted_by = self.account.as_ref().map(|account| account.address.to_string());
                let from = Some(from.to_owned()).filter(|from| !from.is_empty());
                self.envelope = Some(Envelope { from, to: Vec::new(), submitted_by });
                self.wire.say("250 2.1.0 Sender noted");
            }
        }
    }

    fn address(&mut self, rest: &str) {
        let Some(envelope) = &mut self.envelope else {
            return self.wire.say("503 5.5.1 MAIL comes first");
        };
        let answer = match path_after(rest, "TO:") {
            None | Some(("", _)) => "501 5.5.4 RCPT TO:<address>",
            Some((_, parameters)) if !parameters.is_empty() => "555 5.5.4 No parameters here",
            Some(_) if envelope.to.len() >= MOST_RECIPIENTS => "452 4.5.3 Too many recipients",
            Some((to, _)) if self.account.is_none() && self.office.find_account(to).is_none() => {
                "550 5.7.1 Not a local account; log in to send further"
            }
            Some((to, _)) => {
                envelope.to.push(to.to_owned());
                "250 2.1.5 Recipient noted"
            }
        };
        self.wire.say(answer);
    }

    async fn take_mail(&mut self) -> io::Result<()> {
        let Some(envelope) = self.envelope.take_if(|envelope| !envelope.to.is_empty()) else {
            self.wire.say("503 5.5.1 RCPT comes first");
            return Ok(());
        };
        self.wire.say("354 The mail, then a dot");
        match self.read_mail().await? {
            Some(bytes) => {
                self.office.accept(envelope, bytes.into());
                self.wire.say("250 2.0.0 Taken");
            }
            None => self.wire.say("552 5.3.4 Too large"),
        }
        Ok(())
    }

    /// Up to the lone dot, dots unstuffed (RFC 5321 section 4.5.2). Only CRLF ends a line here: a bare LF
    /// around a dot must not end the mail, or a second one could be smuggled in. `None` if it is too large.
    async fn read_mail(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (mut mail, mut fits, mut line_begins) = (Vec::new(), true, true);
        loop {
            let line = self.wire.read_raw_line(LARGEST_MAIL).await?;
            let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
            let text = match line.strip_prefix(b".") {
                Some(b"\r\n") if line_begins => return Ok(fits.then_some(mail)),
                Some(unstuffed) if line_begins => unstuffed,
                _ => &line,
            };
            line_begins = line.ends_with(b"\r\n");
            fits = fits && mail.len().saturating_add(text.len()) <= LARGEST_MAIL;
            if fits {
                mail.extend_from_slice(text);
            }
        }
    }
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(text.trim()).ok()?).ok()
}

/// User name and password of a PLAIN message (RFC 4616): `authorization NUL name NUL password`.
pub(super) fn plain_credentials(message: &str) -> Option<(String, String)> {
    let (_authorization, credentials) = message.split_once('\0')?;
    let (name, password) = credentials.split_once('\0')?;
    Some((name.to_owned(), password.to_owned()))
}

/// The address between the angle brackets after `keyword`, and the parameters behind them.
fn path_after<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (start, path) = rest.split_at_checked(keyword.len())?;
    let (address, parameters) = path.trim_start().strip_prefix('<')?.split_once('>')?;
    let sound = start.eq_ignore_ascii_case(keyword)
        && !address.contains(|letter: char| letter.is_control() || letter.is_whitespace())
        && (address.is_empty() || address.rsplit_once('@').is_some_and(|(local, _)| !local.is_empty()));
    sound.then_some((address, parameters.trim()))
}

/// SIZE (RFC 1870), BODY (RFC 6152) and AUTH (RFC 4954 section 5) are known.
fn refused_parameter(parameters: &str) -> Option<&'static str> {
    parameters.split_ascii_whitespace().find_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" if value.parse().is_ok_and(|size: usize| size <= LARGEST_MAIL) => None,
            "SIZE" => Some("552 5.3.4 Too large"),
            "BODY" | "AUTH" => None,
            _ => Some("555 5.5.4 Unknown parameter"),
        }
    })
}
