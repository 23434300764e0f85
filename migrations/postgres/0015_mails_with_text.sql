-- The mails that still have their text, so that those that have become old are found without reading all others.
CREATE INDEX messages_with_text ON messages (received_at) WHERE raw IS NOT NULL;

-- From here on the answer and the reply go with their mail; those whose mail went before, by itself, go now.
DELETE FROM outbox_bytes WHERE run_id IN (SELECT id FROM messages WHERE raw IS NULL);
UPDATE completions SET body = NULL WHERE body IS NOT NULL AND run_id IN (SELECT id FROM messages WHERE raw IS NULL);
