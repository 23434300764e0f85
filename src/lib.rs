//! Postkey: agents that answer email on their owner's own provider key.
//!
//! Mail comes in, a run is queued, the run answers with its **owner's own key**, the reply goes out. Each user
//! brings a key, a mailbox and agents; the operator pays for no tokens unless they switch on a platform key as
//! fallback. This page is the map; every module below says the rest.
//!
//! # The journey
//!
//! ```text
//! IMAP --bytes--> mailbox::intake --Message + Run, one transaction--> runs (a table)
//! runs --claim--> queue (apalis) --> run: resolve -> unlock -> prompt -> generate -> freeze -> send --> SMTP
//!                                    Message -> Agent -> key -> Conversation -> words -> frozen Reply -> Outcome
//! ```
//!
//! `mailbox` and `run` meet only in database rows: a message with its run one way, a reply that wants a copy in
//! the Sent folder the other way.
//!
//! # The layers
//!
//! The modules stand below in this order, one group per layer, and import only from above their own group; a test
//! reads the imports and fails when one goes up.
//!
//! | layer | modules | what |
//! |---|---|---|
//! | 0 ground | [`clock`], [`config`], [`telemetry`] | time, settings, redacted logs |
//! | 1 values | [`imap`], [`mail`], [`net`], [`provider`], [`smtp`], [`vault`] | one session, what a message says, the one guarded way out, one question to a model, one hand-over, sealed secrets |
//! | 2 memory | [`store`] | rows and their SQL, for SQLite and PostgreSQL |
//! | 3 work order | [`queue`] | claims, leases, verdicts: an apalis backend over `runs` |
//! | 4 actors | [`credit`], [`mailbox`], [`run`] | look up what keys may spend; watch and take in; answer. Never each other |
//! | 5 people | [`http`], [`letters`] | the API, which asks for work by writing a row; what the service itself writes to its users |
//! | 6 wiring | [`app`], [`cli`], [`demo`] | everything put together |
//!
//! # What must never break
//!
//! 1. A message, its run and the wake-up commit together, and the IMAP cursor never moves before ([`mailbox`]).
//! 2. Every message ends in exactly one visible outcome ([`store::RunState`]).
//! 3. At most one live lease per run; every write carries its epoch, and a late writer is refused
//!    ([`store::Lease`]).
//! 4. A run whose answer is stored never calls the provider again ([`store::StoredCompletion`]).
//! 5. At most one reply per run; its bytes and Message-ID are frozen before the first attempt
//!    ([`store::OutboxMail`]).
//! 6. A connection lost after the final dot holds the run: a person decides, or a copy found in the Sent folder.
//! 7. A key is opened only for a call made for its owner, and its ciphertext opens nowhere else ([`vault`]).
//! 8. Automatic mail is never answered ([`mail::gate`]), and replies are bounded whatever the other side does.
//! 9. No transaction, lock or pooled connection is alive across a network call.
//! 10. No secret and no word of a mail in a log line, an error, a `Debug` or a job row.
//! 11. The model chooses words only, or declines: recipients, headers and attachments are code.
//!
//! # Two databases, one SQL
//!
//! SQLite is the embedded default: one writer that commits together what waits together, many readers, one
//! process. PostgreSQL is for several processes. On both, runs that are at the same step share one statement for all of
//! their rows. The SQL text is shared; time is passed in, except for leases and due times on PostgreSQL, where the
//! machines' clocks disagree and the database's own is used.

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

pub mod credit;
pub mod mailbox;
pub mod run;

pub mod http;
pub mod letters;

pub mod app;
pub mod cli;
pub mod demo;
