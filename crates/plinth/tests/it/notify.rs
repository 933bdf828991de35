//! Webhooks of the site file, posted by the real program to servers that are slow, refuse, ask for patience, vanish, or are not trusted.

use crate::support::{BcmSite, Ran, SECRETS, basepod, plinth_with};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// In the address of the webhook, as Slack has it: whoever knows it may write.
const PATH_SECRET: &str = "T0815-B4711-path-of-a-webhook";
const KEY: &str = "key-of-the-signature-4711";

/// What the server does with a request; after the last one of a list it takes all.
#[derive(Clone)]
enum Does {
    Answers(&'static str),
    Waits(Duration),
    HangsUp,
}

/// Headers and body.
type Request = (BTreeMap<String, String>, Vec<u8>);

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Request>>>);

impl Seen {
    fn messages(&self) -> Vec<Value> {
        self.0.lock().unwrap().iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.messages().iter().map(|message| message["type"].as_str().unwrap_or("?").to_owned()).collect()
    }
}

/// A server on a thread of its own, until the test ends.
struct Server {
    port: u16,
    ca: String,
    seen: Seen,
}

fn server(port: u16, mut does: VecDeque<Does>) -> Server {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], private).unwrap();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let all = seen.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(tls));
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let Some(request) = read(&mut stream).await else { continue };
                match does.pop_front() {
                    None => {
                        all.0.lock().unwrap().push(request);
                        answer(&mut stream, "HTTP/1.1 200 OK\r\n").await;
                    }
                    Some(Does::Answers(head)) => answer(&mut stream, head).await,
                    Some(Does::Waits(time)) => tokio::time::sleep(time).await,
                    Some(Does::HangsUp) => drop(stream),
                }
            }
        });
    });
    Server { port, ca: authority.pem(), seen }
}

async fn answer(stream: &mut (impl tokio::io::AsyncWrite + Unpin), head: &str) {
    let text = format!("{head}content-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend(&part[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let headers: BTreeMap<String, String> = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let length: usize = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return Some((headers, bytes[end + 4..end + 4 + length].to_vec()));
        }
    }
}

/// A site whose webhook is at this port.
struct Site {
    folder: TempDir,
    url: String,
}

impl Site {
    fn at(server: &Server, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("hooks-ca.pem"), &server.ca).unwrap();
        let hook = "{name: ops, url: {env: OPS_WEBHOOK}, key: {env: OPS_KEY}, caFile: hooks-ca.pem";
        let site = std::fs::read_to_string(basepod()).unwrap();
        let site = format!("{site}\nnotify: {{webhooks: [{hook}{more}}}]}}\n");
        std::fs::write(folder.path().join("site.yaml"), site).unwrap();
        Self { folder, url: format!("https://localhost:{}/services/{PATH_SECRET}", server.port) }
    }

    fn plinth(&self, arguments: &[&str]) -> Ran {
        let secrets = [("OPS_WEBHOOK", self.url.as_str()), ("OPS_KEY", KEY)];
        plinth_with(self.folder.path(), &secrets, &[arguments, &["--state", "state"]].concat())
    }

    fn rehearse(&self, more: &[&str]) -> Ran {
        self.plinth(&[&["rehearse", "--notify"], more].concat())
    }

    fn undelivered(&self) -> Value {
        self.plinth(&["status", "--json"]).exits(0).json()["undelivered"].clone()
    }

    /// Neither the address nor the key stands in anything that was written.
    fn holds_no_secret(&self, said: &[&Ran]) {
        for ran in said {
            assert!(!ran.stderr.contains(PATH_SECRET) && !ran.stdout.contains(PATH_SECRET), "{}", ran.stderr);
        }
        walk(self.folder.path(), &mut |file, content| {
            for secret in [PATH_SECRET, KEY] {
                let found = content.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "{secret} in {}", file.display());
            }
        });
    }
}

fn walk(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { walk(&path, look) } else { look(&path, &std::fs::read(&path).unwrap_or_default()) }
    }
}

#[test]
fn a_webhook_is_told_of_start_failure_gates_and_end_and_can_check_who_said_so() {
    let server = server(0, VecDeque::new());
    let site = Site::at(&server, "");
    site.plinth(&["rehearse"]).exits(0);
    assert!(server.seen.messages().is_empty(), "a rehearsal tells nobody unless it is asked to");
    let site = Site::at(&server, "");
    let ran = site.rehearse(&["--fault", "release:gpu-operator:fails"]).exits(4);
    let all = server.seen.messages();
    let run = all.last().unwrap()["run"].clone();
    let of_run: Vec<&Value> = all.iter().filter(|message| message["run"] == run).collect();
    let kinds: Vec<&str> = of_run.iter().filter_map(|message| message["type"].as_str()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"run.started"), Some(&"run.finished")), "{kinds:?}");
    assert!(kinds.contains(&"run.failure") && kinds.contains(&"run.gate"), "{kinds:?}");
    let failure = of_run.iter().find(|message| message["type"] == "run.failure").unwrap();
    assert!(failure["lines"][0].as_str().unwrap().contains("platform/release/gpu-operator"), "{failure}");
    assert!(
        of_run
            .iter()
            .all(|message| message["rehearsal"] == true && message["brief"].as_str().unwrap().contains("rehearsal"))
    );
    assert_eq!((&of_run.last().unwrap()["exit"], &of_run.last().unwrap()["counts"]["failed"]), (&4.into(), &1.into()));
    for (headers, body) in server.seen.0.lock().unwrap().iter() {
        let at: i64 = headers["x-plinth-timestamp"].parse().unwrap();
        let signed = format!("sha256={}", plinth_net::webhook::signature(KEY.as_bytes(), at, body));
        assert_eq!(headers["x-plinth-signature"], signed);
        assert_eq!(headers["x-plinth-id"], serde_json::from_slice::<Value>(body).unwrap()["id"].as_str().unwrap());
    }
    assert_eq!(site.undelivered(), Value::Null);
    site.holds_no_secret(&[&ran]);
}

#[test]
fn patience_is_had_as_long_as_asked_for_and_order_is_kept() {
    let refusals = [
        Does::Answers("HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\n"),
        Does::HangsUp,
        Does::Answers("HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\n"),
    ];
    let server = server(0, refusals.into());
    let site = Site::at(&server, ", on: [start, finish]");
    let began = Instant::now();
    let ran = site.rehearse(&[]).exits(0);
    assert!(began.elapsed() >= Duration::from_secs(1), "a server that asks for a second gets it");
    assert_eq!(server.seen.kinds(), ["run.started", "run.finished"]);
    assert!(!ran.stderr.contains("not delivered") && !ran.stderr.contains("kept for"), "{}", ran.stderr);
}

#[test]
fn who_is_slow_gone_or_not_trusted_costs_the_run_nothing_and_is_told_later() {
    let slow = server(0, vec![Does::Waits(Duration::from_secs(60)); 3].into());
    let quick = server(0, VecDeque::new());
    let began = Instant::now();
    Site::at(&quick, "").rehearse(&[]).exits(0);
    let alone = began.elapsed();
    let site = Site::at(&slow, ", on: [start, finish]");
    let began = Instant::now();
    let ran = site.rehearse(&[]).exits(0).says("run.notification-undelivered").says("2 messages kept for the next run");
    // One post alone is given up after ten seconds; what the end waits for is five.
    let most = 2 * alone + Duration::from_secs(5 + 4);
    assert!(began.elapsed() < most, "a slow webhook holds the run up: {:?} instead of {alone:?}", began.elapsed());
    assert_eq!((&site.undelivered()[0]["webhook"], &site.undelivered()[0]["waiting"]), (&"ops".into(), &2.into()));
    site.holds_no_secret(&[&ran]);

    // Trusted by nobody: the certificate is checked, and nothing is posted.
    let stranger = Site { url: format!("https://localhost:{}/x", quick.port), ..Site::at(&slow, ", on: [finish]") };
    let heard = quick.seen.messages().len();
    stranger.rehearse(&[]).exits(0).says("1 message kept for the next run");
    assert_eq!(quick.seen.messages().len(), heard);
    assert!(stranger.undelivered()[0]["why"].as_str().unwrap().contains("authority"), "{}", stranger.undelivered());

    // No address at all: a run begins all the same.
    let ran =
        plinth_with(site.folder.path(), &[("OPS_KEY", KEY)], &["rehearse", "--notify", "--state", "state"]).exits(0);
    assert!(ran.stderr.contains("OPS_WEBHOOK"), "{}", ran.stderr);
}

/// A program that gives another secret would be the one to whom they are shown: it inherits what plinth was started with.
#[test]
fn a_rehearsal_shows_the_secrets_of_webhooks_to_no_program_and_in_no_log_or_error() {
    let server = server(0, vec![Does::Answers("HTTP/1.1 500 Oops\r\n"), Does::HangsUp].into());
    let spy = "}, {name: other, url: {exec: [sh, -c, \"env > given; exit 1\"]}";
    let site = Site::at(&server, spy);
    let ran = site.rehearse(&["-vv"]).exits(0).says("webhook other");
    let given = std::fs::read_to_string(site.folder.path().join("given")).unwrap();
    assert!(given.contains("PATH="), "the program ran: {given}");
    assert!(!server.seen.messages().is_empty(), "the secrets were read");
    site.holds_no_secret(&[&ran]);
}

#[test]
fn an_apply_whose_webhook_has_no_address_warns_and_goes_on() {
    let hook = "\nnotify: {webhooks: [{name: ops, url: {env: OPS_WEBHOOK}}]}\n";
    let site = BcmSite::basepod(|text| text + hook);
    let apply = |secrets: &[(&str, &str)]| {
        plinth_with(site.folder.path(), secrets, &["apply", "--yes", "--state", "state"]).exits(1)
    };
    // BCM refuses the login, so that nothing has to be waited for.
    let with = |name: &str, value: &'static str| SECRETS.map(|(one, its)| (one, if one == name { value } else { its }));
    let ran =
        apply(&with("BCM_PASSWORD", "not-that-of-this-bcm")).says("warning[secret.missing]: secret env OPS_WEBHOOK");
    assert!(ran.stderr.contains("logging in to BCM"), "it came as far as BCM: {}", ran.stderr);
    let ran = apply(&SECRETS[1..]).says("error[secret.missing]: secret env BCM_USERNAME");
    assert!(!ran.stderr.contains("logging in to BCM"), "a secret that the work needs ends it: {}", ran.stderr);
}

#[test]
fn what_is_refused_is_not_posted_again() {
    let server = server(0, vec![Does::Answers("HTTP/1.1 404 Not Found\r\n"); 2].into());
    let site = Site::at(&server, ", on: [start, finish]");
    site.rehearse(&[]).exits(0).says("2 messages not delivered: the answer was 404");
    assert_eq!((&site.undelivered()[0]["waiting"], &site.undelivered()[0]["refused"]), (&0.into(), &2.into()));
    site.rehearse(&[]).exits(0);
    assert_eq!(server.seen.kinds(), ["run.started", "run.finished"], "of the second run alone");
    assert_eq!(site.undelivered(), Value::Null, "the trouble is over");
}

#[test]
fn what_was_refused_is_told_at_the_end_though_the_next_message_was_taken() {
    let server = server(0, vec![Does::Answers("HTTP/1.1 404 Not Found\r\n")].into());
    let site = Site::at(&server, ", on: [start, finish]");
    site.rehearse(&[]).exits(0).says("1 message not delivered: the answer was 404");
    assert_eq!(server.seen.kinds(), ["run.finished"]);
    let ran = site.rehearse(&[]).exits(0);
    assert!(!ran.stderr.contains("not delivered"), "once: {}", ran.stderr);
}

#[test]
fn a_rehearsal_that_leaves_nothing_keeps_no_message_for_a_next_run() {
    let server = server(0, vec![Does::HangsUp; 20].into());
    let site = Site::at(&server, ", on: [start]");
    let secrets = [("OPS_WEBHOOK", site.url.as_str()), ("OPS_KEY", KEY)];
    let ran = plinth_with(site.folder.path(), &secrets, &["rehearse", "--notify"]).exits(0);
    let ran = ran.says("1 message not delivered");
    assert!(!ran.stderr.contains("kept for the next run"), "{}", ran.stderr);
}

#[test]
fn the_next_plinth_tells_what_one_that_was_killed_could_not() {
    let gone = server(0, VecDeque::new());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut site = Site::at(&gone, ", on: [start, finish]");
    let there = site.url.clone();
    site.url = format!("https://localhost:{free}/x");
    let killed = site.rehearse(&["--pace", "watch", "--fault", "crash@record:60"]);
    assert!(killed.exit != 0 && killed.exit != 4, "{}", killed.exit);
    assert_eq!(site.undelivered()[0]["waiting"], 1, "its start");
    site.url = there;
    site.rehearse(&[]).exits(0);
    assert_eq!(gone.seen.kinds(), ["run.started", "run.started", "run.finished"]);
    let runs: Vec<String> = gone.seen.messages().iter().map(|message| message["run"].to_string()).collect();
    assert!(runs[0] != runs[1] && runs[1] == runs[2], "the killed one first: {runs:?}");
    let ids: Vec<String> = gone.seen.messages().iter().map(|message| message["id"].to_string()).collect();
    assert!(ids.windows(2).all(|two| two[0] < two[1]));
    assert_eq!(site.undelivered(), Value::Null);
}

#[test]
fn slack_and_teams_get_what_they_read() {
    for (format, place) in [("slack", "/blocks/0/text/text"), ("teams", "/attachments/0/content/body/0/inlines/0/text")]
    {
        let server = server(0, VecDeque::new());
        let site = Site::at(&server, &format!(", format: {format}"));
        site.rehearse(&[]).exits(0);
        let all = server.seen.messages();
        let first = all[0].pointer(place).and_then(Value::as_str).unwrap();
        assert!(first.contains("basepod") && first.contains("began"), "{}", all[0]);
    }
}

#[test]
fn two_webhooks_of_one_name_are_refused() {
    let server = server(0, VecDeque::new());
    let site = Site::at(&server, "}, {name: ops, url: {env: OTHER}");
    site.plinth(&["validate"]).exits(1).says("site.duplicate-webhook");
}
