-- A reply's row changes several times, its bytes never: they lie beside it, and are not written again with each change.

CREATE TABLE outbox_bytes (
    run_id BLOB NOT NULL PRIMARY KEY REFERENCES outbox (run_id) ON DELETE CASCADE,
    raw    BLOB NOT NULL
);
INSERT INTO outbox_bytes (run_id, raw) SELECT run_id, raw FROM outbox WHERE raw IS NOT NULL;
ALTER TABLE outbox DROP COLUMN raw;
