//! The certificate and its authority are exchanged on a real API server: Run:ai's stand-in shows what is in the cluster, its cluster part
//! believes what its pods had when they began, and plinth is killed at every step.

use crate::ground::{Ground, STANDARD};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

const ROTATE: [&str; 2] = ["rotate", "certificates"];
const AUTHORITIES: [&str; 2] = ["runai-backend", "runai"];

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn leaf_and_authority_are_exchanged_and_run_ai_stays_connected() {
    Ground::with("helm3", STANDARD, |ground| {
        ground.apply_site().exits(0);
        let (leaf, authority) = (kept(ground, "tls.crt"), kept(ground, "ca.pem"));
        assert_eq!(in_cluster(ground, "runai-backend", "runai-backend-tls", "tls.crt"), leaf);

        ground.plinth(&[&ROTATE[..], &["-y", "--events", "events"]].concat()).exits(0);
        assert!(kept(ground, "tls.crt") != leaf && kept(ground, "ca.pem") == authority);
        handed_out(ground);
        stayed_connected(ground);

        let pods = agents(ground);
        let killed = rotated_with_kills(ground);
        eprintln!("killed {} times", killed.len());
        for moment in ["rotation/trust-both.runai", "restart/trust-both.runai.runai-ca-cert", "rotation/new-leaf.runai"]
        {
            assert!(killed.contains(&format!("platform/{moment}")), "{killed:#?}");
        }
        let now = kept(ground, "ca.pem");
        assert!(now.matches("BEGIN").count() == 1 && !now.contains(authority.trim()), "the old authority is out");
        assert!(pods.is_disjoint(&agents(ground)), "they have the new authority from their start");
        handed_out(ground);
        stayed_connected(ground);
        assert!(!ground.path("state/certificates/runai/rotation.json").exists());
        assert!(!ground.path("state/certificates/runai/replaced-ca.key").exists());

        ground.apply_site().exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new());
        ground.plan_is_empty();
        a_wrong_pair_is_refused(ground);
    });
}

/// Files that do not belong together are refused, and nothing of what is kept or handed out changes.
fn a_wrong_pair_is_refused(ground: &Ground) {
    let folder = ground.path("given");
    std::fs::create_dir(&folder).unwrap();
    for (file, of) in [("tls.crt", "tls.crt"), ("ca.pem", "ca.pem"), ("wrong.key", "ca.key"), ("tls.key", "tls.key")] {
        std::fs::copy(ground.path("state/certificates/runai").join(of), folder.join(file)).unwrap();
    }
    let site = std::fs::read_to_string(ground.path("site.yaml")).unwrap();
    let with = |key: &str| {
        let files = format!(
            "  certificate: {{files: {{certificate: given/tls.crt, key: {{file: given/{key}}}, authority: given/ca.pem}}}}\n"
        );
        ground.write("site.yaml", format!("{site}{files}"));
    };
    let before = kept(ground, "tls.crt");
    with("wrong.key");
    ground.plinth(&[&ROTATE[..], &["-y"]].concat()).exits(1).says("the key belongs to certificate 2 of the chain");
    assert_eq!(kept(ground, "tls.crt"), before);
    handed_out(ground);
    with("tls.key");
    ground.plinth(&[&ROTATE[..], &["-y"]].concat()).exits(0).says("are those that are kept");
    ground.write("site.yaml", site);
}

/// Kills `rotate certificates --authority` at every acting step, each time at the first moment at which none was killed yet.
fn rotated_with_kills(ground: &Ground) -> BTreeSet<String> {
    let mut killed = BTreeSet::new();
    loop {
        let mut run = ground.begins(&["rotate", "certificates", "--authority"]);
        if !killed_at_a_new_step(ground, &mut run, &mut killed) {
            ground.ended(&mut run).exits(0);
            return killed;
        }
        stayed_connected(ground);
    }
}

fn killed_at_a_new_step(ground: &Ground, run: &mut Child, killed: &mut BTreeSet<String>) -> bool {
    loop {
        let ended = run.try_wait().unwrap().is_some();
        let acting =
            |record: &Value| (record["event"] == "step.acting").then(|| record["step"].as_str().unwrap().to_owned());
        let found = ground.events().iter().filter_map(acting).find(|step| !killed.contains(step));
        // The last step leaves nothing to go on with.
        let found = found.filter(|step| !step.contains("/finished."));
        if ended {
            return false;
        }
        if let Some(found) = found {
            run.kill().unwrap();
            run.wait().unwrap();
            killed.insert(found);
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kept(ground: &Ground, file: &str) -> String {
    std::fs::read_to_string(ground.path("state/certificates/runai").join(file)).unwrap()
}

fn in_cluster(ground: &Ground, namespace: &str, secret: &str, key: &str) -> String {
    let path = format!("go-template={{{{index .data \"{key}\" | base64decode}}}}");
    ground.plane.kubectl(&["get", "secret", "--namespace", namespace, secret, "-o", &path]).unwrap()
}

/// Every secret that is made of it holds what is kept.
fn handed_out(ground: &Ground) {
    let of = |namespace: &str, secret: &str, key: &str| in_cluster(ground, namespace, secret, key).trim().to_owned();
    for namespace in AUTHORITIES {
        assert_eq!(of(namespace, "runai-ca-cert", "runai-ca.pem"), kept(ground, "ca.pem").trim());
    }
    for (namespace, secret) in [("runai-backend", "runai-backend-tls"), ("runai", "runai-cluster-domain-tls-secret")] {
        assert_eq!(of(namespace, secret, "tls.crt"), kept(ground, "tls.crt").trim());
    }
}

fn stayed_connected(ground: &Ground) {
    assert_eq!(
        *ground.operators.lost.lock().unwrap(),
        Vec::<String>::new(),
        "pods that did not believe what was shown"
    );
}

fn agents(ground: &Ground) -> BTreeSet<String> {
    let words = ["get", "pods", "--namespace", "runai", "-l", "app=runai-agent", "-o", "name"];
    ground.plane.kubectl(&words).unwrap().lines().map(str::to_owned).collect()
}
