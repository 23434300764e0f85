//! What tests stand on: scripted servers, a real Dovecot, and a fresh database for each test.

pub mod database;
pub mod wait;
