//! A server whose every byte the test writes.

use std::io;
use std::sync::Arc;

use crate::support::loopback::{Encryption, Listener, Wire};

/// What the server does next.
#[derive(Clone)]
pub enum Act {
    /// Sends this.
    Say(&'static str),
    /// Reads a line.
    Read,
    /// Reads lines up to a single dot.
    ReadMail,
    /// Says nothing more, but reads on.
    Hang,
    /// Neither says nor reads anything more.
    Freeze,
}

use Act::{Freeze, Hang, Read, ReadMail, Say};

/// The acts up to the accepted recipient.
pub const OFFERED: [Act; 7] =
    [Say("220 ready\r\n"), Read, Say("250 hello\r\n"), Read, Say("250 fine\r\n"), Read, Say("250 fine\r\n")];

/// The acts up to the go-ahead for the mail.
pub fn until_data() -> Vec<Act> {
    [&OFFERED[..], &[Read, Say("354 go\r\n")]].concat()
}

/// Follows the same script on every connection and closes it at the end.
pub async fn follow(script: Vec<Act>) -> Listener {
    let script = Arc::new(script);
    Listener::start(Encryption::None, move |_, wire| run(Arc::clone(&script), wire)).await
}

async fn run(script: Arc<Vec<Act>>, mut wire: Wire) -> io::Result<()> {
    for act in script.iter() {
        match act {
            Say(text) => wire.write(text.as_bytes()).await?,
            Read => drop(wire.read_line().await?),
            ReadMail => while wire.read_line().await? != b"." {},
            Hang => wire.hang().await?,
            Freeze => std::future::pending().await,
        }
    }
    Ok(())
}
