//! The ground that tests stand on is tested too: a broken stand-in would make every other test a lie.

mod database;
mod dovecot;
mod imap_client;
mod imap_server;
mod provider_server;
mod proxy;
mod smtp_server;
mod wait;
