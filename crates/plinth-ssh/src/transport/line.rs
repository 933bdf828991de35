//! One channel for operations. The shell on it that has become root with a password takes one operation after another, so that the
//! password is checked once for all of them: sudo's ticket is for that shell and that channel's session alone.

use crate::frame::Decoder;
use plinth_world::deadlines;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use std::time::Duration;
use tokio::runtime::Handle as Runtime;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

/// Says that the answers were heard.
const HEARD: &[u8] = b"x";

/// A channel that is closed when it is dropped: the watch on the node then ends what still runs there. Its room on the connection
/// is given back when the node has closed it too.
pub(super) struct Line {
    /// Both directions; none only while it is being dropped.
    pub(super) halves: Option<(ChannelReadHalf, ChannelWriteHalf<Msg>)>,
    room: Option<OwnedSemaphorePermit>,
    settling: Option<Settling>,
}

/// What comes before the next operation.
struct Settling {
    decoder: Decoder,
    ready: bool,
    since: Instant,
}

impl Line {
    /// Of a channel that was just opened, and its room.
    pub(super) fn new(channel: Channel<Msg>, room: Option<OwnedSemaphorePermit>) -> Self {
        Self { halves: Some(channel.split()), room, settling: None }
    }

    /// Whether an operation ran on it, and another one may.
    pub(super) const fn is_used(&self) -> bool {
        self.settling.is_some()
    }

    /// An operation begins on it: it is no good for another one until it was heard that this one ended. Whether one ran on it before.
    pub(super) fn taken(&mut self) -> bool {
        self.settling.take().is_some()
    }

    /// An operation ended, and the shell stays. `ready` when it has said already that it waits for another.
    pub(super) async fn heard(&mut self, decoder: Decoder, ready: bool) {
        let Some((_, write)) = &self.halves else { return };
        if matches!(timeout(deadlines::SSH_SETTLING, write.data_bytes(HEARD)).await, Ok(Ok(()))) {
            self.settling = Some(Settling { decoder, ready, since: Instant::now() });
        }
    }

    /// Whether the shell waits for another operation; if it does not yet, waits for that.
    pub(super) async fn is_ready(&mut self) -> bool {
        let (Some((read, _)), Some(settling)) = (&mut self.halves, &mut self.settling) else { return false };
        let is_fresh = settling.since.elapsed() < deadlines::SSH_KEPT;
        is_fresh
            && matches!(timeout(deadlines::SSH_SETTLING, settling.listen(read)).await, Ok(Some(())))
            && is_quiet(read).await
    }
}

/// Whether nothing was said since: a shell that waits is silent, and one that is gone has closed the channel.
async fn is_quiet(read: &mut ChannelReadHalf) -> bool {
    while let Ok(message) = timeout(Duration::ZERO, read.wait()).await {
        if !matches!(message, Some(ChannelMsg::ExtendedData { .. } | ChannelMsg::WindowAdjusted { .. })) {
            return false;
        }
    }
    true
}

impl Settling {
    async fn listen(&mut self, read: &mut ChannelReadHalf) -> Option<()> {
        while !self.ready {
            match read.wait().await? {
                ChannelMsg::Data { data } => {
                    let frames = self.decoder.push(&data).ok()?;
                    self.ready = frames.iter().any(|frame| frame.key == "ready");
                }
                ChannelMsg::ExtendedData { .. } | ChannelMsg::WindowAdjusted { .. } => {}
                _ => return None,
            }
        }
        Some(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let (Some((mut read, write)), Ok(runtime)) = (self.halves.take(), Runtime::try_current()) else { return };
        let room = self.room.take();
        runtime.spawn(async move {
            if write.close().await.is_ok() {
                let _or_the_connection_is_lost =
                    timeout(deadlines::SSH_CLOSING, async { while read.wait().await.is_some() {} }).await;
            }
            drop(room);
        });
    }
}
