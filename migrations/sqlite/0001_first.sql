-- Times are milliseconds since 1970-01-01T00:00:00Z; ids are UUIDv7 made by the program.

CREATE TABLE kek_checks (
    kek_id     TEXT NOT NULL PRIMARY KEY,
    sealed     TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE users (
    id            BLOB NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);

-- What the queue knows of a user: how many of its runs are leased, and when it was last served.
CREATE TABLE lanes (
    user_id     BLOB NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    running     INTEGER NOT NULL DEFAULT 0,
    last_served INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE ai_configurations (
    id                BLOB NOT NULL PRIMARY KEY,
    user_id           BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider          TEXT NOT NULL,
    base_url          TEXT,
    model             TEXT NOT NULL,
    temperature       REAL,
    max_output_tokens INTEGER,
    api_key           TEXT NOT NULL,
    api_key_mask      TEXT NOT NULL,
    key_fingerprint   TEXT NOT NULL,
    is_default        BOOLEAN NOT NULL,
    state             TEXT NOT NULL,
    state_reason      TEXT,
    resume_at         INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    UNIQUE (user_id, provider)
);
CREATE UNIQUE INDEX ai_configurations_default ON ai_configurations (user_id) WHERE is_default;

CREATE TABLE mailboxes (
    id                  BLOB NOT NULL PRIMARY KEY,
    user_id             BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address             TEXT NOT NULL,
    aliases             TEXT NOT NULL,
    folder              TEXT NOT NULL,
    imap_host           TEXT NOT NULL,
    imap_port           INTEGER NOT NULL,
    imap_security       TEXT NOT NULL,
    imap_username       TEXT NOT NULL,
    imap_password       TEXT,
    imap_ca             TEXT,
    smtp_host           TEXT NOT NULL,
    smtp_port           INTEGER NOT NULL,
    smtp_security       TEXT NOT NULL,
    smtp_username       TEXT NOT NULL,
    smtp_password       TEXT,
    smtp_ca             TEXT,
    oauth_client_id     TEXT,
    oauth_client_secret TEXT,
    oauth_refresh_token TEXT,
    oauth_token_url     TEXT,
    secrets_fingerprint TEXT NOT NULL,
    enabled             BOOLEAN NOT NULL,
    state               TEXT NOT NULL,
    state_reason        TEXT,
    activated_at        INTEGER NOT NULL,
    last_alive_at       INTEGER,
    uid_validity        INTEGER,
    next_uid            INTEGER,
    lease_owner         BLOB,
    lease_epoch         INTEGER NOT NULL DEFAULT 0,
    lease_until         INTEGER,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    UNIQUE (user_id, address)
);

CREATE TABLE agents (
    id                  BLOB NOT NULL PRIMARY KEY,
    user_id             BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id          BLOB NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    ai_configuration_id BLOB REFERENCES ai_configurations (id) ON DELETE SET NULL,
    name                TEXT NOT NULL,
    kind                TEXT NOT NULL,
    address             TEXT,
    instructions        TEXT NOT NULL,
    mode                TEXT NOT NULL,
    ambiguous           TEXT NOT NULL,
    allow_platform_key  BOOLEAN NOT NULL,
    enabled             BOOLEAN NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    UNIQUE (user_id, name)
);
CREATE INDEX agents_mailbox ON agents (mailbox_id);

CREATE TABLE threads (
    id            BLOB NOT NULL PRIMARY KEY,
    user_id       BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id    BLOB NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    correspondent TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);

CREATE TABLE messages (
    id             BLOB NOT NULL PRIMARY KEY,
    user_id        BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id     BLOB NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    thread_id      BLOB NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    identity       TEXT NOT NULL,
    rfc_message_id TEXT,
    uid_validity   INTEGER,
    uid            INTEGER,
    internal_date  INTEGER,
    bytes          INTEGER NOT NULL,
    raw            BLOB,
    truncated      BOOLEAN NOT NULL,
    received_at    INTEGER NOT NULL,
    UNIQUE (mailbox_id, identity)
);
CREATE INDEX messages_rfc_message_id ON messages (mailbox_id, rfc_message_id);
CREATE INDEX messages_thread ON messages (thread_id);

-- The run *is* the job, and has its message's id. `due_at` is set exactly while the run may be claimed,
-- `lease_until` exactly while it is claimed.
CREATE TABLE runs (
    id                  BLOB NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    user_id             BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    agent_id            BLOB,
    state               TEXT NOT NULL,
    reason              TEXT,
    detail              TEXT,
    due_at              INTEGER,
    attempt             INTEGER NOT NULL DEFAULT 0,
    crash_count         INTEGER NOT NULL DEFAULT 0,
    lease_owner         BLOB,
    lease_epoch         INTEGER NOT NULL DEFAULT 0,
    lease_until         INTEGER,
    resend              BOOLEAN NOT NULL DEFAULT 0,
    -- What the run may be about to wait for has changed while it was worked on.
    woken               BOOLEAN NOT NULL DEFAULT 0,
    created_at          INTEGER NOT NULL,
    finished_at         INTEGER
);
CREATE INDEX runs_user ON runs (user_id, id);
CREATE INDEX runs_due ON runs (user_id, due_at, id) WHERE due_at IS NOT NULL AND crash_count = 0;
CREATE INDEX runs_suspect ON runs (due_at, id) WHERE due_at IS NOT NULL AND crash_count > 0;
CREATE INDEX runs_leased ON runs (lease_until) WHERE lease_until IS NOT NULL;

-- One row per provider call: who paid, for what, how long it took.
CREATE TABLE provider_calls (
    id                  BLOB NOT NULL PRIMARY KEY,
    user_id             BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    run_id              BLOB NOT NULL,
    agent_id            BLOB NOT NULL,
    ai_configuration_id BLOB,
    payer               TEXT NOT NULL,
    provider            TEXT NOT NULL,
    model               TEXT NOT NULL,
    state               TEXT NOT NULL,
    answered_model      TEXT,
    request_id          TEXT,
    error_class         TEXT,
    error_code          TEXT,
    maybe_charged       BOOLEAN NOT NULL DEFAULT 0,
    input_tokens        INTEGER NOT NULL DEFAULT 0,
    cached_tokens       INTEGER NOT NULL DEFAULT 0,
    output_tokens       INTEGER NOT NULL DEFAULT 0,
    reasoning_tokens    INTEGER NOT NULL DEFAULT 0,
    latency_ms          INTEGER,
    started_at          INTEGER NOT NULL,
    ended_at            INTEGER
);
CREATE INDEX provider_calls_run ON provider_calls (run_id);
CREATE INDEX provider_calls_user ON provider_calls (user_id, started_at);

CREATE TABLE completions (
    run_id     BLOB NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    call_id    BLOB NOT NULL,
    model      TEXT NOT NULL,
    finish     TEXT NOT NULL,
    body       TEXT,
    created_at INTEGER NOT NULL
);

CREATE TABLE outbox (
    run_id         BLOB NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    user_id        BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id     BLOB NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    thread_id      BLOB NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    rfc_message_id TEXT NOT NULL,
    recipient      TEXT NOT NULL,
    raw            BLOB,
    state          TEXT NOT NULL,
    epoch          INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    sending_at     INTEGER,
    sent_at        INTEGER,
    filed_at       INTEGER
);
CREATE UNIQUE INDEX outbox_rfc_message_id ON outbox (mailbox_id, rfc_message_id);
CREATE INDEX outbox_recipient ON outbox (mailbox_id, recipient, created_at);
-- What the mailbox's watcher still has to copy to the Sent folder, or to look for there.
CREATE INDEX outbox_unfiled ON outbox (mailbox_id) WHERE filed_at IS NULL AND state IN ('sent', 'ambiguous');
CREATE INDEX outbox_thread ON outbox (thread_id, created_at);

CREATE TABLE notices (
    id         BLOB NOT NULL PRIMARY KEY,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    cause      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject_id BLOB,
    sentence   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER
);
CREATE UNIQUE INDEX notices_cause ON notices (user_id, cause) WHERE ended_at IS NULL;
