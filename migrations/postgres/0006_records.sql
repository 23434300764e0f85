-- What a user may look back on, take along, and leave behind.

-- What calls came to in an hour in which nothing changes any more; `hour` is when it began.
CREATE TABLE usage_hours (
    user_id          UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hour             BIGINT NOT NULL,
    agent_id         UUID NOT NULL,
    payer            TEXT NOT NULL,
    provider         TEXT NOT NULL,
    model            TEXT NOT NULL,
    calls            BIGINT NOT NULL,
    failed           BIGINT NOT NULL,
    input_tokens     BIGINT NOT NULL,
    cached_tokens    BIGINT NOT NULL,
    output_tokens    BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    -- Unset where the provider says nothing of it.
    cost_nanousd     BIGINT,
    PRIMARY KEY (user_id, hour, agent_id, payer, provider, model)
);

-- Since when an account is being removed.
ALTER TABLE users ADD COLUMN leaving_at BIGINT;
CREATE INDEX users_leaving ON users (id) WHERE leaving_at IS NOT NULL;

CREATE INDEX notices_user ON notices (user_id, id);
CREATE INDEX threads_user ON threads (user_id, id);
CREATE INDEX sent_mails_user ON sent_mails (user_id, mailbox_id, rfc_message_id);
