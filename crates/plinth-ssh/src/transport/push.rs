//! Pushes one large file to a node: streamed through a channel of its own, piece by piece, so that neither side holds it in memory.
//!
//! It grows beside its place and gets its name when its checksum is right. What had arrived when a connection was lost stays, and
//! the next push goes on from there. Meant for the service account, which becomes root without a password.

use super::Ssh;
use super::answers::Heard;
use super::failure::{found, lost, permanent};
use super::peer::Peer;
use super::told;
use plinth_model::finding::code;
use plinth_model::steps::NodeTarget;
use plinth_world::context::Paced;
use plinth_world::node::PushFile;
use plinth_world::seam::Seam;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use russh::ChannelWriteHalf;
use russh::client::Msg;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;
use tokio::time::timeout;

const DOING: &str = "pushing a file";
const OUTER: &str = include_str!("sh/push_outer.sh");
const INNER: &str = include_str!("sh/push_inner.sh");
/// Bytes that are read and sent at once.
const PIECE: usize = 256 * 1024;
/// The slowest line that is waited for, bytes a second.
const SLOWEST: u64 = 512 * 1024;

impl Ssh {
    /// Puts a local file in place on a node, as root.
    ///
    /// # Errors
    /// Transient when the node or the link is lost, permanent when the local file cannot be read, the node refuses, or what
    /// arrived is damaged.
    pub async fn push(&self, ctx: &Context, target: &NodeTarget, push: &PushFile<'_>) -> ClientResult<()> {
        let command = told::command(target, told::ROOT_SHELL, &format!("pushing {}", push.name));
        let _room = self.room().await;
        let seam = Seam::program(told::CLIENT, || command.clone());
        let mut heard = Heard::new(&uuid::Uuid::new_v4().simple().to_string());
        let result = self.push_in_room(ctx, target, push, &mut heard).await;
        seam.end_of(&result);
        result.map_err(|error| told::with(error, || self.telling(ctx, target).of(&command, &heard)))
    }

    async fn push_in_room(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        push: &PushFile<'_>,
        heard: &mut Heard,
    ) -> ClientResult<()> {
        let peer = Peer::node(target);
        let unreadable = |error: std::io::Error| {
            let happened = format!("{}: {error}", push.source.display());
            permanent(DOING, &peer, happened, "run again: the file is fetched again")
        };
        if let Some(word) = [push.folder, push.name, push.sha256].into_iter().find(|word| !is_plain(word)) {
            let happened = format!("`{word}` is no plain word");
            return Err(permanent(DOING, &peer, happened, "this is a defect of plinth: report it"));
        }
        let source = File::open(push.source).map_err(unreadable)?;
        let size = source.metadata().map_err(unreadable)?.len();
        let limit = deadlines::SSH_PUSH + Duration::from_secs(size / SLOWEST);
        let place = self.place(&peer, target);
        let mut line = self.line(&peer, target, &place, DOING).await?;
        let Some((read, write)) = &mut line.halves else { return Err(lost(DOING, &peer, "the channel is closed")) };
        let text = text();
        let sending = Sending { ctx, push, size, peer: &peer };
        let whole = async {
            let words = words(heard.nonce(), push, size, limit);
            start(write, &text, &words).await.map_err(|error| lost(DOING, &peer, error.to_string()))?;
            let Some(have) = heard.until(read, ctx, "have").await else { return Ok(()) };
            let begun = have.parse().unwrap_or(0);
            tokio::select! {
                _ended = heard.listen(read, ctx) => Ok(()),
                failed = sending.send(write, source, begun) => Err(failed),
            }
        };
        match timeout(limit, whole).await {
            Err(_) => Err(lost(DOING, &peer, format!("it did not end within {} s", limit.as_secs()))),
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => judge(&peer, push, heard),
        }
    }
}

/// Letters, digits and what paths have besides: the same to every shell.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'+'))
}

/// Both scripts; the outer one becomes root if need be.
fn text() -> String {
    format!("inner='{}'\n{OUTER}", INNER.replace('\'', r"'\''"))
}

/// Arguments of the script. None is secret; the name and the checksum are plain words, and the folder is a checked path.
fn words(nonce: &str, push: &PushFile<'_>, size: u64, limit: Duration) -> String {
    format!("{nonce} {} {} {} {size} {}", push.folder, push.name, push.sha256, limit.as_secs())
}

/// Starts the script. The command is one that every login shell reads alike, as in `bootstrap`.
async fn start(write: &ChannelWriteHalf<Msg>, text: &str, words: &str) -> Result<(), russh::Error> {
    let length = text.len();
    let take = format!("dd bs={length} count=1 iflag=fullblock 2>/dev/null || dd bs=1 count={length} 2>/dev/null");
    write.exec(true, format!("exec sh -c 'eval \"$({take})\"' plinth {words}")).await?;
    write.data_bytes(text.as_bytes().to_vec()).await
}

/// One stream.
struct Sending<'a> {
    ctx: &'a Context,
    push: &'a PushFile<'a>,
    size: u64,
    peer: &'a Peer,
}

impl Sending<'_> {
    /// Sends the rest of the file, and then waits for the answer of the node. Ends only with an error.
    async fn send(&self, write: &ChannelWriteHalf<Msg>, mut source: File, begun: u64) -> ClientError {
        let mut sent = begun;
        let mut paced = Paced::new(self.ctx);
        if let Err(error) = source.seek(SeekFrom::Start(begun)) {
            return self.unreadable(&error);
        }
        while sent < self.size {
            let mut piece = vec![0; PIECE];
            let read = match source.read(&mut piece) {
                Ok(0) => return self.unreadable(&std::io::Error::other("it became shorter while it was read")),
                Ok(read) => read,
                Err(error) => return self.unreadable(&error),
            };
            piece.truncate(read);
            if write.data_bytes(piece).await.is_err() {
                // Listening tells what happened, or that nothing comes any more.
                return std::future::pending().await;
            }
            sent += read as u64;
            paced.report(sent, self.size, self.push.name);
        }
        std::future::pending().await
    }

    fn unreadable(&self, error: &std::io::Error) -> ClientError {
        let happened = format!("{}: {error}", self.push.source.display());
        permanent(DOING, self.peer, happened, "run again: the file is fetched again")
    }
}

fn judge(peer: &Peer, push: &PushFile<'_>, heard: &Heard) -> ClientResult<()> {
    let stderr = heard.stderr();
    match (heard.decoder.status(), heard.value("fail")) {
        (Some(0), _) => Ok(()),
        (Some(_), Some(why)) if why.contains("broke off") => Err(lost(DOING, peer, why.to_owned())),
        (Some(_), why) => {
            let why = why.unwrap_or("the node refused it");
            let fix = format!("fix what is named here on {}, then run again", peer.name);
            Err(found(code::NODE_OPERATION_FAILED, peer, &format!("pushing {}", push.name), why, fix, vec![stderr]))
        }
        (None, _) if stderr.contains("sudo") => {
            let happened = format!("{} does not become root without a password", peer.user);
            let fix = format!("let plinth make its account on {} (step `nodes/account`), then run again", peer.name);
            Err(found(code::NODE_NO_ROOT, peer, DOING, &happened, fix, vec![stderr]))
        }
        (None, _) => Err(lost(DOING, peer, format!("the connection was lost while {} was on its way", push.name))),
    }
}
