use super::*;
use crate::scripts::trial::{Trial, assert_all_shells_accept};
use plinth_model::SecretRef;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const PASSWORD: &str = "it's $ecret";
/// `curl`, as far as it is asked: the last word is the address.
const CURL: &str = r#"for url; do :; done; echo "$url" >>"$root/asked"
case $url in *down*) printf 000; exit 7 ;; *broken*) printf 503 ;; *) printf 401 ;; esac"#;
const CONFIG: &str = "echo \"config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'\"";

fn node() -> Trial {
    Trial::new(&[("curl", CURL), ("containerd", CONFIG)])
}

fn mirror(endpoint: &str) -> Vec<Mirror> {
    vec![Mirror { registry: "docker.io".to_owned(), endpoints: vec![endpoint.to_owned()] }]
}

fn login() -> RegistryLogin {
    RegistryLogin {
        registry: "runai.example.com".to_owned(),
        username: "robot".to_owned(),
        password: SecretRef::Env("PASSWORD".to_owned()),
    }
}

fn look(trial: &Trial, wanted: &Registries<'_>) -> Option<Vec<String>> {
    look_parse(&trial.run(&script("looking", "look", &trial.prefix(), wanted))).unwrap()
}

fn set(trial: &Trial, wanted: &Registries<'_>) -> Result<(), String> {
    set_parse(&trial.run(&script("setting", "set", &trial.prefix(), wanted)))
}

fn differences(trial: &Trial, wanted: &Registries<'_>) -> String {
    match look(trial, wanted) {
        Some(differences) => differences.join("; "),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mirrors_and_logins_are_written_once() {
    let (trial, mirrors, login) = (node(), mirror("https://mirror.example.com:5000/"), login());
    let logins = [(&login, Secret::new(PASSWORD.to_owned()))];
    let wanted = Registries { mirrors: &mirrors, logins: &logins, ..Registries::default() };
    assert!(look(&trial, &wanted).is_none());
    set(&trial, &wanted).unwrap();
    assert_eq!(differences(&trial, &wanted), "");
    let hosts = "# Written by plinth.\nserver = \"https://registry-1.docker.io\"\n\n\
                 [host.\"https://mirror.example.com:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n";
    assert_eq!(trial.read("/etc/containerd/certs.d/docker.io/hosts.toml"), hosts);
    assert_eq!(trial.mode(LOGINS), 0o600);
    let config: serde_json::Value = serde_json::from_str(&trial.read(LOGINS)).unwrap();
    let auth = STANDARD.decode(config["auths"]["runai.example.com"]["auth"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(auth).unwrap(), format!("robot:{PASSWORD}"));
    let mut asked: Vec<String> = trial.read("/asked").lines().map(str::to_owned).collect();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["https://mirror.example.com:5000/v2/", "https://runai.example.com/v2/"]);
}

#[test]
fn a_look_sends_no_password() {
    let login = login();
    let logins = [(&login, Secret::new(PASSWORD.to_owned()))];
    let wanted = Registries { logins: &logins, ..Registries::default() };
    let encoded = STANDARD.encode(format!("robot:{PASSWORD}"));
    assert!(set_script(&wanted).render("n").contains(&encoded));
    assert!(!look_script(&wanted).render("n").contains(&encoded));
}

#[test]
fn our_files_are_replaced_and_files_of_others_are_not() {
    let (trial, login) = (node(), login());
    let logins = |password: &str| [(&login, Secret::new(password.to_owned()))];
    let (first, second) = (logins("first"), logins("second"));
    set(&trial, &Registries { logins: &first, ..Registries::default() }).unwrap();
    let wanted = Registries { logins: &second, ..Registries::default() };
    assert_eq!(differences(&trial, &wanted), "~ login runai.example.com as robot");
    set(&trial, &wanted).unwrap();
    fs::set_permissions(trial.at(LOGINS), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(differences(&trial, &wanted), format!("~ mode 0600 of {LOGINS}"));
    set(&trial, &wanted).unwrap();
    trial.file(LOGINS, "{}");
    let mirrors = mirror("https://mirror.example.com");
    let both = Registries { mirrors: &mirrors, logins: &second, ..Registries::default() };
    assert!(differences(&trial, &both).contains("was not written by plinth"));
    assert!(set(&trial, &both).unwrap_err().starts_with("nothing was changed: "));
    assert_eq!(trial.read(LOGINS), "{}");
    assert!(!trial.at("/etc/containerd").exists());
}

#[test]
fn an_interrupted_replacement_is_still_ours() {
    let (trial, login) = (node(), login());
    let first = [(&login, Secret::new("first".to_owned()))];
    let second = [(&login, Secret::new("second".to_owned()))];
    set(&trial, &Registries { logins: &first, ..Registries::default() }).unwrap();
    trial.program(
        "mv",
        "case $* in *config.json) case $* in *files*) ;; *) exit 1 ;; esac ;; esac; exec /bin/mv \"$@\"",
    );
    let wanted = Registries { logins: &second, ..Registries::default() };
    assert!(set(&trial, &wanted).unwrap_err().contains("cannot be written"));
    trial.program("mv", "exec /bin/mv \"$@\"");
    assert_eq!(differences(&trial, &wanted), "~ login runai.example.com as robot");
    set(&trial, &wanted).unwrap();
}

/// Killed after the file was put in place: what its record still names of before would count as ours for ever.
#[test]
fn a_record_that_was_not_closed_is_told_and_closed() {
    let (trial, login) = (node(), login());
    let first = [(&login, Secret::new("first".to_owned()))];
    let wanted = Registries { logins: &first, ..Registries::default() };
    set(&trial, &wanted).unwrap();
    let record = format!("/var/lib/plinth/files/{}", LOGINS.replace('/', "_"));
    let whole = trial.read(&record);
    trial.file(&record, &format!("{whole}{}\n", digest("before")));
    assert_eq!(differences(&trial, &wanted), format!("~ record of {LOGINS}, which a killed run left"));
    set(&trial, &wanted).unwrap();
    assert_eq!(trial.read(&record), whole);
}

#[test]
fn a_file_that_cannot_be_read_is_not_ours() {
    let (trial, login) = (node(), login());
    let logins = [(&login, Secret::new("p".to_owned()))];
    let wanted = Registries { logins: &logins, ..Registries::default() };
    trial.file(LOGINS, "theirs");
    // As an interrupted writing of a new file leaves it: there was no content before, which an empty line says.
    trial.file(&format!("/var/lib/plinth/files/{}", LOGINS.replace('/', "_")), "abc\n\n");
    trial.program("sha256sum", "exit 1");
    assert_eq!(set(&trial, &wanted).unwrap_err(), format!("{LOGINS} cannot be read"));
    assert_eq!(trial.read(LOGINS), "theirs");
}

#[test]
fn registries_that_do_not_answer_and_mirrors_that_nobody_reads_are_told() {
    let trial = node();
    let down = mirror("http://down.example.com");
    let engine = Registries { mirrors: &down, engine_writes_mirrors: true, ..Registries::default() };
    assert_eq!(differences(&trial, &engine), "http://down.example.com/v2/ refuses the connection");
    let mirrors = mirror("https://broken.example.com/v2");
    let wanted = Registries { mirrors: &mirrors, ..Registries::default() };
    trial.program("containerd", "echo 'config_path = \"\"'");
    let told = set(&trial, &wanted).unwrap_err();
    assert!(told.starts_with("containerd does not read /etc/containerd/certs.d"), "{told}");
    assert!(told.ends_with("https://broken.example.com/v2/ answers 503"), "{told}");
}

#[test]
fn docker_hub_has_the_name_that_kubelet_looks_for() {
    let hub = RegistryLogin { registry: "docker.io".to_owned(), ..login() };
    let logins = [(&hub, Secret::new("p".to_owned()))];
    assert!(logins_file(&logins).expose().contains("\"https://index.docker.io/v1/\""));
    assert_eq!(urls(&Registries { logins: &logins, ..Registries::default() }), ["https://registry-1.docker.io/v2/"]);
}

#[test]
fn the_scripts() {
    let (mirrors, login) = (mirror("https://mirror.example.com"), login());
    let logins = [(&login, Secret::new(PASSWORD.to_owned()))];
    let wanted = Registries { mirrors: &mirrors, logins: &logins, ..Registries::default() };
    assert_all_shells_accept(&set_script(&wanted));
    insta::assert_snapshot!("registries_set", set_script(&wanted).render("nonce"));
    assert!(look_parse(&Frames::default()).is_err());
}
