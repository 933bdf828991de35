//! What comes back from one script: its answers, what else it said, and how it ended.

use crate::frame::{Decoder, Frame};
use plinth_world::{Context, deadlines};
use russh::{ChannelMsg, ChannelReadHalf};
use tokio::time::timeout;

/// Most that is kept of each of both outputs, bytes: its end, for the log of an operation that failed.
pub(super) const KEPT: usize = 64 * 1024;
/// Standard error that is told as evidence, bytes.
const STDERR_TOLD: usize = 4 * 1024;

/// What came back.
pub(super) struct Heard {
    pub(super) decoder: Decoder,
    pub(super) frames: Vec<Frame>,
    /// How its answers begin.
    mark: String,
    stdout: Kept,
    stderr: Kept,
    /// How the shell around it ended.
    pub(super) exit: Option<u32>,
    /// The other side runs no commands.
    pub(super) refused: bool,
    /// How the script ended, by the shell around it: it tells that also of one that was killed.
    pub(super) over: Option<String>,
}

/// The end of an output.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// Something stood before.
    is_cut: bool,
}

impl Kept {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let over = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..over);
        self.is_cut |= over > 0;
    }

    /// Whole lines: the rest of one that was cut could be the rest of a secret, which nobody would know.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        match text.split_once('\n') {
            Some((_, whole)) if self.is_cut => format!("(what stood before is not kept)\n{whole}"),
            None if self.is_cut => String::new(),
            _ => text.into_owned(),
        }
    }
}

impl Heard {
    pub(super) fn new(nonce: &str) -> Self {
        Self {
            decoder: Decoder::new(nonce),
            frames: Vec::new(),
            mark: format!("@{nonce} "),
            stdout: Kept::default(),
            stderr: Kept::default(),
            exit: None,
            refused: false,
            over: None,
        }
    }

    /// What marks its answers.
    pub(super) fn nonce(&self) -> &str {
        self.mark.trim_matches(['@', ' '])
    }

    /// Listens until the script has said how it ended, or the shell around it that it is over, or nothing can come any more.
    pub(super) async fn listen(&mut self, read: &mut ChannelReadHalf, ctx: &Context) -> Result<(), String> {
        while self.decoder.status().is_none() && !self.refused && self.over.is_none() && self.hear(read, ctx).await? {}
        if self.decoder.status().is_some_and(|status| status != 0) {
            let rest = async { while matches!(self.hear(read, ctx).await, Ok(true)) {} };
            let _what_came_in_time = timeout(deadlines::SSH_COMPLAINTS, rest).await;
        }
        Ok(())
    }

    /// Listens until an answer with this key came; none when the script ended before, or nothing can come any more.
    pub(super) async fn until(&mut self, read: &mut ChannelReadHalf, ctx: &Context, key: &str) -> Option<String> {
        while self.value(key).is_none() {
            let over = self.decoder.status().is_some() || self.refused;
            if over || !self.hear(read, ctx).await.unwrap_or(false) {
                return None;
            }
        }
        self.value(key).map(str::to_owned)
    }

    /// Takes one message; whether more can come.
    async fn hear(&mut self, read: &mut ChannelReadHalf, ctx: &Context) -> Result<bool, String> {
        match self.next(read).await {
            None | Some(ChannelMsg::Close) => return Ok(false),
            Some(ChannelMsg::Data { data }) => {
                self.stdout.take(&data);
                let frames = self.decoder.push(&data).map_err(|error| error.to_string())?;
                frames.into_iter().for_each(|frame| self.take(frame, ctx));
            }
            Some(ChannelMsg::ExtendedData { data, .. }) => self.stderr.take(&data),
            Some(ChannelMsg::ExitStatus { exit_status }) => self.exit = Some(exit_status),
            Some(ChannelMsg::ExitSignal { .. }) => self.exit = Some(128),
            Some(ChannelMsg::Failure) => self.refused = true,
            Some(_) => {}
        }
        Ok(true)
    }

    /// The next message; none when nothing more can come, or nothing did since the shell ended.
    async fn next(&self, read: &mut ChannelReadHalf) -> Option<ChannelMsg> {
        match self.exit {
            None => read.wait().await,
            Some(_) => timeout(deadlines::SSH_LINGERING, read.wait()).await.unwrap_or_default(),
        }
    }

    fn take(&mut self, frame: Frame, ctx: &Context) {
        if frame.key == "over" {
            self.over = Some(frame.value);
        } else if frame.key != "progress" {
            self.frames.push(frame);
        } else if let Some((done, total, message)) = progress(&frame.value) {
            ctx.progress(done, total, message);
        }
    }

    /// Whether the shell that became root stays for another operation.
    pub(super) fn leaves_shell(&self) -> bool {
        let ends = self.exit.is_some() || self.refused || self.value("once").is_some();
        !ends && self.decoder.status().is_some()
    }

    pub(super) fn stderr(&self) -> String {
        let from = self.stderr.bytes.len().saturating_sub(STDERR_TOLD);
        String::from_utf8_lossy(self.stderr.bytes.get(from..).unwrap_or_default()).into_owned()
    }

    /// Both outputs for people: answers without what marks them, and without those that are about the way itself.
    pub(super) fn said(&self) -> (String, String) {
        let about_the_way =
            |line: &&str| !matches!(line.split(' ').next(), Some("begin" | "end" | "once" | "over" | "ready"));
        let stdout = self.stdout.text();
        let lines =
            stdout.lines().filter(|line| !line.is_empty()).filter_map(|line| match line.strip_prefix(&self.mark) {
                Some(answer) => Some(answer).filter(about_the_way),
                None => Some(line),
            });
        (lines.collect::<Vec<_>>().join("\n"), self.stderr.text())
    }

    /// The status that the operation gave, or else that of the shell around it when it ended badly.
    pub(super) fn ended(&self) -> Option<i32> {
        let shell = self.exit.filter(|status| *status != 0).and_then(|status| i32::try_from(status).ok());
        self.decoder.status().or(shell)
    }

    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.frames.iter().find(|frame| frame.key == key).map(|frame| frame.value.as_str())
    }
}

/// `DONE TOTAL TEXT`.
fn progress(value: &str) -> Option<(u64, u64, &str)> {
    let mut parts = value.splitn(3, ' ');
    let number = |part: Option<&str>| part?.parse().ok();
    Some((number(parts.next())?, number(parts.next())?, parts.next().unwrap_or_default()))
}
