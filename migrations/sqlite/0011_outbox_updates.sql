-- What is to be filed is read in its order, without looking at what was filed long ago.
DROP INDEX outbox_unfiled;
CREATE INDEX outbox_unfiled ON outbox (mailbox_id, run_id) WHERE filed_at IS NULL;
