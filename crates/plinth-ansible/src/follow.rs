//! Runs one playbook under its supervisor and follows it: events to progress, words to the log, the end to a verdict.

use crate::events::Decoder;
use crate::folder::EVENTS;
use crate::program::CLIENT;
use crate::stage::Stage;
use crate::watch::Watch;
use plinth_world::program_log::ProgramLog;
use plinth_world::seam::Seam;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Seconds to wait for processes of an earlier play that are about to end: their supervisor gives them 20.
const PATIENCE: u32 = 40;

/// What is run.
pub(super) struct Job<'a> {
    pub(super) stage: &'a Stage,
    /// Held by every process of the play.
    pub(super) lock: &'a Path,
    pub(super) words: Vec<OsString>,
    pub(super) playbook: &'static str,
    pub(super) log: ProgramLog,
    /// The folder of the stage goes with it.
    pub(super) last: bool,
    pub(super) doing: &'a str,
}

/// How it ended.
pub(super) struct Ending {
    pub(super) status: ExitStatus,
    pub(super) watch: Watch,
    /// Last lines of standard error, or else of standard output.
    pub(super) complaint: Vec<String>,
    /// Lines of the event stream that were not understood.
    pub(super) strange: u64,
    pub(super) log: PathBuf,
    /// What was run, for people.
    pub(super) command: String,
}

/// Runs it. Dropping the future closes the guard, and the supervisor then ends the play.
pub(super) async fn follow(ctx: &Context, job: Job<'_>, secrets: &Arc<dyn Secrets>) -> ClientResult<Ending> {
    let doing = job.doing;
    let failed = |error: io::Error| {
        ClientError::new(CLIENT, doing)
            .happened(error.to_string())
            .attempt("see that this machine can start programs and has room")
    };
    let socket = job.stage.folder.join(EVENTS);
    let _of_the_playbook_before = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(socket).map_err(failed)?;
    let mut command = job.stage.kept(&job.words, job.lock, PATIENCE, job.last);
    if let Some(traceparent) = ctx.traceparent() {
        command.env("TRACEPARENT", traceparent);
    }
    let told = format!("ansible-playbook {}", job.playbook);
    let log = job.log.path().to_path_buf();
    let seam = Seam::program(CLIENT, || told.clone()).logged(&log);
    let mut child = command.spawn().map_err(failed)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let said = tokio::spawn(job.log.clone().take(out, Arc::clone(secrets)));
    let complained = tokio::spawn(job.log.take(err, Arc::clone(secrets)));
    let mut ear = Ear::new(listener, Watch::of(job.playbook));
    let status = ear.until_end(ctx, &mut child).await.map_err(failed)?;
    seam.end(status);
    let (said, complained) = (tail(said).await, tail(complained).await);
    let complaint = if complained.is_empty() { said } else { complained };
    let strange = ear.decoder.strange();
    Ok(Ending { status, watch: ear.watch, complaint, strange, log, command: told })
}

/// A program that outlives the play may keep its output open; nobody waits for that.
async fn tail(task: JoinHandle<Vec<String>>) -> Vec<String> {
    match timeout(deadlines::PLAY_LINGER, task).await {
        Ok(Ok(tail)) => tail,
        _ => Vec::new(),
    }
}

/// Listens to one play.
struct Ear {
    listener: UnixListener,
    stream: Option<UnixStream>,
    decoder: Decoder,
    watch: Watch,
    began: Instant,
    told: Option<Instant>,
}

/// What happened next.
enum Next {
    Connected(UnixStream),
    Heard(Vec<u8>),
    Ended(ExitStatus),
    Tick,
}

impl Ear {
    fn new(listener: UnixListener, watch: Watch) -> Self {
        Self { listener, stream: None, decoder: Decoder::default(), watch, began: Instant::now(), told: None }
    }

    async fn until_end(&mut self, ctx: &Context, child: &mut Child) -> io::Result<ExitStatus> {
        // Kept open: its end is what the supervisor waits for.
        let guard = child.stdin.take();
        let mut tick = interval(deadlines::PLAY_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let status = loop {
            let next = tokio::select! {
                heard = hear(&mut self.stream) => Next::Heard(heard),
                accepted = self.listener.accept(), if self.stream.is_none() => Next::Connected(accepted?.0),
                ended = child.wait() => Next::Ended(ended?),
                _ = tick.tick() => Next::Tick,
            };
            match next {
                Next::Connected(stream) => self.stream = Some(stream),
                Next::Heard(piece) => self.take(ctx, &piece),
                Next::Tick => self.tell(ctx, true),
                Next::Ended(status) => break status,
            }
        };
        drop(guard);
        let _what_came_late = timeout(deadlines::PLAY_LINGER, self.rest(ctx)).await;
        Ok(status)
    }

    fn take(&mut self, ctx: &Context, piece: &[u8]) {
        if piece.is_empty() {
            self.stream = None;
            return;
        }
        for event in self.decoder.take(piece) {
            self.watch.take(event, self.began.elapsed());
        }
        self.tell(ctx, false);
    }

    async fn rest(&mut self, ctx: &Context) {
        while self.stream.is_some() {
            let piece = hear(&mut self.stream).await;
            self.take(ctx, &piece);
        }
    }

    fn tell(&mut self, ctx: &Context, now: bool) {
        if now || self.told.is_none_or(|told| told.elapsed() >= deadlines::PLAY_PACE) {
            self.told = Some(Instant::now());
            let moment = self.watch.moment(self.began.elapsed());
            ctx.progress(moment.done, moment.total, moment.message);
        }
    }
}

/// The next piece; empty at the end, and never without a stream.
async fn hear(stream: &mut Option<UnixStream>) -> Vec<u8> {
    let Some(stream) = stream else { return std::future::pending().await };
    let mut piece = vec![0; 32 * 1024];
    let read = stream.read(&mut piece).await.unwrap_or(0);
    piece.truncate(read);
    piece
}
