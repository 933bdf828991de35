//! `plinth apply` of a platform against a real API server, with a real helm and a package of ours in a folder: installed, left alone,
//! put right, taken away.

use crate::existing::with_names;
use crate::helm_ground::packed;
use crate::stand::Stand;
use plinth_lab::Parts;
use serde_json::Value;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A version that the catalog knows no digest of, since the package is ours.
const VERSION: &str = "3.13.9";
const SITE_FILE: &str = "apiVersion: plinth/v1
kind: Site
metadata: {name: taken-over}
inventory: {static: [{name: n1, address: 10.0.0.1}, {name: n2, address: 10.0.0.2}]}
networks: {production: 10.0.0.0/24}
nodes: {controlPlane: [n1], workers: [n2]}
kubernetes: {engine: existing, kubeconfig: given.conf}
checks: {skip: [pod-network, dns-out, storage, metrics]}
platform:
  charts: {folder: charts}
  components:
    local-path-provisioner: {enabled: false}
    ingress-nginx: {enabled: false}
    metrics-server: METRICS
    kube-prometheus-stack: {enabled: false}
    prometheus-adapter: {enabled: false}
    gpu-operator: {enabled: false}
    knative-operator: {enabled: false}
    lws: {enabled: false}
";
const ON: &str = "{version: 3.13.9, values: {args: [--one]}}";

/// Applies; answers the steps that changed something, with what they say.
fn applied(stand: &Stand, metrics: &str) -> Vec<(String, String)> {
    let folder = stand.folder.path();
    std::fs::write(folder.join("site.yaml"), SITE_FILE.replace("METRICS", metrics)).unwrap();
    let events = folder.join("events");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
    command.current_dir(folder).env_clear().env("HOME", folder.join("home")).env("PATH", folder.join("bin"));
    command.args(["apply", "-y", "-f", "site.yaml", "--state", "taken-over", "--events"]).arg(&events);
    let ran = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let text = std::fs::read_to_string(&events).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changed = records.iter().filter(|r| r["event"] == "step.finished" && r["outcome"] == "changed");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    changed.map(|record| (text(&record["step"]), record.to_string())).collect()
}

/// Goes back; answers all that is said.
fn rolled_back(stand: &Stand, options: &[&str]) -> String {
    let folder = stand.folder.path();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
    command.current_dir(folder).env_clear().env("HOME", folder.join("home")).env("PATH", folder.join("bin"));
    command.args(["rollback", "metrics-server", "-f", "site.yaml", "--state", "taken-over"]).args(options);
    let ran = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{said}");
    said
}

/// Nobody runs pods here: whatever Deployment is asked for is said to be ready.
fn keeps_ready(stand: &Stand, stop: &AtomicBool) {
    let status = r#"{"status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1, "observedGeneration": 99}}"#;
    let words = [
        "-n",
        "metrics-server",
        "patch",
        "deployment",
        "metrics-server",
        "--subresource=status",
        "--type=merge",
        "-p",
        status,
    ];
    while !stop.load(Ordering::Relaxed) {
        let _not_there_yet = stand.plane.kubectl(&words);
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Somebody changes it once more, and this time goes back.
fn goes_back(stand: &Stand, helm: &dyn Fn(&[&str]) -> String, package: &str) {
    helm(&["upgrade", "metrics-server", package, "--reuse-values", "--set", "args={--three}"]);
    let shown = rolled_back(stand, &["--dry-run"]);
    assert!(shown.contains("+ platform/rollback") && shown.contains("values as they were"), "{shown}");
    assert!(helm(&["get", "values", "metrics-server"]).contains("--three"), "a dry run changes nothing");
    let said = rolled_back(stand, &["--yes"]);
    assert!(said.contains("went back to revision 3") && said.contains("The next apply installs again"), "{said}");
    assert!(helm(&["get", "values", "metrics-server"]).contains("--one"));
    assert!(helm(&["history", "metrics-server"]).contains("Rollback to 3"));
    assert!(rolled_back(stand, &["--yes", "--to-revision", "3"]).contains("nothing to do"));
    assert!(applied(stand, ON).is_empty(), "what the site wants is what it went back to");
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_platform_is_installed_put_right_and_taken_away() {
    let helms = Parts::helm().unwrap();
    let stand = Stand::up();
    with_names(&stand);
    let folder = stand.folder.path();
    let config = stand.plane.kubectl(&["config", "view", "--raw", "--flatten", "--minify"]).unwrap();
    std::fs::write(folder.join("given.conf"), config).unwrap();
    for name in ["bin", "charts"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    std::os::unix::fs::symlink(helms.program("helm3").unwrap(), folder.join("bin/helm")).unwrap();
    std::fs::write(folder.join(format!("charts/metrics-server-{VERSION}.tgz")), packed("metrics-server", VERSION))
        .unwrap();
    let helm = |words: &[&str]| {
        let mut command = Command::new(folder.join("bin/helm"));
        command.arg("--kubeconfig").arg(stand.plane.admin()).args(["--namespace", "metrics-server"]).args(words);
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "helm {words:?}: {said}");
        said
    };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| keeps_ready(&stand, &stop));
        let work = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let changed = applied(&stand, ON);
            let ids: Vec<&str> = changed.iter().map(|(id, _)| id.as_str()).collect();
            assert!(ids.contains(&"platform/release/metrics-server"), "{ids:?}");
            assert!(helm(&["list"]).contains("metrics-server-3.13.9"), "{}", helm(&["list"]));
            assert!(applied(&stand, ON).is_empty(), "nothing is left to do");
            let package = folder.join(format!("charts/metrics-server-{VERSION}.tgz"));
            helm(&["upgrade", "metrics-server", package.to_str().unwrap(), "--reuse-values", "--set", "args={--two}"]);
            let changed = applied(&stand, ON);
            let (id, record) = changed.first().expect("what was changed by hand is put right");
            assert!(changed.len() == 1 && id == "platform/release/metrics-server", "{changed:?}");
            assert!(record.contains("and it works"), "{record}");
            assert!(helm(&["get", "values", "metrics-server"]).contains("--one"));
            goes_back(&stand, &helm, package.to_str().unwrap());
            let changed = applied(&stand, "{enabled: false}");
            assert!(changed.iter().any(|(_, record)| record.contains("uninstalled")), "{changed:?}");
            assert!(!helm(&["list", "--all"]).contains("metrics-server-"), "{}", helm(&["list", "--all"]));
            assert!(applied(&stand, "{enabled: false}").is_empty());
        }));
        stop.store(true, Ordering::Relaxed);
        work.unwrap();
    });
}
