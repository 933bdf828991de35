//! Reads one secret from outside: an environment variable, a file, a program's output. Nothing is cached or remembered here.

use plinth_model::{Secret, SecretRef};
use plinth_world::files;
use plinth_world::secrets::SecretError;
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Largest secret that is read, bytes. A private key with its chain is about 10 KiB.
pub(crate) const LARGEST: usize = 64 * 1024;
/// How long a program may take. Password stores that ask a server answer within seconds; one that waits for a person must not
/// hold up a run for ever.
pub(crate) const EXEC_DEADLINE: Duration = Duration::from_secs(30);

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
    let failed = |error: std::io::Error| SecretError::new(reference, format!("reading it failed: {error}"));
    value(reference, files::read_up_to(path, LARGEST).map_err(failed)?, true)
}

/// Reads one byte more than allowed, so that too much is noticed and an endless source ends.
fn read_bounded(source: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Standard output of a program without its last line break. No shell, no standard input. Its standard error is thrown away:
/// it may repeat the secret. Only the program itself is ended at the deadline, not programs that it started.
pub(super) fn program(reference: &SecretRef, argv: &[String], deadline: Duration) -> Result<Secret, SecretError> {
    let Some((name, arguments)) = argv.split_first() else {
        return Err(SecretError::new(reference, "no program is named"));
    };
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| SecretError::new(reference, format!("the program could not be started: {error}")))?;
    let output = collect(reference, &mut child, deadline);
    if output.is_err() {
        let _already_ended = child.kill();
        let _reaped = child.wait();
    }
    value(reference, output?, true)
}

/// Reads the output and waits for the end, both before the deadline.
fn collect(reference: &SecretRef, child: &mut Child, deadline: Duration) -> Result<Vec<u8>, SecretError> {
    let began = Instant::now();
    let late = || SecretError::new(reference, format!("the program did not end within {} s", deadline.as_secs_f32()));
    let stdout = child.stdout.take().ok_or_else(|| SecretError::new(reference, "its output could not be read"))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(read_bounded(stdout)));
    let bytes = receiver
        .recv_timeout(deadline)
        .map_err(|_| late())?
        .map_err(|error| SecretError::new(reference, format!("reading its output failed: {error}")))?;
    if bytes.len() > LARGEST {
        return Err(SecretError::new(reference, format!("its output is larger than {LARGEST} bytes")));
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(bytes),
            Ok(Some(status)) => {
                return Err(SecretError::new(
                    reference,
                    format!("the program failed ({status}); run it by hand to see why"),
                ));
            }
            Ok(None) if began.elapsed() < deadline => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => return Err(late()),
            Err(error) => return Err(SecretError::new(reference, format!("waiting for it failed: {error}"))),
        }
    }
}
