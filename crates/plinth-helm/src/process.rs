//! One run of helm: a process group of its own, values on its standard input, all of its words into a log. It never outlives its time
//! nor the future that waits for it: first it is asked to stop, so that it can write down that the release failed, then it is killed.
//! Who ends the process of plinth waits for that with [`all_ended`]: helm's words have nobody to read them afterwards, and it would
//! die of that before it has written anything down.

use crate::failure::{self, CLIENT};
use crate::folder::Folder;
use crate::hooks;
use crate::kept::{LOGS, LOGS_KEPT};
use crate::local::HelmCluster;
use crate::mark::{Attempt, Mark, Note};
use crate::program::{Words, bare, title};
use crate::records::is_open;
use crate::starting;
use plinth_model::run::CommandFailure;
use plinth_model::{ReleaseName, Secret};
use plinth_world::helm::Helm;
use plinth_world::kube::Watch;
use plinth_world::program_log::{LOG_TIME, ProgramLog};
use plinth_world::seam::Seam;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientResult, Context, deadlines};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

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
    pub(super) attempt: Attempt,
}

/// Runs it to its end. That it ended is no proof of anything: the caller looks at what is there.
///
/// # Errors
/// When it cannot be started, does not end in time, or ends with an error; when another one of ours is at work.
pub(super) async fn run(
    ctx: &Context,
    job: Job<'_>,
    cluster: &dyn HelmCluster,
    secrets: &Arc<dyn Secrets>,
) -> ClientResult<()> {
    let (doing, began) = (job.doing, Instant::now());
    let local = |what: &'static str| move |error| failure::local(doing, what, &error);
    if let Some(process) = Note::living(job.state, job.release).map_err(local(failure::UNSEEN))? {
        return Err(failure::ours_lives(doing, job.release, process));
    }
    starting::ready(ctx, cluster, job.release, doing).await?;
    let folder = Folder::make().map_err(local("no private folder can be made for helm"))?;
    let name = format!("{}-{}.log", ctx.clock().now().strftime(LOG_TIME), job.release.name);
    let log =
        ProgramLog::begin(&job.state.join(LOGS), &name, LOGS_KEPT).map_err(local("helm's log cannot be written"))?;
    let mut command = command(&job, &folder).map_err(local("helm's values cannot be handed over"))?;
    if let Some(traceparent) = ctx.traceparent() {
        command.env("TRACEPARENT", traceparent);
    }
    let told = format!("helm {}", job.words.shown());
    let seam = Seam::program(CLIENT, || told.clone()).logged(log.path());
    let mut group = Group(Some(command.spawn().map_err(local("helm cannot be started"))?));
    let mark = Mark::begin(job.state, job.release, group.process(), &job.attempt);
    let (out, err) = group.streams();
    let said = tokio::spawn(log.clone().take(out, Arc::clone(secrets)));
    let complained = tokio::spawn(log.clone().take(err, Arc::clone(secrets)));
    let mut watch = cluster.watch(ctx, &job.release.namespace, &[]).await;
    let Ok(status) = timeout(job.limit, group.wait(ctx, &job, began, &mut *watch)).await else {
        group.stop().await;
        let all = last_words(complained, said).await;
        let left = hooks::left(ctx, cluster, &job.release.namespace, None, &log, secrets).await;
        let program = CommandFailure { log: Some(log.path().display().to_string()), ..CommandFailure::of(told, &all) };
        let late = failure::late(doing, job.release, job.limit.as_secs(), log.path(), left);
        return Err(late.failure(program));
    };
    let status = status.map_err(local("helm cannot be waited for"))?;
    seam.end(status);
    let all = last_words(complained, said).await;
    if status.success() {
        mark.done();
        return Ok(());
    }
    if !left_open(ctx, cluster, &job).await {
        mark.done();
    }
    let left = match failure::may_be_a_hook(&all) {
        true => hooks::left(ctx, cluster, &job.release.namespace, None, &log, secrets).await,
        false => Vec::new(),
    };
    Err(failure::ended(doing, job.release, (&all, left), log.path()).failure(CommandFailure {
        exit: status.code(),
        signal: status.signal(),
        log: Some(log.path().display().to_string()),
        ..CommandFailure::of(told, &all)
    }))
}

fn command(job: &Job<'_>, folder: &Folder) -> io::Result<Command> {
    let mut command = bare(&job.program.program, folder);
    command.args(job.words.all()).process_group(0);
    command.stdin(input(job.input.as_ref())?).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// Memory that is whole before helm starts: of a pipe it would read nothing, or a part, and take the chart's own values, when plinth
/// is killed in between. It has no name in any file system and cannot be changed.
fn input(text: Option<&Secret>) -> io::Result<Stdio> {
    let Some(text) = text else { return Ok(Stdio::null()) };
    let memory = memfd_create("values", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut memory = File::from(memory);
    memory.write_all(text.expose().as_bytes())?;
    memory.rewind()?;
    fcntl_add_seals(&memory, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(Stdio::from(memory))
}

/// What it complained of last, or else said.
async fn last_words(complained: JoinHandle<Vec<String>>, said: JoinHandle<Vec<String>>) -> Vec<String> {
    let (complained, said) = (lines(complained).await, lines(said).await);
    if complained.is_empty() { said } else { complained }
}

async fn lines(task: JoinHandle<Vec<String>>) -> Vec<String> {
    timeout(deadlines::PLAY_LINGER, task).await.ok().and_then(Result::ok).unwrap_or_default()
}

/// Whether there is an open record behind a helm that ended by itself with an error, its own or that of an attempt before, or may be.
async fn left_open(ctx: &Context, cluster: &dyn HelmCluster, job: &Job<'_>) -> bool {
    let records = cluster.records(ctx, job.release).await;
    records.map_or(true, |all| all.iter().any(is_open))
}

/// How many helms are told to stop at this moment.
static STOPPING: AtomicUsize = AtomicUsize::new(0);

/// Waits until every helm that was told to stop has ended: at most as long as it is given for that.
pub async fn all_ended() {
    let until = Instant::now() + deadlines::HELM_STOPS + deadlines::HELM_POLL;
    while STOPPING.load(Ordering::Acquire) > 0 && Instant::now() < until {
        sleep(deadlines::HELM_LOOK_ENDED).await;
    }
}

/// The process with all that it starts.
struct Group(Option<Child>);

impl Group {
    fn process(&self) -> Option<u32> {
        self.0.as_ref().and_then(Child::id)
    }

    fn streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        let child = self.0.as_mut();
        child.map(|child| (child.stdout.take(), child.stderr.take())).unwrap_or_default()
    }

    async fn wait(
        &mut self,
        ctx: &Context,
        job: &Job<'_>,
        began: Instant,
        watch: &mut dyn Watch,
    ) -> io::Result<ExitStatus> {
        let Some(child) = self.0.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let tell = |waits: &[String]| {
            let (name, program, seconds) = (&job.release.name, title(job.program), began.elapsed().as_secs());
            let waits: String = waits.iter().take(2).map(|line| format!("; {line}")).collect();
            ctx.progress(0, 0, format!("{} {name} ({program}), {seconds} s{waits}", job.title));
        };
        tell(&[]);
        let status = loop {
            tokio::select! {
                ended = child.wait() => break ended?,
                waits = watch.changed(ctx, deadlines::PLAY_TICK) => tell(&waits),
            }
        };
        self.0 = None;
        Ok(status)
    }

    /// Asks it to stop, and kills it when it does not. Whoever is dropped meanwhile does not end that.
    async fn stop(&mut self) {
        if let Some(child) = self.0.take() {
            let _told_when_it_has_ended = end(child).await;
        }
    }
}

impl Drop for Group {
    /// Nobody waits for it any more.
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            drop(end(child));
        }
    }
}

/// Asks the whole group to stop, gives helm its time, and kills what is left of the group then, whether helm has ended or not: what it
/// started may not have heard. The answer comes, as an error, when all of it is done.
fn end(child: Child) -> oneshot::Receiver<()> {
    let (done, told) = oneshot::channel();
    let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) else { return told };
    tell(group, Signal::TERM);
    STOPPING.fetch_add(1, Ordering::AcqRel);
    let work = move || {
        let until = Instant::now() + deadlines::HELM_STOPS;
        while !has_ended(group) && Instant::now() < until {
            std::thread::sleep(deadlines::HELM_LOOK_ENDED);
        }
        tell(group, Signal::KILL);
        reap(child);
        STOPPING.fetch_sub(1, Ordering::AcqRel);
        drop(done);
    };
    if std::thread::Builder::new().name("helm-ends".to_owned()).spawn(work).is_err() {
        tell(group, Signal::KILL);
        STOPPING.fetch_sub(1, Ordering::AcqRel);
    }
    told
}

/// Whether it has ended. It is not waited for with that, so its number, which is that of the group, stays its own.
fn has_ended(process: Pid) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(process), look), Ok(None))
}

/// One that was killed ends at once, unless the kernel holds it: then nobody waits for it here.
fn reap(mut child: Child) {
    for _ in 0..50 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn tell(group: Pid, signal: Signal) {
    let _gone_already = kill_process_group(group, signal);
}
