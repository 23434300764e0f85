//! One connection: greeting, commands and their answers.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::loopback::Wire;
use super::account::{Account, Folder, uids_in_set};
use super::command::{self, Request};
use super::{Command, Fault, Idle, State, fetch};

/// Talks with one client until either side has enough.
pub async fn serve(state: Arc<State>, number: usize, wire: Wire) -> io::Result<()> {
    let mut session =
        Session { state, number, wire, user: String::new(), folder: None, told: Vec::new(), open: true };
    session.greet().await?;
    while session.open {
        session = session.next_command().await?;
    }
    Ok(())
}

struct Session {
    state: Arc<State>,
    number: usize,
    wire: Wire,
    /// Empty until the login succeeds.
    user: String,
    folder: Option<String>,
    /// The mails of the folder that the client was told of.
    told: Vec<Arc<[u8]>>,
    open: bool,
}

/// Untagged lines, and the words of the tagged one: `OK done`.
type Answer = (Vec<u8>, String);

fn done(untagged: impl Into<Vec<u8>>) -> Answer {
    (untagged.into(), "OK done".to_owned())
}

fn no(text: &str) -> Answer {
    (Vec::new(), format!("NO {text}"))
}

impl Session {
    async fn greet(&mut self) -> io::Result<()> {
        let command = Command { user: String::new(), line: "GREETING".to_owned() };
        let fault = self.state.fault_for(self.number, &command);
        self.reply("*", fault, (Vec::new(), "OK ready".to_owned())).await
    }

    async fn next_command(mut self) -> io::Result<Self> {
        let request = command::read(&mut self.wire).await?;
        let name = request.keyword(0);
        // A login is on the account's bill, so that a rule for the account can fail it.
        let user = if name == "LOGIN" { request.word(1).to_owned() } else { self.user.clone() };
        let command = Command { user, line: request.line.clone() };
        let fault = self.state.fault_for(self.number, &command);
        self.state.commands.lock().unwrap().push(command);
        let fault = match fault {
            Some(Fault::Wait) => {
                self.state.rules_cleared().await;
                None
            }
            fault => fault,
        };
        match name.as_str() {
            "STARTTLS" if fault.is_none() && self.wire.offers_start_tls() => {
                self.start_tls(&request.tag).await
            }
            "IDLE" if fault.is_none() && self.offers_idle() => {
                self.idle(&request.tag).await?;
                Ok(self)
            }
            "AUTHENTICATE" => {
                self.authenticate(&request, fault).await?;
                Ok(self)
            }
            _ => {
                let answer = if matches!(fault, None | Some(Fault::CutInLiteral | Fault::Say(_))) {
                    self.answer(&name, &request)
                } else {
                    done("")
                };
                self.reply(&request.tag, fault, answer).await?;
                self.open &= name != "LOGOUT";
                Ok(self)
            }
        }
    }

    /// Sends the answer, or what the fault makes of it.
    async fn reply(&mut self, tag: &str, fault: Option<Fault>, answer: Answer) -> io::Result<()> {
        let (untagged, status) = answer;
        let honest = [&untagged[..], format!("{tag} {status}\r\n").as_bytes()].concat();
        match fault {
            None | Some(Fault::Wait) => return self.wire.write(&honest).await,
            Some(Fault::Nothing) => return self.wire.write(format!("{tag} OK done\r\n").as_bytes()).await,
            Some(Fault::Say(bytes)) => return self.wire.write(&[bytes, &honest].concat()).await,
            Some(Fault::No(text)) => return self.wire.write(format!("{tag} NO {text}\r\n").as_bytes()).await,
            Some(Fault::Bad(text)) => {
                return self.wire.write(format!("{tag} BAD {text}\r\n").as_bytes()).await;
            }
            Some(Fault::Hang) => self.wire.hang().await?,
            Some(Fault::SayAndHang(bytes)) => {
                self.wire.write(bytes).await?;
                self.wire.hang().await?;
            }
            Some(Fault::Bye(text)) => self.wire.write(format!("* BYE {text}\r\n").as_bytes()).await?,
            Some(Fault::CutInLiteral) => self.wire.write(&honest[..middle_of_literal(&honest)]).await?,
            Some(Fault::Cut) => {}
        }
        self.open = false;
        Ok(())
    }

    fn answer(&mut self, name: &str, request: &Request) -> Answer {
        match name {
            "CAPABILITY" => done(format!("* CAPABILITY {}\r\n", self.capabilities())),
            "ID" => done("* ID (\"name\" \"scripted\")\r\n"),
            "NOOP" | "CHECK" => done(self.news()),
            "LOGOUT" => done("* BYE until next time\r\n"),
            "LOGIN" => self.log_in(request.word(1), request.word(2)),
            _ if self.user.is_empty() => (Vec::new(), "BAD log in first".to_owned()),
            "LIST" => {
                done("* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\HasNoChildren \\Sent) \"/\" Sent\r\n")
            }
            "SELECT" | "EXAMINE" => self.select(request.word(1)),
            "STATUS" => self.status(request.word(1)),
            "APPEND" => self.append(request),
            "CLOSE" | "UNSELECT" => {
                self.folder = None;
                done("")
            }
            "UID" => self.uid_command(request),
            _ => (Vec::new(), "BAD unknown command".to_owned()),
        }
    }

    fn capabilities(&self) -> String {
        let mut names = "IMAP4rev1 ID UIDPLUS SPECIAL-USE AUTH=PLAIN AUTH=XOAUTH2".to_owned();
        if self.wire.offers_start_tls() {
            names.push_str(" STARTTLS");
        }
        if self.offers_idle() {
            names.push_str(" IDLE");
        }
        names
    }

    /// Before the login nobody knows whose IDLE it would be, so it is only offered afterwards.
    fn offers_idle(&self) -> bool {
        self.state.accounts().get(&self.user).is_some_and(|account| account.idle != Idle::Missing)
    }

    fn log_in(&mut self, user: &str, secret: &str) -> Answer {
        if self.state.accounts().get(user).is_some_and(|account| account.secret == secret) {
            user.clone_into(&mut self.user);
            done("")
        } else {
            no("[AUTHENTICATIONFAILED] wrong name or password")
        }
    }

    async fn start_tls(mut self, tag: &str) -> io::Result<Self> {
        self.wire.write(format!("{tag} OK begin\r\n").as_bytes()).await?;
        let wire = self.wire.start_tls().await?;
        Ok(Self { wire, ..self })
    }

    /// PLAIN (RFC 4616) and XOAUTH2, with the response in the command or after a `+`.
    async fn authenticate(&mut self, request: &Request, fault: Option<Fault>) -> io::Result<()> {
        let mut response = request.word(2).to_owned();
        if response.is_empty() {
            self.wire.write(b"+ \r\n").await?;
            response = String::from_utf8_lossy(&self.wire.read_line().await?).into_owned();
        }
        let decoded = String::from_utf8_lossy(&BASE64.decode(response).unwrap_or_default()).into_owned();
        let (user, secret) = credentials(&request.keyword(1), &decoded);
        let answer = self.log_in(user, secret);
        self.reply(&request.tag, fault, answer).await
    }

    fn select(&mut self, name: &str) -> Answer {
        let state = Arc::clone(&self.state);
        let mut accounts = state.accounts();
        let Some(folder) = find_folder(&mut accounts, &self.user, name) else {
            return no("[NONEXISTENT] none");
        };
        self.folder = Some(name.to_owned());
        self.told = contents(folder);
        let untagged = format!(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n\
             * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] kept\r\n\
             * {} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {}] now\r\n* OK [UIDNEXT {}] next\r\n",
            folder.mails.len(),
            folder.uid_validity,
            folder.uid_next
        );
        (untagged.into_bytes(), "OK [READ-WRITE] selected".to_owned())
    }

    fn status(&self, name: &str) -> Answer {
        let mut accounts = self.state.accounts();
        let Some(folder) = find_folder(&mut accounts, &self.user, name) else {
            return no("[NONEXISTENT] none");
        };
        done(format!(
            "* STATUS {name} (MESSAGES {} UIDNEXT {} UIDVALIDITY {})\r\n",
            folder.mails.len(),
            folder.uid_next,
            folder.uid_validity
        ))
    }

    fn append(&self, request: &Request) -> Answer {
        let mut accounts = self.state.accounts();
        let Some(folder) = find_folder(&mut accounts, &self.user, request.word(1)) else {
            return no("[TRYCREATE] none");
        };
        let flags =
            request.word(2).strip_prefix('(').and_then(|list| list.strip_suffix(')')).unwrap_or_default();
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let now = postkey::clock::Clock::system().now();
        let uid = folder.append(request.literal.as_deref().unwrap_or_default(), now, &flags);
        let status = format!("OK [APPENDUID {} {uid}] kept", folder.uid_validity);
        drop(accounts);
        self.state.tell_idlers();
        (Vec::new(), status)
    }

    fn uid_command(&mut self, request: &Request) -> Answer {
        let news = self.news();
        let Some(name) = self.folder.clone() else { return (Vec::new(), "BAD select first".to_owned()) };
        let mut accounts = self.state.accounts();
        let Some(account) = accounts.get_mut(&self.user) else { return no("gone") };
        let (size_lie, hides_dates, hides_sizes) =
            (account.size_lie, account.hides_dates, account.hides_sizes);
        let Some(folder) = account.find_folder(&name) else { return no("gone") };
        let untagged = match request.keyword(1).as_str() {
            "SEARCH" => {
                let uids = fetch::search(&folder.mails, &request.words[2..]);
                let uids: String = uids.iter().map(|uid| format!(" {uid}")).collect();
                format!("* SEARCH{uids}\r\n").into_bytes()
            }
            "FETCH" => {
                let mut items = request.line.to_ascii_uppercase();
                if hides_dates {
                    items = items.replace("INTERNALDATE", "");
                }
                if hides_sizes {
                    items = items.replace("RFC822.SIZE", "");
                }
                let uids = uids_in_set(&folder.mails, request.word(2));
                let mails = (1..).zip(&folder.mails).filter(|(_, mail)| uids.contains(&mail.uid));
                mails.flat_map(|(position, mail)| fetch::describe(position, mail, &items, size_lie)).collect()
            }
            "STORE" => store_flags(folder, request),
            _ => return (Vec::new(), "BAD unknown UID command".to_owned()),
        };
        done([untagged, news].concat())
    }

    /// What became of the folder since the client was told: `* n EXPUNGE` for what is gone, `* n EXISTS` for more.
    fn news(&mut self) -> Vec<u8> {
        let Some(name) = &self.folder else { return Vec::new() };
        let mut accounts = self.state.accounts();
        let Some(folder) = find_folder(&mut accounts, &self.user, name) else { return Vec::new() };
        let mut now = folder.mails.iter().map(|mail| &mail.bytes).peekable();
        let mut lines = Vec::new();
        let mut kept = 0;
        for told in &self.told {
            if now.next_if(|mail| Arc::ptr_eq(mail, told)).is_some() {
                kept += 1;
            } else {
                lines.extend(format!("* {} EXPUNGE\r\n", kept + 1).into_bytes());
            }
        }
        if now.peek().is_some() {
            lines.extend(format!("* {} EXISTS\r\n", folder.mails.len()).into_bytes());
        }
        self.told = contents(folder);
        lines
    }

    async fn idle(&mut self, tag: &str) -> io::Result<()> {
        let mut changes = self.state.changes.subscribe();
        self.wire.write(b"+ idling\r\n").await?;
        if self.state.accounts().get(&self.user).is_some_and(|account| account.idle == Idle::Babbles) {
            self.wire.write(b"* 1 EXISTS\r\n").await?;
        }
        loop {
            if self.pushes() {
                let news = self.news();
                self.wire.write(&news).await?;
            }
            tokio::select! {
                line = self.wire.read_line() => {
                    line?;
                    break;
                }
                _ = changes.changed() => {}
            }
        }
        let command = Command { user: self.user.clone(), line: "DONE".to_owned() };
        let fault = self.state.fault_for(self.number, &command);
        self.reply(tag, fault, done("")).await
    }

    fn pushes(&self) -> bool {
        self.state.accounts().get(&self.user).is_some_and(|account| account.idle == Idle::Pushes)
    }
}

fn find_folder<'a>(
    accounts: &'a mut std::collections::BTreeMap<String, Account>,
    user: &str,
    name: &str,
) -> Option<&'a mut Folder> {
    accounts.get_mut(user)?.find_folder(name)
}

fn contents(folder: &Folder) -> Vec<Arc<[u8]>> {
    folder.mails.iter().map(|mail| Arc::clone(&mail.bytes)).collect()
}

/// `UID STORE set +FLAGS (\Answered)`, `-FLAGS`, `FLAGS`, each with or without `.SILENT`.
fn store_flags(folder: &mut Folder, request: &Request) -> Vec<u8> {
    let uids = uids_in_set(&folder.mails, request.word(2));
    let how = request.keyword(3);
    let flags: Vec<String> =
        request.word(4).trim_matches(['(', ')']).split_whitespace().map(str::to_owned).collect();
    let mut answer = Vec::new();
    for (position, mail) in (1..).zip(&mut folder.mails).filter(|(_, mail)| uids.contains(&mail.uid)) {
        if how.starts_with('-') {
            mail.flags.retain(|flag| !flags.contains(flag));
        } else {
            if !how.starts_with('+') {
                mail.flags.clear();
            }
            mail.flags.extend(flags.iter().cloned());
        }
        if !how.ends_with(".SILENT") {
            answer.extend(fetch::describe(position, mail, "FLAGS", None));
        }
    }
    answer
}

/// The user and the password or token in a decoded SASL response.
fn credentials<'a>(mechanism: &str, decoded: &'a str) -> (&'a str, &'a str) {
    if mechanism == "PLAIN" {
        let mut parts = decoded.split('\0').skip(1);
        return (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    }
    let part =
        |prefix: &str| decoded.split('\x01').find_map(|part| part.strip_prefix(prefix)).unwrap_or_default();
    (part("user="), part("auth=Bearer "))
}

/// Halfway into the first literal of an answer, or halfway through an answer without one.
fn middle_of_literal(answer: &[u8]) -> usize {
    let Some(start) = answer.windows(3).position(|window| window == b"}\r\n") else {
        return answer.len() / 2;
    };
    let open = answer[..start].iter().rposition(|byte| *byte == b'{').unwrap_or(start);
    let length: usize = String::from_utf8_lossy(&answer[open + 1..start]).parse().unwrap_or(0);
    start + 3 + length / 2
}
