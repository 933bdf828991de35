//! No secret of the site is seen anywhere but where it has to be.

use crate::ground::{Ground, PASSWORD, TOKEN};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Looks at the words and the environment of every process of this network, again and again.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<Vec<u8>>>,
}

/// What was seen.
pub(crate) struct Seen(BTreeSet<Vec<u8>>);

impl Watch {
    pub(crate) fn begin() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let network = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                for entry in std::fs::read_dir("/proc").unwrap().flatten() {
                    if std::fs::read_link(entry.path().join("ns/net")).is_ok_and(|other| other == network) {
                        let texts = ["cmdline", "environ"].map(|name| std::fs::read(entry.path().join(name)));
                        seen.extend(texts.into_iter().flatten());
                    }
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            seen
        });
        Self { stop, thread }
    }

    pub(crate) fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        Seen(self.thread.join().unwrap())
    }
}

fn contains(text: &[u8], needle: &str) -> bool {
    text.windows(needle.len()).any(|part| part == needle.as_bytes())
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

impl Seen {
    /// Neither these processes, nor a file of the run: the plan, its events, words, logs and journal.
    pub(crate) fn hold_nothing_secret(&self, ground: &Ground) {
        assert!(
            self.0.iter().any(|text| contains(text, "upgrade\0") && contains(text, "--reset-values")),
            "helm was seen"
        );
        assert!(self.0.iter().any(|text| contains(text, "HELM_DRIVER=secret")), "and its environment");
        ground.plinth(&["plan", "--preflight", "--out", "plan.json"]).exits(0);
        let state = ground.path("state");
        let kept = [state.join("secrets"), state.join("certificates")];
        let is_kept = |file: &Path| kept.iter().any(|folder| file.starts_with(folder));
        let given = ["registry-token", "admin-password"].map(|name| ground.path(name));
        let all = files(ground.folder.path());
        let searched: Vec<&PathBuf> = all.iter().filter(|file| !is_kept(file) && !given.contains(file)).collect();
        assert!(contains(&std::fs::read(&given[1]).unwrap(), PASSWORD), "the search itself works");
        for name in ["plan.json", "events", "said", "out"] {
            assert!(searched.contains(&&ground.path(name)), "{name} is searched");
        }
        let known = [("runai-backend".to_owned(), "the administrator's password")];
        assert_eq!(released(ground), known.into(), "a value of a release that could be a secret of its own");
        for secret in secrets(ground, &all, is_kept) {
            let (start, _) = secret.split_at(secret.len().min(20));
            for text in &self.0 {
                assert!(!contains(text, &secret), "{start}.. is seen of a process: {}", String::from_utf8_lossy(text));
            }
            for file in &searched {
                assert!(!contains(&std::fs::read(file).unwrap(), &secret), "{start}.. is in {}", file.display());
            }
        }
    }
}

/// What helm keeps of its releases in the cluster: which release holds which secret. Those are the places that charts leave no choice about;
/// any other one is a leak.
fn released(ground: &Ground) -> BTreeSet<(String, &'static str)> {
    let words = ["get", "secrets", "--all-namespaces", "--field-selector", "type=helm.sh/release.v1", "-o", "json"];
    let list: serde_json::Value = serde_json::from_str(&ground.plane.kubectl(&words).unwrap()).unwrap();
    let given = ground.operators.runai.lock().unwrap().as_ref().unwrap().secrets_given();
    let grafana = std::fs::read_to_string(ground.path("state/secrets/grafana-admin-password")).unwrap();
    let mut found = BTreeSet::new();
    for secret in list["items"].as_array().unwrap() {
        let name = secret["metadata"]["labels"]["name"].as_str().unwrap();
        let text = record(secret["data"]["release"].as_str().unwrap());
        let clients = given.iter().any(|credential| contains(&text, credential));
        let kinds = [
            (contains(&text, PASSWORD), "the administrator's password"),
            (contains(&text, TOKEN), "the registry's token"),
            (contains(&text, grafana.trim()), "Grafana's password"),
            (clients, "the cluster's credential"),
            (contains(&text, "PRIVATE KEY"), "a private key"),
        ];
        found.extend(kinds.into_iter().filter(|(holds, _)| *holds).map(|(_, kind)| (name.to_owned(), kind)));
    }
    found
}

/// A record of helm: base64 twice, and gzip.
fn record(data: &str) -> Vec<u8> {
    use base64::Engine as _;
    use std::io::Read as _;
    let decode = |text: &[u8]| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&decode(&decode(data.as_bytes()))[..]).read_to_end(&mut text).unwrap();
    text
}

/// Those of the site file, those that Run:ai gave, and those that plinth made.
fn secrets(ground: &Ground, all: &[PathBuf], is_kept: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut secrets = vec![PASSWORD.to_owned(), TOKEN.to_owned()];
    secrets.extend(ground.operators.runai.lock().unwrap().as_ref().unwrap().secrets_given());
    let given = secrets.len();
    for file in all.iter().filter(|file| is_kept(file)) {
        let text = std::fs::read_to_string(file).unwrap();
        if file.starts_with(ground.path("state/secrets")) {
            secrets.push(text.trim().to_owned());
        } else if text.contains("PRIVATE KEY") {
            // A line of it is enough to search for.
            secrets.push(text.lines().nth(1).unwrap().to_owned());
        }
    }
    assert!(given > 3 && secrets.len() > given + 2, "plinth made passwords and keys: {}", secrets.len());
    secrets.retain(|secret| secret.len() >= 12);
    secrets
}
