//! `plinth serve` over the runs of rehearsals: its pages say what the verbs say.

use crate::support::{Ran, basepod, plinth};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder with rehearsals, one of which failed.
struct Kept(TempDir);

impl Kept {
    fn new() -> Self {
        let kept = Self(TempDir::new().unwrap());
        kept.plinth(&["rehearse", "--fault", "release:gpu-operator:fails"]).exits(4);
        kept.plinth(&["rehearse"]).exits(0);
        kept
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn plinth(&self, arguments: &[&str]) -> Ran {
        plinth(self.folder(), &[arguments, &["-f", &basepod(), "--state", "state"]].concat())
    }

    fn served(&self, more: &[&str]) -> Served {
        Served::start(self.folder(), &[&["serve", "--state", "state"], more].concat())
    }
}

/// A server in a process of its own.
struct Served {
    process: Child,
    address: String,
    token: String,
}

impl Served {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
        command.current_dir(folder).env_clear().env("HOME", folder).stdin(Stdio::null());
        let mut process = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut link = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut link).unwrap();
        let (address, token) = parts(&link);
        Self { process, address, token }
    }

    fn get(&self, path: &str) -> String {
        let bearer = format!("authorization: Bearer {}\r\n", self.token);
        let answer = self.ask(path, &bearer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        body.to_owned()
    }

    fn ask(&self, path: &str, more: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{more}\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Ends it as Ctrl-C does; answers how it exits.
    fn interrupt(&mut self) -> Option<i32> {
        let pid = i32::try_from(self.process.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let patience = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(patience.elapsed() < Duration::from_secs(90), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn parts(link: &str) -> (String, String) {
    let rest = link.trim().split("http://").nth(1).unwrap_or_else(|| panic!("no link: {link}"));
    let (address, token) = rest.split_once("/?token=").unwrap();
    (address.to_owned(), token.to_owned())
}

#[test]
fn pages_say_what_the_verbs_say() {
    let kept = Kept::new();
    let served = kept.served(&["-f", &basepod()]);
    let runs: Value = serde_json::from_str(&served.get("/runs.json")).unwrap();
    let id = |at: usize| runs["runs"][at]["run"].as_str().unwrap().to_owned();
    let (failed, good) = (id(0), id(1));
    let twins = [
        ("/runs".to_owned(), vec!["runs"]),
        (format!("/r/{failed}"), vec!["runs", "show", &failed]),
        (format!("/r/{failed}/failures"), vec!["runs", "what-failed", &failed]),
        (format!("/r/{failed}/timeline"), vec!["runs", "critical-path", &failed]),
        (format!("/r/{failed}/why"), vec!["why", &failed]),
        (format!("/diff/{failed}/{good}"), vec!["runs", "diff", &good, &failed]),
        ("/explain/node.host-key-changed".to_owned(), vec!["explain", "node.host-key-changed"]),
        (format!("/r/{good}/steps/platform/release/gpu-operator"), vec!["explain", "platform/release/gpu-operator"]),
    ];
    for (page, verb) in &twins {
        let text = kept.plinth(verb).exits(0).stdout;
        assert_eq!(served.get(&format!("{page}.txt")), text, "{page}");
        let json = kept.plinth(&[verb.as_slice(), &["--json"]].concat()).exits(0).stdout;
        assert_eq!(served.get(&format!("{page}.json")), json, "{page}");
    }
    for address in [format!("/r/{failed}/steps.json?q=color:red"), "/runs.txt?q=state:".to_owned()] {
        let bearer = format!("authorization: Bearer {}\r\n", served.token);
        assert!(served.ask(&address, &bearer).starts_with("HTTP/1.1 400"), "{address}");
    }
    let filtered = kept.plinth(&["runs", "show", &failed, "--where", "state:failed kind:platform/*"]).stdout;
    assert_eq!(served.get(&format!("/r/{failed}/steps.txt?q=state:failed+kind:platform/*")), filtered);
    let formats = [
        ("trace.json", "trace"),
        ("otlp.json", "otlp"),
        ("ctrf.json", "ctrf"),
        ("junit.xml", "junit"),
        ("summary.md", "markdown"),
    ];
    for (file, format) in formats {
        let exported = kept.plinth(&["export", &failed, "--format", format]).exits(0).stdout;
        assert_eq!(served.get(&format!("/r/{failed}/{file}")).trim_end(), exported.trim_end(), "{file}");
    }
}

#[test]
fn every_page_of_a_real_plan_renders_and_names_what_it_is_about() {
    let kept = Kept::new();
    // Without the site file: the folder knows whose it is.
    let served = kept.served(&[]);
    let runs: Value = serde_json::from_str(&served.get("/runs.json")).unwrap();
    let run = runs["runs"][0]["run"].as_str().unwrap();
    for (part, wanted) in [
        ("", "gpu-operator"),
        ("/failures", "helm upgrade gpu-operator"),
        ("/nodes", "dgx-05"),
        ("/nodes/dgx-05", "nodes/account/dgx-05"),
        ("/steps?q=down:platform/release/gpu-operator", "gpu-operator"),
        ("/steps/nodes/account/dgx-05", "Needs"),
        ("/timeline", "id=\"hatch\""),
        ("/graph", "class=\"box wrong\""),
        ("/checks", "check"),
        ("/plan", "Gates"),
        ("/exports", "report.html"),
        ("/logs", "No program that a step of this run started"),
        ("/nodes?q=state:failed", "No node fits"),
        ("/nodes?q=kind:nodes/account+node:dgx-05", "1 of "),
        ("/nodes/dgx-05", "as it told them at"),
        ("/nodes/dgx-05", "In this run and those before it"),
        ("/steps", "stage%3Anodes"),
    ] {
        let body = served.get(&format!("/r/{run}{part}"));
        assert!(body.contains(wanted), "{part} lacks {wanted}: {body}");
        assert!(body.contains("A rehearsal"), "{part}");
        assert!(!body.contains(" style=") && !body.contains("<script>"), "{part}");
    }
    let report = served.get(&format!("/r/{run}/report.html"));
    std::fs::write(kept.folder().join("run.html"), &report).unwrap();
    let events = served.get(&format!("/r/{run}/events.ndjson"));
    let extracted = kept.plinth(&["report", "--extract", "run.html"]).exits(0).stdout;
    assert_eq!(extracted.lines().count(), events.lines().count(), "it is one that plinth reads back");
    let columns: Value = serde_json::from_str(&served.get(&format!("/r/{run}/columns.json"))).unwrap();
    assert_eq!(columns["started"].as_array().unwrap().len(), columns["state"].as_str().unwrap().len());
    assert!(!columns["path"].as_array().unwrap().is_empty());
}

#[test]
fn nobody_looks_without_the_link_and_a_kept_token_survives_a_restart() {
    let kept = Kept::new();
    let arguments = ["--token-file", "token"];
    let mut served = kept.served(&arguments);
    assert!(served.ask("/", "").starts_with("HTTP/1.1 401"));
    let token = served.token.clone();
    assert_eq!(std::fs::read_to_string(kept.folder().join("token")).unwrap(), token);
    assert_eq!(served.interrupt(), Some(0), "to end it is no failure");
    let again = kept.served(&arguments);
    assert_eq!(again.token, token);
    assert!(again.ask(&format!("/?token={token}"), "").starts_with("HTTP/1.1 303"));
    assert_ne!(kept.served(&[]).token, token, "without a file each server has its own");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(kept.folder().join("token"), open).unwrap();
    kept.plinth(&["serve", "--token-file", "token"]).exits(1).says("others may read it, or write it").says("remove it");
}

#[test]
fn a_rehearsal_has_its_page_beside_it_until_somebody_ends_it() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
    command.current_dir(folder.path()).env_clear().env("HOME", folder.path()).stdin(Stdio::null());
    let arguments = ["rehearse", "-f", &basepod(), "--serve", "--no-progress"];
    let mut process = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    let link = said.find(|line| line.starts_with("page: ")).unwrap();
    let stays = said.find(|line| line.contains("stays until Ctrl-C")).unwrap();
    let (address, token) = parts(&link);
    assert!(stays.contains(&token));
    let mut served = Served { process, address, token };
    assert!(served.get("/runs.txt").contains("rehearse  done"));
    assert_eq!(served.interrupt(), Some(0), "as the rehearsal ended");
}
