//! One connection: greeting, commands and their replies.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::loopback::Wire;
use super::{AcceptedMail, Fault, State, Step};

/// One connection from greeting to close.
pub async fn hold(state: Arc<State>, number: usize, wire: Wire) -> io::Result<()> {
    let mut conversation =
        Conversation { state, number, wire, user: None, from: None, to: Vec::new(), open: true };
    conversation.reply(Step::Connect, "220 scripted ESMTP").await?;
    while conversation.open {
        let line = conversation.read_text().await?;
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let capabilities = conversation.capabilities();
                conversation.reply(Step::Hello, &capabilities).await?;
            }
            "HELO" => conversation.reply(Step::Hello, "250 hello").await.map(drop)?,
            "STARTTLS" => conversation = conversation.start_tls().await?,
            "AUTH" => conversation.authenticate(argument).await?,
            "MAIL" => conversation.mail_from(argument).await?,
            "RCPT" => conversation.rcpt_to(argument).await?,
            "DATA" => conversation.data().await?,
            "RSET" => {
                conversation.forget_mail();
                conversation.reply(Step::Reset, "250 2.0.0 forgotten").await?;
            }
            "NOOP" => conversation.reply(Step::Reset, "250 2.0.0 still here").await.map(drop)?,
            "QUIT" => {
                conversation.reply(Step::Quit, "221 2.0.0 until next time").await?;
                conversation.open = false;
            }
            _ => conversation.say("500 5.5.2 unknown command").await?,
        }
    }
    Ok(())
}

struct Conversation {
    state: Arc<State>,
    number: usize,
    wire: Wire,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
    open: bool,
}

impl Conversation {
    fn capabilities(&self) -> String {
        let mut lines = vec!["scripted", "8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "SIZE 26214400"];
        if self.wire.offers_start_tls() {
            lines.push("STARTTLS");
        } else {
            lines.push("AUTH PLAIN LOGIN XOAUTH2");
        }
        let last = lines.pop().unwrap_or_default();
        lines.iter().map(|line| format!("250-{line}\r\n")).collect::<String>() + "250 " + last
    }

    async fn start_tls(mut self) -> io::Result<Self> {
        if !self.wire.offers_start_tls() {
            self.say("502 5.5.1 no TLS here").await?;
            return Ok(self);
        }
        if !self.reply(Step::StartTls, "220 2.0.0 begin").await? {
            return Ok(self);
        }
        let wire = self.wire.start_tls().await?;
        Ok(Self { wire, ..self })
    }

    /// PLAIN, LOGIN and XOAUTH2, with or without an initial response.
    async fn authenticate(&mut self, argument: &str) -> io::Result<()> {
        let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
        let (user, secret) = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let response = self.response(initial, "334 ").await?;
                let mut parts = response.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => (
                self.response(initial, "334 VXNlcm5hbWU6").await?,
                self.response("", "334 UGFzc3dvcmQ6").await?,
            ),
            "XOAUTH2" => {
                let response = self.response(initial, "334 ").await?;
                let part = |prefix: &str| response.split('\x01').find_map(|part| part.strip_prefix(prefix));
                (
                    part("user=").unwrap_or_default().to_owned(),
                    part("auth=Bearer ").unwrap_or_default().to_owned(),
                )
            }
            _ => return self.say("504 5.5.4 unknown mechanism").await,
        };
        let known = self.state.accounts.lock().unwrap().get(&user) == Some(&secret);
        self.user = Some(user);
        let honest = if known { "235 2.7.0 welcome" } else { "535 5.7.8 wrong name or password" };
        let welcome = self.reply(Step::Auth, honest).await?;
        if !(known && welcome) {
            self.user = None;
        }
        Ok(())
    }

    /// The initial response, or what the client answers to `challenge`; decoded.
    async fn response(&mut self, initial: &str, challenge: &str) -> io::Result<String> {
        let encoded = if initial.is_empty() {
            self.say(challenge).await?;
            self.read_text().await?
        } else {
            initial.to_owned()
        };
        Ok(String::from_utf8_lossy(&BASE64.decode(encoded).unwrap_or_default()).into_owned())
    }

    async fn mail_from(&mut self, argument: &str) -> io::Result<()> {
        if self.user.is_none() && !self.state.accounts.lock().unwrap().is_empty() {
            return self.say("530 5.7.0 log in first").await;
        }
        if self.from.is_some() {
            return self.say("503 5.5.1 one mail at a time").await;
        }
        if self.reply(Step::MailFrom, "250 2.1.0 fine").await? {
            self.from = Some(path(argument));
        }
        Ok(())
    }

    async fn rcpt_to(&mut self, argument: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        if self.reply(Step::RcptTo, "250 2.1.5 fine").await? {
            self.to.push(path(argument));
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<()> {
        if self.to.is_empty() {
            return self.say("503 5.5.1 RCPT first").await;
        }
        if !self.reply(Step::Data, "354 go on").await? {
            return Ok(());
        }
        let Some(bytes) = self.content().await? else { return Ok(()) };
        let mail = self.forget_mail();
        if self.fault(Step::AfterDot, None).await? {
            return Ok(());
        }
        self.state.accepted.lock().unwrap().push(AcceptedMail { bytes, ..mail });
        self.reply(Step::Taken, "250 2.0.0 taken").await.map(drop)
    }

    /// The lines up to the final dot, unstuffed; `None` when a fault ended the connection on the way.
    async fn content(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let mut first = true;
        loop {
            let line = self.wire.read_line().await?;
            if line == b"." {
                return Ok(Some(bytes));
            }
            if std::mem::take(&mut first) && self.fault(Step::Body, None).await? {
                self.open = false; // whatever was said: the rest of the content must not be read as commands
                return Ok(None);
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            bytes.extend_from_slice(b"\r\n");
        }
    }

    fn forget_mail(&mut self) -> AcceptedMail {
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        AcceptedMail { from, to, bytes: Vec::new(), user: self.user.clone() }
    }

    /// Says `honest` unless a rule has something else for this step; whether it was said.
    async fn reply(&mut self, step: Step, honest: &str) -> io::Result<bool> {
        Ok(!self.fault(step, Some(honest)).await?)
    }

    /// Does what a rule has for this step and otherwise says `honest`, if anything; whether a rule fitted.
    async fn fault(&mut self, step: Step, honest: Option<&str>) -> io::Result<bool> {
        self.state.steps.lock().unwrap().push(step);
        let fault = self.fault_at(step);
        if let Some(Fault::Late(wait)) = fault {
            tokio::time::sleep(wait).await;
        }
        match fault {
            None | Some(Fault::Late(_)) => {
                if let Some(honest) = honest {
                    self.say(honest).await?;
                }
                return Ok(false);
            }
            Some(Fault::Reply(text)) => {
                self.say(text).await?;
                self.open &= !text.starts_with("421");
            }
            Some(Fault::Cut) => self.open = false,
            Some(Fault::Hang) => self.wire.hang().await?,
        }
        Ok(true)
    }

    fn fault_at(&self, step: Step) -> Option<Fault> {
        let mut rules = self.state.rules.lock().unwrap();
        rules.iter_mut().find_map(|rule| rule.take(step, self.number, self.user.as_deref()))
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.wire.write(format!("{line}\r\n").as_bytes()).await
    }

    async fn read_text(&mut self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&self.wire.read_line().await?).into_owned())
    }
}

/// The address in `FROM:<anna@example.com> SIZE=9`.
fn path(argument: &str) -> String {
    let inner = argument.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(argument, |(address, _)| address).to_owned()
}
