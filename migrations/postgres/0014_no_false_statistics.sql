-- Writing an empty table anew tells the planner that it is empty, and plans made before the next ANALYZE then read whole
-- indexes. A truncated table is one of which it knows nothing.
LOCK TABLE outbox, outbox_bytes IN ACCESS EXCLUSIVE MODE;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM outbox) THEN
        TRUNCATE outbox, outbox_bytes;
    END IF;
END
$$;
