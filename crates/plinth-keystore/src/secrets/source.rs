//! Reads one secret from outside: an environment variable, a file, a program's output. Nothing is cached or remembered here.

use plinth_model::{Secret, SecretRef};
use plinth_world::secrets::SecretError;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
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
    let failed = |error: std::io::Error| SecretError::new(reference, format!("reading {place} failed: {error}"));
    let opened = File::open(path).map_err(failed)?;
    let secret = value(reference, read_bounded(opened).map_err(failed)?, true)?;
    match surplus(secret.expose()) {
        Some(what) => {
            Err(SecretError::new(reference, format!("{what}; write the secret alone, for example with `printf %s`")))
        }
        None => Ok(secret),
    }
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

/// How long is waited for more output of a program that has ended: one that it started may keep the output open for ever.
const AFTER_THE_END: Duration = Duration::from_millis(200);

/// Reads the output until it ends and the program has, both before the deadline. Of a program that has ended, everything that it wrote is
/// there already, even if another one that it started still holds the output.
fn collect(reference: &SecretRef, child: &mut Child, deadline: Duration) -> Result<Vec<u8>, SecretError> {
    let failed = |what: String| SecretError::new(reference, what);
    let began = Instant::now();
    let stdout = child.stdout.take().ok_or_else(|| failed("its output could not be read".to_owned()))?;
    let chunks = chunks(stdout);
    let (mut bytes, mut open, mut ended) = (Vec::new(), true, None);
    while open || ended.is_none() {
        let patience = if ended.is_some() { AFTER_THE_END } else { Duration::from_millis(5) };
        match chunks.recv_timeout(patience) {
            Ok(Ok(chunk)) => bytes.extend(chunk),
            Ok(Err(error)) => return Err(failed(format!("reading its output failed: {error}"))),
            Err(RecvTimeoutError::Timeout) if ended.is_some() => open = false,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                open = false;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if bytes.len() > LARGEST {
            return Err(failed(format!("its output is larger than {LARGEST} bytes")));
        }
        if ended.is_none() {
            ended = child.try_wait().map_err(|error| failed(format!("waiting for it failed: {error}")))?;
        }
        if ended.is_none() && began.elapsed() >= deadline {
            return Err(failed(format!("the program did not end within {} s", deadline.as_secs_f32())));
        }
    }
    match ended.filter(|status| !status.success()) {
        Some(status) => Err(failed(format!("the program failed ({status}); run it by hand to see why"))),
        None => Ok(bytes),
    }
}

/// The output in pieces, as they come. Never more is read than one piece beyond what may be kept.
fn chunks(mut output: impl Read + Send + 'static) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        loop {
            let mut chunk = vec![0; 8 * 1024];
            let read = output.read(&mut chunk);
            let last = !matches!(read, Ok(length) if length > 0);
            let piece = read.map(|length| {
                chunk.truncate(length);
                chunk
            });
            if sender.send(piece).is_err() || last {
                return;
            }
        }
    });
    receiver
}
