-- What a user may look back on, take along, and leave behind.

-- What calls came to in an hour in which nothing changes any more; `hour` is when it began.
CREATE TABLE usage_hours (
    user_id          BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hour             INTEGER NOT NULL,
    agent_id         BLOB NOT NULL,
    payer            TEXT NOT NULL,
    provider         TEXT NOT NULL,
    model            TEXT NOT NULL,
    calls            INTEGER NOT NULL,
    failed           INTEGER NOT NULL,
    input_tokens     INTEGER NOT NULL,
    cached_tokens    INTEGER NOT NULL,
    output_tokens    INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    -- Unset where the provider says nothing of it.
    cost_nanousd     INTEGER,
    PRIMARY KEY (user_id, hour, agent_id, payer, provider, model)
);

-- Since when an account is being removed.
ALTER TABLE users ADD COLUMN leaving_at INTEGER;
CREATE INDEX users_leaving ON users (id) WHERE leaving_at IS NOT NULL;

CREATE INDEX notices_user ON notices (user_id, id);
CREATE INDEX threads_user ON threads (user_id, id);
CREATE INDEX sent_mails_user ON sent_mails (user_id, mailbox_id, rfc_message_id);
