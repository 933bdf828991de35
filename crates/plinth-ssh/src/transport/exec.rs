//! Runs one script on an open connection and reads its answers.

use super::bootstrap::{self, BEAT, Mode};
use super::failure::{found, lost, permanent};
use super::line::Line;
use super::peer::Peer;
use super::told::{self, Telling};
use crate::frame::{Decoder, Frame, Frames};
use crate::script::Script;
use plinth_model::Secret;
use plinth_model::finding::code;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use std::convert::Infallible;
use std::future;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Most that is kept of each of both outputs, bytes: its end, for the log of an operation that failed.
pub(super) const KEPT: usize = 64 * 1024;
/// Standard error that is told as evidence, bytes.
const STDERR_TOLD: usize = 4 * 1024;

pub(super) struct Call<'a> {
    /// Context of the call.
    pub(super) ctx: &'a Context,
    /// Whom it is about.
    pub(super) peer: &'a Peer,
    /// The operation.
    pub(super) script: &'a Script,
    /// For sudo, if it asks.
    pub(super) password: Option<&'a Secret>,
    /// Takes secrets out of evidence.
    pub(super) secrets: &'a dyn Secrets,
    /// What is asked, for people.
    pub(super) command: &'a str,
    /// Tells of a failure.
    pub(super) telling: Telling<'a>,
}

impl Call<'_> {
    /// Runs it. Afterwards the line may be good for another one.
    pub(super) async fn run(&self, line: &mut Line) -> ClientResult<Frames> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let mut heard = Heard::new(&nonce);
        let again = line.is_used();
        let result = self.heard(line, &nonce, again, &mut heard).await;
        result.map_err(|error| told::with(error, || self.telling.of(self.command, &heard)))
    }

    async fn heard(&self, line: &mut Line, nonce: &str, again: bool, heard: &mut Heard) -> ClientResult<Frames> {
        let Some((read, write)) = &mut line.halves else { return Err(self.cut(heard)) };
        let ended = tokio::select! {
            ended = timeout(self.script.deadline(), heard.listen(read, self.ctx)) => ended,
            never = self.speak(write, nonce, again) => match never {},
        };
        match ended {
            Ok(Ok(())) => {
                if self.password.is_some() && heard.leaves_shell() {
                    line.heard(heard.decoder.clone(), heard.value("ready").is_some()).await;
                }
                self.judge(heard)
            }
            Ok(Err(happened)) => Err(self.flooded(happened)),
            Err(_) => Err(self.late(self.script.deadline())),
        }
    }

    /// Sends all there is to send, and then says from time to time that we are there. What cannot be sent is noticed by listening.
    async fn speak(&self, half: &ChannelWriteHalf<Msg>, nonce: &str, again: bool) -> Infallible {
        let _noticed_by_listening = self.say(half, nonce, again).await;
        future::pending().await
    }

    async fn say(&self, half: &ChannelWriteHalf<Msg>, nonce: &str, again: bool) -> Result<(), russh::Error> {
        let script = self.script.render(nonce);
        let first = if again {
            bootstrap::next(script.len(), nonce, self.mode())
        } else {
            let text = bootstrap::text();
            half.exec(true, bootstrap::command(text.len(), script.len(), nonce, self.mode())).await?;
            text
        };
        let password = self.password.map_or("", Secret::expose);
        half.data_bytes([first.as_str(), password, "\n", &script].concat().into_bytes()).await?;
        loop {
            sleep(deadlines::SSH_HEARTBEAT).await;
            half.data_bytes(BEAT).await?;
        }
    }

    fn mode(&self) -> Mode {
        match (self.script.is_root(), self.script.is_changing()) {
            (false, _) => Mode::User,
            (true, false) => Mode::Root,
            (true, true) => Mode::Lock,
        }
    }

    fn judge(&self, heard: &mut Heard) -> ClientResult<Frames> {
        if let Some(why) = heard.value("no-root") {
            return Err(self.no_root(why, heard));
        }
        match heard.decoder.status() {
            Some(0) => {
                let noisy = !heard.decoder.noise().is_empty();
                Ok(Frames::new(std::mem::take(&mut heard.frames), noisy))
            }
            Some(status) => {
                let ended = format!("it ended with status {status}");
                Err(self.failed(heard.value("fail").unwrap_or(&ended), heard))
            }
            None if heard.refused => Err(permanent(
                self.script.name(),
                self.peer,
                "sshd runs no commands for this login",
                format!("look for ForceCommand and for a restricted key of {}", self.peer.user),
            )),
            None if heard.exit.is_some() && heard.value("begin").is_none() => Err(self.no_shell(heard)),
            None => Err(self.cut(heard)),
        }
    }

    fn failed(&self, happened: &str, heard: &Heard) -> ClientError {
        let fix = format!("fix what is named here on {}, then run again", self.peer.name);
        let happened = self.secrets.redact(happened);
        found(code::NODE_OPERATION_FAILED, self.peer, self.script.name(), &happened, fix, self.evidence(heard))
    }

    /// More than any operation prints: something else on the node prints into it.
    fn flooded(&self, happened: String) -> ClientError {
        let (user, node) = (&self.peer.user, &self.peer.name);
        let fix = format!(
            "look what the login shell of {user} on {node} and its start files (.profile, .bashrc) print without end"
        );
        permanent(self.script.name(), self.peer, happened, fix)
    }

    fn no_shell(&self, heard: &Heard) -> ClientError {
        let happened = format!("the login shell of {} did not run the operation", self.peer.user);
        let fix = format!(
            "give {} a login shell that runs commands (`usermod -s /bin/bash {}`)",
            self.peer.user, self.peer.user
        );
        found(code::NODE_OPERATION_FAILED, self.peer, self.script.name(), &happened, fix, self.evidence(heard))
    }

    /// The link, the connection, or the operation itself went away.
    fn cut(&self, heard: &Heard) -> ClientError {
        let how = match heard.exit {
            Some(status) => format!("the output was cut off: something ended the operation there (status {status})"),
            None => "the connection was lost before the operation ended".to_owned(),
        };
        lost(self.script.name(), self.peer, how)
    }

    fn late(&self, deadline: Duration) -> ClientError {
        let how = format!("it did not end within {} s; it was told to stop there", deadline.as_secs_f32());
        lost(self.script.name(), self.peer, how)
    }

    fn no_root(&self, why: &str, heard: &Heard) -> ClientError {
        let user = &self.peer.user;
        let said = heard.stderr();
        let happened = match why {
            "no-sudo" => format!("{user} is not root, and there is no sudo"),
            _ if said.contains("must have a tty") => {
                format!("sudo wants a terminal for {user} (`requiretty` in sudoers)")
            }
            "wants-password" => format!("sudo wants a password of {user}, and we log in without one"),
            _ if said.contains("not in the sudoers") || said.contains("not allowed") => {
                format!("sudo lets {user} not become root")
            }
            _ => format!("sudo refused the password of {user}; it was tried once"),
        };
        let fix = format!(
            "let {user} become root on {} (sudoers: `{user} ALL=(ALL) NOPASSWD: ALL`), or log in as root",
            self.peer.name
        );
        found(code::NODE_NO_ROOT, self.peer, self.script.name(), &happened, fix, self.evidence(heard))
    }

    fn evidence(&self, heard: &Heard) -> Vec<String> {
        let texts = [heard.stderr(), heard.decoder.noise()];
        texts
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| !line.trim().is_empty())
            .map(|line| self.secrets.redact(line))
            .collect()
    }
}

/// What came back.
pub(super) struct Heard {
    pub(super) decoder: Decoder,
    frames: Vec<Frame>,
    /// How its answers begin.
    mark: String,
    stdout: Kept,
    stderr: Kept,
    exit: Option<u32>,
    refused: bool,
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
        }
    }

    /// What marks its answers.
    pub(super) fn nonce(&self) -> &str {
        self.mark.trim_matches(['@', ' '])
    }

    /// Listens until the script has said how it ended, or nothing can come any more.
    pub(super) async fn listen(&mut self, read: &mut ChannelReadHalf, ctx: &Context) -> Result<(), String> {
        while self.decoder.status().is_none() && !self.refused && self.hear(read, ctx).await? {}
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
        if frame.key != "progress" {
            self.frames.push(frame);
        } else if let Some((done, total, message)) = progress(&frame.value) {
            ctx.progress(done, total, message);
        }
    }

    /// Whether the shell that became root stays for another operation.
    fn leaves_shell(&self) -> bool {
        let ends = self.exit.is_some() || self.refused || self.value("once").is_some();
        !ends && self.decoder.status().is_some()
    }

    pub(super) fn stderr(&self) -> String {
        let from = self.stderr.bytes.len().saturating_sub(STDERR_TOLD);
        String::from_utf8_lossy(self.stderr.bytes.get(from..).unwrap_or_default()).into_owned()
    }

    /// Both outputs for people: answers without what marks them, and without those that are about the way itself.
    pub(super) fn said(&self) -> (String, String) {
        let about_the_way = |line: &&str| !matches!(line.split(' ').next(), Some("begin" | "end" | "once" | "ready"));
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
