//! The API by its front door: the real service, a real port, both databases.

mod account;
mod accounts;
mod ai_configurations;
mod bad_input;
mod connections;
mod document;
mod invites;
mod isolation;
mod limits;
mod looking_back;
mod named_calls;
mod notices;
mod openrouter;
mod resets;
mod tokens;
mod usage;
