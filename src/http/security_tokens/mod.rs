//! Security tokens: what a front end gets in place of a provider key, for one purpose and a while (SR-48 to SR-53).

pub(super) mod pass;
