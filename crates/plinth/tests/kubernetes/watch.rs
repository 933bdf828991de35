//! What comes up, watched over a real API server. Nothing runs pods here: the test says what kubelet would.

use crate::helm_ground::{Ground, NAMESPACE, for_each_helm, release, until};
use crate::stand::Stand;
use plinth_model::steps::{Health, PodSecurity, Release};
use plinth_world::kube::{KubeNamespaces as _, KubeWatch as _, Watch};
use plinth_world::{Context, SystemClock};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const LONG: Duration = Duration::from_secs(30);

fn patient() -> Context {
    Context::quiet(Arc::new(SystemClock::new()))
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "example.com/web:1"}]}},
    }})
}

fn pod(name: &str, owner: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE, "ownerReferences": owner},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "example.com/web:1"}]}})
}

fn event(name: &str, kind: &str, reason: &str, message: &str) -> Value {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": NAMESPACE}, "type": kind, "reason": reason,
        "message": message, "lastTimestamp": now, "firstTimestamp": now, "count": 1,
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "web-1", "namespace": NAMESPACE}})
}

/// As kubelet says it.
fn container_is(stand: &Stand, pod: &str, state: &Value) {
    let status = json!({"status": {"phase": "Running", "containerStatuses": [{"name": "c", "image": "example.com/web:1", "imageID": "",
        "ready": false, "restartCount": 0, "state": state}]}});
    let words = ["-n", NAMESPACE, "patch", "pod", pod, "--subresource=status", "--type=merge", "-p"];
    stand.plane.kubectl(&[&words[..], &[&status.to_string()]].concat()).unwrap();
}

/// Waits until the watch says this; answers how long that took.
fn says(stand: &Stand, watch: &mut dyn Watch, want: &[&str]) -> Duration {
    let (ctx, began) = (patient(), Instant::now());
    let mut last = Vec::new();
    while began.elapsed() < LONG {
        last = stand.run(watch.changed(&ctx, LONG));
        if last == want {
            return began.elapsed();
        }
    }
    panic!("{want:?} was not said, but {last:?}");
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_change_is_seen_at_once_and_said_in_words() {
    let stand = Stand::introduced();
    stand.run(stand.client.make_namespace(&stand.ctx, NAMESPACE, PodSecurity::Privileged)).unwrap();
    stand.apply(&deployment());
    let proof = Health::Workload { kind: "Deployment".to_owned(), name: "web".to_owned() };
    let mut watch = stand.run(stand.client.watch(&patient(), NAMESPACE, &[proof]));
    // What is there is told first, as a change.
    for _ in 0..2 {
        stand.run(watch.changed(&patient(), Duration::from_secs(2)));
    }
    let status = r#"{"status": {"replicas": 1, "readyReplicas": 1, "observedGeneration": 1}}"#;
    let words = ["-n", NAMESPACE, "patch", "deployment", "web", "--subresource=status", "--type=merge", "-p", status];
    let (waited, took) = std::thread::scope(|scope| {
        let changed = scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            stand.plane.kubectl(&words).unwrap();
            Instant::now()
        });
        let began = Instant::now();
        stand.run(watch.changed(&patient(), LONG));
        let seen = Instant::now();
        // kubectl may take seconds to start on a busy machine: what counts is the time behind it.
        (seen - began, seen.saturating_duration_since(changed.join().unwrap()))
    });
    assert!(waited >= Duration::from_secs(1) && took < Duration::from_secs(8), "{waited:?} {took:?}");

    stand.apply(&pod("web-1", &json!([])));
    container_is(&stand, "web-1", &json!({"waiting": {"reason": "ContainerCreating"}}));
    says(&stand, &mut *watch, &["pod web-1 is being started"]);
    stand.apply(&event("one", "Normal", "Pulling", "Pulling image \"example.com/web:1\""));
    let took = says(&stand, &mut *watch, &["pod web-1 pulls image example.com/web:1"]);
    assert!(took < Duration::from_secs(8), "{took:?}");
    container_is(&stand, "web-1", &json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}));
    let broken = "pod web-1 cannot pull image example.com/web:1: no such image";
    says(&stand, &mut *watch, &[broken]);
    stand.apply(&event("two", "Warning", "Failed", "Error: ErrImagePull"));
    says(&stand, &mut *watch, &[broken, "Warning Failed of Pod web-1: Error: ErrImagePull"]);
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_watch_that_breaks_is_begun_again_and_answers_in_time_meanwhile() {
    let stand = Stand::introduced();
    stand.run(stand.client.make_namespace(&stand.ctx, NAMESPACE, PodSecurity::Privileged)).unwrap();
    stand.apply(&pod("web-1", &json!([])));
    let mut watch = stand.run(stand.client.watch(&patient(), NAMESPACE, &[]));
    says(&stand, &mut *watch, &["pod web-1 is being started"]);
    stand.plane.kill_api_server();
    let began = Instant::now();
    stand.run(watch.changed(&patient(), Duration::from_secs(3)));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    stand.plane.start_api_server().unwrap();
    until(|| stand.plane.kubectl(&["get", "--raw", "/readyz"]).is_ok());
    container_is(&stand, "web-1", &json!({"running": {}}));
    says(&stand, &mut *watch, &["pod web-1 runs, and container c is not ready"]);
}

/// A kubelet that knows one log, and is that of n1.
fn kubelet(ground: &Ground, asked: Arc<Mutex<Vec<String>>>, log: &'static str) {
    let port = log_server(ground, asked, log);
    let node = json!({"status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}});
    ground.kubectl(&["patch", "node", "n1", "--subresource=status", "--type=merge", "-p", &node.to_string()]);
}

fn log_server(ground: &Ground, asked: Arc<Mutex<Vec<String>>>, log: &'static str) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["n1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    ground.run(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                asked.lock().unwrap().push(String::from_utf8_lossy(&request[..read]).into_owned());
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", log.len());
                let _gone = stream.write_all(format!("{head}{log}").as_bytes()).await;
                let _gone = stream.shutdown().await;
            }
        });
        port
    })
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn while_helm_runs_the_last_line_of_its_hook_is_told() {
    for_each_helm(|ground| {
        let mut ground = ground.settled();
        let (told, asked) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let list = Arc::clone(&told);
        ground.ctx =
            Context::new(Arc::new(SystemClock::new()), move |progress| list.lock().unwrap().push(progress.message));
        kubelet(&ground, Arc::clone(&asked), "step 2 of 3, with tr0ub4dor&3\n");
        let ground = &ground;
        let hooked = release("standin", "a", "1.2.3", json!({"hook": "pre-install", "password": "x"}));
        std::thread::scope(|scope| {
            let work = scope.spawn(|| ground.upgrade(&hooked));
            until(|| !ground.hook("a").is_empty());
            let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "a-hook", "uid": ground.hook("a")}]);
            ground.stand.apply(&pod("a-hook-1", &owner));
            container_is(&ground.stand, "a-hook-1", &json!({"running": {}}));
            let says = |line: &String| {
                line.starts_with("helm upgrade --install a (helm ") && line.contains("; hook a-hook: step 2 of 3")
            };
            until(|| told.lock().unwrap().iter().any(says));
            ground.end_hook("a", true);
            work.join().unwrap().unwrap();
        });
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].contains("/containerLogs/plinth-helm/a-hook-1/c?") && asked[0].contains("tailLines=1"),
            "{asked:?}"
        );
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn what_a_failed_hook_wrote_is_in_the_failure_and_kept_when_its_job_goes() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let asked = Arc::new(Mutex::new(Vec::new()));
        kubelet(
            &ground,
            Arc::clone(&asked),
            "lookup runai.lab.example: no such host, for tr0ub4dor&3 \u{2028}\u{85}: {horse}\n",
        );
        let ground = &ground;
        let values = json!({"hook": "pre-install", "password": {"$secret": {"file": "password"}}});
        let hooked = release("standin", "a", "1.2.3", values);
        let error = std::thread::scope(|scope| {
            let work = scope.spawn(|| ground.upgrade(&hooked));
            until(|| !ground.hook("a").is_empty());
            let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "a-hook", "uid": ground.hook("a")}]);
            ground.stand.apply(&pod("a-hook-1", &owner));
            container_is(&ground.stand, "a-hook-1", &json!({"terminated": {"exitCode": 1, "reason": "Error"}}));
            let mut warning = event("one", "Warning", "BackOff", "Back-off restarting failed container");
            warning["involvedObject"]["name"] = json!("a-hook-1");
            ground.stand.apply(&warning);
            ground.end_hook("a", false);
            work.join().unwrap().unwrap_err()
        });
        let read =
            |one: &String| one.contains("/containerLogs/plinth-helm/a-hook-1/c?") && one.contains("tailLines=400");
        assert!(asked.lock().unwrap().iter().any(read), "{asked:?}");
        let evidence = error.finding.as_ref().unwrap().evidence.join("\n");
        for line in [
            "== Job plinth-helm/a-hook: Failed, BackoffLimitExceeded",
            "== Pod a-hook-1 on n1: container c ended with 1",
            "Warning BackOff: Back-off restarting failed container",
            "lookup runai.lab.example: no such host, for [secret]",
        ] {
            assert!(evidence.contains(line), "{line}: {evidence}");
        }
        let log = error.attempt.split("what its hooks left is in ").nth(1).unwrap();
        let kept = std::fs::read_to_string(log).unwrap();
        assert!(kept.contains("no such host, for [secret]") && !kept.contains("tr0ub4dor"), "{kept}");

        // The Job goes before the next attempt, and what it wrote is kept once more.
        let stale =
            Release { stale_jobs: vec!["a-hook".into()], ..release("standin", "a", "1.2.3", json!({"password": "x"})) };
        let said = ground.upgrade(&stale).unwrap();
        let log = said.iter().find_map(|line| line.split_once("; what it left is in ")).unwrap().1;
        let kept = std::fs::read_to_string(log).unwrap();
        assert!(kept.contains("no such host, for [secret]") && log.ends_with("-earlier.log"), "{log}: {kept}");
    });
}
