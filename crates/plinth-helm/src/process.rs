//! One run of helm: a process group of its own, values on its standard input, all of its words into a log. It never outlives its time
//! nor the future that waits for it: first it is asked to stop, so that it can write down that the release failed, then it is killed.

use crate::failure;
use crate::folder::Folder;
use crate::mark::Mark;
use crate::program::{Words, bare, title};
use crate::{LOGS, LOGS_KEPT};
use plinth_model::{ReleaseName, Secret};
use plinth_world::helm::Helm;
use plinth_world::program_log::{LOG_TIME, ProgramLog};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientResult, Context, deadlines};
use rustix::process::{Pid, Signal, kill_process_group};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// What is run.
pub(super) struct Job<'a> {
    pub(super) program: &'a Helm,
    pub(super) release: &'a ReleaseName,
    pub(super) words: Words,
    /// For its standard input.
    pub(super) input: Option<Secret>,
    pub(super) limit: Duration,
    /// The state directory.
    pub(super) state: &'a Path,
    /// `helm upgrade`, for people.
    pub(super) title: &'a str,
    pub(super) doing: &'a str,
    /// The revision that it is going to make.
    pub(super) revision: u32,
}

/// Runs it to its end. That it ended is no proof of anything: the caller looks at what is there.
///
/// # Errors
/// When it cannot be started, does not end in time, or ends with an error.
pub(super) async fn run(ctx: &Context, job: Job<'_>, secrets: &Arc<dyn Secrets>) -> ClientResult<()> {
    let (doing, began) = (job.doing, Instant::now());
    let local = |what: &'static str| move |error| failure::local(doing, what, &error);
    let folder = Folder::make().map_err(local("no private folder can be made for helm"))?;
    let name = format!("{}-{}.log", ctx.clock().now().strftime(LOG_TIME), job.release.name);
    let log =
        ProgramLog::begin(&job.state.join(LOGS), &name, LOGS_KEPT).map_err(local("helm's log cannot be written"))?;
    let mut command = bare(&job.program.program, &folder);
    command.args(job.words.all()).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group(Some(command.spawn().map_err(local("helm cannot be started"))?));
    let mark = Mark::begin(job.state, job.release, group.process(), job.revision);
    let (input, out, err) = group.streams();
    let said = tokio::spawn(log.clone().take(out, Arc::clone(secrets)));
    let complained = tokio::spawn(log.clone().take(err, Arc::clone(secrets)));
    let feed = async {
        if let (Some(mut input), Some(text)) = (input, &job.input) {
            // What a helm that has ended already does not read is told by how it ended.
            let _unread = input.write_all(text.expose().as_bytes()).await;
        }
    };
    let end = async { tokio::join!(feed, group.wait(ctx, &job, began)).1 };
    let ended = timeout(job.limit, end).await;
    let Ok(status) = ended else {
        group.stop().await;
        return Err(failure::late(doing, job.limit.as_secs(), log.path()));
    };
    let status = status.map_err(local("helm cannot be waited for"))?;
    let lines = [complained, said].map(|task| timeout(deadlines::PLAY_LINGER, task));
    let [complained, said] = lines;
    let (complained, said) = (complained.await, said.await);
    if status.success() {
        mark.done();
        return Ok(());
    }
    let lines = |task: Result<Result<Vec<String>, _>, _>| task.ok().and_then(Result::ok).unwrap_or_default();
    let complained: Vec<String> = lines(complained);
    let all = if complained.is_empty() { lines(said) } else { complained };
    Err(failure::ended(doing, job.release, &all, log.path()))
}

/// The process with all that it starts.
struct Group(Option<Child>);

impl Group {
    fn process(&self) -> Option<u32> {
        self.0.as_ref().and_then(Child::id)
    }

    fn streams(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        let child = self.0.as_mut();
        child.map(|child| (child.stdin.take(), child.stdout.take(), child.stderr.take())).unwrap_or_default()
    }

    async fn wait(&mut self, ctx: &Context, job: &Job<'_>, began: Instant) -> std::io::Result<ExitStatus> {
        let Some(child) = self.0.as_mut() else { return Err(std::io::ErrorKind::NotFound.into()) };
        let tell = || {
            let (name, program, seconds) = (&job.release.name, title(job.program), began.elapsed().as_secs());
            ctx.progress(0, 0, format!("{} {name} ({program}), {seconds} s", job.title));
        };
        tell();
        let mut tick = interval_at(Instant::now() + deadlines::PLAY_TICK, deadlines::PLAY_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let status = loop {
            tokio::select! {
                ended = child.wait() => break ended?,
                _ = tick.tick() => tell(),
            }
        };
        self.0 = None;
        Ok(status)
    }

    /// Asks it to stop, and kills it when it does not.
    async fn stop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        tell(&child, Signal::TERM);
        if timeout(deadlines::HELM_STOPS, child.wait()).await.is_err() {
            tell(&child, Signal::KILL);
            let _ends_at_once = child.wait().await;
        }
    }
}

impl Drop for Group {
    /// Nobody waits for it any more.
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        tell(&child, Signal::TERM);
        std::thread::spawn(move || {
            let until = Instant::now() + deadlines::HELM_STOPS;
            while matches!(child.try_wait(), Ok(None)) {
                if Instant::now() >= until {
                    return tell(&child, Signal::KILL);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
    }
}

/// A child that was waited for has no number any more, so nobody else is hit.
fn tell(child: &Child, signal: Signal) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(group) = group {
        let _gone_already = kill_process_group(group, signal);
    }
}
