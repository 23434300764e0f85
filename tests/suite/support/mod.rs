//! What tests stand on: scripted servers, a real Dovecot, and a fresh database for each test.

pub mod api;
pub mod browser;
pub mod certificate;
pub mod database;
pub mod dialling;
pub mod dovecot;
pub mod dump;
pub mod front;
pub mod imap_server;
pub mod loopback;
pub mod office;
pub mod openrouter;
pub mod program;
pub mod provider_server;
pub mod proxy;
pub mod raw;
pub mod readme;
pub mod rows;
pub mod smtp_server;
pub mod timing;
pub mod wait;
pub mod world;
