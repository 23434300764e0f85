-- CLUSTER, in migration 0013, tells the planner of an empty table that it is empty, and plans that are made and kept while
-- the table has few pages then read whole indexes. Of a truncated table it knows nothing, which is true.

-- Nothing may be written between the look and the end; `outbox_bytes` refers to `outbox`, so both are truncated.
LOCK TABLE outbox, outbox_bytes IN ACCESS EXCLUSIVE MODE;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM outbox) THEN
        TRUNCATE outbox, outbox_bytes;
    END IF;
END
$$;
