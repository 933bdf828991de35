use super::*;
use crate::scripts::trial::{Trial, assert_all_shells_accept};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// `etcdctl`: what it was asked is kept, the answers lie in files.
const ETCDCTL: &str = r#"echo "$ETCDCTL_CERT $*" >>"$root/asked"
case $* in *member*) cat "$root/members" ;; *) cat "$root/health"; exit 1 ;; esac"#;
const SYSTEMCTL: &str = "echo active";
const MEMBERS: &str = r#"{"header":{"member_id":1},"members":[
{"ID":16125559238023404339,"name":"etcd-n2","peerURLs":["https://10.0.0.2:2380"],"clientURLs":["https://10.0.0.2:2379"]},
{"ID":255,"name":"","peerURLs":["https://10.0.0.3:2380"],"isLearner":true}]}"#;
const SETTINGS: &str = "ETCD_NAME=etcd-n1\n# CLI settings\nETCDCTL_ENDPOINTS=https://127.0.0.1:2379\n\
                        ETCDCTL_CERT=/etc/ssl/etcd/ssl/admin-n1.pem\nETCDCTL_KEY=/etc/ssl/etcd/ssl/admin-n1-key.pem\n";

/// A certificate that ends with the year, and its key.
fn pair(year: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["kubernetes".to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 12, 31);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn node() -> Trial {
    let trial = Trial::new(&[("etcdctl", ETCDCTL), ("systemctl", SYSTEMCTL), ("containerd", "exit 1")]);
    trial.file("/run/systemd/system/x", "");
    trial.file("/etc/etcd.env", SETTINGS);
    trial.file("/members", &MEMBERS.replace('\n', ""));
    trial.file("/health", r#"[{"endpoint":"https://10.0.0.2:2379","health":true,"took":"5ms"}]"#);
    trial
}

fn look(trial: &Trial) -> Result<ControlPlane, String> {
    look_parse(&trial.run(&look_at(&trial.prefix())))
}

fn years(seen: &ControlPlane) -> Vec<(&str, i16)> {
    let year = |expires: jiff::Timestamp| expires.to_zoned(jiff::tz::TimeZone::UTC).year();
    seen.certificates.iter().map(|found| (found.file.as_str(), year(found.expires))).collect()
}

#[test]
fn a_member_of_etcd_tells_the_others_and_who_is_ill() {
    let trial = node();
    let etcd = look(&trial).unwrap().etcd.unwrap();
    let names: Vec<(&str, &str, bool)> =
        etcd.members.iter().map(|m| (m.name.as_str(), m.id.as_str(), m.learner)).collect();
    assert_eq!(names, [("", "ff", true), ("etcd-n2", "dfc97eb0aae75b33", false)].map(|(n, i, l)| (n, i, l)).to_vec());
    assert_eq!(etcd.unhealthy, Vec::<String>::new());
    let asked = trial.read("/asked");
    assert!(asked.lines().all(|line| line.starts_with(&format!("{}/etc/ssl", trial.prefix()))), "{asked}");
    trial.file(
        "/health",
        r#"[{"endpoint":"https://10.0.0.3:2379","health":false,"error":"context deadline exceeded"}]"#,
    );
    let etcd = look(&trial).unwrap().etcd.unwrap();
    assert_eq!(etcd.unhealthy, ["https://10.0.0.3:2379 is not healthy: context deadline exceeded"]);
    trial.program("etcdctl", "echo 'Error: dial tcp: connection refused' >&2; exit 1");
    let etcd = look(&trial).unwrap().etcd.unwrap();
    assert_eq!((etcd.members.len(), etcd.unhealthy.len()), (0, 2));
    assert!(etcd.unhealthy[0].ends_with("connection refused"), "{:?}", etcd.unhealthy);
    trial.program("etcdctl", "echo nonsense");
    assert!(look(&trial).unwrap_err().contains("makes no sense"));
}

#[test]
fn a_node_without_etcd_says_nothing_of_it() {
    let trial = Trial::new(&[("systemctl", "echo inactive; exit 3"), ("containerd", "exit 1")]);
    assert_eq!(look(&trial).unwrap(), ControlPlane::default());
    trial.file("/run/systemd/system/x", "");
    trial.file("/etc/containerd/conf.d/99-nvidia.toml", "[plugins.cri.containerd.runtimes.nvidia]\n");
    let seen = look(&trial).unwrap();
    assert_eq!((seen.kubelet.as_str(), seen.nvidia_runtime, seen.etcd), ("inactive", Some(true), None));
    trial.program("containerd", "echo 'version = 3'");
    assert_eq!(look(&trial).unwrap().nvidia_runtime, Some(false));
}

#[test]
fn what_does_not_answer_in_time_is_neither_there_nor_not_there() {
    let trial = node();
    trial.file("/etc/containerd/config.toml", "imports = [\"/elsewhere/*.toml\"]\n");
    assert_eq!(look(&trial).unwrap().nvidia_runtime, None, "NVIDIA's runtime may be in what is imported");
    trial.program("systemctl", "echo 'Failed to retrieve unit state: Connection timed out' >&2; exit 1");
    assert_eq!(look(&trial).unwrap_err(), "systemd does not say whether kubelet runs");
    trial.program("systemctl", "[ -e \"$root/again\" ] && echo active || { : >\"$root/again\"; exit 1; }");
    assert_eq!(look(&trial).unwrap().kubelet, "active");
}

#[test]
fn the_gateway_is_asked_where_etcdctl_is_missing() {
    for answer in [r#"{"health":"true","reason":""}"#, r#"{"health":"false","reason":"RAFT NO LEADER"}"#] {
        let ill = ill(answer).unwrap();
        assert_eq!(ill.is_empty(), answer.contains("\"true\""), "{ill:?}");
    }
    let listed = members(r#"{"members":[{"ID":"255","name":"a","peerURLs":[]}]}"#).unwrap();
    assert_eq!(listed[0].id, "ff");
    assert!(members(r#"{"members":[{"ID":"x"}]}"#).is_err());
}

#[test]
fn every_certificate_is_read_and_no_key() {
    let trial = node();
    let ((early, key), (late, other)) = (pair(2031), pair(2041));
    trial.file("/etc/kubernetes/ssl/apiserver.crt", &early);
    trial.file("/etc/kubernetes/ssl/apiserver.key", &key);
    trial.file("/etc/kubernetes/ssl/etcd/ca.crt", &(late.clone() + &early));
    std::os::unix::fs::symlink(trial.at("/etc/kubernetes/ssl"), trial.at("/etc/kubernetes/pki")).unwrap();
    trial.file("/etc/ssl/etcd/ssl/member-n1.pem", &late);
    trial.file("/etc/ssl/etcd/ssl/member-n1-key.pem", &other);
    trial.file("/var/lib/kubelet/pki/kubelet-client-current.pem", &(late.clone() + &key));
    let config =
        format!("users:\n- user:\n    client-certificate-data: {}\n    client-key-data: x\n", STANDARD.encode(&early));
    trial.file("/etc/kubernetes/scheduler.conf", &config);
    let frames = trial.run(&look_at(&trial.prefix()));
    for secret in [&key, &other] {
        let line = secret.lines().nth(1).unwrap();
        assert!(!format!("{frames:?}").contains(line), "a key left the node");
    }
    let seen = look_parse(&frames).unwrap();
    let wanted = [
        ("/etc/kubernetes/ssl/apiserver.crt", 2031),
        ("/etc/kubernetes/ssl/etcd/ca.crt", 2031),
        ("/etc/ssl/etcd/ssl/member-n1.pem", 2041),
        ("/etc/kubernetes/scheduler.conf", 2031),
        ("/var/lib/kubelet/pki/kubelet-client-current.pem", 2041),
    ];
    assert_eq!(years(&seen), wanted);
    trial.file("/etc/kubernetes/ssl/apiserver.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(look(&trial).unwrap_err().contains("apiserver.crt"));
}

#[test]
fn the_kubeconfig_comes_as_it_is_and_is_not_printed() {
    let trial = node();
    let read = |trial: &Trial| admin_config_parse(&trial.run(&admin_config_at(&trial.prefix())));
    assert!(read(&trial).unwrap_err().contains("not there"));
    let text = "apiVersion: v1\nusers:\n- name: a\n  user: {token: 'a  b'}\n";
    trial.file("/etc/kubernetes/admin.conf", text);
    let secret = read(&trial).unwrap();
    assert_eq!(secret.expose(), text);
    assert!(!format!("{secret:?}").contains("token"));
    trial.file("/etc/kubernetes/admin.conf", "\n");
    assert!(read(&trial).unwrap_err().contains("empty"));
}

#[test]
fn the_scripts() {
    assert_all_shells_accept(&look_script());
    assert_all_shells_accept(&admin_config_script());
    insta::assert_snapshot!("control_plane", look_script().render("nonce"));
    insta::assert_snapshot!("admin_config", admin_config_script().render("nonce"));
}
