-- Accounts that sign in over HTTP, and what they may do.

ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'user';

ALTER TABLE ai_configurations ADD COLUMN api_key_last_four TEXT;
-- When the provider last said that the key is good.
ALTER TABLE ai_configurations ADD COLUMN verified_at INTEGER;

CREATE TABLE sessions (
    id         BLOB NOT NULL PRIMARY KEY,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at   INTEGER
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- Every token that a session was refreshed with, so that the use of an old one is seen.
CREATE TABLE refresh_tokens (
    hash       TEXT NOT NULL PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);

CREATE TABLE password_resets (
    hash       TEXT NOT NULL PRIMARY KEY,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
);
CREATE INDEX password_resets_user ON password_resets (user_id);

CREATE TABLE invites (
    id         BLOB NOT NULL PRIMARY KEY,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL UNIQUE,
    email      TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
);
CREATE INDEX invites_user ON invites (user_id, id);

-- What happened with an account and its keys; each row's hash covers the one before it.
CREATE TABLE audit_entries (
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    action     TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    actor      TEXT NOT NULL,
    subject    TEXT,
    address    TEXT,
    created_at INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    PRIMARY KEY (user_id, position)
);
CREATE INDEX audit_entries_created ON audit_entries (created_at);

-- How often something was tried that may only be tried so often.
CREATE TABLE attempts (
    name    TEXT NOT NULL PRIMARY KEY,
    tries   INTEGER NOT NULL,
    locks   INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
);
CREATE INDEX attempts_ends ON attempts (ends_at);

-- Answers to creating calls, to be given again when the call comes again.
CREATE TABLE idempotency_keys (
    id          BLOB NOT NULL UNIQUE,
    user_id     BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status      INTEGER,
    answer      TEXT,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, name)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- When a letter told its owner of it.
ALTER TABLE notices ADD COLUMN mailed_at INTEGER;
CREATE INDEX notices_untold ON notices (user_id) WHERE ended_at IS NULL AND mailed_at IS NULL;
