//! What the model is shown.

/// The whole input of a call. It holds mail text, so it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Instructions; the only part that is not from outside.
    pub system: String,
    /// The exchange so far, oldest first; the last one is what to answer.
    pub turns: Vec<Turn>,
}

/// One contribution to a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The person outside; untrusted.
    Correspondent,
    /// Our agent.
    Agent,
}
