//! The stand-ins in a process of their own, led by lines of JSON: so that a benchmark's figures are not mixed
//! with the cost of the servers it runs against.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mail_parser::MessageParser;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::UnboundedReceiver;

use super::model::Model;
use super::post_office::{Event, PostOffice};
use crate::clock::{Clock, Timestamp};

/// Reports that are written at once when many are waiting.
const BATCH: usize = 256;

/// How the stand-ins are to run.
pub struct Setup {
    /// Where the times of reports and mails come from.
    pub clock: Clock,
    /// TLS for IMAP and SMTP, from the first byte.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How long the model thinks.
    pub latency: Duration,
}

/// What the leading process asks for, a line each. Every order gets one report in return.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Makes an account; answered by [`Report::Done`].
    AddAccount {
        /// Also the user name.
        address: String,
        /// For both servers.
        password: String,
    },
    /// Puts a mail into an INBOX as it is; answered by [`Report::Done`] or [`Report::Refused`].
    Deliver {
        /// The account's address.
        address: String,
        /// The whole mail with CRLF line ends.
        mail: String,
    },
    /// From now on reports [`Report::Arrived`] and [`Report::Accepted`]; answered by [`Report::Done`].
    Watch,
    /// Asks what the model's calls used; answered by [`Report::Calls`].
    CountCalls,
}

/// What the stand-ins tell, a line each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The first line: everything is open.
    Ready {
        /// The IMAP server.
        imap: SocketAddr,
        /// The SMTP server.
        smtp: SocketAddr,
        /// The model's `base_url`.
        base_url: String,
    },
    /// The order was carried out.
    Done,
    /// The order was not carried out.
    Refused {
        /// Why, in words.
        reason: String,
    },
    /// A mail came into an INBOX.
    Arrived {
        /// The account's address.
        address: String,
        /// Its UID.
        uid: u32,
        /// When.
        at: Timestamp,
    },
    /// SMTP took a mail.
    Accepted {
        /// `RCPT TO`.
        to: Vec<String>,
        /// The mail that it answers, without angle brackets.
        in_reply_to: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// How many completions the model gave.
    Calls {
        /// Since the start.
        calls: u64,
    },
}

/// Opens the post office and the model, writes [`Report::Ready`], and obeys until `orders` ends.
///
/// # Errors
/// When no port can be had, or the leading process can't be heard or told any more.
pub async fn serve(
    setup: Setup,
    orders: impl AsyncBufRead + Unpin,
    mut reports: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let office = PostOffice::start(setup.clock.clone(), setup.tls).await?;
    let model = Model::start(setup.clock, setup.latency).await?;
    let ready = Report::Ready { imap: office.imap, smtp: office.smtp, base_url: model.base_url() };
    write(&mut reports, &[ready]).await?;
    let mut orders = orders.lines();
    let mut events = None;
    loop {
        tokio::select! {
            order = orders.next_line() => match order? {
                None => return Ok(()),
                Some(order) => {
                    let report = obey(&order, &office, &model, &mut events);
                    write(&mut reports, &[report]).await?;
                }
            },
            news = next(&mut events) => write(&mut reports, &news).await?,
        }
    }
}

fn obey(
    line: &str,
    office: &PostOffice,
    model: &Model,
    events: &mut Option<UnboundedReceiver<Event>>,
) -> Report {
    match serde_json::from_str(line) {
        Ok(Order::AddAccount { address, password }) => {
            office.add_account(&address, SecretString::from(password));
            Report::Done
        }
        Ok(Order::Deliver { address, mail }) => match office.deliver(&address, mail.into_bytes()) {
            Some(_uid) => Report::Done,
            None => Report::Refused { reason: "there is no such account".to_owned() },
        },
        Ok(Order::Watch) => {
            *events = Some(office.subscribe());
            Report::Done
        }
        Ok(Order::CountCalls) => Report::Calls { calls: model.calls() },
        Err(error) => Report::Refused { reason: error.to_string() },
    }
}

/// What happened since; waits for ever when nobody watches.
async fn next(events: &mut Option<UnboundedReceiver<Event>>) -> Vec<Report> {
    let Some(events) = events else {
        return std::future::pending().await;
    };
    let mut news = Vec::new();
    events.recv_many(&mut news, BATCH).await;
    news.into_iter().map(report).collect()
}

fn report(event: Event) -> Report {
    match event {
        Event::MailArrived { address, uid, at, .. } => {
            Report::Arrived { address: address.to_string(), uid, at }
        }
        Event::MailAccepted { envelope, bytes, at } => {
            let mail = MessageParser::new().parse_headers(&*bytes);
            let in_reply_to = mail.and_then(|mail| mail.in_reply_to().as_text().map(str::to_owned));
            Report::Accepted { to: envelope.to.clone(), in_reply_to, at }
        }
    }
}

async fn write(reports: &mut (impl AsyncWrite + Unpin), news: &[Report]) -> io::Result<()> {
    let mut lines = Vec::new();
    for report in news {
        serde_json::to_writer(&mut lines, report)?;
        lines.push(b'\n');
    }
    reports.write_all(&lines).await?;
    reports.flush().await
}
