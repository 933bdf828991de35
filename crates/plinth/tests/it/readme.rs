//! The README says what the program can do, and what it says can be typed.

use crate::support::{basepod, plinth};
use plinth_model::{Plan, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tempfile::TempDir;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap()
}

/// Rows of the first table behind a text: its first two cells.
fn rows(text: &str, behind: &str) -> Vec<(String, String)> {
    let table = text.split_once(behind).unwrap().1;
    let lines = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
    };
    lines.skip(2).map(cells).collect()
}

/// The plan of the example as a real site gets it.
fn real_plan(folder: &Path) -> Plan {
    let ran = plinth(folder, &["rehearse", "-f", &basepod(), "--plan-only", "--json"]).exits(0);
    let mut plan: Plan = serde_json::from_str(&ran.stdout).unwrap();
    plinth_plan::not_in_this_release::mark(&mut plan, plinth_app::world::lacks);
    plan
}

#[test]
fn the_status_box_is_what_the_program_can_do() {
    let plan = real_plan(TempDir::new().unwrap().path());
    let can = |stage: Stage| {
        let steps: Vec<bool> =
            plan.steps.iter().filter(|s| s.work.stage() == stage).map(|s| s.change.lacks().is_none()).collect();
        match (steps.iter().all(|can| *can), steps.iter().any(|can| *can)) {
            (true, _) => "works",
            (false, true) => "partly",
            (false, false) => "not yet",
        }
    };
    let is: BTreeMap<String, String> =
        Stage::ALL.iter().map(|stage| (stage.title().to_owned(), can(*stage).to_owned())).collect();
    let said: BTreeMap<String, String> = rows(&readme(), "<!-- status box").into_iter().collect();
    assert_eq!(said, is);
}

#[test]
fn every_verb_has_its_row() {
    let ran = plinth(TempDir::new().unwrap().path(), &["help"]).exits(0);
    let listed = ran.stdout.split_once("Commands:").unwrap().1.lines().skip(1).take_while(|line| !line.is_empty());
    let verbs = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let verbs: BTreeSet<&str> = verbs.filter_map(|line| line.split_whitespace().next()).collect();
    let readme = readme();
    let rows = rows(&readme, "## Verbs");
    let said: BTreeSet<&str> = rows.iter().map(|(verb, _)| verb.trim_matches('`')).collect();
    assert_eq!(said, verbs);
}

/// With `--help` behind it, a command is parsed and not run.
#[test]
fn every_command_can_be_typed() {
    let folder = TempDir::new().unwrap();
    let readme = readme();
    let blocks = readme.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap_or(line).trim());
    let commands: Vec<&str> = lines.filter(|line| line.starts_with("plinth ")).collect();
    assert!(commands.len() > 8, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().skip(1).chain(["--help"]).collect();
        assert_eq!(plinth(folder.path(), &words).exit, 0, "{command}");
    }
}
