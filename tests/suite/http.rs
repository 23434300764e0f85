//! The API by its front door: the real service, a real port, both databases.

mod accounts;
mod ai_configurations;
mod bad_input;
mod limits;
mod tokens;
