-- Consents that were asked for and not given yet (OAuth with PKCE), and what keys may spend.

-- The state and the browser's proof are stored as hashes, the verifier sealed. A state without a browser is finished by a
-- pasted code.
CREATE TABLE oauth_states (
    id           BLOB NOT NULL PRIMARY KEY,
    state_hash   TEXT NOT NULL UNIQUE,
    browser_hash TEXT,
    user_id      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id   BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    verifier     TEXT NOT NULL,
    return_path  TEXT,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER
);
CREATE INDEX oauth_states_session ON oauth_states (session_id);
CREATE INDEX oauth_states_user ON oauth_states (user_id);
CREATE INDEX oauth_states_expires ON oauth_states (expires_at);

-- What the provider last said of a key; money in billionths of a US dollar.
CREATE TABLE key_limits (
    ai_configuration_id BLOB NOT NULL PRIMARY KEY REFERENCES ai_configurations (id) ON DELETE CASCADE,
    user_id             BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label               TEXT,
    limit_nanousd       INTEGER,
    remaining_nanousd   INTEGER,
    expires_at          INTEGER,
    -- When the provider was last asked, and when it last answered.
    asked_at            INTEGER NOT NULL,
    checked_at          INTEGER
);
CREATE INDEX key_limits_user ON key_limits (user_id);
