//! Foreign programs that end by themselves: git, Python, pip, uv, and the short runs of ansible-playbook.

use plinth_model::run::CommandFailure;
use plinth_world::program_log::{LOG_TIME, ProgramLog};
use plinth_world::seam::Seam;
use plinth_world::secrets::Secrets;
use plinth_world::{Cause, ClientError, ClientResult, Clock as _, SystemClock};
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

/// Name of this client in errors.
pub(super) const CLIENT: &str = "ansible";
/// Why a look that was not answered in time may succeed later.
pub(super) const BUSY: &str = "a busy machine answers later";
/// Most of an output that is kept, bytes; the rest is read and forgotten.
const LARGEST: usize = 16 * 1024 * 1024;
/// Lines of an error output that are shown.
const TAIL: usize = 8;
/// Variables of the caller that would change what Ansible or Python do. An empty vault setting is taken for a folder, so such
/// variables are removed and never emptied.
const FOREIGN: [&str; 7] = ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "LC_ALL", "LANGUAGE", "CDPATH"];
/// The caller's span (W3C Trace Context). What runs here is a part of a step, and not of that; plays are given the span of theirs.
const TRACE: [&str; 2] = ["TRACEPARENT", "TRACESTATE"];

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// What was run, for people.
    command: String,
    pub(super) status: ExitStatus,
    /// Its standard output.
    pub(super) stdout: String,
    /// Its standard error.
    pub(super) stderr: String,
}

impl Ended {
    /// The last lines of what it complained of.
    pub(super) fn complaint(&self) -> Vec<String> {
        let text = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        tail(text)
    }
}

/// Where the words of programs that failed are kept: beside those of plays.
#[derive(Clone)]
pub(super) struct FailureLogs {
    folder: PathBuf,
    kept: usize,
    secrets: Arc<dyn Secrets>,
}

impl FailureLogs {
    /// In this folder, of which so many logs are left.
    pub(super) fn new(folder: PathBuf, kept: usize, secrets: Arc<dyn Secrets>) -> Self {
        Self { folder, kept, secrets }
    }

    /// The failure of a program, with all of its words in a log.
    pub(super) fn failure(&self, ended: &Ended) -> CommandFailure {
        let Ended { command, status, stdout, stderr } = ended;
        let failure = CommandFailure { exit: status.code(), signal: status.signal(), ..CommandFailure::default() };
        let ending = failure.ending().unwrap_or_default();
        let text = format!("{command}\nit {ending}\n\nit said:\n{stdout}\n\non standard error:\n{stderr}\n");
        let program = command.split(' ').next().and_then(|path| path.rsplit('/').next()).unwrap_or("program");
        let name = format!("{}-{}.log", SystemClock::new().now().strftime(LOG_TIME), program.trim_matches('\''));
        let log = ProgramLog::keep(&self.folder, &name, self.kept, &text, &*self.secrets);
        let said = if stderr.trim().is_empty() { stdout } else { stderr };
        let said = self.secrets.redact(said);
        let lines: Vec<String> = said.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        CommandFailure { log, ..failure.saying(&self.secrets.redact(command), &lines) }
    }
}

/// The words of a command as a shell takes them.
fn shown(command: &Command) -> String {
    let command = command.as_std();
    let plain = |word: &str| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/.,_-+=:@%^{}~".contains(&b);
        !word.is_empty() && word.bytes().all(is_plain)
    };
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(|word| {
        let word = word.to_string_lossy();
        if plain(&word) { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The last lines of a text, without empty ones.
pub(super) fn tail(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
    last.iter().map(|line| crate::watch::cut(line, 300)).collect()
}

/// Variables with secrets of the site: no program is given them.
pub(super) type Hidden = Arc<[String]>;

/// A command with a clean environment and no standard input; it ends when its future is dropped.
pub(super) fn command(program: impl AsRef<OsStr>, hidden: &Hidden) -> Command {
    let mut command = Command::new(program);
    clean(&mut command);
    for variable in hidden.iter() {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn clean(command: &mut Command) {
    let foreign = |name: &OsStr| {
        let name = name.to_string_lossy();
        name.starts_with("ANSIBLE_") || FOREIGN.contains(&&*name)
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| foreign(name)) {
        command.env_remove(name);
    }
    for name in TRACE {
        command.env_remove(name);
    }
    command.env("LANG", "C.UTF-8");
}

/// Runs it to its end.
///
/// # Errors
/// When it cannot be started or does not end in time; a program that ends badly is no error here.
pub(super) async fn run(mut command: Command, doing: &str, patience: Duration) -> ClientResult<Ended> {
    let (name, asked) = (command.as_std().get_program().to_string_lossy().into_owned(), shown(&command));
    let seam = Seam::program(CLIENT, || asked.clone());
    let failed = |error: io::Error| {
        ClientError::new(CLIENT, doing)
            .happened(format!("`{name}` cannot be run: {error}"))
            .attempt(format!("install `{name}`"))
            .failure(CommandFailure::of(&asked, &[]))
    };
    let mut child = command.spawn().map_err(failed)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::try_join!(child.wait(), drained(stdout), drained(stderr)) };
    let (status, stdout, stderr) = match timeout(patience, all).await {
        Ok(ended) => ended.map_err(failed)?,
        Err(_) => {
            let happened = format!("`{name}` did not end within {} s", patience.as_secs());
            return Err(ClientError::new(CLIENT, doing)
                .happened(happened)
                .attempt("look at the network and the load of this machine")
                .because(Cause::Timeout)
                .failure(CommandFailure::of(&asked, &[])));
        }
    };
    seam.end(status);
    Ok(Ended { command: asked, status, stdout, stderr })
}

async fn drained(reader: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut reader) = reader else { return Ok(String::new()) };
    let (mut kept, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        let read = reader.read(&mut piece).await?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        let room = LARGEST.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
}

/// Where a program is, by PATH.
pub(super) fn which(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_outputs_and_the_status_are_told() {
        let mut sh = command("sh", &Arc::default());
        sh.args(["-c", "echo out; echo one >&2; echo two >&2; exit 3"]);
        let ended = run(sh, "trying", Duration::from_secs(20)).await.unwrap();
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(3), "out\n"));
        assert_eq!(ended.complaint(), ["one", "two"]);
    }

    #[tokio::test]
    async fn secrets_of_the_site_are_not_in_its_environment() {
        let mut env = command("/usr/bin/env", &["PATH".to_owned(), "ANYTHING".to_owned()].into());
        let removed: Vec<_> =
            env.as_std().get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert!(TRACE.iter().all(|name| removed.contains(&std::ffi::OsStr::new(name))), "{removed:?}");
        env.env("LANG", "C");
        let ended = run(env, "trying", Duration::from_secs(20)).await.unwrap();
        let lines: Vec<&str> = ended.stdout.lines().collect();
        assert!(lines.contains(&"LANG=C") && !lines.iter().any(|line| line.starts_with("PATH=")), "{lines:?}");
    }

    #[tokio::test]
    async fn what_does_not_end_or_is_not_there_is_an_error() {
        let mut sleep = command("sleep", &Arc::default());
        sleep.arg("60");
        let error = run(sleep, "trying", Duration::from_millis(50)).await.unwrap_err();
        assert!(error.happened.contains("did not end"), "{error}");
        let error = run(command("/nowhere/git", &Arc::default()), "trying", Duration::from_secs(1)).await.unwrap_err();
        assert!(error.attempt.contains("install"), "{error}");
    }
}
