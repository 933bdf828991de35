//! Text of others never reaches a terminal as anything but text.

use crate::support::{BcmSite, basepod, plinth, text};
use plinth_model::text::is_hidden;
use tempfile::TempDir;

/// As it stands in YAML and in JSON: clears the screen, goes back to the line's begin, colours, turns the direction, has no width, and
/// makes a line of its own, which GitHub's runner takes for a command; commands that runners take from anywhere in a line.
const ESCAPED: &str = r"\u001b[2J\u000d\u009b31m\u202eevil\u200b\u0085\u001b[8m\n::error::pwn\n  ::error::pwn ::error::pwn ##[error]pwn ##vso[task.debug]pwn";

/// Parts of the site file, and what stands there instead. Some are refused, some are not.
const PLACES: [(&str, &str); 15] = [
    ("name: basepod-a", "name: \"X\""),
    ("controlPlane: [cpu-03", "controlPlane: [\"X\""),
    ("gpu: [dgx-*]", "gpu: [\"X\"]"),
    ("user: ibm", "user: \"X\""),
    ("{env: BCM_PASSWORD}", "{exec: [\"X\"]}"),
    ("{env: BOOTSTRAP_PASSWORD}", "{file: \"X\"}"),
    ("{env: RUNAI_REGISTRY_TOKEN}", "{env: \"X\"}"),
    ("  version: v1.31.9", "  version: v1.31.9\n  extraVars: {\"X\": \"X\", kube_version: \"X\"}"),
    ("gpu-operator: {version: v25.3.3}", "gpu-operator: {version: v25.3.3, values: {\"X\": {\"X\": \"X\"}}}"),
    ("components: {", "acceptIncompatible: [\"X\"]\n  components: {\"X\": {enabled: true}, "),
    ("domain: bcm-head-01.eth.cluster", "domain: \"X\""),
    ("apiVersion: plinth/v1", "apiVersion: plinth/v1\n\"X\": \"X\""),
    ("email: admin@example.com", "email: \"a@bX\""),
    ("cluster: {name: bcm-gpu-cluster}", "cluster: {name: \"X\"}"),
    ("caFile: bcm-ca.pem", "caFile: \"X\""),
];

#[track_caller]
fn assert_plain(what: &str, said: &crate::support::Ran) {
    for shown in [&said.stdout, &said.stderr] {
        let hidden = shown.chars().find(|c| is_hidden(*c));
        assert_eq!(hidden, None, "{what}: {shown:?}");
        let forged = shown.lines().find(|line| line.trim_start().starts_with("::"));
        assert_eq!(forged, None, "{what}: {shown}");
        assert!(!shown.contains("##[") && !shown.contains("##vso["), "{what}: {shown}");
    }
}

#[test]
fn a_site_file_cannot_write_on_the_terminal() {
    let good = std::fs::read_to_string(basepod()).unwrap();
    let mut seen = 0;
    for (part, instead) in PLACES {
        assert!(good.contains(part), "{part}");
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("site.yaml"), good.replace(part, &instead.replace('X', ESCAPED))).unwrap();
        for verb in [
            &["validate"][..],
            &["validate", "--json"],
            &["validate", "--check-secrets"],
            &["plan"],
            &["rehearse", "--plan-only"],
            &["rehearse", "--plan-only", "--json"],
            &["rehearse", "--plan-only", "-o", "yaml"],
            &["render", "variables"],
            &["discover"],
            &["explain", "nodes/account/dgx-05"],
            &["status"],
        ] {
            let said = plinth(folder.path(), verb);
            assert_plain(&format!("{verb:?} with {instead}"), &said);
            seen += usize::from(said.stderr.contains(r"\u{1b}[2J") || said.stdout.contains(r"\u{1b}[2J"));
        }
    }
    assert!(seen > 20, "{seen} outputs showed the text: the test would prove little");
}

#[test]
fn an_inventory_cannot_write_on_the_terminal() {
    let site = BcmSite::basepod(|s| s);
    site.plinth(&["discover", "--save", "inventory.json"]).exits(0);
    let file = site.folder.path().join("inventory.json");
    let recorded = std::fs::read_to_string(&file).unwrap();
    let value: serde_json::Value = serde_json::from_str(&recorded).unwrap();
    let name = value["nodes"][1]["interfaces"][0]["name"].as_str().expect("an interface with a name").to_owned();
    let network = value["networks"][0]["name"].as_str().unwrap().to_owned();
    for part in [name, network] {
        let hostile = recorded.replace(&format!("\"{part}\""), &format!("\"{ESCAPED}\""));
        assert_ne!(hostile, recorded);
        std::fs::write(&file, hostile).unwrap();
        for verb in
            [&["discover"][..], &["discover", "--json"], &["plan"], &["plan", "--json"], &["rehearse", "--plan-only"]]
        {
            let said = site.plinth(&[verb, &["--inventory", text(&file)]].concat());
            assert_plain(&format!("{verb:?} with {part}"), &said);
        }
    }
}

#[test]
fn arguments_cannot_write_on_the_terminal_either() {
    let folder = TempDir::new().unwrap();
    let odd = "\u{1b}[2J\r\u{9b}31m\u{202e}\n::error::pwn ##[error]pwn ##vso[task.debug]pwn";
    for arguments in [&["plan", "-f", odd][..], &["explain", odd], &["plan", "-f", &basepod(), "--inventory", odd]] {
        assert_plain(&format!("{arguments:?}"), &plinth(folder.path(), arguments));
    }
}
