//! How the server misbehaves, and when.

/// What happens instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A tagged NO with this text, for example `[AUTHENTICATIONFAILED] wrong password`.
    No(&'static str),
    /// A tagged BAD with this text.
    Bad(&'static str),
    /// An untagged BYE with this text, and the connection is closed. As a greeting: no greeting but BYE.
    Bye(&'static str),
    /// A tagged OK, and nothing else.
    Nothing,
    /// Nothing, for ever.
    Hang,
    /// The honest answer, but only once the rules are cleared.
    Wait,
    /// The connection is closed without a word.
    Cut,
    /// The honest answer up to the middle of its first literal, then the connection is closed.
    CutInLiteral,
    /// These bytes before the honest answer.
    Say(&'static [u8]),
    /// These bytes, and then nothing for ever.
    SayAndHang(&'static [u8]),
}

/// A fault and the commands it befalls.
#[derive(Clone, Debug)]
pub struct Rule {
    command: String,
    fault: Fault,
    containing: String,
    user: Option<String>,
    connection: Option<usize>,
    left: Option<usize>,
}

impl Rule {
    /// Befalls every command that begins with `command`, for example `UID FETCH` or `IDLE`, in any case.
    /// `GREETING` stands for the server's first word, `DONE` for the end of an IDLE.
    pub fn on(command: &str, fault: Fault) -> Self {
        let command = command.to_ascii_uppercase();
        Self { command, fault, containing: String::new(), user: None, connection: None, left: None }
    }

    /// Only those whose line has this in it, for example `BODY.PEEK[`.
    pub fn containing(mut self, part: &str) -> Self {
        self.containing = part.to_ascii_uppercase();
        self
    }

    /// Only those of this account.
    pub fn account(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Only those on the connection with this number, from 0 in the order of their coming.
    pub fn connection(mut self, number: usize) -> Self {
        self.connection = Some(number);
        self
    }

    /// Only the first so many.
    pub fn times(mut self, count: usize) -> Self {
        self.left = Some(count);
        self
    }

    pub(super) fn left(&self) -> Option<usize> {
        self.left
    }

    /// The fault, if the rule fits and is not used up.
    pub(super) fn take(&mut self, connection: usize, user: &str, line: &str) -> Option<Fault> {
        let line = line.to_ascii_uppercase();
        let fits = line.starts_with(&self.command)
            && line.contains(&self.containing)
            && self.user.as_deref().is_none_or(|only| only == user)
            && self.connection.is_none_or(|only| only == connection);
        if !fits || self.left == Some(0) {
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        Some(self.fault)
    }
}
