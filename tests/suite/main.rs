//! The whole suite in one binary: one link, every database.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

mod support;

mod apply;
mod arrivals;
mod canary;
mod cli;
mod conduct;
mod config;
mod database_file;
mod demo;
mod demo_servers;
mod explain;
mod faults_in;
mod faults_out;
mod fuzz;
mod http;
mod imap;
mod layers;
mod locked_rows;
mod mail;
mod migrations;
mod net;
mod oauth;
mod prompt;
mod provider;
mod queue;
mod smtp;
mod steps;
mod story;
mod support_check;
mod telemetry;
mod vault;
