//! Reads one secret from outside: an environment variable, a file, a program's output. Nothing is cached or remembered here.

use plinth_model::{Secret, SecretRef};
use plinth_world::secrets::SecretError;
use plinth_world::{deadlines, files};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Largest secret that is read, bytes. A private key with its chain is about 10 KiB.
pub(crate) const LARGEST: usize = 64 * 1024;

/// Checks that bytes are a usable value: text, not empty, not too large.
fn value(reference: &SecretRef, bytes: Vec<u8>, trim_line_break: bool) -> Result<Secret, SecretError> {
    if bytes.len() > LARGEST {
        return Err(SecretError::new(reference, format!("it is larger than {LARGEST} bytes")));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| SecretError::new(reference, "it is not UTF-8 text"))?;
    if trim_line_break && text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() { Err(SecretError::new(reference, "it is empty")) } else { Ok(Secret::new(text)) }
}

/// What stands around a secret of one line that editors and copying leave there: it would only be refused, with no word why.
fn surplus(text: &str) -> Option<&'static str> {
    if text.starts_with('\u{feff}') {
        return Some("it begins with a byte order mark (BOM)");
    }
    let alone = text.trim();
    if alone.is_empty() {
        return Some("it has nothing but blanks");
    }
    if alone.len() == text.len() || alone.contains('\n') {
        return None;
    }
    Some(if text.ends_with(['\n', '\r']) {
        "it ends with more than one line break"
    } else if text.ends_with(char::is_whitespace) {
        "it ends with a blank"
    } else {
        "it begins with a blank or a line break"
    })
}

/// Value of an environment variable, as looked up by the caller.
pub(super) fn environment(reference: &SecretRef, found: Option<OsString>) -> Result<Secret, SecretError> {
    let found = found.ok_or_else(|| SecretError::new(reference, "the variable is not set"))?;
    let text = found.into_string().map_err(|_| SecretError::new(reference, "it is not UTF-8 text"))?;
    if text.is_empty() {
        return Err(SecretError::new(reference, "the variable is set, but empty"));
    }
    value(reference, text.into_bytes(), false)
}

/// Content of a file without its last line break.
pub(super) fn file(reference: &SecretRef, path: &Path) -> Result<Secret, SecretError> {
    let is_named = matches!(reference, SecretRef::File(name) if Path::new(name) == path);
    let place = if is_named { "it".to_owned() } else { path.display().to_string() };
    let failed = |error: io::Error| SecretError::new(reference, format!("reading {place} failed: {error}"));
    let secret = value(reference, files::read_up_to(path, LARGEST).map_err(failed)?, true)?;
    match surplus(secret.expose()) {
        Some(what) => {
            Err(SecretError::new(reference, format!("{what}; write the secret alone, for example with `printf %s`")))
        }
        None => Ok(secret),
    }
}

/// Standard output of a program without its last line break. No shell, no standard input, and none of the variables `hidden`, which
/// hold other secrets. Its standard error is thrown away: it may repeat the secret. It leads a process group of its own, which is ended
/// with it: what it started and left behind does not stay.
pub(super) fn program(
    reference: &SecretRef,
    argv: &[String],
    hidden: &[String],
    deadline: Duration,
) -> Result<Secret, SecretError> {
    let Some((name, arguments)) = argv.split_first() else {
        return Err(SecretError::new(reference, "no program is named"));
    };
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    for variable in hidden {
        command.env_remove(variable);
    }
    let mut child = command
        .spawn()
        .map_err(|error| SecretError::new(reference, format!("the program could not be started: {error}")))?;
    let output = collect(reference, &mut child, deadline);
    end_group(&child);
    let status = child.wait();
    let output = output?;
    match status {
        Ok(status) if status.success() => value(reference, output, true),
        Ok(status) => {
            Err(SecretError::new(reference, format!("the program failed ({status}); run it by hand to see why")))
        }
        Err(error) => Err(SecretError::new(reference, format!("waiting for it failed: {error}"))),
    }
}

/// Ends whoever is left of the group. Its leader was not waited for yet, so the number is still its own.
fn end_group(leader: &Child) {
    let _nobody_is_left = kill_process_group(Pid::from_child(leader), Signal::KILL);
}

/// Waits for the end of the program, before the deadline, and takes its output. Whoever it left behind may keep the output open; what
/// was written until the program ended counts.
fn collect(reference: &SecretRef, child: &mut Child, deadline: Duration) -> Result<Vec<u8>, SecretError> {
    let failed = |what: &str, error: io::Error| SecretError::new(reference, format!("{what} failed: {error}"));
    let mut stdout = child.stdout.take().ok_or_else(|| SecretError::new(reference, "its output could not be read"))?;
    fcntl_setfl(&stdout, OFlags::NONBLOCK).map_err(|error| failed("reading its output", error.into()))?;
    let (began, mut bytes) = (Instant::now(), Vec::new());
    loop {
        // In this order: all that it wrote is in the pipe when it has ended, however busy this machine is.
        let has_ended = has_ended(child).map_err(|error| failed("waiting for it", error))?;
        take_what_is_there(&mut stdout, &mut bytes).map_err(|error| failed("reading its output", error))?;
        if bytes.len() > LARGEST {
            return Err(SecretError::new(reference, format!("its output is larger than {LARGEST} bytes")));
        }
        if has_ended {
            return Ok(bytes);
        }
        if began.elapsed() >= deadline {
            let happened = format!("the program did not end within {} s", deadline.as_secs_f32());
            return Err(SecretError::new(reference, happened));
        }
        std::thread::sleep(deadlines::SECRET_LOOK);
    }
}

/// Whether a program has ended; it stays to be waited for.
fn has_ended(child: &Child) -> io::Result<bool> {
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), how)?.is_some())
}

/// Reads what is in the pipe now, or until it is one byte too much.
fn take_what_is_there(pipe: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let room = (LARGEST + 1).saturating_sub(bytes.len());
    match pipe.take(room as u64).read_to_end(bytes) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}
