-- Agents, mailboxes and runs as people manage them over HTTP.

-- An agent may be made before its mailbox, and outlives it. How its replies sound is its owner's choice.
CREATE TABLE agents_anew (
    id                           BLOB NOT NULL PRIMARY KEY,
    user_id                      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id                   BLOB REFERENCES mailboxes (id) ON DELETE SET NULL,
    ai_configuration_id          BLOB REFERENCES ai_configurations (id) ON DELETE SET NULL,
    name                         TEXT NOT NULL,
    kind                         TEXT NOT NULL,
    address                      TEXT,
    instructions                 TEXT NOT NULL,
    mode                         TEXT NOT NULL,
    ambiguous                    TEXT NOT NULL,
    allow_platform_key           BOOLEAN NOT NULL,
    enabled                      BOOLEAN NOT NULL,
    created_at                   INTEGER NOT NULL,
    updated_at                   INTEGER NOT NULL,
    link_domains                 TEXT NOT NULL DEFAULT '[]',
    allowed_senders              TEXT NOT NULL DEFAULT '[]',
    blocked_senders              TEXT NOT NULL DEFAULT '[]',
    require_authenticated        BOOLEAN NOT NULL DEFAULT FALSE,
    per_correspondent_10_minutes INTEGER,
    per_correspondent_day        INTEGER,
    per_thread_day               INTEGER,
    per_agent_day                INTEGER,
    signature                    TEXT,
    disclosure                   TEXT,
    language                     TEXT,
    UNIQUE (user_id, name)
);
INSERT INTO agents_anew (id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode,
        ambiguous, allow_platform_key, enabled, created_at, updated_at, link_domains, allowed_senders,
        blocked_senders, require_authenticated, per_correspondent_10_minutes, per_correspondent_day, per_thread_day,
        per_agent_day)
    SELECT id, user_id, mailbox_id, ai_configuration_id, name, kind, address, instructions, mode, ambiguous,
        allow_platform_key, enabled, created_at, updated_at, link_domains, allowed_senders, blocked_senders,
        require_authenticated, per_correspondent_10_minutes, per_correspondent_day, per_thread_day, per_agent_day
    FROM agents;
DROP TABLE agents;
ALTER TABLE agents_anew RENAME TO agents;
CREATE INDEX agents_mailbox ON agents (mailbox_id);

-- A preview asks a provider, and has no run; a chat has no agent either.
CREATE TABLE provider_calls_anew (
    id                  BLOB NOT NULL PRIMARY KEY,
    user_id             BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    run_id              BLOB,
    agent_id            BLOB,
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
    ended_at            INTEGER,
    -- What the provider says that it charges, in billionths of a US dollar.
    cost_nanousd        INTEGER
);
INSERT INTO provider_calls_anew (id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model, state,
        answered_model, request_id, error_class, error_code, maybe_charged, input_tokens, cached_tokens, output_tokens,
        reasoning_tokens, latency_ms, started_at, ended_at)
    SELECT id, user_id, run_id, agent_id, ai_configuration_id, payer, provider, model,
        state, answered_model, request_id, error_class, error_code, maybe_charged, input_tokens, cached_tokens,
        output_tokens, reasoning_tokens, latency_ms, started_at, ended_at
    FROM provider_calls;
DROP TABLE provider_calls;
ALTER TABLE provider_calls_anew RENAME TO provider_calls;
CREATE INDEX provider_calls_run ON provider_calls (run_id);
CREATE INDEX provider_calls_user ON provider_calls (user_id, started_at);

-- Whether the owner has put other words in the place of the model's.
ALTER TABLE completions ADD COLUMN edited BOOLEAN NOT NULL DEFAULT FALSE;

-- Lists of runs by what people look for. Runs pass through the other states too fast to be worth an index of them.
CREATE INDEX runs_attention ON runs (user_id, state, id) WHERE state IN ('waiting', 'held', 'failed', 'quarantined');
CREATE INDEX runs_agent ON runs (user_id, agent_id, id) WHERE agent_id IS NOT NULL;
CREATE INDEX messages_mailbox ON messages (mailbox_id, id);
