//! No secret reaches a log line, whoever writes it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use postkey::config::{Log, LogFormat};
use postkey::telemetry::{self, redact};
use tracing_subscriber::fmt::MakeWriter;

const KEY: &str = "sk-proj-4vKq9ZrT2mXb7LwN0cYd";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logged(format: LogFormat, filter: &str, act: impl FnOnce()) -> String {
    let lines = Lines::default();
    let subscriber =
        telemetry::subscriber(&Log { format, filter: filter.to_owned() }, lines.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, act);
    lines.text()
}

#[test]
fn no_key_reaches_a_log_line() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let text = logged(format, "trace", || {
            let span = tracing::info_span!("call", key = KEY, url = %format!("https://x/?api_key={KEY}"));
            let _entered = span.enter();
            tracing::info!(authorization = %format!("Bearer {KEY}"), "call with {KEY}");
            tracing::warn!(error = ?format!("\"bad key\n{KEY}\""), "refused");
            tracing::error!("glued{KEY} and ({KEY}) and {KEY}.");
        });
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains("4vKq9ZrT2mXb7LwN0cYd") && !text.contains("sk-"), "{text}");
        assert!(text.contains("refused"), "{text}");
        if format == LogFormat::Json {
            let all_json = text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
            assert!(all_json, "{text}");
        }
    }
}

#[test]
fn libraries_that_log_secrets_are_capped_whatever_the_filter_says() {
    let text =
        logged(LogFormat::Text, "trace,async_imap::client=trace,async_openai=trace,sqlx=trace", || {
            tracing::trace!(target: "async_imap::client", "imap login line");
            tracing::debug!(target: "async_imap", "imap debug");
            tracing::error!(target: "async_openai::client", "body of an answer");
            tracing::info!(target: "lettre", "mail");
            tracing::info!(target: "sqlx::query", "statement");
            tracing::trace!(target: "hyper::proto", "headers");
            tracing::info!(target: "async_imap", "imap kept");
            tracing::warn!(target: "sqlx::query", "slow kept");
            tracing::trace!(target: "async_imap_of_ours", "ours kept");
        });
    let said: Vec<&str> = text.lines().map(|line| line.rsplit_once(": ").unwrap().1).collect();
    assert_eq!(said, ["imap kept", "slow kept", "ours kept"]);
}

#[test]
fn the_filter_of_the_operator_holds_and_a_bad_one_is_refused() {
    let text = logged(LogFormat::Text, "warn,postkey::mailbox=debug", || {
        tracing::info!("not said");
        tracing::debug!(target: "postkey::mailbox", "said");
    });
    assert!(text.contains("said") && !text.contains("not said"), "{text}");
    let error =
        telemetry::subscriber(&Log { filter: "a=b=c".to_owned(), ..Log::default() }, io::sink).err().unwrap();
    assert!(error.to_string().contains("log.filter"), "{error}");
}

#[test]
fn secrets_are_recognised() {
    for (text, shown) in [
        (KEY, "[redacted]"),
        ("key sk-alice-personal-key!", "key [redacted]!"),
        ("AIzaSyA-1234567890abcdef and gsk_abcdefgh12345678", "[redacted] and [redacted]"),
        ("AQ.Ab8RN6Iabcdefgh1234 pkst1.k1.AAECAwQFBgc.", "[redacted] [redacted]"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl end", "jwt [redacted] end"),
        ("Authorization: Bearer abc\r\nHost: x", "Authorization: [redacted]\r\nHost: x"),
        (r#"{"authorization":"Basic dTpw","n":1}"#, r#"{"authorization":"[redacted]","n":1}"#),
        ("x-api-key: 0123abcd, next", "x-api-key: [redacted], next"),
        ("X-Goog-Api-Key=abc", "X-Goog-Api-Key=[redacted]"),
        ("GET /v1?key=abc&page=2", "GET /v1?key=[redacted]&page=2"),
        ("?a=1&token=abc", "?a=1&token=[redacted]"),
        (r#"{\"password\":\"p w\"}"#, r#"{\"password\":\"[redacted] w\"}"#),
        (r#"{"token":17}"#, r#"{"token":"[redacted]"}"#),
        ("sent Bearer abcdefgh12345678", "sent Bearer [redacted]"),
        (
            "postgres://me:p@ss@db/postkey and https://t@h",
            "postgres://[redacted]@db/postkey and https://[redacted]@h",
        ),
        (r"line\nsk-abcdefghijk", r"line\n[redacted]"),
        ("POSTKEY_KEKS=k2:AAEC,k1:AwQF", "POSTKEY_KEKS=[redacted]"),
        ("my_key_sk-abcdefghijk", "my_key_[redacted]"),
    ] {
        assert_eq!(redact(text), shown);
    }
}

#[test]
fn ordinary_lines_stay_as_they_are() {
    for text in [
        "",
        "run 01890a5d-ac96-774b-bcce-b302099a8057 replied after 3 s",
        "disk-pressure on task-runner, risk-assessment-of-everything",
        "max_output_tokens=1500 tokens: 3 usage.input=17",
        "the bearer of bad news; basic auth is off",
        "https://ai.example.org/v1/chat/completions status=200",
        "the key is in its place; a token, a password, an authorization",
        "folder=INBOX.Gesendet Größe=1 🔑 path=C:\\mail\\new",
        "sk-",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn a_long_line_is_redacted_in_linear_time() {
    for piece in ["ask-", "sk-", "://", "key ", "a@://", "bearer ", "\\", "eyJ."] {
        let line = piece.repeat(200_000 / piece.len());
        let begun = std::time::Instant::now();
        redact(&line);
        assert!(begun.elapsed().as_secs() < 10, "{piece}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_can_be_redacted(text in "[\\\\\"':=@/ a-z0-9.sk_\u{e4}\u{1f511}\n-]{0,80}") {
        let once = redact(&text);
        let around = redact(&format!("{text} {KEY} {text}"));
        proptest::prop_assert!(!around.contains("ZrT2mXb7LwN0cYd"));
        proptest::prop_assert!(once.len() <= text.len() * 11 + 11);
    }
}
