//! An API server that has just started refuses those who have every right, and names only a part of its kinds. Nothing that is asked of it
//! then is answered with that: no kind of request, and no helm.

use crate::helm_ground::{self, for_each_helm, release, until};
use crate::stand::{self, Stand, control_plane_node, name};
use async_trait::async_trait;
use futures::future::join_all;
use indexmap::IndexMap;
use plinth_kube::KubeApi;
use plinth_model::steps::{Check, Health, PodSecurity, SecretContent};
use plinth_model::{ObjectName, ReleaseName, SecretRef};
use plinth_world::helm::{HelmClient as _, ReleaseRecord, ReleaseRecords as _};
use plinth_world::kube::{
    Behind, ClusterDns as _, ExistingCluster as _, KubeAccess as _, KubeChecks as _, KubeContent as _, KubeHealth as _,
    KubeHooks as _, KubeJoins as _, KubeNamespaces as _, KubeNodes as _, KubeObjects as _, KubeReadiness as _,
    KubeRestarts as _, KubeSecrets as _, KubeSystem as _, KubeToolkits as _, Readiness, ToolkitPod,
};
use plinth_world::mark::SiteMark;
use plinth_world::{ClientResult, Clock, Context, SystemClock};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Everything that is asked of an API server, but what needs pods that run.
const KINDS: [&str; 33] = [
    "kubeconfig",
    "fetch_kubeconfig",
    "node",
    "nodes",
    "label_node",
    "cluster_health",
    "redirect_joins",
    "toolkits",
    "end_pod",
    "namespace",
    "make_namespace",
    "secret_matches",
    "make_secret",
    "behind",
    "restart",
    "diff",
    "apply",
    "present",
    "remove",
    "further_kinds",
    "owners",
    "node_ports",
    "health of a workload",
    "health of another kind",
    "jobs_said",
    "own_entries",
    "set_entry",
    "records",
    "content",
    "remove_record",
    "definition_annotation",
    "take_over",
    "check nodes",
];
const RELEASE: &str = "r";
/// Between two looks.
const SOON: Duration = Duration::from_millis(20);
/// Restarts, and how long each server lives.
const LEAST: usize = 3;
const MOST: usize = 12;
const RESTART: Duration = Duration::from_secs(4);

/// Whoever asks is known by roles only, and everything that is asked for is there.
fn ground() -> (Stand, KubeApi) {
    let stand = Stand::introduced();
    by_roles(&stand);
    let folder = stand.folder.path();
    std::fs::copy(stand.plane.operator(), folder.join("given.conf")).unwrap();
    *stand.node.0.lock().unwrap() = stand.plane.operator();
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/charts/definitions/definition.yaml");
    stand.plane.kubectl(&["apply", "-f", definition.to_str().unwrap()]).unwrap();
    let record = format!("sh.helm.release.v1.{RELEASE}.v1");
    let labels = json!({"owner": "helm", "name": RELEASE, "status": "deployed", "version": "1"});
    let corefile = json!({"Corefile": ".:53 {\n    forward . /etc/resolv.conf\n}\n"});
    stand.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "stringData": {"release": "content"},
            "metadata": {"name": record, "namespace": "default", "labels": labels}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "read", "namespace": "default"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "data": corefile, "metadata": {"name": "coredns", "namespace": "kube-system"}},
    ]}));
    let text = |text: &str| text.to_owned();
    let mark = SiteMark {
        id: text("a"),
        site: text(stand::SITE),
        by: text("anna@bastion"),
        directory: text("/state"),
        since: text("2026-11-29T02:13:05Z"),
        takes_over: false,
    };
    let client = stand::client(folder, &stand.node).below(folder).managed_by(mark);
    (stand, client)
}

/// From now on the kubeconfig that is held is of somebody whose rights are roles.
fn by_roles(stand: &Stand) {
    by_roles_again(stand);
    crate::trouble::use_config(stand, &stand.plane.operator());
}

fn by_roles_again(stand: &Stand) {
    let binding = ["create", "clusterrolebinding", "operators", "--clusterrole=cluster-admin", "--group=operators"];
    stand.plane.kubectl(&binding).unwrap();
}

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"a": "b"}})
}

fn secret() -> SecretContent {
    SecretContent::Value { key: "k".to_owned(), value: SecretRef::File("first".to_owned()), beside: IndexMap::new() }
}

/// Asks one thing, and looks at the answer where a wrong one is not an error.
async fn ask(client: &KubeApi, (ctx, server): (&Context, &str), kind: &str) -> ClientResult<()> {
    let none = IndexMap::new();
    match kind {
        "kubeconfig" => assert_eq!(client.kubeconfig(ctx).await?.unwrap().refused, None),
        "fetch_kubeconfig" => client.fetch_kubeconfig(ctx, &control_plane_node(), server).await?,
        "node" => assert!(client.node(ctx, &name("n1")).await?.is_some()),
        "nodes" => assert_eq!(client.nodes(ctx).await?.len(), 2),
        "label_node" => client.label_node(ctx, &name("n2"), &none, &["a:NoSchedule".to_owned()]).await?,
        "cluster_health" => drop(client.cluster_health(ctx).await?),
        "redirect_joins" => assert!(!client.redirect_joins(ctx, &[], server).await?),
        "toolkits" => assert!(client.toolkits(ctx).await?.is_empty()),
        "end_pod" => {
            let pod = ToolkitPod { namespace: "default".to_owned(), name: "gone".to_owned() };
            client.end_pod(ctx, &pod).await?;
        }
        "namespace" => assert!(client.namespace(ctx, "default").await?.is_some()),
        "make_namespace" => client.make_namespace(ctx, "made", PodSecurity::Baseline).await?,
        "secret_matches" => assert_eq!(client.secret_matches(ctx, "default", "none", &secret(), &none).await?, None),
        "make_secret" => client.make_secret(ctx, "default", "made", &secret(), &none).await?,
        "behind" => assert!(client.behind(ctx, "default", "read", false).await?.is_empty()),
        "restart" => {
            let (kind, name) = ("DaemonSet".to_owned(), "gone".to_owned());
            let behind = Behind { kind, name, old: Vec::new(), seen: String::new() };
            client.restart(ctx, "default", "read", &[behind]).await?;
        }
        other => ask_of_objects(client, ctx, other).await?,
    }
    Ok(())
}

async fn ask_of_objects(client: &KubeApi, ctx: &Context, kind: &str) -> ClientResult<()> {
    let group = ObjectName::of(&map("kept")).unwrap();
    let release = ReleaseName { namespace: "default".to_owned(), name: RELEASE.to_owned() };
    match kind {
        "diff" => drop(client.diff(ctx, &[map("kept")]).await?),
        "apply" => client.apply(ctx, &[map("applied")]).await?,
        "present" => drop(client.present(ctx, &[group]).await?),
        "remove" => client.remove(ctx, &[ObjectName::of(&map("gone")).unwrap()]).await?,
        "further_kinds" => assert_eq!(client.further_kinds(ctx).await?, ["plinth.test/v1/Group"]),
        "owners" => drop(client.owners(ctx, &[group]).await?),
        "node_ports" => drop(client.node_ports(ctx).await?),
        "health of a workload" => {
            let workload = Health::Workload { kind: "Deployment".to_owned(), name: "gone".to_owned() };
            assert_eq!(client.health(ctx, "default", &workload).await?.seen, "not found");
        }
        "health of another kind" => {
            let [resource, name, namespace, condition] =
                ["groups.plinth.test", "gone", "default", "Ready"].map(str::to_owned);
            let proof = Health::Condition { resource, name, namespace, condition };
            assert_eq!(client.health(ctx, "", &proof).await?.seen, "not found", "the kind is there");
        }
        "jobs_said" => assert_eq!(client.jobs_said(ctx, "default", None).await?, ""),
        "own_entries" => drop(client.own_entries(ctx).await?),
        "set_entry" => client.set_entry(ctx, Some(("a.example", [10, 0, 0, 5].into()))).await?,
        "records" => assert_eq!(client.records(ctx, &release).await?.len(), 1),
        "content" => assert!(client.content(ctx, &release, 1).await?.is_some()),
        "remove_record" => client.remove_record(ctx, &release, &gone()).await?,
        "definition_annotation" => {
            assert!(client.definition_annotation(ctx, "groups.plinth.test", "a").await?.is_some());
        }
        "take_over" => client.take_over(ctx, "given.conf").await?,
        "check nodes" => assert!(client.run_check(ctx, &Check::Nodes { nodes: vec![name("n1")] }).await?.holds()),
        other => panic!("{other}"),
    }
    Ok(())
}

/// A record that somebody removed.
fn gone() -> ReleaseRecord {
    let (status, state) = ("failed".to_owned(), "1".to_owned());
    ReleaseRecord {
        revision: 9,
        status,
        written: jiff::Timestamp::UNIX_EPOCH,
        labels: Vec::new(),
        state,
        settled: None,
    }
}

/// Looks again soon, so that it looks while the server starts.
struct Brisk(SystemClock);

#[async_trait]
impl Clock for Brisk {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration.min(SOON)).await;
    }
}

/// Whoever waits for a server that refused something says so in it.
fn heard() -> (Context, Arc<AtomicUsize>) {
    let waits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&waits);
    let listen = move |progress: plinth_world::Progress| {
        if progress.message.contains("is not ready yet") {
            count.fetch_add(1, Ordering::AcqRel);
        }
    };
    (Context::new(Arc::new(Brisk(SystemClock::new())), listen), waits)
}

/// One restart after the other, while everything is asked all the time, until each kind of request was refused. A connection may be lost, and that
/// passes. A refusal is never the answer, nor is anything that such a server tells in part.
#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn no_request_takes_the_word_of_a_server_that_starts_again_and_again() {
    let (stand, client) = ground();
    let (server, ended, refused) = (stand.plane.endpoint(), AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    let again = |kind| {
        let (client, server, ended, refused) = (&client, &server, &ended, &refused);
        async move {
            while !ended.load(Ordering::Acquire) {
                let (ctx, waits) = heard();
                let answer = ask(client, (&ctx, server), kind).await;
                if waits.load(Ordering::Acquire) > 0 {
                    refused.lock().unwrap().insert(kind);
                }
                if let Err(error) = answer {
                    assert!(error.transient.is_some(), "{kind}: {error:?}");
                }
                tokio::time::sleep(SOON).await;
            }
        }
    };
    let missed = || KINDS.into_iter().filter(|kind| !refused.lock().unwrap().contains(kind)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut restarts = 0;
            while restarts < LEAST || (restarts < MOST && !missed().is_empty()) {
                stand.plane.kill_api_server();
                if stand.plane.start_api_server().is_err() {
                    break;
                }
                restarts += 1;
                std::thread::sleep(RESTART);
            }
            eprintln!("{restarts} restarts");
            ended.store(true, Ordering::Release);
        });
        stand.run(join_all(KINDS.map(again)));
    });
    assert_eq!(missed(), Vec::<&str>::new(), "never refused: nothing was seen of them");
    // Now it is left alone, and everything is answered.
    let (ctx, _) = heard();
    while stand.run(client.readiness(&ctx)).unwrap() != Readiness::Is {}
    for kind in KINDS {
        stand.run(ask(&client, (&ctx, &server), kind)).unwrap();
    }
}

/// What was refused at first and is granted then, as by a server that starts: helm ends with the refusal, and is run once more by itself. Here the
/// rights come late, since helm is not started before the server is ready.
#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn what_helm_is_refused_at_first_it_asks_once_more() {
    for_each_helm(|ground| {
        by_roles(&ground.stand);
        let ground = ground.settled();
        let folder = ground.stand.folder.path();
        let (held, files) = (folder.join("held-helm"), ["begun", "go", "end"].map(|name| folder.join(name)));
        let [begun, go, end] = &files;
        helm_ground::program(&held, &held_helm(&ground.helm, &files));
        let client = ground.through(&held);
        let one = release("standin", "a", "1.2.3", json!({"color": "red"}));
        let late = |done: &dyn Fn() -> ClientResult<()>| {
            let (_of_the_time_before, before) = (std::fs::remove_file(begun), refusals(folder));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    until(|| begun.exists());
                    ground.stand.plane.kubectl(&["delete", "clusterrolebinding", "operators"]).unwrap();
                    std::fs::write(go, "").unwrap();
                    until(|| refusals(folder) > before);
                    by_roles_again(&ground.stand);
                    std::fs::write(go, "").unwrap();
                    std::fs::write(end, "").unwrap();
                });
                done().unwrap();
            });
        };
        late(&|| ground.run(client.upgrade(&ground.ctx, &one)).map(drop));
        assert_eq!(ground.status("a").unwrap().0, "deployed");
        let name = helm_ground::release_name("a");
        late(&|| ground.run(client.uninstall(&ground.ctx, &name, Duration::from_secs(60))));
        assert_eq!(ground.status("a"), None);
    });
}

/// helm, which waits until the test lets it go, and, when it was refused, lets it end.
fn held_helm(real: &Path, [begun, go, end]: &[PathBuf; 3]) -> String {
    let (real, begun, go, end) = (real.display(), begun.display(), go.display(), end.display());
    format!(
        "#!/bin/sh\n[ $1 = version ] && exec {real} \"$@\"\ntouch {begun}\nwhile ! rm {go} 2>/dev/null; do sleep 0.02; done\n\
         {real} \"$@\" && exit\nwhile ! rm {end} 2>/dev/null; do sleep 0.02; done\nexit 1\n"
    )
}

/// How many runs of helm wrote into their logs that the API server refused something.
fn refusals(folder: &Path) -> usize {
    let logs = std::fs::read_dir(folder.join("state").join(plinth_helm::LOGS)).into_iter().flatten().flatten();
    logs.filter(|log| std::fs::read_to_string(log.path()).is_ok_and(|text| text.contains("forbidden"))).count()
}
