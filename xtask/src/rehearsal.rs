//! The release tier: the first commands of the README do what it says, on a machine where no variable is set.

use crate::commands::{self, Failure};
use crate::scratch::Scratch;
use crate::tally::Tally;
use std::path::Path;
use std::process::Command;

/// One call of the binary with what it must do. `STATE` stands for a state directory, of its own per `world`.
struct Call {
    what: &'static str,
    world: &'static str,
    arguments: &'static [&'static str],
    exit: i32,
    /// Texts that must appear in what it prints, upper and lower case alike.
    says: &'static [&'static str],
}

const REHEARSE: &[&str] = &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE"];
const REHEARSE_FAULT: &[&str] =
    &["rehearse", "-f", "examples/basepod.yaml", "--state", "STATE", "--fault", "node:dgx-05:drop@kubernetes"];

const CALLS: [Call; 6] = [
    Call {
        what: "the example is valid",
        world: "none",
        arguments: &["validate", "-f", "examples/basepod.yaml"],
        exit: 0,
        says: &[],
    },
    Call { what: "the whole job is rehearsed", world: "whole", arguments: REHEARSE, exit: 0, says: &["done"] },
    Call { what: "again: nothing to do", world: "whole", arguments: REHEARSE, exit: 0, says: &["nothing to do"] },
    Call { what: "a node drops: partly", world: "fault", arguments: REHEARSE_FAULT, exit: 4, says: &["dgx-05"] },
    Call { what: "again: the rest is done", world: "fault", arguments: REHEARSE, exit: 0, says: &["done"] },
    Call { what: "again: nothing is left", world: "fault", arguments: REHEARSE, exit: 0, says: &["nothing to do"] },
];

/// Builds the release binary and makes the calls; each is one check, the build is another.
pub(crate) fn check() -> Result<Tally, Failure> {
    let binary = commands::release_binary()?;
    let mut tally = Tally::check(true);
    let scratch = Scratch::new("release")?;
    let first = to_the_letter(scratch.path())?;
    tally += told("the first command of the README, to the letter", first.as_deref());
    for call in &CALLS {
        let wrong = made(&binary, call, scratch.path())?;
        tally += told(call.what, wrong.as_deref());
    }
    Ok(tally)
}

fn told(what: &str, wrong: Option<&str>) -> Tally {
    match wrong {
        None => println!("release: ok: {what}"),
        Some(wrong) => eprintln!("release: FAILED: {what}: {wrong}"),
    }
    Tally::check(wrong.is_none())
}

/// Runs the README's first command as it stands there, through cargo, as somebody does who has just cloned this; none when it did what it
/// must. What it writes goes into our folder.
fn to_the_letter(scratch: &Path) -> Result<Option<String>, Failure> {
    let readme = commands::root().join("README.md");
    let text = std::fs::read_to_string(&readme).map_err(|error| format!("reading {}: {error}", readme.display()))?;
    let command = first_command(&text).ok_or("the README has no command that begins with `cargo run`")?;
    let words: Vec<&str> = command.split_whitespace().collect();
    let output = commands::output(commands::cargo(&words).env("TMPDIR", scratch))?;
    let said = [output.stdout, output.stderr].concat();
    let call = Call { what: "", world: "", arguments: &[], exit: 0, says: &["rehearsal of site", "done"] };
    Ok(judged(&call, output.status.code(), &String::from_utf8_lossy(&said)))
}

/// The first command line that runs plinth by cargo, without the word `cargo`.
fn first_command(readme: &str) -> Option<&str> {
    readme.lines().find_map(|line| line.strip_prefix("cargo ").filter(|words| words.starts_with("run ")))
}

/// Makes a call; none when it did what it must.
fn made(binary: &Path, call: &Call, scratch: &Path) -> Result<Option<String>, Failure> {
    let state = scratch.join(call.world);
    let mut command = Command::new(binary);
    command.env_clear().env("HOME", scratch).current_dir(commands::root());
    for argument in call.arguments {
        match *argument {
            "STATE" => command.arg(&state),
            plain => command.arg(plain),
        };
    }
    let output = commands::output(&mut command)?;
    let said = [output.stdout, output.stderr].concat();
    Ok(judged(call, output.status.code(), &String::from_utf8_lossy(&said)))
}

fn judged(call: &Call, exit: Option<i32>, said: &str) -> Option<String> {
    if exit != Some(call.exit) {
        return Some(format!("it ended with {exit:?} instead of {}:\n{said}", call.exit));
    }
    let lower = said.to_lowercase();
    let missing = call.says.iter().find(|text| !lower.contains(**text))?;
    Some(format!("it does not say `{missing}`:\n{said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_command_is_found_in_the_readme() {
        let readme = std::fs::read_to_string(commands::root().join("README.md")).expect("it is there");
        assert_eq!(first_command(&readme), Some("run --release -- rehearse -f examples/basepod.yaml"));
        assert_eq!(first_command("cargo run"), None);
    }

    #[test]
    fn a_call_is_judged_by_its_exit_and_its_words() {
        let call = Call { what: "", world: "", arguments: &[], exit: 4, says: &["dgx-05"] };
        assert_eq!(judged(&call, Some(4), "X nodes/account/DGX-05 failed"), None);
        assert!(judged(&call, Some(0), "dgx-05").is_some_and(|wrong| wrong.contains("Some(0) instead of 4")));
        assert!(judged(&call, None, "dgx-05").is_some());
        assert!(judged(&call, Some(4), "a node failed").is_some_and(|wrong| wrong.contains("`dgx-05`")));
    }
}
