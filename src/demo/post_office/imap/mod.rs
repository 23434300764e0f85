//! The IMAP conversation (RFC 3501): one client, from the greeting to LOGOUT.

mod command;
mod fetch;
mod folders;
mod numbers;
mod search;
mod store;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::account::{Account, Folder};
use super::office::Office;
use super::smtp::plain_credentials;
use super::wire::Wire;
use command::{Command, Read, Token};

/// LITERAL+ is RFC 7888, SASL-IR RFC 4959, IDLE RFC 2177, ID RFC 2971, SPECIAL-USE RFC 6154.
const CAPABILITIES: &str = "IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN IDLE ID SPECIAL-USE";

/// What a client that has not logged in may send as a literal, in bytes.
const STRANGERS_LITERAL: usize = 4 * 1024;

/// A command line in bytes, literals not counted; RFC 7162 section 4 asks for 8,192.
const LONGEST_LINE: usize = 256 * 1024;

/// Holds one conversation until LOGOUT or until the client goes.
pub(super) async fn converse<S>(wire: Wire<S>, office: Arc<Office>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session { wire, office, account: None, selected: None };
    session.wire.say(&format!("* OK [CAPABILITY {CAPABILITIES}] Postkey demo post office"));
    loop {
        let limit = if session.account.is_some() { super::LARGEST_MAIL } else { STRANGERS_LITERAL };
        let command = match command::read(&mut session.wire, LONGEST_LINE, limit).await? {
            Read::Command(command) => command,
            Read::Nonsense { tag } => {
                session.wire.say(&format!("{tag} BAD Not a command"));
                continue;
            }
            Read::TooMuch => {
                session.wire.say("* BYE That is too much");
                break;
            }
            Read::Gone => break,
        };
        let answer = session.obey(&command).await?;
        session.wire.say(&format!("{} {answer}", command.tag));
        if command.name == "LOGOUT" {
            break;
        }
    }
    session.wire.flush().await
}

/// The end of the tagged line: `OK`, `NO` or `BAD`, and words.
type Answer = Cow<'static, str>;

struct Session<S> {
    wire: Wire<S>,
    office: Arc<Office>,
    account: Option<Arc<Account>>,
    selected: Option<Selected>,
}

/// The folder that is open.
struct Selected {
    folder: Arc<Folder>,
    read_only: bool,
    /// As many mails as the client knows of; it must not hear of a later one before the EXISTS line.
    known: usize,
    growth: watch::Receiver<usize>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn obey(&mut self, command: &Command) -> io::Result<Answer> {
        if command.name != "IDLE" {
            self.tell_growth();
        }
        match (command.name.as_str(), command.arguments.as_slice()) {
            ("CAPABILITY", _) => self.wire.say(&format!("* CAPABILITY {CAPABILITIES}")),
            ("NOOP", _) => {}
            ("LOGOUT", _) => self.wire.say("* BYE Goodbye"),
            ("ID", _) => self.wire.say("* ID (\"name\" \"Postkey demo post office\")"),
            (name, arguments) => match self.account.clone() {
                None => return self.obey_stranger(name, arguments).await,
                Some(account) => return self.obey_account(&account, name, arguments).await,
            },
        }
        Ok("OK Done".into())
    }

    async fn obey_stranger(&mut self, name: &str, arguments: &[Token]) -> io::Result<Answer> {
        let credentials = match (name, arguments) {
            ("LOGIN", [name, password]) => Some((name.text().into(), password.text().into())),
            ("AUTHENTICATE", [mechanism, initial @ ..]) if mechanism.is("PLAIN") && initial.len() < 2 => {
                self.read_plain(initial.first()).await?
            }
            ("AUTHENTICATE", [_, ..]) => return Ok("NO [CANNOT] PLAIN only".into()),
            ("LOGIN" | "AUTHENTICATE", _) => return Ok("BAD Wrong arguments".into()),
            _ => return Ok("BAD Not a command, or one that needs LOGIN first".into()),
        };
        self.account = credentials.and_then(|(name, password)| self.office.log_in(&name, &password));
        Ok(match self.account {
            Some(_) => format!("OK [CAPABILITY {CAPABILITIES}] Welcome").into(),
            None => "NO [AUTHENTICATIONFAILED] Wrong user name or password".into(),
        })
    }

    async fn read_plain(&mut self, initial: Option<&Token>) -> io::Result<Option<(String, String)>> {
        let encoded = match initial {
            Some(initial) => initial.text().into_owned(),
            None => {
                self.wire.say("+ ");
                let line = self.wire.read_line(STRANGERS_LITERAL).await?.unwrap_or_default();
                String::from_utf8_lossy(&line).into_owned()
            }
        };
        let message = BASE64.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(message.and_then(|message| plain_credentials(&message)))
    }

    async fn obey_account(
        &mut self,
        account: &Account,
        name: &str,
        arguments: &[Token],
    ) -> io::Result<Answer> {
        match (name, arguments) {
            ("LIST" | "LSUB", arguments) => Ok(folders::list(&mut self.wire, name, arguments)),
            ("STATUS", [folder, items @ ..]) => {
                Ok(folders::status(&mut self.wire, account, &folder.text(), items))
            }
            ("SELECT", [folder, ..]) => Ok(self.select(account, &folder.text(), false)),
            ("EXAMINE", [folder, ..]) => Ok(self.select(account, &folder.text(), true)),
            ("APPEND", arguments) => Ok(folders::append(account, arguments, self.office.now())),
            ("IDLE", []) => self.idle().await,
            ("CREATE" | "DELETE" | "RENAME" | "SUBSCRIBE" | "UNSUBSCRIBE", _) => {
                Ok("NO [CANNOT] The folders are INBOX and Sent".into())
            }
            _ => self.obey_selected(name, arguments).await,
        }
    }

    async fn obey_selected(&mut self, name: &str, arguments: &[Token]) -> io::Result<Answer> {
        let Some(selected) = &self.selected else {
            return Ok("BAD Not a command, or one that needs SELECT first".into());
        };
        let (name, arguments, by_uid) = match (name, arguments) {
            ("UID", [name, arguments @ ..]) => (name.text().to_ascii_uppercase(), arguments, true),
            _ => (name.to_owned(), arguments, false),
        };
        match name.as_str() {
            "FETCH" => fetch::fetch(&mut self.wire, selected, by_uid, arguments).await,
            "STORE" => Ok(store::store(&mut self.wire, selected, by_uid, arguments)),
            "SEARCH" => Ok(search::search(&mut self.wire, selected, by_uid, arguments)),
            "CHECK" if !by_uid => Ok("OK Done".into()),
            "CLOSE" | "UNSELECT" if !by_uid => {
                self.selected = None;
                Ok("OK Closed".into())
            }
            "EXPUNGE" | "COPY" | "MOVE" => Ok("NO [CANNOT] Mail stays where it is".into()),
            _ => Ok("BAD Not a command".into()),
        }
    }

    fn select(&mut self, account: &Account, name: &str, read_only: bool) -> Answer {
        self.selected = None;
        let Some(folder) = account.find_folder(name) else {
            return "NO [NONEXISTENT] No such folder".into();
        };
        let growth = folder.watch();
        let selected = Selected { folder: Arc::clone(folder), read_only, known: folder.len(), growth };
        let answer = folders::introduce(&mut self.wire, &selected);
        self.selected = Some(selected);
        answer
    }

    fn tell_growth(&mut self) {
        if let Some(selected) = &mut self.selected {
            let length = *selected.growth.borrow_and_update();
            if length != selected.known {
                selected.known = length;
                self.wire.say(&format!("* {length} EXISTS"));
            }
        }
    }

    /// IDLE: new mail is told as it comes, until the client says DONE. What came before is told after the
    /// `+`: a client that only listens from there on must not sleep over it.
    async fn idle(&mut self) -> io::Result<Answer> {
        self.wire.say("+ idling");
        loop {
            self.tell_growth();
            self.wire.flush().await?;
            let line = match &mut self.selected {
                None => self.wire.read_line(LONGEST_LINE).await?,
                Some(selected) => tokio::select! {
                    line = self.wire.read_line(LONGEST_LINE) => line?,
                    _grown = selected.growth.changed() => continue,
                },
            };
            return match line {
                Some(line) if line.eq_ignore_ascii_case(b"DONE") => Ok("OK Awake".into()),
                Some(_) => Ok("BAD Only DONE ends IDLE".into()),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
    }
}
