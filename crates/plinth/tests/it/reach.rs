//! `docs/security.md` says what each verb may run, read and contact. Every row of it is run here.

use crate::support::{basepod, plinth, plinth_with};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

const PAGE: &str = include_str!("../../../../docs/security.md");

/// A row: the command, and what it may do.
struct Row {
    command: Vec<String>,
    secrets: String,
    contacts: String,
}

/// Rows of the table, each with the words of its first cell as command.
fn rows() -> Vec<Row> {
    let table = PAGE.split("\n| command |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().skip(2).map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let command = cells[1].trim_matches('`').split_whitespace().map(str::to_owned).collect();
        Row { command, secrets: cells[2].to_owned(), contacts: cells[3].to_owned() }
    });
    rows.collect()
}

/// Verbs as the help lists them.
fn verbs() -> BTreeSet<String> {
    let help = plinth(Path::new("/"), &["--help"]).exits(0).stdout;
    let listed = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

/// Accepts connections, counts them and closes them at once.
fn counting_bcm() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for _connection in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (endpoint, count)
}

/// The basepod site; each of its secrets is a program that leaves a file with the name of the secret.
fn traced(folder: &Path, endpoint: &str) {
    let mut text = std::fs::read_to_string(basepod()).unwrap().replace("https://bcm-head-01:8081", endpoint);
    for name in ["BCM_USERNAME", "BCM_PASSWORD", "BOOTSTRAP_PASSWORD", "RUNAI_REGISTRY_TOKEN", "RUNAI_ADMIN_PASSWORD"] {
        text = text.replace(
            &format!("{{env: {name}}}"),
            &format!("{{exec: [sh, -c, \"touch ran.{name}; echo Trace-Pa55word\"]}}"),
        );
    }
    std::fs::write(folder.join("site.yaml"), text).unwrap();
    let authority = any_authority();
    std::fs::write(folder.join("bcm-ca.pem"), authority).unwrap();
}

/// Any certificate: nobody gets so far that it matters.
fn any_authority() -> String {
    use plinth_sim::bcm::{BcmFixture, SimAuth, SimBcm};
    SimBcm::start(BcmFixture::basepod().unwrap(), vec![], SimAuth::new("a", "b")).unwrap().ca_pem().to_owned()
}

fn ran(folder: &Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_prefix("ran.").map(str::to_owned)).collect()
}

/// The command of a row as it can be run: words in capitals have a value, and nothing asks.
fn arguments(row: &Row, endpoint: &str) -> Vec<String> {
    let value = |word: &String| match word.as_str() {
        "URL" => endpoint.to_owned(),
        "COMPONENT" => "gpu-operator".to_owned(),
        "NODE" => "dgx-05".to_owned(),
        "SHELL" => "bash".to_owned(),
        "WORD" => "nodes/account/dgx-05".to_owned(),
        _ => word.clone(),
    };
    let mut arguments: Vec<String> = row.command.iter().map(value).collect();
    let more: &[&str] = match row.command[0].as_str() {
        "init" => &["--file", "new.yaml", "--name", "traced"],
        "apply" | "rollback" | "rotate" | "trust" => &["--yes"],
        "remove" | "reset" | "recover" => &["--confirm", "basepod-a"],
        // It would serve until a signal: here it reads all it reads, and is refused its address.
        "serve" => &["--listen", "192.0.2.1:0"],
        _ => &[],
    };
    arguments.extend(more.iter().map(|word| (*word).to_owned()));
    arguments
}

#[test]
fn every_verb_has_a_row() {
    let with_row: BTreeSet<String> = rows().into_iter().map(|row| row.command[0].clone()).collect();
    assert_eq!(with_row, verbs(), "docs/security.md and `plinth --help` name other verbs");
}

#[test]
fn everything_that_can_be_rendered_has_a_row() {
    let of_render = rows().into_iter().filter(|row| row.command[0] == "render");
    let with_row: BTreeSet<String> = of_render.map(|row| row.command[1].clone()).collect();
    let help = plinth(Path::new("/"), &["render", "--help"]).exits(0).stdout;
    let listed = help.split("Possible values:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = listed.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split(':').next());
    assert_eq!(
        with_row,
        names.map(str::to_owned).collect(),
        "docs/security.md and `plinth render --help` name other things"
    );
}

#[test]
fn a_mirror_is_listed_where_no_secret_of_the_site_is() {
    let site = crate::support::BcmSite::basepod(|s| {
        s.replace("  version: v1.31.9", "  version: v1.31.9\n  kubespray: {source: \"https://127.0.0.1:1/x.git\"}")
    });
    let folder = site.folder.path();
    site.plinth(&["discover", "--save", "inventory.json"]).exits(0);
    let listed = plinth_with(
        folder,
        &[("PATH", std::env::var("PATH").unwrap().as_str())],
        &["render", "mirror-list", "--inventory", "inventory.json", "--state", "state"],
    );
    assert!(listed.exit == 6 && !listed.stderr.contains("secret"), "it gets as far as the source: {}", listed.stderr);
}

#[test]
fn each_verb_runs_and_contacts_what_its_row_says_and_nothing_else() {
    // At once: a BCM that hangs up is asked again for a while.
    std::thread::scope(|scope| {
        let rows = rows().into_iter().map(|row| scope.spawn(move || as_written(&row)));
        rows.collect::<Vec<_>>().into_iter().for_each(|row| row.join().unwrap());
    });
}

fn as_written(row: &Row) {
    let all = ["BCM_PASSWORD", "BCM_USERNAME", "BOOTSTRAP_PASSWORD", "RUNAI_ADMIN_PASSWORD", "RUNAI_REGISTRY_TOKEN"];
    let own = [("BCM_USERNAME", "root"), ("BCM_PASSWORD", "Trace-Pa55word")];
    let folder = TempDir::new().unwrap();
    let (endpoint, connections) = counting_bcm();
    traced(folder.path(), &endpoint);
    let arguments = arguments(row, &endpoint);
    let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = plinth_with(folder.path(), &own, &given);
    let wanted: &[&str] = match row.secrets.as_str() {
        "none" => &[],
        "BCM's" => &all[..2],
        "BCM's, Run:ai's" => &["BCM_PASSWORD", "BCM_USERNAME", "RUNAI_ADMIN_PASSWORD"],
        "all" => &all,
        other => panic!("`{other}` is no answer: none, BCM's, Run:ai's or all"),
    };
    let told = format!("{given:?}\n{}\n{}", said.stdout, said.stderr);
    assert_eq!(ran(folder.path()), wanted.iter().map(|name| (*name).to_owned()).collect(), "{told}");
    let contacted = connections.load(Ordering::SeqCst) > 0;
    assert_eq!(contacted, row.contacts != "nobody", "`{}` was written, and yet: {told}", row.contacts);
    assert!(said.exit != 70 && said.exit < 100, "{told}");
}

#[test]
fn a_file_with_a_secret_that_others_can_read_is_a_warning_of_every_verb_that_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = crate::support::BcmSite::basepod(|s| s.replace("{env: BCM_PASSWORD}", "{file: password}"));
    let file = site.folder.path().join("password");
    std::fs::write(&file, crate::support::BCM_PASSWORD).unwrap();
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        for verb in [&["discover"][..], &["plan"], &["render", "inventory"], &["validate", "--check-secrets"]] {
            let said = site.plinth(verb).exits(0).stderr;
            assert_eq!(said.contains("secret.file-readable-by-others"), warned, "{verb:?} {mode:o}: {said}");
        }
    }
}

/// A program that keeps the environment it was given.
fn telling(folder: &std::path::Path, name: &str, more: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.join("bin").join(name);
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    std::fs::write(&file, format!("#!/bin/sh\nenv >>{}/env.{name}\n{more}\n", folder.display())).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn programs_are_given_no_secret_of_the_site() {
    let site = crate::support::BcmSite::basepod(|s| {
        s.replace("{env: RUNAI_ADMIN_PASSWORD}", "{exec: [store, get]}")
            .replace("  version: v1.31.9", "  version: v1.31.9\n  kubespray: {source: \"https://127.0.0.1:1/x.git\"}")
    });
    let folder = site.folder.path();
    telling(folder, "store", "echo Runai-Pa55word-for-tests");
    telling(folder, "git", "exit 128");
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let variables: Vec<(&str, &str)> =
        crate::support::SECRETS.into_iter().chain([("PATH", path.as_str()), ("MINE", "stays")]).collect();
    plinth_with(folder, &variables, &["validate", "--check-secrets"]).exits(0);
    let listed = plinth_with(folder, &variables, &["render", "mirror-list", "--state", "state"]);
    for program in ["store", "git"] {
        let given = std::fs::read_to_string(folder.join(format!("env.{program}")));
        let given = given.unwrap_or_else(|e| panic!("{program} was not run ({e}): {}", listed.stderr));
        assert!(given.contains("MINE=stays\n"), "{program}: {given}");
        for (name, secret) in crate::support::SECRETS.into_iter().filter(|(name, _)| *name != "RUNAI_ADMIN_PASSWORD") {
            assert!(!given.contains(&format!("{name}=")), "{program} was given {name}");
            assert!(!given.contains(secret) || secret == "root", "{program} was given the value of {name}");
        }
    }
}
