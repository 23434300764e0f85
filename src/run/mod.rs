//! The journey of a run (being built).

pub mod explain;
