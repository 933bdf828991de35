//! `plinth init`: what it writes, and what it asks for.

use crate::support::{BCM_PASSWORD, BCM_USER, BcmSite, SECRETS, plinth, plinth_with};
use tempfile::TempDir;

fn written(folder: &std::path::Path) -> String {
    std::fs::read_to_string(folder.join("new.yaml")).unwrap()
}

#[test]
fn what_bcm_filled_in_passes_discover_and_plan_as_it_is() {
    let site = BcmSite::basepod(|text| text);
    let endpoint = site.bcm.endpoint().to_owned();
    let folder = site.folder.path();
    let env = [("BCM_USERNAME", BCM_USER), ("BCM_PASSWORD", BCM_PASSWORD)];
    let given = ["init", "--from-bcm", &endpoint, "--ca-file", "bcm-ca.pem", "--name", "north", "-f", "new.yaml"];
    let ran = plinth_with(folder, &env, &given).exits(0).says("plinth.schema.json");
    let text = written(folder);
    assert!(text.starts_with("# yaml-language-server: $schema=plinth.schema.json\n"), "{text}");
    assert!(text.contains("metadata: {name: north}") && !text.contains("basepod-a"), "{text}");
    for trap in ["dgx-07", "dgx-08"] {
        let reasons: Vec<&str> = text.lines().filter(|line| line.starts_with("# Left out")).collect();
        assert!(reasons.iter().any(|line| line.contains(trap)), "{trap}: {reasons:?}\n{}", ran.stderr);
    }
    for verb in ["validate", "discover", "plan"] {
        plinth_with(folder, &SECRETS, &[verb, "-f", "new.yaml"]).exits(0);
    }
    let schema: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("plinth.schema.json")).unwrap()).unwrap();
    assert_eq!(schema["title"], "plinth site file");
}

#[test]
fn without_a_site_file_the_advice_is_about_the_flags_of_init() {
    let site = BcmSite::basepod(|text| text);
    let endpoint = site.bcm.endpoint().to_owned();
    let env = [("BCM_USERNAME", BCM_USER), ("BCM_PASSWORD", BCM_PASSWORD)];
    let asked = |more: &[&str]| {
        let given = ["init", "--name", "north", "-f", "new.yaml", "--from-bcm", &endpoint];
        plinth_with(site.folder.path(), &env, &[&given, more].concat())
    };
    let ran = asked(&[]);
    assert_ne!(ran.exit, 0);
    assert!(ran.stderr.contains("--ca-file FILE") && !ran.stderr.contains("inventory.bcm.tls"), "{}", ran.stderr);
    let ran = asked(&["--ca-file", "nope.pem"]).exits(1).says("nope.pem").says("--ca-file");
    assert!(!ran.stderr.contains("site file's folder"), "{}", ran.stderr);
    std::fs::write(site.folder.path().join("empty.pem"), "").unwrap();
    asked(&["--ca-file", "empty.pem"]).exits(1).says("--ca-file");
    let other = rcgen::generate_simple_self_signed(vec!["bcm.example.com".to_owned()]).unwrap();
    std::fs::write(site.folder.path().join("other.pem"), other.cert.pem()).unwrap();
    let ran = asked(&["--ca-file", "other.pem"]).exits(6).says("name that with `--ca-file`");
    assert!(!ran.stderr.contains("inventory.bcm"), "{}", ran.stderr);
    assert!(!site.folder.path().join("new.yaml").exists(), "nothing is written when BCM was not heard");
}

/// There is no site file yet, so no advice names a key of one.
#[test]
fn advice_about_bcm_is_about_what_was_typed() {
    let site = BcmSite::basepod(|text| text);
    let endpoint = site.bcm.endpoint().to_owned();
    let other = endpoint.replace("127.0.0.1", "127.0.0.9");
    for (address, password, exit, says) in [
        ("https://no-such-host.invalid:8081", BCM_PASSWORD, 6, "--from-bcm"),
        (&endpoint, "wrong-password", 1, "BCM_PASSWORD"),
        (&other, BCM_PASSWORD, 6, "--from-bcm"),
        ("https://127.0.0.1:1", BCM_PASSWORD, 6, "--from-bcm"),
    ] {
        let env = [("BCM_USERNAME", BCM_USER), ("BCM_PASSWORD", password)];
        let given = ["init", "--name", "north", "-f", "new.yaml", "--ca-file", "bcm-ca.pem", "--from-bcm", address];
        let ran = plinth_with(site.folder.path(), &env, &given).exits(exit).says(says);
        for key in ["inventory.bcm", "site file", "caFile"] {
            assert!(!ran.stderr.contains(key), "{address}: {}", ran.stderr);
        }
    }
}

#[test]
fn advice_about_a_wrong_address_names_the_file_of_an_authority_only_where_one_was_given() {
    let folder = TempDir::new().unwrap();
    let env = [("BCM_USERNAME", BCM_USER), ("BCM_PASSWORD", BCM_PASSWORD)];
    let given = ["init", "--name", "north", "-f", "new.yaml", "--from-bcm", "http://head.example.com:8081"];
    let ran = plinth_with(folder.path(), &env, &given).exits(1).says("https://HEAD:8081");
    assert!(!ran.stderr.contains("--ca-file"), "{}", ran.stderr);
    let authority = rcgen::generate_simple_self_signed(vec!["head.example.com".to_owned()]).unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.cert.pem()).unwrap();
    plinth_with(folder.path(), &env, &[&given[..], &["--ca-file", "ca.pem"]].concat()).exits(1).says("`--ca-file`");
}

#[test]
fn a_schema_that_is_there_is_left_alone_and_that_is_said() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("plinth.schema.json"), "mine\n").unwrap();
    plinth(folder.path(), &["init", "--name", "north", "-f", "new.yaml"]).exits(0).says("was left alone");
    assert_eq!(std::fs::read_to_string(folder.path().join("plinth.schema.json")).unwrap(), "mine\n");
}

#[test]
fn a_site_is_never_called_by_a_name_that_nobody_chose() {
    let folder = TempDir::new().unwrap();
    plinth(folder.path(), &["init", "-f", "new.yaml"]).exits(1).says("--name");
    assert!(!folder.path().join("new.yaml").exists());
    let address = ["init", "-f", "new.yaml", "--from-bcm", "https://192.0.2.1:8081"];
    plinth(folder.path(), &address).exits(1).says("--name");
}

#[test]
fn an_untouched_template_is_refused_line_by_line() {
    let folder = TempDir::new().unwrap();
    plinth(folder.path(), &["init", "--name", "north", "-f", "new.yaml"]).exits(0).says("TODO");
    let text = written(folder.path());
    let report = plinth(folder.path(), &["validate", "--json", "-f", "new.yaml"]).exits(1).json();
    let marks: Vec<u64> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "site.todo")
        .filter_map(|finding| finding["line"].as_u64())
        .collect();
    let wanted: Vec<u64> =
        text.lines().zip(1..).filter(|(line, _)| line.contains("# TODO")).map(|(_, number)| number).collect();
    assert_eq!(marks, wanted);
    std::fs::write(folder.path().join("filled.yaml"), text.replace("# TODO", "#")).unwrap();
    let report = plinth(folder.path(), &["validate", "--json", "-f", "filled.yaml"]).exits(0).json();
    let warnings: Vec<&serde_json::Value> =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "warning").collect();
    assert_eq!(warnings, Vec::<&serde_json::Value>::new(), "the template warns about itself");
    plinth(folder.path(), &["rehearse", "-f", "filled.yaml"]).exits(0);
}
