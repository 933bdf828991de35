//! The README says what the program can do, and what it says can be typed.

use crate::support::{basepod, example, plinth};
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

/// What becomes of a site file with this engine: the whole job, in a simulated data centre, or the word that the engine is not there yet.
fn tried(engine: &str) -> &'static str {
    let example = if engine == "existing" { example("existing.yaml").to_str().unwrap().to_owned() } else { basepod() };
    let text = std::fs::read_to_string(example).unwrap().replace("engine: kubespray", &format!("engine: {engine}"));
    assert!(text.contains(&format!("engine: {engine}")));
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("site.yaml"), text).unwrap();
    let ran = plinth(folder.path(), &["rehearse", "-f", "site.yaml", "--events", "events.ndjson"]);
    match ran.exit {
        0 => {
            let events = std::fs::read_to_string(folder.path().join("events.ndjson")).unwrap();
            let end: serde_json::Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
            assert_eq!(
                (end["event"].as_str(), end["outcome"].as_str()),
                (Some("run.finished"), Some("done")),
                "{end:#}"
            );
            let counts = &end["counts"];
            assert!(counts["changed"].as_u64() > Some(10), "{engine}: hardly anything was done: {end:#}");
            assert_eq!((&counts["failed"], &counts["notRun"]), (&0.into(), &0.into()), "{engine}: {end:#}");
            "works"
        }
        _ => {
            assert!(ran.stderr.contains("site.engine-not-in-release"), "{engine}: {}", ran.stderr);
            "not yet"
        }
    }
}

#[test]
fn the_status_box_is_what_the_program_can_do() {
    let schema = plinth(TempDir::new().unwrap().path(), &["schema"]).exits(0).json();
    let engines = schema["$defs"]["Engine"]["oneOf"].as_array().unwrap();
    let is: BTreeMap<&str, &str> =
        engines.iter().map(|one| one["const"].as_str().unwrap()).map(|engine| (engine, tried(engine))).collect();
    let rows = rows(&readme(), "<!-- status box");
    let said: BTreeMap<&str, &str> = rows
        .iter()
        .map(|(row, state)| {
            (row.split_once("`engine: ").and_then(|(_, rest)| rest.split_once('`')).unwrap().0, state.as_str())
        })
        .collect();
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

/// The README and every page of docs.
fn pages() -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let files = std::fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|file| file.extension().is_some_and(|end| end == "md"));
    let pages = pages.map(|file| std::fs::read_to_string(file).unwrap());
    pages.chain([readme()]).collect()
}

/// With `--help` behind it, a command is parsed and not run. A prompt in front would make a comment or an unknown command of it.
#[test]
fn every_command_can_be_pasted() {
    let folder = TempDir::new().unwrap();
    let pages = pages();
    assert!(
        pages.iter().all(|page| !page.contains("```console")),
        "commands stand in blocks of `sh`, without a prompt"
    );
    let blocks =
        pages.iter().flat_map(|page| page.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()));
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    let prompts: Vec<&&str> = lines.iter().filter(|line| line.starts_with("$ ") || line.starts_with("# ")).collect();
    assert_eq!(prompts, Vec::<&&str>::new());
    let commands = lines.iter().map(|line| line.split([';', '|', '>', '#']).next().unwrap_or(line).trim());
    let commands: Vec<&str> = commands.filter(|line| line.starts_with("plinth ")).collect();
    assert!(commands.len() > 16, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().skip(1).chain(["--help"]).collect();
        assert_eq!(plinth(folder.path(), &words).exit, 0, "{command}");
    }
}
