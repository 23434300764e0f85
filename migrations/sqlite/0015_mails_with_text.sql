-- The mails that still have their text, so that those that have become old are found without reading all others.
CREATE INDEX messages_with_text ON messages (received_at) WHERE raw IS NOT NULL;
