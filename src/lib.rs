//! Postkey: agents that answer email on their owner's own provider key.

pub mod clock;
pub mod config;
pub mod telemetry;

pub mod imap;
pub mod mail;
pub mod net;
pub mod provider;
pub mod smtp;
pub mod vault;

pub mod store;

pub mod queue;

pub mod mailbox;
pub mod run;

pub mod app;
pub mod cli;
pub mod demo;
