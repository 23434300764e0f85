//! The post office and the model in a process of their own.

use std::os::fd::AsFd;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use postkey::clock::Clock;
use postkey::demo::control::{self, Order, Report, Setup};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Failure, world};

/// The word by which a process knows that it is this child.
pub const CHILD: &str = "servers";
/// Certificate and key, where there is to be TLS.
const TLS: &str = "BENCH_TLS";
const PASSWORD: &str = "loopback";

/// The child's end: serves until its standard input ends.
pub async fn serve(latency: Duration) -> Result<(), Failure> {
    let tls = std::env::var(TLS).ok().map(|words| server_config(&words)).transpose()?;
    let setup = Setup { clock: Clock::system(), tls, latency };
    let orders = tokio::fs::File::from_std(std::io::stdin().as_fd().try_clone_to_owned()?.into());
    let reports = tokio::fs::File::from_std(std::io::stdout().as_fd().try_clone_to_owned()?.into());
    Ok(control::serve(setup, BufReader::new(orders), reports).await?)
}

fn server_config(words: &str) -> Result<Arc<ServerConfig>, Failure> {
    let (certificate, key) = words.split_once(' ').ok_or("a certificate and a key")?;
    let certificate = CertificateDer::from(BASE64.decode(certificate)?);
    let key = PrivatePkcs8KeyDer::from(BASE64.decode(key)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_no_client_auth().with_single_cert(vec![certificate], key.into())?))
}

/// The leading end.
pub struct Servers {
    pub at: world::Servers,
    _child: Child,
    orders: ChildStdin,
    answers: UnboundedReceiver<Report>,
    events: UnboundedReceiver<Report>,
}

impl Servers {
    /// Starts them; the model thinks for `latency`, and with `tls` both mail servers speak it.
    pub async fn start(latency: Duration, tls: bool) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([CHILD, &latency.as_millis().to_string()]);
        let mut imap_ca = None;
        if tls {
            let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
            let (der, key) = (BASE64.encode(signed.cert.der()), signed.signing_key.serialize_der());
            command.env(TLS, format!("{der} {}", BASE64.encode(key)));
            imap_ca = Some(signed.cert.pem());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let (orders, reports) = (child.stdin.take().ok_or("stdin")?, child.stdout.take().ok_or("stdout")?);
        let (answer, mut answers) = unbounded_channel();
        let (event, events) = unbounded_channel();
        tokio::spawn(sort_reports(reports, answer, event));
        let Some(Report::Ready { imap, smtp, base_url }) = answers.recv().await else {
            return Err("the servers do not start".into());
        };
        let at = world::Servers { imap, imap_ca, smtp, provider: base_url, password: PASSWORD.into() };
        Ok(Self { at, _child: child, orders, answers, events })
    }

    pub async fn add_account(&mut self, address: &str) -> Result<(), Failure> {
        self.order(&Order::AddAccount { address: address.to_owned(), password: PASSWORD.to_owned() }).await
    }

    pub async fn deliver(&mut self, address: &str, mail: Vec<u8>) -> Result<(), Failure> {
        let mail = String::from_utf8(mail)?;
        self.order(&Order::Deliver { address: address.to_owned(), mail }).await
    }

    /// From now on [`Servers::next_event`] tells what happens.
    pub async fn watch(&mut self) -> Result<(), Failure> {
        self.order(&Order::Watch).await
    }

    async fn order(&mut self, order: &Order) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.orders.write_all(&line).await?;
        match self.answers.recv().await {
            Some(Report::Done) => Ok(()),
            other => Err(format!("the servers answer {other:?}").into()),
        }
    }

    /// The next arrival or acceptance.
    pub async fn next_event(&mut self, patience: Duration) -> Result<Report, Failure> {
        let event = tokio::time::timeout(patience, self.events.recv()).await;
        Ok(event.map_err(|_| "nothing happens any more")?.ok_or("the servers have ended")?)
    }
}

async fn sort_reports(
    reports: ChildStdout,
    answers: UnboundedSender<Report>,
    events: UnboundedSender<Report>,
) -> Result<(), Failure> {
    let mut lines = BufReader::new(reports).lines();
    while let Some(line) = lines.next_line().await? {
        let report: Report = serde_json::from_str(&line)?;
        let channel = match report {
            Report::Arrived { .. } | Report::Accepted { .. } => &events,
            _ => &answers,
        };
        channel.send(report)?;
    }
    Ok(())
}
