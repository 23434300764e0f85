-- A reply's row changes several times, its bytes never: they lie beside it, and are not written again with each change.

-- All at once: a lock that grows later could be waited for in a circle.
LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE;
CREATE TABLE outbox_bytes (
    run_id UUID NOT NULL PRIMARY KEY REFERENCES outbox (run_id) ON DELETE CASCADE,
    raw    BYTEA NOT NULL
);
INSERT INTO outbox_bytes (run_id, raw) SELECT run_id, raw FROM outbox WHERE raw IS NOT NULL;
ALTER TABLE outbox DROP COLUMN raw;
-- The dropped bytes would stay in the old rows, out of retention's reach, until the rows are written anew.
CLUSTER outbox USING outbox_pkey;
ALTER TABLE outbox SET WITHOUT CLUSTER;
