//! The demo: plain, honest stand-ins on loopback for everything that Postkey talks to.
//!
//! None of them plays tricks: no scripted faults, no delays unless asked for. They exist so that the real
//! service can be watched at work, and measured, on a machine that has nothing else.

pub mod control;
pub mod model;
pub mod post_office;
pub mod samples;
pub mod show;
