//! How the server misbehaves, and when.

use std::time::Duration;

/// Where in a conversation a fault befalls the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Instead of the greeting.
    Connect,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// DATA, before the 354.
    Data,
    /// After the first line of the content.
    Body,
    /// After the final dot, and the mail is not taken.
    AfterDot,
    /// After the mail was taken: only the answer to the final dot is lost or wrong.
    Taken,
    /// NOOP and RSET.
    Reset,
    /// QUIT.
    Quit,
}

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This reply instead of the honest one, for example `550 5.1.1 no such user`. After a 421 the server closes.
    Reply(&'static str),
    /// The connection is closed without a word.
    Cut,
    /// Nothing, for ever.
    Hang,
    /// The honest reply, so much later.
    Late(Duration),
}

/// A fault and when it happens.
#[derive(Clone, Debug)]
pub struct Rule {
    step: Step,
    fault: Fault,
    user: Option<String>,
    connection: Option<usize>,
    left: Option<usize>,
}

impl Rule {
    /// Happens every time a conversation comes to `step`.
    pub fn at(step: Step, fault: Fault) -> Self {
        Self { step, fault, user: None, connection: None, left: None }
    }

    /// Only to this account, once it is logged in.
    pub fn account(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Only on the connection with this number, from 0 in the order of their coming.
    pub fn connection(mut self, number: usize) -> Self {
        self.connection = Some(number);
        self
    }

    /// Only the first so many times.
    pub fn times(mut self, count: usize) -> Self {
        self.left = Some(count);
        self
    }

    /// The fault, if the rule fits and is not used up.
    pub(super) fn take(&mut self, step: Step, connection: usize, user: Option<&str>) -> Option<Fault> {
        let fits = self.step == step
            && (self.user.is_none() || self.user.as_deref() == user)
            && self.connection.is_none_or(|only| only == connection);
        if !fits || self.left == Some(0) {
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        Some(self.fault)
    }
}
