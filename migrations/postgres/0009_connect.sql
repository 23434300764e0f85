-- Consents that were asked for and not given yet (OAuth with PKCE), and what keys may spend.

-- The state and the browser's proof are stored as hashes, the verifier sealed. A state without a browser is finished by a
-- pasted code.
CREATE TABLE oauth_states (
    id           UUID NOT NULL PRIMARY KEY,
    state_hash   TEXT NOT NULL UNIQUE,
    browser_hash TEXT,
    user_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id   UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    verifier     TEXT NOT NULL,
    return_path  TEXT,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    used_at      BIGINT
);
CREATE INDEX oauth_states_session ON oauth_states (session_id);
CREATE INDEX oauth_states_user ON oauth_states (user_id);
CREATE INDEX oauth_states_expires ON oauth_states (expires_at);

-- What the provider last said of a key; money in billionths of a US dollar.
CREATE TABLE key_limits (
    ai_configuration_id UUID NOT NULL PRIMARY KEY REFERENCES ai_configurations (id) ON DELETE CASCADE,
    user_id             UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label               TEXT,
    limit_nanousd       BIGINT,
    remaining_nanousd   BIGINT,
    expires_at          BIGINT,
    -- When the provider was last asked, and when it last answered.
    asked_at            BIGINT NOT NULL,
    checked_at          BIGINT
);
CREATE INDEX key_limits_user ON key_limits (user_id);
