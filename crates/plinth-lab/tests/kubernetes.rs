//! A real control plane as processes of this machine. Run by `cargo xtask test --tier kubernetes`.
#![allow(clippy::unwrap_used)]

use plinth_lab::{ControlPlane, ControlPlaneSpec, KUBERNETES, Lab, LabSpec};
use std::process::Command;
use std::time::{Duration, Instant};

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: made-by-test}\n";

fn until(what: &str, good: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !good() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_api_answers_its_three_people_differently() {
    let plane = ControlPlane::up().unwrap();
    let version = plane.kubectl(&["version", "-o", "json"]).unwrap();
    assert_eq!(version.matches(&format!("\"gitVersion\": \"v{KUBERNETES}\"")).count(), 2, "{version}");
    let manifest = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(manifest.path(), NAMESPACE).unwrap();
    let path = manifest.path().to_str().unwrap();
    plane.kubectl(&["apply", "-f", path]).unwrap();
    // The later --kubeconfig wins.
    let (nobody, expired) = (plane.nobody(), plane.expired());
    let error = plane.kubectl(&["get", "nodes", "--kubeconfig", nobody.to_str().unwrap()]).unwrap_err();
    assert!(error.happened.contains("Forbidden"), "{error}");
    let error = plane.kubectl(&["get", "nodes", "--kubeconfig", expired.to_str().unwrap()]).unwrap_err();
    assert!(error.happened.contains("Unauthorized") || error.happened.contains("logged in"), "{error}");
    let audit = std::fs::read_to_string(plane.audit()).unwrap();
    assert!(audit.contains("made-by-test") && !audit.contains("\"verb\":\"list\""), "{audit}");
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn it_goes_when_it_is_dropped_and_when_its_maker_is_killed() {
    let plane = ControlPlane::up().unwrap();
    let (endpoint, folder) = (plane.endpoint(), plane.admin().parent().unwrap().to_owned());
    let address = endpoint.trim_start_matches("https://").to_owned();
    drop(plane);
    assert!(std::net::TcpStream::connect(&address).is_err() && !folder.exists());

    // Another process of this very program makes one, and is killed.
    let scratch = tempfile::tempdir().unwrap();
    let said = scratch.path().join("endpoint");
    let mut maker = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "a_maker_that_is_killed"])
        .env("PLINTH_LAB_SAY", &said)
        .spawn()
        .unwrap();
    until("the other control plane", || std::fs::read_to_string(&said).is_ok_and(|text| text.ends_with('\n')));
    maker.kill().unwrap();
    maker.wait().unwrap();
    let text = std::fs::read_to_string(&said).unwrap();
    let [address, folder] = text.lines().collect::<Vec<_>>()[..] else { unreachable!("{text}") };
    until("its end", || std::net::TcpStream::connect(address).is_err());
    assert!(std::path::Path::new(folder).exists(), "nobody could remove it yet");
    drop(ControlPlane::up().unwrap());
    assert!(!std::path::Path::new(folder).exists(), "the next one removes it");
}

#[test]
#[ignore = "only a process of the test before does something here"]
fn a_maker_that_is_killed() {
    let Some(said) = std::env::var_os("PLINTH_LAB_SAY") else { return };
    let plane = ControlPlane::up().unwrap();
    let folder = plane.admin().parent().unwrap().to_owned();
    let text = format!("{}\n{}\n", plane.endpoint().trim_start_matches("https://"), folder.display());
    std::fs::write(said, text).unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn controllers_work_in_the_network_of_a_lab() {
    let lab = Lab::up(&LabSpec::unique("plane").usual(1)).unwrap();
    let spec = ControlPlaneSpec { address: lab.bridge(), controllers: true };
    let plane = lab.inside(|| ControlPlane::of(spec)).unwrap().unwrap();
    lab.inside(|| until("an account", || plane.kubectl(&["get", "serviceaccount", "default"]).is_ok())).unwrap();
    let address = plane.endpoint().replace("https://", "");
    let script = format!("curl -sk --max-time 10 https://{address}/version");
    assert!(lab.node("n1").unwrap().exec(&["sh", "-c", &script]).unwrap().contains("gitVersion"));
    assert!(std::net::TcpStream::connect(&address).is_err(), "the machine's own network sees it");
}
