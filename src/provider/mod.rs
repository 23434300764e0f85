//! Ask a model, once, with the owner's key: for the words of a mail ([`complete`]), or for somebody who chats ([`chat`],
//! [`chat_stream`]).
//!
//! One call is one HTTP exchange (a second or third only if the model refuses a *parameter*,
//! which costs nothing): no retry hides in here, because repeating a paid call is the run's decision. Every
//! failure is a [`ProviderError`] of a closed class that says what to do next; texts of the other side never
//! leave this module, except the answer itself.
//!
//! ```text
//! Call -> request (JSON) -> exchange (guarded, limited, classified) -> answer -> Completion
//! ```

mod answer;
mod call;
mod chat;
mod check;
mod complaint;
mod conversation;
mod error;
mod exchange;
mod key;
mod key_limits;
mod kind;
mod openrouter;
mod request;
mod token_estimate;
mod wait;

pub use answer::{Completion, Finish, Usage};
pub use call::{Call, complete};
pub use chat::{Chat, ChatAnswer, ChatStream, StreamEnd, chat, chat_stream};
pub use check::{KeyVerdict, check_key};
pub use conversation::{Conversation, Role, Turn};
pub use error::{ErrorClass, ProviderError};
pub use key::{KeyFormError, check_key_form, trim_key};
pub use key_limits::KeyLimits;
pub use kind::{Provider, UnknownProvider};
pub use openrouter::{CodeExchange, code_challenge, exchange_code};
pub use token_estimate::{cut_to_tokens, tokens};
