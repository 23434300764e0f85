-- How correspondents are treated: the rules of an agent, who is not to be written to any more, what was sent.

-- Lists are JSON texts.
ALTER TABLE agents ADD COLUMN link_domains TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN allowed_senders TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN blocked_senders TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN require_authenticated BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE agents ADD COLUMN per_correspondent_10_minutes BIGINT;
ALTER TABLE agents ADD COLUMN per_correspondent_day BIGINT;
ALTER TABLE agents ADD COLUMN per_thread_day BIGINT;
ALTER TABLE agents ADD COLUMN per_agent_day BIGINT;

-- The host whose verdict on senders counts.
ALTER TABLE mailboxes ADD COLUMN authserv_id TEXT;
-- Whether mail is answered that does not name the mailbox, or only as a copy.
ALTER TABLE mailboxes ADD COLUMN answer_unaddressed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE mailboxes ADD COLUMN answer_copies BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE messages ADD COLUMN authentication TEXT;

ALTER TABLE outbox ADD COLUMN agent_id UUID;
ALTER TABLE outbox ADD COLUMN question_hash BYTEA;
ALTER TABLE outbox ADD COLUMN answer_hash BYTEA;
-- How many exchanges in a row were faster than a person, this one included.
ALTER TABLE outbox ADD COLUMN quick_exchanges BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN bounced_at BIGINT;
CREATE INDEX outbox_agent ON outbox (agent_id, user_id, created_at, run_id);

-- Where automation has stopped: for an address, or for one thread with it.
CREATE TABLE suppressions (
    id         UUID NOT NULL PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mailbox_id UUID NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    address    TEXT NOT NULL,
    thread_id  UUID REFERENCES threads (id) ON DELETE CASCADE,
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX suppressions_address ON suppressions (mailbox_id, address) WHERE thread_id IS NULL;
CREATE UNIQUE INDEX suppressions_thread ON suppressions (thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX suppressions_mailbox ON suppressions (mailbox_id, address);

-- What is kept of a sent reply once its run is forgotten.
CREATE TABLE sent_mails (
    mailbox_id     UUID NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    rfc_message_id TEXT NOT NULL,
    user_id        UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    thread_id      UUID NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    recipient      TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    bounced_at     BIGINT,
    PRIMARY KEY (mailbox_id, rfc_message_id)
);
