//! The `postkey` program.

fn main() {}
