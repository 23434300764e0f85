//! Chat for front ends, in OpenAI's shape: whatever talks to OpenAI can talk to this, and the provider's key stays here.

pub(super) mod completions;
pub(super) mod models;

mod answer;
mod means;
mod question;
mod refusal;
