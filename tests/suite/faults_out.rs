//! What goes wrong after a mail was taken in: keys, providers, mail servers, the database, the end of the process.
//! Each through the front door, on both databases: nothing is lost, nothing goes out twice, nobody pays for others.

mod after_the_dot;
mod custody;
mod database;
mod handover;
mod keys;
mod limits;
mod providers;
mod restraint;
