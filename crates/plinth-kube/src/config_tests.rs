use super::*;

const ADMIN: &str = "apiVersion: v1
kind: Config
clusters:
- name: cluster.local
  cluster: {certificate-authority-data: Q0E=, server: 'https://127.0.0.1:6443'}
contexts:
- {name: admin@cluster.local, context: {cluster: cluster.local, user: kubernetes-admin}}
current-context: admin@cluster.local
preferences: {}
users:
- name: kubernetes-admin
  user: {client-certificate-data: CERTIFICATE, client-key-data: S0VZ}
";
const SERVER: &str = "https://10.0.0.1:6443";

fn ours() -> KubeconfigFile {
    KubeconfigFile::parse(ADMIN).unwrap().for_site("basepod-a", SERVER).unwrap()
}

fn text(config: &KubeconfigFile) -> String {
    config.text().unwrap().expose().to_owned()
}

#[test]
fn kubernetes_own_becomes_the_sites() {
    let ours = ours();
    assert_eq!((ours.server(), ours.context()), (Some(SERVER), Some("basepod-a")));
    insta::assert_snapshot!("kubeconfig", text(&ours));
    let again = KubeconfigFile::parse(&text(&ours)).unwrap();
    assert_eq!(again.0, ours.0);
    let json: Value = serde_json::from_str(ours.json().expose()).unwrap();
    assert_eq!(json["users"][0]["user"]["client-key-data"], "S0VZ");
}

#[test]
fn long_values_stay_on_one_line() {
    let long = STANDARD.encode(vec![7_u8; 3000]);
    let ours = KubeconfigFile::parse(&ADMIN.replace("S0VZ", &long)).unwrap().for_site("a", SERVER).unwrap();
    assert!(text(&ours).lines().any(|line| line.trim() == format!("client-key-data: {long}")), "{}", text(&ours));
}

#[test]
fn a_kubeconfig_that_would_not_work_here_is_refused_without_quoting_it() {
    let cases = [
        ("certificate-authority-data: Q0E=", "certificate-authority: /etc/ca.crt", "another machine"),
        ("client-key-data: S0VZ", "client-key: /etc/S0VZ.key", "another machine"),
        ("certificate-authority-data: Q0E=", "insecure-skip-tls-verify: true", "which authority"),
        ("current-context: admin@cluster.local", "current-context: ''", "no current context"),
        ("user: kubernetes-admin", "user: somebody", "user is missing"),
    ];
    for (from, to, why) in cases {
        assert!(ADMIN.contains(from), "{from}");
        let error = KubeconfigFile::parse(&ADMIN.replace(from, to)).unwrap().for_site("a", SERVER).err().unwrap();
        assert!(error.to_string().contains(why) && !error.to_string().contains("S0VZ"), "{to}: {error}");
    }
    for text in ["- a", "kind: Pod", "clusters: {}", "{", "\u{0}"] {
        assert!(KubeconfigFile::parse(text).is_err(), "{text}");
    }
}

#[test]
fn merging_keeps_what_is_not_ours() {
    let mut theirs = KubeconfigFile::parse(
        "kind: Config\nclusters: [{name: lab, cluster: {server: 'https://lab', proxy-url: 'http://p'}}]\nusers: null\n\
         contexts: [{name: lab, context: {cluster: lab, user: me, namespace: x}}]\ncurrent-context: lab\nodd: {kept: [1, null]}\n",
    )
    .unwrap();
    let before = theirs.clone();
    for _ in 0..2 {
        theirs.merge(&ours(), "basepod-a", false).unwrap();
        assert_eq!(theirs.context(), Some("lab"));
        assert_eq!(theirs.0["odd"], before.0["odd"]);
        assert_eq!(theirs.0["clusters"][0], before.0["clusters"][0]);
        assert_eq!(["clusters", "users", "contexts"].map(|list| theirs.0[list].as_array().unwrap().len()), [2, 1, 2]);
        theirs = KubeconfigFile::parse(&text(&theirs)).unwrap();
    }
    let mut empty = KubeconfigFile::parse("").unwrap();
    empty.merge(&ours(), "basepod-a", false).unwrap();
    assert_eq!((empty.server(), empty.context()), (Some(SERVER), Some("basepod-a")));
}

#[test]
fn a_name_that_is_taken_is_not_overwritten_unless_told() {
    let theirs = "clusters: [{name: basepod-a, cluster: {server: 'https://other'}}]\n\
                  contexts: [{name: basepod-a, context: {cluster: basepod-a, user: me}}]\n";
    let mut config = KubeconfigFile::parse(theirs).unwrap();
    let before = config.0.clone();
    let error = config.merge(&ours(), "basepod-a", false).unwrap_err();
    assert_eq!(error.to_string(), "a cluster, a context of that name are there and not made by plinth");
    assert_eq!(config.0, before);
    config.merge(&ours(), "basepod-a", true).unwrap();
    assert_eq!(config.server(), Some(SERVER));
}

#[test]
fn the_date_of_the_certificate_is_read() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_after = rcgen::date_time_ymd(2031, 1, 2);
    let pem = STANDARD.encode(params.self_signed(&key).unwrap().pem());
    let config = KubeconfigFile::parse(&ADMIN.replace("CERTIFICATE", &pem)).unwrap();
    assert_eq!(config.expires().unwrap().to_string(), "2031-01-02T00:00:00Z");
    assert_eq!(KubeconfigFile::parse(ADMIN).unwrap().expires(), None);
}
