//! Files that people name for output: what plinth did not write stays as it is, links are not written through, and nothing hangs.

use crate::support::{basepod, example, plinth, text};
use std::fs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

#[test]
fn a_folder_of_rendered_files_keeps_what_is_not_ours() {
    let folder = TempDir::new().unwrap();
    let site = example("static.yaml");
    let out = folder.path().join("out");
    let render = |what: &str| plinth(folder.path(), &["render", what, "-f", text(&site), "--out", text(&out)]);
    render("values").exits(0);
    render("values").exits(0).says("wrote ");
    let page = fs::read_dir(out.join("values")).unwrap().next().unwrap().unwrap().path();
    fs::write(&page, "mine: true\n").unwrap();
    render("values").exits(1).says("somebody changed it since plinth wrote it");
    assert_eq!(fs::read_to_string(&page).unwrap(), "mine: true\n");

    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    render("inventory").exits(0);
    let written = fs::read_dir(out.join("kubespray/inventory")).unwrap().next().unwrap().unwrap().file_name();
    let target = folder.path().join("target");
    fs::write(&target, "target\n").unwrap();
    fs::create_dir_all(other.join("kubespray/inventory")).unwrap();
    symlink(&target, other.join("kubespray/inventory").join(written)).unwrap();
    let ran = plinth(folder.path(), &["render", "inventory", "-f", text(&site), "--out", text(&other)]);
    ran.exits(1).says("symbolic link");
    assert_eq!(fs::read_to_string(&target).unwrap(), "target\n");
}

#[test]
fn plans_inventories_and_events_are_not_written_through_a_link() {
    let folder = TempDir::new().unwrap();
    let (site, real) = (example("static.yaml"), basepod());
    let write = |arguments: &[&str]| plinth(folder.path(), arguments);
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    symlink(&target, &link).unwrap();
    for dangling in [true, false] {
        for arguments in [
            &["plan", "-f", text(&site), "--out", "link"][..],
            &["discover", "-f", text(&site), "--save", "link"],
            &["rehearse", "-f", &real, "--events", "link"],
            &["rehearse", "-f", &real, "--plan-only", "--save-plan", "link"],
        ] {
            write(arguments).exits(1).says("link");
            assert_eq!(target.exists(), !dangling, "{arguments:?} made a file elsewhere");
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        fs::write(&target, "").unwrap();
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "");
}

#[test]
fn manual_pages_replace_manual_pages_only() {
    let folder = TempDir::new().unwrap();
    let man = || plinth(folder.path(), &["man", "--out", "."]);
    man().exits(0);
    man().exits(0);
    fs::write(folder.path().join("plinth-apply.1"), "mine\n").unwrap();
    man().exits(1).says("left alone");
    assert_eq!(fs::read_to_string(folder.path().join("plinth-apply.1")).unwrap(), "mine\n");
}

#[test]
fn exports_and_archives_replace_their_own_kind_only_and_nothing_is_written_through_a_link() {
    let folder = TempDir::new().unwrap();
    let site = basepod();
    let run = |arguments: &[&str]| plinth(folder.path(), &[&["-f", &site, "--state", "s"], arguments].concat());
    run(&["rehearse", "--pace", "fast"]).exits(0);
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    symlink(&target, &link).unwrap();
    let exports =
        ["trace", "otlp", "ctrf", "junit", "markdown", "metrics"].map(|format| vec!["export", "--format", format]);
    for verb in exports.iter().chain([&vec!["support"]]) {
        let out = |file: &str| run(&[&verb[..], &["--out", file]].concat());
        out("mine").exits(0);
        out("mine").exits(0);
        let kept = fs::read(folder.path().join("mine")).unwrap();
        fs::remove_file(folder.path().join("mine")).unwrap();
        for foreign in
            [&b"{\"name\": \"site\"}\n"[..], b"## notes\n", b"<?xml version=\"1.0\"?>\n", &[0x1f, 0x8b, 8, 0], b"mine"]
        {
            fs::write(folder.path().join("other"), foreign).unwrap();
            out("other").exits(1).says("left alone");
            assert_eq!(fs::read(folder.path().join("other")).unwrap(), foreign, "{verb:?}");
        }
        fs::write(folder.path().join("other"), kept).unwrap();
        out("other").exits(0);
        out("link").exits(1).says("symbolic link");
        assert!(!target.exists(), "{verb:?} made a file elsewhere");
        out("-").exits(1).says("/dev/stdout");
    }
    assert!(!folder.path().join("-").exists());
}

/// `-` is standard input for `-f`; for output it is none, and makes no file of that name either.
#[test]
fn a_file_named_like_standard_output_is_never_meant() {
    let folder = TempDir::new().unwrap();
    let site = example("static.yaml");
    for verb in [
        &["plan", "--out", "-"][..],
        &["discover", "--save", "-"],
        &["rehearse", "--events", "-"],
        &["rehearse", "--plan-only", "--save-plan", "-"],
        &["kubeconfig", "--out", "-"],
        &["render", "values", "--out", "-"],
        &["check", "--out", "-"],
        &["man", "--out", "-"],
    ] {
        plinth(folder.path(), &[verb, &["-f", text(&site)]].concat()).exits(1).says("standard output");
        assert!(fs::read_dir(folder.path()).unwrap().all(|entry| entry.unwrap().file_name() != "-"), "{verb:?}");
    }
}
