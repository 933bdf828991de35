//! Programs that run beside us and never outlive us.

use crate::error::{LabError, LabResult};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// A program that the kernel kills when we die in whatever way, and that dropping ends.
#[derive(Debug)]
pub(crate) struct Tied {
    child: Arc<Mutex<Child>>,
    /// Dropped with us: lets the thread that the kernel watches end.
    _alive: Sender<()>,
}

impl Tied {
    /// Starts a program. What the kernel watches is the thread that starts it, not the process; so it gets a thread of its
    /// own that stays, and may be handed from test to test.
    /// What it says goes to `log`.
    pub(crate) fn start(program: &Command, doing: &str, log: &Path) -> LabResult<Self> {
        let mut command = bound(program);
        let file = File::create(log).map_err(LabError::at("making", log))?;
        let errors = file.try_clone().map_err(LabError::at("opening", log))?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let (alive, ended) = channel::<()>();
        let (tell, told) = channel();
        std::thread::spawn(move || keep(&mut command, &tell, &ended));
        let failed = |what: String| LabError::new(doing, what, "install util-linux, and look at the program's path");
        match told.recv() {
            Ok(Ok(child)) => Ok(Self { child, _alive: alive }),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("the thread that starts it ended".to_owned())),
        }
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None))
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended already is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
}

type Started = std::io::Result<Arc<Mutex<Child>>>;

fn keep(command: &mut Command, tell: &Sender<Started>, ended: &Receiver<()>) {
    let started = command.spawn().map(|child| Arc::new(Mutex::new(child)));
    let good = started.is_ok();
    if tell.send(started).is_ok() && good {
        // Never told anything: the other end just goes.
        let _ = ended.recv();
    }
}

/// The same program, which the kernel kills when the thread that starts it ends.
fn bound(program: &Command) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = program.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_its_handle_and_outlives_the_thread_that_asked_for_it() {
        let scratch = tempfile::tempdir().unwrap();
        let log = scratch.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo began; exec sleep 300"]);
        let tied = std::thread::spawn(move || Tied::start(&command, "sleeping", &log).unwrap()).join().unwrap();
        let pid = tied.child.lock().unwrap().id();
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(!tied.has_ended());
        drop(tied);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        assert_eq!(std::fs::read_to_string(scratch.path().join("log")).unwrap(), "began\n");
    }

    #[test]
    fn what_is_not_there_is_an_error_or_ends() {
        let scratch = tempfile::tempdir().unwrap();
        let tied = Tied::start(&Command::new("/no/such/program"), "trying", &scratch.path().join("log"));
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while tied.as_ref().is_ok_and(|tied| !tied.has_ended()) {
            assert!(std::time::Instant::now() < until, "it still runs");
        }
    }
}
