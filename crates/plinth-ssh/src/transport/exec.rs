//! Runs one script on an open connection and reads its answers.

use super::answers::Heard;
use super::bootstrap::{self, BEAT, Mode};
use super::failure::{found, lost, permanent};
use super::line::Line;
use super::peer::Peer;
use super::told::{self, Telling};
use crate::frame::Frames;
use crate::script::Script;
use plinth_model::Secret;
use plinth_model::finding::code;
use plinth_world::given_up;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use russh::ChannelWriteHalf;
use russh::client::Msg;
use std::convert::Infallible;
use std::future;
use std::time::Duration;
use tokio::time::{sleep, timeout};

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

/// One that is listened to: given up in its middle, it tells what was heard until then.
struct Listening<'a> {
    call: &'a Call<'a>,
    heard: Heard,
    is_over: bool,
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            given_up::tell(|| self.call.telling.of(self.call.command, &self.heard));
        }
    }
}

impl Call<'_> {
    /// Runs it. Afterwards the line may be good for another one.
    pub(super) async fn run(&self, line: &mut Line) -> ClientResult<Frames> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let mut listening = Listening { call: self, heard: Heard::new(&nonce), is_over: false };
        let again = line.taken();
        let result = self.heard(line, &nonce, again, &mut listening.heard).await;
        listening.is_over = true;
        result.map_err(|error| told::with(error, || self.telling.of(self.command, &listening.heard)))
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
        let status = heard.over.clone().or_else(|| heard.exit.map(|status| status.to_string()));
        let how = match status {
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
