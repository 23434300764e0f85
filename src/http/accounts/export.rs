//! Everything of a user to take along (SR-85), written while it is fetched: neither its size nor the speed of the
//! client costs memory or a connection to the database.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::stream;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::{HOUR, count};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::store::{EXPORT_PARTS, ExportCursor, ExportPart, ExportRecord, Store, StoreError, UserId};

/// Exports of one user in an hour.
const MOST_EXPORTS: u32 = 20;
/// Bytes of a mail that are fetched at once; a multiple of three, so that the pieces join in base64.
const MAIL_BYTES: u32 = 3 << 18;
/// A client that has not fetched anything for so long has gone away.
const STALLED: Duration = Duration::from_secs(300);

/// Take everything along.
///
/// One JSON object a line (JSON Lines), each with its kind in `record`, in the order in which one thing names another.
/// Mails and replies have their text in `raw`, in base64, also for a platform API key without `mail:read`. Keys, passwords
/// and tokens are left out. The last line is `{"record":"end","records":..}`; without it the export is not whole.
#[utoipa::path(
    get, path = "/api/account/export", tag = "accounts",
    responses((status = OK, description = "The export.", body = String, content_type = "application/x-ndjson")),
)]
pub(crate) async fn export(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ApiError> {
    count(&api, "export", &caller.user.to_string(), MOST_EXPORTS, HOUR).await?;
    api.store.add_audit_entry(caller.entry("exported", None)).await?;
    let (pieces, waiting) = mpsc::channel(1);
    tokio::spawn(write(api.store.clone(), caller.user, pieces));
    let pieces = stream::unfold(Some(waiting), next_piece);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"postkey-export.jsonl\""),
        ),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The next piece, or `None` behind the last one.
type Piece = Option<Bytes>;

/// Where the writer ends before the end the connection breaks off, so that nobody takes a part for the whole.
async fn next_piece(
    waiting: Option<mpsc::Receiver<Piece>>,
) -> Option<(io::Result<Bytes>, Option<mpsc::Receiver<Piece>>)> {
    let mut waiting = waiting?;
    match waiting.recv().await {
        Some(Some(bytes)) => Some((Ok(bytes), Some(waiting))),
        Some(None) => None,
        None => Some((Err(io::Error::other("the export broke off")), None)),
    }
}

/// Why there is no more to write.
enum Ended {
    /// Nobody fetches it any more.
    Gone,
    /// The database did not answer.
    Failed(StoreError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

async fn write(store: Store, user: UserId, pieces: mpsc::Sender<Piece>) {
    let mut writer = Writer { store, user, pieces, text: Vec::new(), records: 0 };
    if let Err(Ended::Failed(error)) = writer.write_all().await {
        tracing::warn!(%error, %user, "an export broke off");
    }
}

struct Writer {
    store: Store,
    user: UserId,
    pieces: mpsc::Sender<Piece>,
    /// What is written and not yet sent.
    text: Vec<u8>,
    records: u64,
}

impl Writer {
    async fn write_all(&mut self) -> Result<(), Ended> {
        for part in &EXPORT_PARTS {
            self.write_part(part).await?;
        }
        let end = json!({ "record": "end", "records": self.records });
        self.text.extend(end.to_string().into_bytes());
        self.text.push(b'\n');
        self.send().await?;
        self.pieces.send(None).await.map_err(|_| Ended::Gone)
    }

    async fn write_part(&mut self, part: &ExportPart) -> Result<(), Ended> {
        let mut after = part.beginning();
        loop {
            let records = self.store.list_export(self.user, part, after).await?;
            let Some(last) = records.last() else { return Ok(()) };
            after = last.cursor.clone();
            for record in records {
                self.write_record(part, record).await?;
            }
            self.send().await?;
        }
    }

    async fn write_record(&mut self, part: &ExportPart, record: ExportRecord) -> Result<(), Ended> {
        let mut line = Map::new();
        line.insert("record".to_owned(), part.name.into());
        line.extend(record.fields);
        let line = Value::Object(line).to_string();
        // Open, since the mail may follow.
        self.text.extend(line.strip_suffix('}').unwrap_or(&line).bytes());
        if let ExportCursor::Id(id) = record.cursor
            && part.has_mails()
        {
            self.write_mail(part, id).await?;
        }
        self.text.extend(b"}\n");
        self.records += 1;
        Ok(())
    }

    async fn write_mail(&mut self, part: &ExportPart, id: uuid::Uuid) -> Result<(), Ended> {
        let mut first = 0;
        while let Some(bytes) = self.store.read_export_mail(self.user, part, id, (first, MAIL_BYTES)).await? {
            if first == 0 {
                self.text.extend(b",\"raw\":\"");
            }
            self.text.extend(BASE64.encode(&bytes).into_bytes());
            first += MAIL_BYTES;
            if bytes.len() < usize::try_from(MAIL_BYTES).unwrap_or(usize::MAX) {
                self.text.push(b'"');
                return self.send_if_large().await;
            }
            self.send().await?;
        }
        // Removed while it was read.
        if first > 0 {
            self.text.push(b'"');
        }
        Ok(())
    }

    async fn send_if_large(&mut self) -> Result<(), Ended> {
        if self.text.len() < usize::try_from(MAIL_BYTES).unwrap_or(usize::MAX) {
            return Ok(());
        }
        self.send().await
    }

    async fn send(&mut self) -> Result<(), Ended> {
        let piece = Bytes::from(std::mem::take(&mut self.text));
        let sent = tokio::time::timeout(STALLED, self.pieces.send(Some(piece))).await;
        sent.map_err(|_| Ended::Gone)?.map_err(|_| Ended::Gone)
    }
}
