//! Starting other programs, always from the root of the repository.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What stops a chore.
pub(crate) type Failure = String;

/// Root of the repository.
pub(crate) fn root() -> PathBuf {
    // Cargo tells at run time, too, so that a binary built in one clone works in another.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// Cargo, the one that started us if it did.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs with our own output; whether it ended well.
pub(crate) fn passes(command: &mut Command) -> Result<bool, Failure> {
    command.status().map(|status| status.success()).map_err(|error| not_started(command, &error))
}

/// Runs and shows standard output line by line, giving each line to `seen` as well; whether it ended well.
pub(crate) fn streams(command: &mut Command, mut seen: impl FnMut(&str)) -> Result<bool, Failure> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| not_started(command, &error))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|error| format!("reading from {command:?}: {error}"))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            seen(&line);
        }
    }
    child.wait().map(|status| status.success()).map_err(|error| format!("waiting for {command:?}: {error}"))
}

/// Runs silently.
pub(crate) fn output(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|error| not_started(command, &error))
}

/// Runs and gives standard output; a bad end is a failure that carries standard error.
pub(crate) fn text(command: &mut Command) -> Result<String, Failure> {
    let output = output(command)?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{command:?} wrote something that is not UTF-8"))
}

/// What cargo knows of the workspace, without its dependencies.
pub(crate) fn metadata() -> Result<Value, Failure> {
    let text = text(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))
}

/// Builds the binary with the release profile and says where it is.
pub(crate) fn release_binary() -> Result<PathBuf, Failure> {
    if !passes(&mut cargo(&["build", "--release", "--locked", "--package", "plinth"]))? {
        return Err("the release build failed".to_owned());
    }
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    Ok(Path::new(target).join("release").join(format!("plinth{}", std::env::consts::EXE_SUFFIX)))
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    format!("cannot start {}: {error}", command.get_program().to_string_lossy())
}
