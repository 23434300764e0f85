-- What a row's parent says of its owner and its mailbox need not be looked up again for each row, nor those rows be
-- locked: with a mailbox go its threads, with a thread its messages, with a message its run, the answer and the reply.
ALTER TABLE threads DROP CONSTRAINT threads_user_id_fkey;
ALTER TABLE messages DROP CONSTRAINT messages_user_id_fkey, DROP CONSTRAINT messages_mailbox_id_fkey;
ALTER TABLE runs DROP CONSTRAINT runs_user_id_fkey;
ALTER TABLE completions DROP CONSTRAINT completions_user_id_fkey;
ALTER TABLE outbox DROP CONSTRAINT outbox_user_id_fkey, DROP CONSTRAINT outbox_mailbox_id_fkey,
    DROP CONSTRAINT outbox_thread_id_fkey;
