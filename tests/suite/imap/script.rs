//! A server whose every byte the test writes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::support::loopback::{Encryption, Listener, Wire};

/// What the server does after a line of the client.
pub enum Act {
    /// Sends this; `TAG` stands for the tag of the last line.
    Say(&'static str),
    /// Sends these bytes as they are.
    Bytes(Vec<u8>),
    /// Sends these bytes one by one.
    Drip(Vec<u8>),
    /// Reads a line and takes its tag.
    Read,
    /// Reads a line without a tag.
    ReadBare,
    /// Says nothing more.
    Hang,
}

use Act::{Bytes, Drip, Hang, Read, ReadBare, Say};

/// Follows the same script on every connection and closes it at the end.
pub async fn follow(script: Vec<Act>) -> Listener {
    let script = Arc::new(script);
    Listener::start(Encryption::None, move |_, wire| run(Arc::clone(&script), wire)).await
}

/// Greets, logs in, tells its capabilities, opens a folder; then what the test says.
pub async fn after_select(rest: Vec<Act>) -> (Listener, SocketAddr) {
    let mut script = vec![
        Say("* OK ready\r\n"),
        Read,
        Say("TAG OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"),
        Read,
        Say("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 42] n\r\nTAG OK [READ-WRITE] open\r\n"),
        Read,
    ];
    script.extend(rest);
    let listener = follow(script).await;
    let address = listener.address();
    (listener, address)
}

async fn run(script: Arc<Vec<Act>>, mut wire: Wire) -> io::Result<()> {
    let mut tag = String::new();
    for act in script.iter() {
        match act {
            Say(text) => wire.write(text.replace("TAG", &tag).as_bytes()).await?,
            Bytes(bytes) => wire.write(bytes).await?,
            Drip(bytes) => {
                for byte in bytes {
                    wire.write(&[*byte]).await?;
                    tokio::task::yield_now().await;
                }
            }
            Read => {
                let line = String::from_utf8(wire.read_line().await?).unwrap();
                line.split(' ').next().unwrap_or_default().clone_into(&mut tag);
            }
            ReadBare => drop(wire.read_line().await?),
            Hang => wire.hang().await?,
        }
    }
    Ok(())
}
