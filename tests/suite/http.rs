//! The API by its front door: the real service, a real port, both databases.

mod account;
mod accounts;
mod agents;
mod ai_configurations;
mod api_keys;
mod bad_input;
mod chat;
mod connections;
mod document;
mod invites;
mod isolation;
mod limits;
mod looking_back;
mod mailboxes;
mod named_calls;
mod notices;
mod openrouter;
mod password_changes;
mod previews;
mod readme;
mod resets;
mod runs;
mod security_tokens;
mod tokens;
mod usage;
mod walkthrough;
