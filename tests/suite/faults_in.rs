//! Bad mail and bad mail servers: whatever comes in, every mail ends in one visible outcome, and none is answered
//! twice.

mod fencing;
mod filing;
mod first_connect;
mod mails;
mod real_server;
mod room;
mod scene;
mod servers;
mod sharing;
mod stopping;
mod uids;
mod withheld;
