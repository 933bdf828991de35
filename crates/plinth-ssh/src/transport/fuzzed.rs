//! What comes from outside as bytes, for the fuzz target: a server's first words and all that follows, and known_hosts.

use super::algorithms::KeepAlive;
use super::connection::{Manner, greeted};
use super::hostkeys;
use super::peer::Peer;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::runtime::Builder;

/// Memory of the line between us and the made-up server, bytes.
const LINE: usize = 64 * 1024;

/// Lets a server say these bytes and hang up; what is said of it. None when no runtime could be had.
#[must_use]
pub fn verdict(bytes: &[u8]) -> Option<String> {
    let runtime = Builder::new_current_thread().enable_time().build().ok()?;
    let keep_alive = KeepAlive { interval: Duration::from_secs(1), max: 1 };
    let manner = Manner { deadline: Duration::from_secs(1), keep_alive };
    runtime.block_on(async {
        let (ours, mut theirs) = duplex(LINE);
        let saying = async {
            let mut hello = [0; 256];
            let _whatever_we_say = theirs.read(&mut hello).await;
            let _we_may_have_hung_up = theirs.write_all(bytes).await;
            drop(theirs);
        };
        let peer = Peer::example();
        let (said, ()) = tokio::join!(greeted(ours, &peer, manner), saying);
        said.err().map(|error| error.happened)
    })
}

/// The number of keys by which some host is known in a known_hosts text.
#[must_use]
pub fn known_hosts(text: &str) -> usize {
    hostkeys::understood(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_server_is_believed_and_none_makes_us_panic(begin in 0..3_usize, bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let begins: [&[u8]; 3] = [b"", b"SSH-2.0-x\r\n", b"SSH-2.0-x\r\n\0\0\0\x2c\x04\x14"];
            prop_assert!(verdict(&[begins[begin], &bytes].concat()).is_some());
        }

        #[test]
        fn any_text_is_read_as_known_hosts(text in "(\\|1\\|)?[ -~\n@]{0,200}( ssh-ed25519 AAAA[A-Za-z0-9+/=]{0,80}\n)?") {
            prop_assert!(known_hosts(&text) <= 2 * text.lines().count());
        }
    }
}
