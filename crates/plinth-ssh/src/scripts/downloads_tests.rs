use super::*;
use crate::scripts::trial::{Trial, assert_all_shells_accept};

/// SHA-256 of `hello\n`.
const HELLO: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

fn file(dest: &str) -> DownloadFile {
    DownloadFile {
        name: dest.into(),
        url: format!("https://example.com/{dest}"),
        sha256: HELLO.into(),
        dest: dest.into(),
        groups: Vec::new(),
    }
}

#[test]
fn only_the_right_content_counts() {
    let trial = Trial::new(&[]);
    trial.file("/releases/kubelet", "hello\n");
    trial.file("/releases/kubeadm", "other\n");
    std::fs::create_dir(trial.at("/releases/etcd")).unwrap();
    let files = ["kubelet", "kubeadm", "etcd", "runc"].map(file);
    let folder = trial.at("/releases").display().to_string();
    let missing = look_parse(&trial.run(&look_script(&folder, &files))).unwrap();
    assert_eq!(missing, ["kubeadm", "etcd", "runc"]);
    let nowhere = trial.at("/nowhere").display().to_string();
    assert_eq!(look_parse(&trial.run(&look_script(&nowhere, &files))).unwrap().len(), 4);
    assert_eq!(look_parse(&trial.run(&look_script(&nowhere, &[]))).unwrap().len(), 0);
}

#[test]
fn sha256sum_is_asked_where_openssl_is_silent() {
    let files = ["kubelet"].map(file);
    let other = "echo 0000000000000000000000000000000000000000000000000000000000000000 '*stdin'";
    for (openssl, missing) in [("exit 1", 0), ("echo unknown option", 0), (other, 1)] {
        let trial = Trial::new(&[("openssl", openssl)]);
        trial.file("/releases/kubelet", "hello\n");
        let folder = trial.at("/releases").display().to_string();
        let seen = look_parse(&trial.run(&look_script(&folder, &files))).unwrap();
        assert_eq!(seen.len(), missing, "{openssl}");
    }
}

#[test]
fn silence_is_no_answer() {
    assert!(look_parse(&Frames::default()).is_err());
}

#[test]
fn the_script_is_plain_shell() {
    let script = look_script("/var/cache/plinth/releases", &[file("kubelet-v1.31.9-amd64")]);
    assert_all_shells_accept(&script);
    insta::assert_snapshot!("downloads_look", script.render("NONCE"));
}
