//! `plinth plan --refresh`, with the charts in a folder: nobody is contacted.

use crate::support::{Ran, example, plinth_with};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "Runai-Pa55word-for-tests";

/// The static example with its charts beside it, and with secrets that are one variable.
pub(crate) fn site(folder: &Path) {
    let text = fs::read_to_string(example("static.yaml")).unwrap();
    let text = text
        .replace("key: {file: keys/bootstrap}", "password: {env: P}")
        .replace("{file: secrets/registry-token}", "{env: P}")
        .replace("{exec: [pass, show, lab/runai-admin]}", "{env: P}")
        .replace("platform:\n", "platform:\n  charts: {folder: charts}\n");
    let (text, _certificates) = text.split_once("  certificate:").unwrap();
    fs::write(folder.join("site.yaml"), text).unwrap();
    fs::create_dir(folder.join("charts")).unwrap();
}

pub(crate) fn package(folder: &Path, name: &str, version: &str) {
    package_with(folder, name, version, "{}\n");
}

/// With default values of its own.
pub(crate) fn package_with(folder: &Path, name: &str, version: &str, values: &str) {
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (file, text) in [("Chart.yaml", about.as_str()), ("values.yaml", values)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{name}/{file}"), text.as_bytes()).unwrap();
    }
    let bytes = archive.into_inner().unwrap().finish().unwrap();
    fs::write(folder.join(format!("charts/{name}-{version}.tgz")), bytes).unwrap();
}

pub(crate) fn refresh(folder: &Path) -> Ran {
    plinth_with(folder, &[("P", PASSWORD)], &["plan", "--refresh", "--state", "state"])
}

#[test]
fn a_line_is_chosen_once_and_again_when_a_person_asks() {
    let room = TempDir::new().unwrap();
    let folder = room.path();
    site(folder);
    let charts = ["control-plane", "runai-cluster"];
    charts.iter().for_each(|chart| package(folder, chart, "2.21.9"));
    let said = refresh(folder).exits(0);
    for component in ["runai-control-plane", "runai-cluster"] {
        assert!(said.stderr.contains(&format!("{component} ~2.21.0 is 2.21.9\n")), "{}", said.stderr);
    }
    charts.iter().for_each(|chart| package(folder, chart, "2.21.43"));
    let moved = refresh(folder).exits(0).stderr;
    assert!(moved.contains("runai-cluster ~2.21.0 is 2.21.43 from now on; it was 2.21.9"), "{moved}");
    let still = refresh(folder).exits(0).stderr;
    assert!(still.contains("runai-cluster ~2.21.0 is 2.21.43, as before"), "{still}");
    let kept = fs::read_dir(folder.join("state/charts/packages")).unwrap().count();
    assert_eq!(kept, 4, "each package once");
    assert_eq!(versions(folder), ["2.21.43"; 2], "every later plan names what it means exactly");
}

/// Versions of Run:ai's two charts in a plan that asks nobody, with the line that each is the meaning of.
fn versions(folder: &Path) -> Vec<String> {
    let said = plinth_with(folder, &[("P", PASSWORD)], &["plan", "--json", "--state", "state"]).exits(0);
    let plan = said.json();
    let mut found = Vec::new();
    for component in ["runai-control-plane", "runai-cluster"] {
        let id = format!("platform/release/{component}");
        let step = plan["steps"].as_array().unwrap().iter().find(|step| step["id"] == *id).expect("its release");
        assert_eq!(step["params"]["release"]["meaningOf"], "~2.21.0");
        let reason = step["reason"].as_str().unwrap();
        let (_, version) = reason.split_once("; ~2.21.0 is ").unwrap_or_else(|| panic!("{reason}"));
        assert_eq!(step["params"]["release"]["version"], version);
        found.push(version.to_owned());
    }
    found
}

#[test]
fn nothing_moves_when_one_of_the_charts_cannot_be_had() {
    let room = TempDir::new().unwrap();
    let folder = room.path();
    site(folder);
    let charts = ["control-plane", "runai-cluster"];
    charts.iter().for_each(|chart| package(folder, chart, "2.21.9"));
    refresh(folder).exits(0);
    for damaged in charts {
        charts.iter().for_each(|chart| package(folder, chart, "2.21.43"));
        fs::write(folder.join(format!("charts/{damaged}-2.21.43.tgz")), "no package").unwrap();
        let said = refresh(folder);
        assert_ne!(said.exit, 0, "{damaged}");
        assert!(!said.stderr.contains("from now on"), "{}", said.stderr);
        assert_eq!(versions(folder), ["2.21.9"; 2], "{damaged}");
    }
}

#[test]
fn a_chart_that_is_not_in_the_folder_and_a_folder_that_is_not_there_are_said() {
    let room = TempDir::new().unwrap();
    site(room.path());
    let said = refresh(room.path()).exits(6).stderr;
    assert!(said.contains("no version ~2.21.0") && said.contains("render mirror-list"), "{said}");
    fs::remove_dir(room.path().join("charts")).unwrap();
    let said = refresh(room.path()).exits(1).stderr;
    assert!(said.contains("platform.charts.folder"), "{said}");
    let said = plinth_with(room.path(), &[], &["validate"]).exits(0);
    assert!(format!("{}{}", said.stdout, said.stderr).contains("site.file-missing"), "{}", said.stderr);
}
