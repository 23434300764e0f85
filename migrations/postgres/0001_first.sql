-- Times are milliseconds since 1970-01-01T00:00:00Z; ids are UUIDv7 made by the program.

-- The database's clock, for leases and due times: machines disagree.
CREATE FUNCTION now_millis() RETURNS BIGINT LANGUAGE SQL VOLATILE
    AS $$ SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) $$;

CREATE TABLE kek_checks (
    kek_id     TEXT NOT NULL PRIMARY KEY,
    sealed     TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id            UUID NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

-- What the queue knows of a user: how many of its runs are leased, and when it was last served.
CREATE TABLE lanes (
    user_id     UUID NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    running     BIGINT NOT NULL DEFAULT 0,
    last_served BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE ai_configurations (
    id                UUID NOT NULL PRIMARY KEY,
    user_id           UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider          TEXT NOT NULL,
    base_url          TEXT,
    model             TEXT NOT NULL,
    temperature       DOUBLE PRECISION,
    max_output_tokens BIGINT,
    api_key           TEXT NOT NULL,
    api_key_mask      TEXT NOT NULL,
    key_fingerprint   TEXT NOT NULL,
    is_default        BOOLEAN NOT NULL,
    state             TEXT NOT NULL,
    state_reason      TEXT,
    resume_at         BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    UNIQUE (user_id, provider)
);
CREATE UNIQUE INDEX ai_configurations_default ON ai_configurations (user_id) WHERE is_default;

CREATE TABLE mailboxes (
    id                  UUID NOT NULL PRIMARY KEY,
    user_id             UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address             TEXT NOT NULL,
    aliases             TEXT NOT NULL,
    folder              TEXT NOT NULL,
    imap_host           TEXT NOT NULL,
    imap_port           BIGINT NOT NULL,
    imap_security       TEXT NOT NULL,
    imap_username       TEXT NOT NULL,
    imap_password       TEXT,
    imap_ca             TEXT,
    smtp_host           TEXT NOT NULL,
    smtp_port           BIGINT NOT NULL,
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
    activated_at        BIGINT NOT NULL,
    last_alive_at       BIGINT,
    uid_validity        BIGINT,
    next_uid            BIGINT,
    lease_owner         UUID,
    lease_epoch         BIGINT NOT NULL DEFAULT 0,
    lease_until         BIGINT,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    UNIQUE (user_id, address)
);

CREATE TABLE agents (
    id                  UUID NOT NULL PRIMARY KEY,
    user_id             UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id          UUID NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    ai_configuration_id UUID REFERENCES ai_configurations (id) ON DELETE SET NULL,
    name                TEXT NOT NULL,
    kind                TEXT NOT NULL,
    address             TEXT,
    instructions        TEXT NOT NULL,
    mode                TEXT NOT NULL,
    ambiguous           TEXT NOT NULL,
    allow_platform_key  BOOLEAN NOT NULL,
    enabled             BOOLEAN NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    UNIQUE (user_id, name)
);
CREATE INDEX agents_mailbox ON agents (mailbox_id);

CREATE TABLE threads (
    id            UUID NOT NULL PRIMARY KEY,
    user_id       UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id    UUID NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    correspondent TEXT NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE messages (
    id             UUID NOT NULL PRIMARY KEY,
    user_id        UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id     UUID NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    thread_id      UUID NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    identity       TEXT NOT NULL,
    rfc_message_id TEXT,
    uid_validity   BIGINT,
    uid            BIGINT,
    internal_date  BIGINT,
    bytes          BIGINT NOT NULL,
    raw            BYTEA,
    truncated      BOOLEAN NOT NULL,
    received_at    BIGINT NOT NULL,
    UNIQUE (mailbox_id, identity)
);
CREATE INDEX messages_rfc_message_id ON messages (mailbox_id, rfc_message_id);
CREATE INDEX messages_thread ON messages (thread_id);

-- The run *is* the job, and has its message's id. `due_at` is set exactly while the run may be claimed,
-- `lease_until` exactly while it is claimed.
CREATE TABLE runs (
    id                  UUID NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    user_id             UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    agent_id            UUID,
    state               TEXT NOT NULL,
    reason              TEXT,
    detail              TEXT,
    due_at              BIGINT,
    attempt             BIGINT NOT NULL DEFAULT 0,
    crash_count         BIGINT NOT NULL DEFAULT 0,
    lease_owner         UUID,
    lease_epoch         BIGINT NOT NULL DEFAULT 0,
    lease_until         BIGINT,
    resend              BOOLEAN NOT NULL DEFAULT FALSE,
    -- What the run may be about to wait for has changed while it was worked on.
    woken               BOOLEAN NOT NULL DEFAULT FALSE,
    created_at          BIGINT NOT NULL,
    finished_at         BIGINT
) WITH (fillfactor = 70);
CREATE INDEX runs_user ON runs (user_id, id);
CREATE INDEX runs_due ON runs (user_id, due_at, id) WHERE due_at IS NOT NULL AND crash_count = 0;
CREATE INDEX runs_suspect ON runs (due_at, id) WHERE due_at IS NOT NULL AND crash_count > 0;
CREATE INDEX runs_leased ON runs (lease_until) WHERE lease_until IS NOT NULL;

-- One row per provider call: who paid, for what, how long it took.
CREATE TABLE provider_calls (
    id                  UUID NOT NULL PRIMARY KEY,
    user_id             UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    run_id              UUID NOT NULL,
    agent_id            UUID NOT NULL,
    ai_configuration_id UUID,
    payer               TEXT NOT NULL,
    provider            TEXT NOT NULL,
    model               TEXT NOT NULL,
    state               TEXT NOT NULL,
    answered_model      TEXT,
    request_id          TEXT,
    error_class         TEXT,
    error_code          TEXT,
    maybe_charged       BOOLEAN NOT NULL DEFAULT FALSE,
    input_tokens        BIGINT NOT NULL DEFAULT 0,
    cached_tokens       BIGINT NOT NULL DEFAULT 0,
    output_tokens       BIGINT NOT NULL DEFAULT 0,
    reasoning_tokens    BIGINT NOT NULL DEFAULT 0,
    latency_ms          BIGINT,
    started_at          BIGINT NOT NULL,
    ended_at            BIGINT
);
CREATE INDEX provider_calls_run ON provider_calls (run_id);
CREATE INDEX provider_calls_user ON provider_calls (user_id, started_at);

CREATE TABLE completions (
    run_id     UUID NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    call_id    UUID NOT NULL,
    model      TEXT NOT NULL,
    finish     TEXT NOT NULL,
    body       TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE outbox (
    run_id         UUID NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    user_id        UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id     UUID NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    thread_id      UUID NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    rfc_message_id TEXT NOT NULL,
    recipient      TEXT NOT NULL,
    raw            BYTEA,
    state          TEXT NOT NULL,
    epoch          BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    sending_at     BIGINT,
    sent_at        BIGINT,
    filed_at       BIGINT
);
CREATE UNIQUE INDEX outbox_rfc_message_id ON outbox (mailbox_id, rfc_message_id);
CREATE INDEX outbox_recipient ON outbox (mailbox_id, recipient, created_at);
-- What the mailbox's watcher still has to copy to the Sent folder, or to look for there.
CREATE INDEX outbox_unfiled ON outbox (mailbox_id) WHERE filed_at IS NULL AND state IN ('sent', 'ambiguous');
CREATE INDEX outbox_thread ON outbox (thread_id, created_at);

CREATE TABLE notices (
    id         UUID NOT NULL PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    cause      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject_id UUID,
    sentence   TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE UNIQUE INDEX notices_cause ON notices (user_id, cause) WHERE ended_at IS NULL;
