-- Whether the host delivers mail to plus forms of the mailbox's addresses; NULL where its owner has not said.
ALTER TABLE mailboxes ADD COLUMN plus_addressing BOOLEAN;
