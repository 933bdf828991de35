//! Running other programs.

use crate::error::{LabError, LabResult};
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs to the end without input, and gives standard output; a bad end is an error with standard error in it.
pub(crate) fn run(command: &mut Command, doing: &str) -> LabResult<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, doing, &error))?;
    told(command, doing, &output)
}

/// As [`run`], with bytes for standard input.
pub(crate) fn fed(command: &mut Command, doing: &str, input: &[u8]) -> LabResult<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, doing, &error))?;
    let mut stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // A program that stops reading is judged by how it ended, not by the broken pipe.
        scope.spawn(move || stdin.take().map(|mut pipe| pipe.write_all(input)));
        child.wait_with_output()
    });
    let output = output.map_err(|error| not_started(command, doing, &error))?;
    told(command, doing, &output)
}

pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

/// The text quoted for a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn told(command: &Command, doing: &str, output: &Output) -> LabResult<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let name = command.get_program().to_string_lossy();
    let words = String::from_utf8_lossy(&output.stderr);
    Err(LabError::new(
        doing,
        format!("{name} ended with {}: {}", output.status, words.trim()),
        "run the same program by hand; `cargo xtask lab status` names what exists",
    ))
}

fn not_started(command: &Command, doing: &str, error: &std::io::Error) -> LabError {
    let name = command.get_program().to_string_lossy();
    LabError::new(doing, format!("{name} did not run: {error}"), "install it; `cargo xtask lab up` does so on Debian")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_survives_a_shell() {
        for text in ["plain", "two words", "it's", "$(id) `id` \\ \"", ""] {
            let said = run(&mut program("sh", &["-c", &format!("printf %s {}", quoted(text))]), "printing").unwrap();
            assert_eq!(said, text);
        }
    }

    #[test]
    fn a_bad_end_carries_what_was_said() {
        let error = run(&mut program("sh", &["-c", "echo no room >&2; exit 3"]), "trying").unwrap_err();
        assert!(error.to_string().contains("no room"), "{error}");
        assert!(error.doing == "trying" && !error.attempt.is_empty());
    }

    #[test]
    fn input_arrives_whole() {
        let input = vec![b'x'; 1 << 20];
        let said = fed(&mut program("wc", &["-c"]), "counting", &input).unwrap();
        assert_eq!(said.trim(), "1048576");
    }

    #[test]
    fn a_program_that_reads_nothing_is_judged_by_its_end() {
        assert!(fed(&mut program("true", &[]), "ignoring", &vec![b'x'; 1 << 20]).is_ok());
        assert!(fed(&mut program("false", &[]), "ignoring", &vec![b'x'; 1 << 20]).is_err());
    }
}
