-- What is to be filed is read in its order, and not sorted each time.
DROP INDEX outbox_unfiled;
CREATE INDEX outbox_unfiled ON outbox (mailbox_id, run_id) WHERE filed_at IS NULL;
