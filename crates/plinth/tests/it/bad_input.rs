//! Bad input: one clear message, the right exit code, nothing lost.

use crate::support::{basepod, example, plinth, plinth_with, text};
use tempfile::TempDir;

#[test]
fn a_bad_site_file_is_one_clear_message() {
    let good = std::fs::read_to_string(basepod()).unwrap();
    let bomb = format!("a: &a [x,x,x,x,x,x,x,x]\n{}", "b: [*a,*a,*a,*a,*a,*a,*a,*a]\n".repeat(9));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "empty"),
        ("only a comment", b"# nothing\n".to_vec(), "empty"),
        ("binary", vec![0, 159, 146, 150, 0, 1, 2, 3], "text"),
        ("50 MB", vec![b'a'; 50 * 1024 * 1024], "large"),
        ("bomb", bomb.into_bytes(), "alias"),
        (
            "tabs",
            good.replacen("  name", "\tname", 1).replace("metadata: {name", "metadata:\n\t{name").into_bytes(),
            "tab",
        ),
        ("duplicate key", format!("{good}\nkubernetes: {{}}\n").into_bytes(), "kubernetes"),
        ("wrong type", good.replace("uid: 60000", "uid: [60000]").into_bytes(), "uid"),
        ("unknown key", good.replace("runai:", "runia:").into_bytes(), "runai"),
        ("slash in the name", good.replace("name: basepod-a", "name: base/pod").into_bytes(), "base/pod"),
        ("literal secret", good.replace("{env: BCM_PASSWORD}", "hunter2hunter2").into_bytes(), "env"),
    ];
    for (name, bytes, wanted) in cases {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("site.yaml"), bytes).unwrap();
        for verb in ["validate", "plan", "rehearse", "apply"] {
            let ran = plinth(folder.path(), &[verb]);
            assert_eq!(ran.exit, 1, "{name}, {verb}:\n{}\n{}", ran.stdout, ran.stderr);
            let said = ran.stderr.to_lowercase();
            assert!(said.contains(&wanted.to_lowercase()), "{name}, {verb}: no `{wanted}` in\n{}", ran.stderr);
            assert!(!said.contains("panicked"), "{name}, {verb}: {}", ran.stderr);
            assert!(ran.stderr.len() < 20_000, "{name}, {verb}: {} bytes of talk", ran.stderr.len());
            assert!(!ran.stderr.contains("hunter2"), "{name}, {verb}: the literal secret is repeated");
        }
    }
}

#[test]
fn a_missing_site_file_says_how_to_get_one() {
    let folder = TempDir::new().unwrap();
    plinth(folder.path(), &["validate"]).exits(1).says("site.yaml").says("plinth init");
    plinth(folder.path(), &["rehearse", "-f", text(folder.path())]).exits(1);
}

#[test]
fn many_mistakes_are_told_at_once() {
    let folder = TempDir::new().unwrap();
    let bad = std::fs::read_to_string(basepod())
        .unwrap()
        .replace("workers:", "wrokers:")
        .replace("pods: 172.29.0.0/16", "pods: 10.184.0.0/16")
        .replace("uid: 60000", "uid: many")
        .replace("{env: RUNAI_ADMIN_PASSWORD}", "secret1234");
    std::fs::write(folder.path().join("site.yaml"), bad).unwrap();
    let report = plinth(folder.path(), &["validate", "--json"]).exits(1).json();
    let codes: std::collections::BTreeSet<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|f| f["code"].as_str()).collect();
    for code in ["site.unknown-key", "site.literal-secret"] {
        assert!(codes.contains(code), "{codes:?}");
    }
    assert!(codes.len() >= 3, "{codes:?}");
}

#[test]
fn a_version_outside_the_data_is_refused_with_the_derivation() {
    let folder = TempDir::new().unwrap();
    let bad = std::fs::read_to_string(basepod()).unwrap().replace("v1.31.9", "v1.20.0");
    std::fs::write(folder.path().join("site.yaml"), bad).unwrap();
    plinth(folder.path(), &["validate"]).exits(1).says("1.20.0").says("1.31.9");
}

#[test]
fn a_journal_that_is_newer_broken_or_of_a_rehearsal_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let site = basepod();
    let base = ["rehearse", "-f", &site, "--state", text(&state)];
    plinth(folder.path(), &base).exits(0);
    let journal = state.join("journal.db");
    let whole = std::fs::read(&journal).unwrap();

    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&999_u32.to_be_bytes());
    std::fs::write(&journal, &newer).unwrap();
    plinth(folder.path(), &base).exits(1).says("999");
    assert_eq!(std::fs::read(&journal).unwrap(), newer, "nothing was changed");

    std::fs::write(&journal, b"this is no database, whatever it was before").unwrap();
    plinth(folder.path(), &base).exits(1).says("journal.db");

    std::fs::write(&journal, &whole).unwrap();
    plinth(folder.path(), &base).exits(0);
    plinth(folder.path(), &["plan", "-f", &site, "--state", text(&state), "--inventory", "none"]).exits(1);
}

#[test]
fn wrong_arguments_are_wrong_input() {
    let folder = TempDir::new().unwrap();
    plinth(folder.path(), &["nonsense"]).exits(1);
    plinth(folder.path(), &["plan", "--graph", "svg"]).exits(1);
    let site = basepod();
    plinth(folder.path(), &["rehearse", "-f", &site, "--fault", "node:dgx-5:drop@kubernetes"]).exits(1).says("dgx-05");
    plinth(folder.path(), &["rehearse", "-f", &site, "--fault", "gremlin"]).exits(1).says("explain faults");
    for nodes in ["0", "20001", "99999999999999999999"] {
        plinth(folder.path(), &["rehearse", "-f", &site, "--nodes", nodes]).exits(1).says("--nodes");
    }
    plinth(folder.path(), &["explain", "no-such-thing"]).exits(1);
    plinth(folder.path(), &["--help"]).exits(0);
    plinth(folder.path(), &["--version"]).exits(0);
}

#[cfg(target_os = "linux")]
#[test]
fn files_without_end_are_refused_at_a_limit() {
    let folder = TempDir::new().unwrap();
    let site = basepod();
    let endless = std::fs::read_to_string(&site).unwrap().replace("caFile: bcm-ca.pem", "caFile: /dev/zero");
    std::fs::write(folder.path().join("endless.yaml"), endless).unwrap();
    let secrets = [("BCM_USERNAME", "root"), ("BCM_PASSWORD", "Bcm-Pa55word-for-tests")];
    for arguments in [&["plan", "-f", &site, "--inventory", "/dev/zero"][..], &["discover", "-f", "endless.yaml"]] {
        plinth_with(folder.path(), &secrets, arguments).exits(1).says("/dev/zero").says("larger than");
    }
}

#[test]
fn a_file_that_plinth_did_not_write_is_never_written_over() {
    let folder = TempDir::new().unwrap();
    let site = folder.path().join("site.yaml");
    let state = folder.path().join("state");
    std::fs::copy(basepod(), &site).unwrap();
    let before = std::fs::read(&site).unwrap();
    for option in ["--events", "--save-plan"] {
        plinth(folder.path(), &["rehearse", "--state", text(&state), option, text(&site)]).exits(1).says("left alone");
        assert_eq!(std::fs::read(&site).unwrap(), before, "{option}");
    }
    let events = folder.path().join("events.ndjson");
    for _ in 0..2 {
        plinth(folder.path(), &["rehearse", "--state", text(&state), "--events", text(&events)]).exits(0);
    }
}

#[test]
fn the_state_directory_of_another_site_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    plinth(folder.path(), &["rehearse", "-f", &basepod(), "--state", text(&state)]).exits(0);
    let world = std::fs::read(state.join("world.ndjson")).unwrap();
    let other = crate::support::example("static.yaml");
    for verb in ["rehearse", "status"] {
        plinth(folder.path(), &[verb, "-f", text(&other), "--state", text(&state)]).exits(1).says("basepod-a");
    }
    assert_eq!(std::fs::read(state.join("world.ndjson")).unwrap(), world);
}

#[test]
fn what_cannot_be_seen_is_not_called_absent() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    plinth(folder.path(), &["status", "-f", &basepod(), "--state", "file"]).exits(1);
    plinth(folder.path(), &["status", "-f", &basepod(), "--state", "nowhere"]).exits(1).says("nowhere");
    let never = plinth(folder.path(), &["status", "-f", &basepod()]).exits(0);
    assert!(never.stdout.contains("never applied"), "{}", never.stdout);
    let asked = plinth(folder.path(), &["status", "--drift", "-f", &basepod()]).exits(0);
    assert!(asked.stdout.contains("drift: the cluster was not asked: no run put"), "{}", asked.stdout);
    plinth(folder.path(), &["status", "--drift", "--detailed-exitcode", "-f", &basepod()]).exits(6);
    plinth(folder.path(), &["status", "--detailed-exitcode", "-f", &basepod()]).exits(1);
}

#[test]
fn programs_get_data_for_every_problem() {
    let folder = TempDir::new().unwrap();
    for (arguments, exit) in [
        (&["rehearse", "--fault", "gremlin"][..], 1),
        (&["explain", "nothing-known"], 1),
        (&["check"], 1),
        (&["apply", "-y"], 1),
        (&["plan", "--inventory", "nowhere.json"], 1),
    ] {
        let site = basepod();
        let ran = plinth(folder.path(), &[arguments, &["--json", "-f", &site]].concat()).exits(exit);
        let report = ran.json();
        assert_eq!(report["schema"], 1, "{arguments:?}");
        assert!(report["findings"][0]["message"].is_string(), "{arguments:?}");
    }
}

#[test]
fn data_that_could_not_be_written_is_an_error() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plinth"));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(command.arg("schema").stdout(full).status().unwrap().code(), Some(1));
}

/// `PLINTH_STATE= plinth ...` is how a shell takes a variable away for one command; an empty argument is a slip (`--state "$DIR"`).
#[test]
fn a_variable_that_is_set_to_nothing_counts_as_not_set() {
    let folder = TempDir::new().unwrap();
    let empty = [("PLINTH_STATE", ""), ("PLINTH_FILE", "")];
    plinth_with(folder.path(), &empty, &["version"]).exits(0);
    std::fs::copy(example("static.yaml"), folder.path().join("site.yaml")).unwrap();
    plinth_with(folder.path(), &empty, &["status"]).exits(0);
    plinth_with(folder.path(), &empty, &["status", "--state", ""]).exits(1).says("--state");
}
