-- How many replies an agent had frozen in an hour, so that nobody counts a day's replies one by one.

-- Hours are counted from 1970. Replies of several slots are frozen side by side.
CREATE TABLE agent_hours (
    agent_id UUID NOT NULL,
    hour     BIGINT NOT NULL,
    slot     BIGINT NOT NULL,
    user_id  UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    replies  BIGINT NOT NULL,
    PRIMARY KEY (agent_id, hour, slot)
);
INSERT INTO agent_hours (agent_id, hour, slot, user_id, replies)
SELECT agent_id, created_at / 3600000, 0, user_id, COUNT(*) FROM outbox
WHERE agent_id IS NOT NULL GROUP BY agent_id, created_at / 3600000, user_id;
DROP INDEX outbox_agent;

-- A reply's state may change without a change of its indexes.
DROP INDEX outbox_unfiled;
CREATE INDEX outbox_unfiled ON outbox (mailbox_id) WHERE filed_at IS NULL;
