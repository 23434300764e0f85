-- Credentials of programs and front ends: platform API keys and security tokens.

CREATE TABLE api_keys (
    id                BLOB NOT NULL PRIMARY KEY,
    user_id           BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name              TEXT NOT NULL,
    description       TEXT NOT NULL,
    -- The part of the key that is no secret, and the hash of the whole.
    public_id         TEXT NOT NULL UNIQUE,
    hash              TEXT NOT NULL,
    scopes            TEXT NOT NULL,
    ip_allow          TEXT NOT NULL,
    ip_deny           TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    created_address   TEXT NOT NULL,
    expires_at        INTEGER,
    last_used_at      INTEGER,
    last_used_address TEXT,
    uses              INTEGER NOT NULL,
    rotated_from      BLOB,
    rotated_to        BLOB,
    revoked_at        INTEGER,
    revoked_reason    TEXT,
    exposed_at        INTEGER,
    -- How many days before its end its owner was last told of it.
    told_days         INTEGER,
    -- When its owner was told that nobody uses it.
    told_unused_at    INTEGER
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (user_id, name) WHERE revoked_at IS NULL AND rotated_to IS NULL;
CREATE INDEX api_keys_user ON api_keys (user_id, id);
CREATE INDEX api_keys_expires ON api_keys (expires_at);
CREATE INDEX api_keys_revoked ON api_keys (revoked_at);

-- What may be known of a token: not the token, and not the keys that it may carry.
CREATE TABLE security_tokens (
    id                  BLOB NOT NULL PRIMARY KEY,
    user_id             BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    jti_hash            TEXT NOT NULL UNIQUE,
    -- By which key it was made, if not by the person.
    api_key_id          BLOB REFERENCES api_keys (id) ON DELETE CASCADE,
    purpose             TEXT NOT NULL,
    ai_configuration_id BLOB REFERENCES ai_configurations (id) ON DELETE CASCADE,
    agent_id            BLOB REFERENCES agents (id) ON DELETE CASCADE,
    created_at          INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    max_uses            INTEGER,
    uses                INTEGER NOT NULL,
    last_used_at        INTEGER,
    last_used_address   TEXT,
    revoked_at          INTEGER,
    exposed_at          INTEGER
);
CREATE INDEX security_tokens_user ON security_tokens (user_id, id);
CREATE INDEX security_tokens_expires ON security_tokens (expires_at);
CREATE INDEX security_tokens_api_key ON security_tokens (api_key_id);
CREATE INDEX security_tokens_configuration ON security_tokens (ai_configuration_id);
CREATE INDEX security_tokens_agent ON security_tokens (agent_id);
