//! Everything of a user, table by table and piece by piece, as values that people can read (SR-85).
//!
//! The columns are listed: what is not is a secret, a sum of what is there, or of use to the program alone. No
//! connection is held between two pieces, however slowly they are fetched.

use serde_json::{Map, Value};
use sqlx::{Column, ColumnIndex, Decode, Row, Type, TypeInfo};
use uuid::Uuid;

use super::pool::on_pool;
use super::{Store, StoreError, UserId};
use crate::clock::Timestamp;

/// A kind of thing that a user has.
#[derive(Clone, Copy, Debug)]
pub struct ExportPart {
    /// What its records are called.
    pub name: &'static str,
    /// Takes the user, the key of the last record, and how many to find; the key comes first.
    rows: &'static str,
    key: Key,
    /// How many are found at once.
    most: i64,
    /// The mail that belongs to a record: takes the user, the record's id, the first byte (from 1) and how many.
    mail: Option<&'static str>,
}

/// What tells the records of a part apart.
#[derive(Clone, Copy, Debug)]
enum Key {
    Id,
    Position,
    Mail,
    Time,
}

/// The last record that was found, in the order of its part.
#[derive(Clone, Debug)]
pub enum ExportCursor {
    /// By its id.
    Id(Uuid),
    /// By its position.
    Position(i64),
    /// By its mailbox and its Message-ID.
    Mail(Uuid, String),
    /// By its time, in milliseconds since 1970, and its id.
    Time(i64, Uuid),
}

/// A record.
pub struct ExportRecord {
    /// Its fields.
    pub fields: Map<String, Value>,
    /// What to go on after.
    pub cursor: ExportCursor,
}

impl ExportPart {
    const fn new(name: &'static str, key: Key, rows: &'static str) -> Self {
        Self { name, rows, key, most: 200, mail: None }
    }

    const fn by_id(name: &'static str, rows: &'static str) -> Self {
        Self::new(name, Key::Id, rows)
    }

    /// Each may be large.
    const fn few_at_once(self) -> Self {
        Self { most: 10, ..self }
    }

    const fn with_mail(self, mail: &'static str) -> Self {
        Self { mail: Some(mail), ..self }
    }

    /// Where to begin.
    pub fn beginning(&self) -> ExportCursor {
        match self.key {
            Key::Id => ExportCursor::Id(Uuid::nil()),
            Key::Position => ExportCursor::Position(0),
            Key::Mail => ExportCursor::Mail(Uuid::nil(), String::new()),
            Key::Time => ExportCursor::Time(i64::MIN, Uuid::nil()),
        }
    }

    /// Whether a mail may belong to a record.
    pub fn has_mails(&self) -> bool {
        self.mail.is_some()
    }
}

impl Store {
    /// The next records of a part, in the order of their keys.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_export(
        &self,
        user: UserId,
        part: &ExportPart,
        after: ExportCursor,
    ) -> Result<Vec<ExportRecord>, StoreError> {
        on_pool!(&self.pool, db => {
            let rows = sqlx::query(part.rows).bind(user);
            let rows = match after {
                ExportCursor::Id(id) => rows.bind(id),
                ExportCursor::Position(position) => rows.bind(position),
                ExportCursor::Mail(mailbox, rfc_message_id) => rows.bind(mailbox).bind(rfc_message_id),
                ExportCursor::Time(at, id) => rows.bind(at).bind(id),
            };
            let rows = rows.bind(part.most).fetch_all(db).await;
            rows.map(|rows| rows.iter().map(|row| record(row, part.key)).collect())
        })?
    }

    /// Some bytes of the mail of a record, from `first` (counted from 0); empty at its end, `None` where there is none
    /// (any more).
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn read_export_mail(
        &self,
        user: UserId,
        part: &ExportPart,
        record: Uuid,
        (first, most): (u32, u32),
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mail) = part.mail else { return Ok(None) };
        let found: Option<Option<Vec<u8>>> = on_pool!(&self.pool, db => sqlx::query_scalar(mail)
            .bind(user).bind(record).bind(i64::from(first) + 1).bind(i64::from(most))
            .fetch_optional(db).await)?;
        Ok(found.flatten())
    }
}

fn record<'r, R>(row: &'r R, key: Key) -> Result<ExportRecord, StoreError>
where
    R: Row,
    usize: ColumnIndex<R>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    f64: Decode<'r, R::Database> + Type<R::Database>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    let cursor = match key {
        Key::Id => ExportCursor::Id(row.try_get(0)?),
        Key::Position => ExportCursor::Position(row.try_get(0)?),
        Key::Mail => ExportCursor::Mail(row.try_get(0)?, row.try_get(1)?),
        Key::Time => ExportCursor::Time(row.try_get(0)?, row.try_get(1)?),
    };
    let mut fields = Map::new();
    for (index, column) in row.columns().iter().enumerate() {
        let name = column.name();
        let value = match column.type_info().name() {
            "UUID" | "BLOB" => row.try_get::<Option<Uuid>, _>(index)?.map(|id| id.to_string().into()),
            "BOOL" | "BOOLEAN" => row.try_get::<Option<bool>, _>(index)?.map(Value::from),
            "FLOAT8" | "REAL" => row.try_get::<Option<f64>, _>(index)?.map(Value::from),
            "INT8" | "INTEGER" => row.try_get::<Option<i64>, _>(index)?.map(|number| readable(name, number)),
            _ => row.try_get::<Option<String>, _>(index)?.map(|text| listed(name, text)),
        };
        fields.insert(name.to_owned(), value.unwrap_or_default());
    }
    Ok(ExportRecord { fields, cursor })
}

/// Times are stored as milliseconds.
fn readable(name: &str, number: i64) -> Value {
    let is_time = name.ends_with("_at") || name.ends_with("_date");
    if is_time { Timestamp::from_millis(number).to_string().into() } else { number.into() }
}

const LISTS: [&str; 7] =
    ["aliases", "link_domains", "allowed_senders", "blocked_senders", "scopes", "ip_allow", "ip_deny"];

/// Lists are stored as JSON.
fn listed(name: &str, text: String) -> Value {
    let list = LISTS.contains(&name).then(|| serde_json::from_str(&text).ok()).flatten();
    list.unwrap_or(Value::String(text))
}

/// In the order in which one thing names another.
pub const EXPORT_PARTS: [ExportPart; 19] = [
    ExportPart::by_id(
        "account",
        "SELECT id, email, name, role, created_at, updated_at FROM users
         WHERE id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "session",
        "SELECT id, address, created_at, expires_at, ended_at FROM sessions
         WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "invite",
        "SELECT id, email, created_at, expires_at, used_at FROM invites
         WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "api_key",
        "SELECT id, name, description, public_id, scopes, ip_allow, ip_deny, created_at, created_address, expires_at,
            last_used_at, last_used_address, uses, rotated_from, rotated_to, revoked_at, revoked_reason, exposed_at
         FROM api_keys WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "security_token",
        "SELECT id, api_key_id, purpose, ai_configuration_id, agent_id, created_at, expires_at, max_uses, uses,
            last_used_at, last_used_address, revoked_at, exposed_at
         FROM security_tokens WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::new(
        "audit_entry",
        Key::Position,
        "SELECT position, action, outcome, actor, subject, address, created_at, hash FROM audit_entries
         WHERE user_id = $1 AND position > $2 ORDER BY position LIMIT $3",
    ),
    ExportPart::by_id(
        "ai_configuration",
        "SELECT id, provider, base_url, model, temperature, max_output_tokens, api_key_mask, api_key_last_four,
            key_fingerprint, is_default, state, state_reason, resume_at, verified_at, created_at, updated_at
         FROM ai_configurations WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "key_limits",
        "SELECT ai_configuration_id, label, limit_nanousd, remaining_nanousd, expires_at, asked_at, checked_at
         FROM key_limits WHERE user_id = $1 AND ai_configuration_id > $2 ORDER BY ai_configuration_id LIMIT $3",
    ),
    ExportPart::by_id(
        "mailbox",
        "SELECT id, address, aliases, folder, imap_host, imap_port, imap_security, imap_username, imap_ca,
            smtp_host, smtp_port, smtp_security, smtp_username, smtp_ca, oauth_client_id, oauth_token_url,
            authserv_id, answer_unaddressed, answer_copies, enabled, state, state_reason, activated_at,
            last_alive_at, created_at, updated_at
         FROM mailboxes WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "agent",
        "SELECT id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode, ambiguous,
            allow_platform_key, enabled, link_domains, allowed_senders, blocked_senders, require_authenticated,
            per_correspondent_10_minutes, per_correspondent_day, per_thread_day, per_agent_day, signature,
            disclosure, language, created_at, updated_at
         FROM agents WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .few_at_once(),
    ExportPart::by_id(
        "thread",
        "SELECT id, mailbox_id, correspondent, created_at FROM threads
         WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "message",
        "SELECT messages.id, mailbox_id, thread_id, rfc_message_id, uid_validity, uid, internal_date, bytes,
            truncated, authentication, received_at
         FROM runs JOIN messages ON messages.id = runs.id
         WHERE runs.user_id = $1 AND runs.id > $2 ORDER BY runs.id LIMIT $3",
    )
    .with_mail(
        "SELECT SUBSTR(raw, CAST($3 AS INTEGER), CAST($4 AS INTEGER)) FROM messages WHERE user_id = $1 AND id = $2",
    ),
    ExportPart::by_id(
        "run",
        "SELECT id, agent_id, state, reason, detail, due_at, attempt, crash_count, created_at, finished_at
         FROM runs WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "completion",
        "SELECT completions.run_id, call_id, model, finish, body, edited, completions.created_at
         FROM runs JOIN completions ON completions.run_id = runs.id
         WHERE runs.user_id = $1 AND runs.id > $2 ORDER BY runs.id LIMIT $3",
    )
    .few_at_once(),
    ExportPart::by_id(
        "reply",
        "SELECT outbox.run_id, mailbox_id, thread_id, rfc_message_id, recipient, outbox.state, outbox.created_at,
            sending_at, sent_at, filed_at, bounced_at
         FROM runs JOIN outbox ON outbox.run_id = runs.id
         WHERE runs.user_id = $1 AND runs.id > $2 ORDER BY runs.id LIMIT $3",
    )
    .with_mail(
        "SELECT SUBSTR(raw, CAST($3 AS INTEGER), CAST($4 AS INTEGER)) FROM outbox
         JOIN outbox_bytes USING (run_id) WHERE user_id = $1 AND run_id = $2",
    ),
    ExportPart::new(
        "sent_mail",
        Key::Mail,
        "SELECT mailbox_id, rfc_message_id, thread_id, recipient, created_at, bounced_at FROM sent_mails
         WHERE user_id = $1 AND (mailbox_id, rfc_message_id) > ($2, $3)
         ORDER BY mailbox_id, rfc_message_id LIMIT $4",
    ),
    ExportPart::new(
        "provider_call",
        Key::Time,
        "SELECT started_at, id, run_id, agent_id, ai_configuration_id, payer, provider, model, state,
            answered_model, request_id, error_class, error_code, maybe_charged, input_tokens, cached_tokens,
            output_tokens, reasoning_tokens, cost_nanousd, latency_ms, ended_at
         FROM provider_calls WHERE user_id = $1 AND (started_at, id) > ($2, $3)
         ORDER BY started_at, id LIMIT $4",
    ),
    ExportPart::by_id(
        "notice",
        "SELECT id, cause, kind, subject_id, sentence, created_at, ended_at FROM notices
         WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
    ExportPart::by_id(
        "suppression",
        "SELECT id, mailbox_id, address, thread_id, reason, created_at FROM suppressions
         WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    ),
];
