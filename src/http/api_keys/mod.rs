//! Platform API keys: with which programs call this API in their owner's name (SR-40 to SR-47).

pub(super) mod rights;
