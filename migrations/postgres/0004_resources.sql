-- Agents, mailboxes and runs as people manage them over HTTP.

-- An agent may be made before its mailbox, and outlives it. How its replies sound is its owner's choice.
ALTER TABLE agents ALTER COLUMN mailbox_id DROP NOT NULL;
ALTER TABLE agents DROP CONSTRAINT agents_mailbox_id_fkey;
ALTER TABLE agents ADD CONSTRAINT agents_mailbox_id_fkey
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id) ON DELETE SET NULL;
ALTER TABLE agents ADD COLUMN signature TEXT;
ALTER TABLE agents ADD COLUMN disclosure TEXT;
ALTER TABLE agents ADD COLUMN language TEXT;

-- A preview asks a provider, and has no run; a chat has no agent either.
ALTER TABLE provider_calls ALTER COLUMN run_id DROP NOT NULL;
ALTER TABLE provider_calls ALTER COLUMN agent_id DROP NOT NULL;
-- What the provider says that it charges, in billionths of a US dollar.
ALTER TABLE provider_calls ADD COLUMN cost_nanousd BIGINT;

-- Whether the owner has put other words in the place of the model's.
ALTER TABLE completions ADD COLUMN edited BOOLEAN NOT NULL DEFAULT FALSE;

-- Lists of runs by what people look for. Runs pass through the other states too fast to be worth an index of them.
CREATE INDEX runs_attention ON runs (user_id, state, id) WHERE state IN ('waiting', 'held', 'failed', 'quarantined');
CREATE INDEX runs_agent ON runs (user_id, agent_id, id) WHERE agent_id IS NOT NULL;
CREATE INDEX messages_mailbox ON messages (mailbox_id, id);
