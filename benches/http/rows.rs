//! An owner with 100,000 answered mails of the last thirty days.

use std::net::SocketAddr;
use std::time::Duration;

use postkey::store::{NewUser, Provision};
use postkey::vault::hash_password;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use super::loopback::database::{Database, Kind};
use super::loopback::{Failure, world};

pub const RUNS: u32 = 100_000;
pub const EMAIL: &str = "owner@bench.test";
pub const PASSWORD: &str = "a long bench password";

const ADDRESS: &str = "desk@shop.test";
/// From the first mail to the last, in milliseconds.
const DAYS: i64 = 30 * 24 * 3_600_000;
const THREADS: u32 = 10_000;

/// Nobody is there; the mailbox is switched off.
pub fn servers() -> world::Servers {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    world::Servers {
        imap: nowhere,
        imap_ca: None,
        smtp: nowhere,
        provider: "http://127.0.0.1:1/v1".into(),
        password: PASSWORD.into(),
    }
}

pub async fn fill(database: &Database, servers: &world::Servers) -> Result<(), Failure> {
    let store = database.open().await?;
    let desk = world::add_owner(&store, servers, &[ADDRESS]).await.into_iter().next().ok_or("no owner")?;
    let password_hash = Some(hash_password(&SecretString::from(PASSWORD))?);
    let owner =
        NewUser { id: desk.user, email: EMAIL.into(), name: "Owner".into(), role: None, password_hash };
    let mut mailbox = store.find_mailbox(desk.user, desk.mailbox).await?.ok_or("no mailbox")?;
    mailbox.enabled = false;
    store
        .provision(Provision { users: vec![owner], mailboxes: vec![mailbox], ..Provision::default() })
        .await?;

    let now = store.clock().now();
    let began = std::time::Instant::now();
    run(database, &statements(database.kind, now.millis() - DAYS)).await?;
    while store.sum_hours(now.minus(Duration::from_secs(2 * 3600))).await? > 0 {}
    println!("\n{}: filled in {:.0} s", database.kind.word(), began.elapsed().as_secs_f64());
    Ok(())
}

async fn run(database: &Database, statements: &[String]) -> Result<(), Failure> {
    match database.kind {
        Kind::Sqlite => {
            let mut side = SqliteConnection::connect(database.url()).await?;
            for statement in statements {
                side.execute(AssertSqlSafe(statement.clone())).await?;
            }
            side.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Kind::Postgres => {
            let mut side = PgConnection::connect(database.url()).await?;
            for statement in statements {
                side.execute(AssertSqlSafe(statement.clone())).await?;
            }
            // What the server's housekeeping would do within a minute.
            side.execute("VACUUM ANALYZE").await?;
        }
    }
    Ok(())
}

/// Numbers, ids and bytes are written differently; everything else is the same.
fn statements(kind: Kind, first: i64) -> Vec<String> {
    let letter: String = world::letter(1, ADDRESS).iter().map(|byte| format!("{byte:02x}")).collect();
    let (at, runs) = (format!("({first} + n * {})", DAYS / i64::from(RUNS)), RUNS - 1);
    let id = |number: &str| match kind {
        Kind::Sqlite => format!("unhex(printf('%012x7%03x8%015x', {at}, {number} % 4096, {number}))"),
        Kind::Postgres => format!(
            "CAST(LPAD(TO_HEX({at}), 12, '0') || '7' || LPAD(TO_HEX({number} % 4096), 3, '0') || '8' ||
                LPAD(TO_HEX({number}), 15, '0') AS UUID)"
        ),
    };
    // A thread's id does not tell its time.
    let thread = match kind {
        Kind::Sqlite => format!("unhex(printf('%032x', n % {THREADS}))"),
        Kind::Postgres => format!("CAST(LPAD(TO_HEX(n % {THREADS}), 32, '0') AS UUID)"),
    };
    let raw = match kind {
        Kind::Sqlite => format!("X'{letter}'"),
        Kind::Postgres => format!("CAST('\\x{letter}' AS BYTEA)"),
    };
    let numbers = match kind {
        Kind::Sqlite => format!(
            "(WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {runs}) SELECT n FROM s)"
        ),
        Kind::Postgres => format!("(SELECT n FROM generate_series(CAST(0 AS BIGINT), {runs}) AS n)"),
    };
    let from = format!("FROM {numbers} AS numbers CROSS JOIN agents");
    let id = id("n");
    vec![
        format!(
            "INSERT INTO threads (id, user_id, mailbox_id, correspondent, created_at)
             SELECT {thread}, user_id, mailbox_id, 'person@else.test', {at} {from} WHERE n < {THREADS}"
        ),
        format!(
            "INSERT INTO messages (id, user_id, mailbox_id, thread_id, identity, rfc_message_id, uid_validity, uid,
                internal_date, bytes, raw, truncated, received_at, authentication)
             SELECT {id}, user_id, mailbox_id, {thread}, CAST(n AS TEXT), CAST(n AS TEXT) || '@else.test', 1, n,
                {at}, {bytes}, {raw}, FALSE, {at}, 'unknown' {from}",
            bytes = letter.len() / 2
        ),
        format!(
            "INSERT INTO runs (id, user_id, agent_id, state, lease_epoch, created_at, finished_at)
             SELECT {id}, user_id, agents.id, CASE WHEN n % 10 = 0 THEN 'skipped' ELSE 'replied' END, 1, {at},
                {at} + 2000 {from}"
        ),
        format!(
            "INSERT INTO provider_calls (id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model,
                state, input_tokens, output_tokens, latency_ms, started_at, ended_at)
             SELECT {id}, user_id, {id}, agents.id, ai_configuration_id, 'owner', 'openai', 'gpt-5-mini', 'done',
                900, 120, 1500, {at}, {at} + 1500 {from} WHERE n % 10 <> 0"
        ),
        format!(
            "INSERT INTO completions (run_id, user_id, call_id, model, finish, body, created_at)
             SELECT {id}, user_id, {id}, 'gpt-5-mini', 'stop', 'Thank you for your question.', {at} {from}
             WHERE n % 10 <> 0"
        ),
        format!(
            "INSERT INTO outbox (run_id, user_id, mailbox_id, thread_id, rfc_message_id, recipient, state, epoch,
                created_at, sending_at, sent_at, filed_at, agent_id)
             SELECT {id}, user_id, mailbox_id, {thread}, CAST(n AS TEXT) || '@shop.test', 'person@else.test',
                'sent', 1, {at}, {at}, {at}, {at}, agents.id {from} WHERE n % 10 <> 0"
        ),
        format!("INSERT INTO outbox_bytes (run_id, raw) SELECT {id}, {raw} {from} WHERE n % 10 <> 0"),
        format!(
            "INSERT INTO notices (id, user_id, cause, kind, sentence, created_at, ended_at)
             SELECT {id}, user_id, 'run:' || CAST(n AS TEXT), 'held', 'Look at a run.', {at}, {at} {from}
             WHERE n % 100 = 0"
        ),
    ]
}
