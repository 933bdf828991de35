//! Scenarios: `tests/scenarios/*.trycmd`, each a file of commands with golden output. Adding a case is adding a file.
//!
//! Every scenario runs in a folder of its own that holds the examples and `tests/scenarios/site`. What differs from run to run
//! is written `[..]`, what is of no interest `...`. `TRYCMD=overwrite cargo test -p plinth --test it scenarios` writes what is
//! said now into the files; look at the difference before it is kept.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Of what is set around the test, only this goes through; what it says is not the binary's business.
const PASSED: [&str; 1] = ["TRYCMD"];

/// trycmd hands its own environment to the commands, so this test runs itself again with an empty one.
#[test]
fn scenarios_say_what_they_said() {
    let home = TempDir::new().unwrap();
    let passed = PASSED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let own = [("NO_COLOR", OsString::from("1")), ("LANG", "C.UTF-8".into()), ("HOME", home.path().into())];
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "scenarios::files", "--ignored", "--nocapture"])
        .env_clear()
        .envs(passed.chain(own))
        .output()
        .unwrap();
    let said = format!("{}\n{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    for file in written() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(said.contains(&format!("{name}.trycmd")), "{name} did not run:\n{said}");
    }
    // Every rehearsal among them names a state directory, so none of them is kept as what the site's next run is compared with.
    assert_eq!(entries(home.path()), BTreeSet::new(), "a scenario wrote into the home folder");
}

#[test]
#[ignore = "scenarios_say_what_they_said runs it, with an environment of its own"]
fn files() {
    let room = TempDir::new().unwrap();
    let site = site_folder(room.path());
    for file in written() {
        let here = room.path().join(file.file_name().unwrap());
        symlink(&site, here.with_extension("in")).unwrap();
        std::fs::create_dir(here.with_extension("out")).unwrap();
        symlink(&file, here).unwrap();
    }
    trycmd::TestCases::new()
        .register_bin("plinth", PathBuf::from(env!("CARGO_BIN_EXE_plinth")))
        .case(room.path().join("*.trycmd"));
}

/// The scenario files.
fn written() -> Vec<PathBuf> {
    let files = entries(&folder());
    files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "trycmd")).collect()
}

/// The folder every scenario starts with: examples and the files of `site`.
fn site_folder(room: &Path) -> PathBuf {
    let site = room.join("site");
    std::fs::create_dir(&site).unwrap();
    for file in entries(&root().join("examples")).into_iter().chain(entries(&folder().join("site"))) {
        let copied = site.join(file.file_name().unwrap());
        assert!(!copied.exists(), "{} is there twice", copied.display());
        std::fs::copy(&file, copied).unwrap();
    }
    site
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn entries(folder: &Path) -> BTreeSet<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
