-- What is to be filed is read in its order, and not sorted each time.
DROP INDEX outbox_unfiled;
CREATE INDEX outbox_unfiled ON outbox (mailbox_id, run_id) WHERE filed_at IS NULL;

-- A reply changes several times, and so does a call: with room on its page for the next versions, the indexes need not
-- know of them.
ALTER TABLE outbox SET (fillfactor = 50);
ALTER TABLE provider_calls SET (fillfactor = 70);
