//! What tests stand on: scripted servers and databases.
