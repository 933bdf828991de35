//! No secret of the site is in any byte that plinth writes, nor in its arguments.

use crate::support::{BcmSite, Ran, SECRETS, plinth_with, text};
use std::path::Path;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn secrets_that_cannot_be_had_are_told_all_at_once_and_are_wrong_input() {
    let site = BcmSite::basepod(|s| s);
    let check = |secrets: &[(&str, &str)]| plinth_with(site.folder.path(), secrets, &["validate", "--check-secrets"]);
    check(&SECRETS).exits(0);
    let said = check(&SECRETS[..2]).exits(1).stderr;
    for (index, (name, _)) in SECRETS.into_iter().enumerate() {
        assert_eq!(said.contains(&format!("error[secret.missing]: secret env {name}")), index >= 2, "{name}: {said}");
    }
    let told = plinth_with(site.folder.path(), &[], &["validate", "--check-secrets", "--json"]).exits(1).json();
    let missing = |finding: &&serde_json::Value| finding["code"] == "secret.missing" && finding["severity"] == "error";
    assert_eq!(told["findings"].as_array().unwrap().iter().filter(missing).count(), SECRETS.len(), "{told}");
    assert_eq!(site.bcm.served().len(), 0, "BCM was contacted");
}

#[test]
fn no_secret_is_in_anything_written() {
    let site = BcmSite::basepod(|s| s);
    let folder = site.folder.path();
    let secrets: Vec<(&str, &str)> = SECRETS.into_iter().filter(|(name, _)| *name != "BCM_USERNAME").collect();
    assert!(contains(b"see Bcm-Pa55word-for-tests here", secrets[0].1), "the search itself works");
    let mut ran: Vec<Ran> = [
        &["discover"][..],
        &["discover", "--json", "--save", "inventory.json"],
        &["plan", "--json", "--out", "plan.json"],
        &["plan"],
        &["validate", "--json"],
        &["render", "inventory", "--out", "rendered"],
        &["render", "variables", "--out", "rendered"],
        &["render", "values", "--out", "rendered"],
        &["render", "values"],
        &["rehearse", "--state", "state", "--events", "events.ndjson"],
        &["rehearse", "--state", "failed", "--fault", "runai:401", "--events", "failed.ndjson"],
        &["status", "--json", "--state", "state"],
        &["explain", "platform/release/runai-control-plane"],
    ]
    .into_iter()
    .map(|arguments| plinth_with(folder, &SECRETS, arguments))
    .collect();
    ran.push(plinth_with(folder, &[("BCM_USERNAME", "root"), ("BCM_PASSWORD", SECRETS[2].1)], &["discover"]).exits(1));
    for (name, secret) in secrets {
        for (index, ran) in ran.iter().enumerate() {
            assert!(!ran.stdout.contains(secret), "{name} is on stdout of run {index}");
            assert!(!ran.stderr.contains(secret), "{name} is on stderr of run {index}");
        }
        for file in files(folder) {
            assert!(!contains(&std::fs::read(&file).unwrap(), secret), "{name} is in {}", file.display());
        }
    }
    let own: Vec<_> =
        files(&folder.join("state")).into_iter().filter(|f| f.extension().is_some_and(|e| e == "key")).collect();
    assert!(!own.is_empty(), "the rehearsal made keys");
    for key in own {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", text(&key));
    }
}

/// The user's name is a secret too, and here it is a word of every line about BCM: so it shows whether lines pass the redactor.
#[test]
fn no_secret_is_in_what_v_shows_whether_a_verb_changes_anything_or_only_reads() {
    let site = BcmSite::with_login(("cmdevice", SECRETS[1].1));
    let folder = site.folder.path();
    let secrets = SECRETS.map(|(name, value)| (name, if name == "BCM_USERNAME" { "cmdevice" } else { value }));
    for arguments in [
        &["discover", "-vv"][..],
        &["plan", "-vv"],
        &["plan", "-v"],
        &["apply", "-vv", "--yes", "--skip-source-check", "--state", "state"],
        &["rehearse", "-vv", "--state", "rehearsed"],
    ] {
        let ran = plinth_with(folder, &secrets, arguments);
        let is_told = ran.stderr.contains("bcm: [secret].getNodes at https://127.0.0.1");
        assert!(is_told || arguments[0] == "rehearse", "{arguments:?}: {}", ran.stderr);
        // A rehearsal makes its own name up, and this one is no secret of it.
        let is_secret = |name: &str| arguments[0] != "rehearse" || name != "BCM_USERNAME";
        for (name, secret) in secrets.into_iter().filter(|(name, _)| is_secret(name)) {
            let shown = ran.stderr.lines().find(|line| line.contains(secret));
            assert_eq!(shown, None, "{name} is shown by {arguments:?}");
        }
    }
    let log = std::fs::read_to_string(folder.join("state/plinth.log")).unwrap();
    assert!(log.contains("bcm: [secret].getNodes") && secrets.iter().all(|(_, secret)| !log.contains(secret)), "{log}");
}

#[test]
fn made_up_secrets_of_a_rehearsal_stay_in_it_too() {
    let site = BcmSite::basepod(|s| s);
    let folder = site.folder.path();
    let ran = plinth_with(folder, &[], &["rehearse", "-vv", "--state", "state", "--events", "events.ndjson"]).exits(0);
    for reference in plinth_site::secret_refs(&plinth_site::load(&folder.join("site.yaml")).unwrap().desired) {
        let value = plinth_sim::SimSecrets::synthetic(1, &reference.1);
        assert!(!ran.stderr.contains(value.expose()), "{} is on stderr", reference.0);
        for file in files(folder) {
            assert!(
                !contains(&std::fs::read(&file).unwrap(), value.expose()),
                "{} is in {}",
                reference.0,
                file.display()
            );
        }
    }
}

#[test]
fn no_secret_is_in_the_arguments_of_any_process() {
    use assert_cmd::cargo::CommandCargoExt;
    let site = BcmSite::basepod(|s| s);
    let mut command = std::process::Command::cargo_bin("plinth").unwrap();
    command.current_dir(site.folder.path()).envs(SECRETS).args(["rehearse", "--pace", "watch"]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut seen = 0;
    for _ in 0..40 {
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(arguments) = std::fs::read(entry.path().join("cmdline")) else { continue };
            seen += usize::from(contains(&arguments, "rehearse"));
            for (name, secret) in SECRETS.into_iter().skip(1) {
                assert!(!contains(&arguments, secret), "{name} is in the arguments of {}", entry.path().display());
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(seen > 0, "the search saw plinth's own arguments");
}
