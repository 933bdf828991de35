//! `plinth kubeconfig`, judged by kubectl.

use crate::stand::{SITE, Stand};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// A site file of that name; its nodes do not matter here.
const SITE_FILE: &str = "apiVersion: plinth/v1
kind: Site
metadata: {name: basepod-a}
inventory: {static: [{name: n1, address: 10.0.0.1}, {name: n2, address: 10.0.0.2}]}
networks: {production: 10.0.0.0/24}
nodes: {controlPlane: [n1], workers: [n2]}
access:
  bootstrap: {user: ubuntu, password: {env: NOBODY_SETS_THIS}}
  account: {name: plinth, uid: 60000, gid: 60000}
kubernetes:
  version: v1.31.9
  network: {plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}
platform:
  ingress: {http: 30080, https: 30443}
";

fn plinth(stand: &Stand, arguments: &[&str]) -> Output {
    let folder = stand.folder.path();
    std::fs::write(folder.join("site.yaml"), SITE_FILE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
    command.current_dir(folder).env_clear().env("HOME", folder.join("home"));
    command.args(["kubeconfig", "--state", "."]).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// kubectl with this kubeconfig and context sees the nodes.
fn works(stand: &Stand, file: &Path, context: &str) {
    let file = file.to_str().unwrap();
    let nodes =
        stand.plane.kubectl(&["get", "nodes", "-o", "name", "--kubeconfig", file, "--context", context]).unwrap();
    assert_eq!(nodes, "node/n1\nnode/n2\n");
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_kubeconfig_is_printed_written_and_merged() {
    let stand = Stand::up();
    let folder = stand.folder.path().to_owned();
    let none = plinth(&stand, &[]);
    assert_eq!(none.status.code(), Some(1));
    assert!(said(&none).contains("there is none yet") && said(&none).contains("plinth apply"), "{}", said(&none));
    stand.fetch().unwrap();
    assert_eq!(mode(&stand.kept()), 0o600);

    for arguments in [&[][..], &["--json"]] {
        let printed = plinth(&stand, arguments);
        assert!(printed.status.success(), "{}", said(&printed));
        let file = folder.join("printed");
        std::fs::write(&file, &printed.stdout).unwrap();
        works(&stand, &file, SITE);
    }

    let file = folder.join("out/config");
    for _ in 0..2 {
        assert!(plinth(&stand, &["--out", "out/config"]).status.success());
        assert_eq!(mode(&file), 0o600);
        works(&stand, &file, SITE);
    }
    std::fs::write(folder.join("notes"), "somebody's notes\n").unwrap();
    assert_eq!(plinth(&stand, &["--out", "notes"]).status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(folder.join("notes")).unwrap(), "somebody's notes\n");
    assert!(plinth(&stand, &["--out", "notes", "--force"]).status.success());

    // Somebody has a kubeconfig, made by kubectl, for the same cluster.
    let own = folder.join("home/.kube/config");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::copy(stand.plane.admin(), &own).unwrap();
    for _ in 0..2 {
        let merged = plinth(&stand, &["--merge", "--json"]);
        assert!(merged.status.success(), "{}", said(&merged));
        let report: serde_json::Value = serde_json::from_slice(&merged.stdout).unwrap();
        assert_eq!((report["schema"].as_u64(), report["context"].as_str()), (Some(1), Some(SITE)));
        works(&stand, &own, SITE);
        works(&stand, &own, "admin@lab");
    }
    let current = stand.plane.kubectl(&["config", "current-context", "--kubeconfig", own.to_str().unwrap()]).unwrap();
    assert_eq!(current, "admin@lab\n", "the person's own choice stays");

    // A context of that name that is theirs.
    let theirs = folder.join("theirs");
    let words = ["config", "set-context", SITE, "--cluster=x", "--user=y", "--kubeconfig", theirs.to_str().unwrap()];
    stand.plane.kubectl(&words).unwrap();
    std::fs::copy(&theirs, &own).unwrap();
    let refused = plinth(&stand, &["--merge"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("a context of that name is there"), "{}", said(&refused));
    assert_eq!(std::fs::read(&own).unwrap(), std::fs::read(&theirs).unwrap());
    assert!(plinth(&stand, &["--merge", "--force"]).status.success());
    works(&stand, &own, SITE);
}
