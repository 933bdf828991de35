use crate::rack::{
    DOMAIN, account, asked, cluster_part, connect, control_plane, deploy, everything, files, inputs, install,
    kubernetes, kubespray, name, options, platform, play, prepare_node, prepare_nodes, pull_secret, registries,
    release, run, runai, scenario, start, target, until,
};
use indexmap::IndexMap;
use plinth_model::EngineRecord;
use plinth_model::engine::KubesprayRecord;
use plinth_model::steps::{Check, Health, KubesprayRelease, Mirror, PodSecurity, SecretContent};
use plinth_sim::{Oddity, SimOptions, Simulation};
use plinth_world::ClientResult;
use plinth_world::ansible::PlayRun;
use plinth_world::node::{AccountState, HostKey};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The error's text; the call must fail and change nothing.
async fn refused<T>(sim: &Simulation, call: impl Future<Output = ClientResult<T>>) -> String {
    let before = sim.snapshot();
    let error = call.await.err().expect("the call must fail");
    assert_eq!(sim.snapshot(), before, "{error}");
    assert!(!error.attempt.is_empty(), "{error} must say what to try");
    error.to_string()
}

fn ready(sim: &Simulation) {
    run(sim, async {
        prepare_nodes(sim).await.unwrap();
        kubernetes(sim).await.unwrap();
    });
}

#[test]
fn a_second_main_job_changes_nothing() {
    let sim = start(None, &[]);
    run(&sim, everything(&sim)).unwrap();
    let (snapshot, records) = (sim.snapshot(), sim.records());
    run(&sim, everything(&sim)).unwrap();
    assert_eq!(sim.snapshot(), snapshot);
    assert_eq!(sim.records() - records, 4, "the renewed certificate is put into its four secrets, nothing else");
}

#[test]
fn a_host_key_is_pinned_once() {
    let sim = start(None, &[]);
    let (ctx, client, target) = (sim.context(), &sim.clients.node, target("dgx-05", "ibm"));
    run(&sim, async {
        let seen = client.host_key(&ctx, &target).await.unwrap();
        assert_eq!(seen.pinned, None);
        let other = HostKey { algorithm: "ssh-ed25519".to_owned(), fingerprint: "SHA256:other".to_owned() };
        refused(&sim, client.pin_host_key(&ctx, &target, &other)).await;
        client.pin_host_key(&ctx, &target, &seen.presented).await.unwrap();
        client.pin_host_key(&ctx, &target, &seen.presented).await.unwrap();
        assert_eq!(client.host_key(&ctx, &target).await.unwrap().pinned, Some(seen.presented));
        refused(&sim, client.pin_host_key(&ctx, &target, &other)).await;
    });
    assert_eq!(sim.count("host-key-pinned"), 1);
}

#[test]
fn a_node_refuses_what_comes_too_early_or_to_the_wrong_place() {
    let sim = start(None, &[]);
    let (ctx, client) = (sim.context(), &sim.clients.node);
    let mut elsewhere = target("dgx-05", "ibm");
    elsewhere.address = [10, 229, 10, 5].into();
    run(&sim, async {
        assert!(refused(&sim, client.host_key(&ctx, &elsewhere)).await.contains("10.229.10.5"));
        assert!(refused(&sim, client.account(&ctx, &target("dgx-05", "ibm"), &account())).await.contains("not pinned"));
        assert!(
            refused(&sim, client.make_account(&ctx, &target("dgx-05", "ibm"), &account())).await.contains("not pinned")
        );
        let key = client.host_key(&ctx, &target("dgx-05", "ibm")).await.unwrap().presented;
        client.pin_host_key(&ctx, &target("dgx-05", "ibm"), &key).await.unwrap();
        let ours = target("dgx-05", "ansiblebcm");
        assert!(refused(&sim, client.facts(&ctx, &ours, &asked(&[]))).await.contains("permission denied"));
        assert!(
            refused(&sim, client.set_registries(&ctx, &ours, &registries(&[]))).await.contains("permission denied")
        );
        assert!(refused(&sim, client.relocate_storage(&ctx, &ours, "/a", "/b")).await.contains("permission denied"));
        prepare_node(&sim, "dgx-05").await.unwrap();
        assert!(
            refused(&sim, client.relocate_storage(&ctx, &ours, "/var/lib/containerd", "/nowhere/x"))
                .await
                .contains("/nowhere/x")
        );
    });
}

#[test]
fn an_account_goes_from_absent_to_same_and_clashes_are_refused() {
    let sim = start(None, &[]);
    let (ctx, client, first) = (sim.context(), &sim.clients.node, target("cpu-03", "ibm"));
    run(&sim, async {
        let key = client.host_key(&ctx, &first).await.unwrap().presented;
        client.pin_host_key(&ctx, &first, &key).await.unwrap();
        assert_eq!(client.account(&ctx, &first, &account()).await.unwrap(), AccountState::Absent);
        client.make_account(&ctx, &first, &account()).await.unwrap();
        assert_eq!(client.account(&ctx, &first, &account()).await.unwrap(), AccountState::Same);
        let mut other = account();
        other.uid = 60001;
        assert!(matches!(client.account(&ctx, &first, &other).await.unwrap(), AccountState::Clash(_)));
        refused(&sim, client.make_account(&ctx, &first, &other)).await;
        let mut shell = account();
        shell.shell = "/bin/sh".to_owned();
        assert!(matches!(client.account(&ctx, &first, &shell).await.unwrap(), AccountState::Partial(_)));
    });
    let taken =
        Simulation::start(SimOptions::new(scenario().odd(&name("cpu-03"), Oddity::UserIdTaken(60000)))).unwrap();
    let error = run(&taken, prepare_node(&taken, "cpu-03")).unwrap_err();
    assert!(error.to_string().contains("60000 belongs to somebody-else"), "{error}");
}

#[test]
fn only_the_dgx_machines_need_their_storage_moved() {
    let sim = start(None, &[]);
    run(&sim, prepare_nodes(&sim)).unwrap();
    assert_eq!(sim.count("storage-relocated"), 2);
    let paths = ["/var/lib/containerd".to_owned(), "/local/containerd".to_owned(), "/nowhere".to_owned()];
    let (ctx, client) = (sim.context(), &sim.clients.node);
    run(&sim, async {
        let dgx = client.facts(&ctx, &target("dgx-05", "ansiblebcm"), &asked(&paths)).await.unwrap();
        assert_eq!((dgx.gpus, dgx.free_gib(&paths[0]), dgx.relocated), (8, Some(6), true));
        assert!(dgx.driver.is_some() && dgx.memory_mib > 2_000_000 && dgx.free_gib(&paths[1]) > Some(3000));
        let cpu = client.facts(&ctx, &target("cpu-03", "ansiblebcm"), &asked(&paths)).await.unwrap();
        let there: Vec<bool> = cpu.spaces.iter().map(|space| space.exists).collect();
        assert_eq!((cpu.gpus, cpu.relocated), (0, false));
        assert_eq!(there, [true, false, false], "a path that is not there is told at its nearest parent");
        let again = client.relocate_storage(&ctx, &target("dgx-05", "ansiblebcm"), &paths[0], &paths[1]).await;
        again.unwrap();
    });
    assert_eq!(sim.count("storage-relocated"), 2);
}

#[test]
fn odd_machines_show_what_is_odd() {
    let scenario = scenario()
        .odd(&name("dgx-05"), Oddity::NoDriver)
        .odd(&name("dgx-05"), Oddity::Gpus(7))
        .odd(&name("dgx-05"), Oddity::ClockOffset(90_000))
        .odd(&name("dgx-05"), Oddity::Obstacle("docker is running".to_owned()))
        .odd(&name("dgx-05"), Oddity::Memory(1024))
        .odd(&name("dgx-05"), Oddity::Partition("/var".to_owned(), 900));
    let sim = Simulation::start(SimOptions::new(scenario)).unwrap();
    run(&sim, prepare_node(&sim, "dgx-05")).unwrap();
    let paths = ["/var/lib/containerd".to_owned()];
    let ctx = sim.context();
    let facts = run(&sim, sim.clients.node.facts(&ctx, &target("dgx-05", "ansiblebcm"), &asked(&paths))).unwrap();
    assert_eq!((facts.driver.as_deref(), facts.gpus, facts.clock_offset_ms, facts.memory_mib), (None, 7, 90_000, 1024));
    assert_eq!((facts.free_gib(&paths[0]), facts.obstacles), (Some(900), vec!["docker is running".to_owned()]));
}

#[test]
fn registries_differ_until_they_are_set() {
    let sim = start(None, &[]);
    let mirrors =
        [Mirror { registry: "docker.io".to_owned(), endpoints: vec!["https://mirror.example.com".to_owned()] }];
    let (ctx, client, ours) = (sim.context(), &sim.clients.node, target("cpu-03", "ansiblebcm"));
    run(&sim, async {
        prepare_node(&sim, "cpu-03").await.unwrap();
        let differences = client.registries(&ctx, &ours, &registries(&mirrors)).await.unwrap();
        assert!(matches!(differences, Some(lines) if !lines.is_empty()));
        let before = sim.records();
        for _ in 0..2 {
            client.set_registries(&ctx, &ours, &registries(&mirrors)).await.unwrap();
        }
        assert_eq!(sim.records(), before + 1);
        assert_eq!(client.registries(&ctx, &ours, &registries(&mirrors)).await.unwrap(), Some(Vec::new()));
    });
}

#[test]
fn the_play_wants_everything_before_it() {
    let sim = start(None, &[]);
    let (ctx, client) = (sim.context(), &sim.clients.ansible);
    let nobody = PlayRun { targets: Vec::new(), ..play() };
    let all = play();
    let play = || client.play(&ctx, &nobody);
    run(&sim, async {
        assert!(refused(&sim, client.make_environment(&ctx, &kubespray())).await.contains("source"));
        assert!(refused(&sim, play()).await.contains("source"));
        client.fetch_source(&ctx, &kubespray()).await.unwrap();
        client.make_environment(&ctx, &kubespray()).await.unwrap();
        assert!(refused(&sim, play()).await.contains("inventory"));
        let nameless = [("hosts.yaml".to_owned(), "all: {}".to_owned())].into();
        client.write_inventory(&ctx, &nameless).await.unwrap();
        assert!(refused(&sim, client.play(&ctx, &all)).await.contains("kube_version"));
        client.write_inventory(&ctx, &files()).await.unwrap();
        assert!(refused(&sim, play()).await.contains("empty"));
        let error = refused(&sim, client.play(&ctx, &all)).await;
        assert!(error.contains("cpu-03") && error.contains("dgx-06"), "{error}");
    });
}

#[test]
fn the_play_shows_progress_through_all_tasks_and_ends_once() {
    let sim = start(None, &[]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let ctx =
        plinth_world::Context::new(Arc::new(sim.clock.clone()), move |progress| sink.lock().unwrap().push(progress));
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        deploy(&sim).await.unwrap();
        let records = sim.records();
        let stats = sim.clients.ansible.play(&ctx, &play()).await.unwrap();
        assert_eq!(stats.hosts.len(), 5);
        assert!(stats.hosts.values().all(|host| host.failures + host.unreachable == 0 && host.ok == 1040));
        assert!(sim.records() - records <= 5, "nothing but moments that passed: nodes became Ready");
    });
    assert_eq!(sim.count("play-finished"), 1);
    assert_eq!(sim.count("host-joined"), 5);
    let seen = seen.lock().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done));
    assert_eq!((seen.last().unwrap().done, seen.last().unwrap().total), (1040, 1040));
    assert!((1..=15).all(|n| seen.iter().any(|progress| progress.message.starts_with(&format!("play {n}/15")))));
}

#[test]
fn deployed_says_what_it_was_made_with() {
    let sim = start(None, &[]);
    let (ctx, client) = (sim.context(), &sim.clients.ansible);
    run(&sim, async {
        assert_eq!(sim.clients.records.record(&ctx).await.unwrap(), None);
        assert_eq!(client.source(&ctx, &kubespray()).await.unwrap(), None);
        prepare_nodes(&sim).await.unwrap();
        deploy(&sim).await.unwrap();
        let made = KubesprayRecord { last: Some(inputs()), begun: None, at: None };
        let record = sim.clients.records.record(&ctx).await.unwrap();
        assert_eq!(record, Some(EngineRecord::Kubespray(Box::new(made))));
        assert_eq!(client.environment(&ctx, &kubespray()).await.unwrap(), Some("2.16.4".to_owned()));
        let newer = KubesprayRelease { tag: "v2.29.1".parse().unwrap(), ..kubespray() };
        assert_eq!(client.environment(&ctx, &newer).await.unwrap(), None);
        assert_eq!(client.inventory(&ctx).await.unwrap().len(), 2);
    });
}

#[test]
fn nodes_become_ready_some_seconds_behind_the_play() {
    let sim = start(None, &[]);
    let (ctx, kube) = (sim.context(), &sim.clients.kube);
    run(&sim, async {
        assert_eq!(kube.kubeconfig(&ctx).await.unwrap(), None);
        assert!(refused(&sim, kube.node(&ctx, &name("dgx-05"))).await.contains("kubeconfig"));
        prepare_nodes(&sim).await.unwrap();
        let from = target("cpu-03", "ansiblebcm");
        assert!(refused(&sim, kube.fetch_kubeconfig(&ctx, &from, "https://x:6443")).await.contains("admin.conf"));
        deploy(&sim).await.unwrap();
        for _ in 0..2 {
            kube.fetch_kubeconfig(&ctx, &from, "https://x:6443").await.unwrap();
        }
        let dgx = kube.node(&ctx, &name("dgx-05")).await.unwrap();
        assert_eq!((dgx.as_ref().unwrap().ready, dgx.as_ref().unwrap().version.as_str()), (false, "v1.31.9"));
        let ready = || async { Ok(kube.node(&ctx, &name("dgx-05")).await?.as_ref().unwrap().ready) };
        assert!(until(&ctx, ready).await.unwrap());
        assert_eq!(kube.node(&ctx, &name("dgx-99")).await.unwrap(), None);
    });
    assert_eq!(sim.count("kubeconfig-fetched"), 1);
}

#[test]
fn cluster_objects_are_made_once_and_only_where_they_can_be() {
    let sim = start(None, &[]);
    ready(&sim);
    let (ctx, kube) = (sim.context(), &sim.clients.kube);
    let labels: IndexMap<String, String> = [("a".to_owned(), "b".to_owned())].into();
    let none = IndexMap::new();
    run(&sim, async {
        assert!(refused(&sim, kube.label_node(&ctx, &name("dgx-99"), &labels, &[])).await.contains("dgx-99"));
        assert!(refused(&sim, kube.make_secret(&ctx, "runai", "x", &pull_secret(), &none)).await.contains("runai"));
        let missing = SecretContent::Tls { certificate: "runai".to_owned() };
        assert!(
            refused(&sim, kube.make_secret(&ctx, "default", "x", &missing, &none)).await.contains("certificate runai")
        );
        assert_eq!(kube.namespace(&ctx, "runai").await.unwrap(), None);
        assert_eq!(kube.namespace(&ctx, "kube-system").await.unwrap(), Some(None));
        assert_eq!(kube.secret_matches(&ctx, "runai", "x", &pull_secret(), &none).await.unwrap(), None);
        let before = sim.records();
        for _ in 0..2 {
            kube.label_node(&ctx, &name("dgx-05"), &labels, &["gpu=true:NoSchedule".to_owned()]).await.unwrap();
            kube.make_namespace(&ctx, "runai", PodSecurity::Privileged).await.unwrap();
            kube.make_secret(&ctx, "runai", "x", &pull_secret(), &none).await.unwrap();
            kube.add_dns(&ctx, "other.example.com", [10, 0, 0, 1].into()).await.unwrap();
        }
        assert_eq!(sim.records(), before + 4);
        assert_eq!(kube.secret_matches(&ctx, "runai", "x", &pull_secret(), &none).await.unwrap(), Some(true));
        assert_eq!(kube.secret_matches(&ctx, "runai", "x", &pull_secret(), &labels).await.unwrap(), Some(false));
        assert_eq!(kube.namespace(&ctx, "runai").await.unwrap(), Some(Some(PodSecurity::Privileged)));
        assert_eq!(
            kube.resolve_in_pod(&ctx, "other.example.com").await.unwrap(),
            [std::net::Ipv4Addr::new(10, 0, 0, 1)]
        );
        assert!(kube.resolve_in_pod(&ctx, "nobody.example.com").await.unwrap().is_empty());
        let node = kube.node(&ctx, &name("dgx-05")).await.unwrap();
        assert_eq!(node.as_ref().unwrap().taints, ["gpu=true:NoSchedule"]);
    });
}

#[test]
fn objects_need_their_kind_and_settle_behind_their_making() {
    let sim = start(None, &[]);
    ready(&sim);
    let (ctx, kube) = (sim.context(), &sim.clients.kube);
    let serving = json!({
        "apiVersion": "operator.knative.dev/v1beta1", "kind": "KnativeServing",
        "metadata": {"name": "knative-serving", "namespace": "knative-serving"}, "spec": {"version": "1.16"}
    });
    let objects = [serving];
    let health = Health::Condition {
        resource: "knativeservings.operator.knative.dev".to_owned(),
        name: "knative-serving".to_owned(),
        namespace: "knative-serving".to_owned(),
        condition: "Ready".to_owned(),
    };
    let activator = Health::Workload { kind: "Deployment".to_owned(), name: "activator".to_owned() };
    run(&sim, async {
        assert!(refused(&sim, kube.apply(&ctx, &objects)).await.contains("no matches for kind KnativeServing"));
        let strange = [json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}})];
        assert!(refused(&sim, kube.apply(&ctx, &strange)).await.contains("Thing"));
        assert!(refused(&sim, kube.diff(&ctx, &[json!({"kind": "Pod"})])).await.contains("apiVersion"));
        install(&sim, &release("knative-operator", "knative-operator", json!({}))).await.unwrap();
        assert!(refused(&sim, kube.apply(&ctx, &objects)).await.contains("knative-serving"));
        kube.make_namespace(&ctx, "knative-serving", PodSecurity::Baseline).await.unwrap();
        assert_eq!(kube.diff(&ctx, &objects).await.unwrap(), ["+ KnativeServing knative-serving/knative-serving"]);
        assert_eq!(kube.health(&ctx, "knative-serving", &health).await.unwrap().seen, "not found");
        let before = sim.count("object-applied");
        for _ in 0..2 {
            kube.apply(&ctx, &objects).await.unwrap();
        }
        assert_eq!(sim.count("object-applied"), before + 1);
        assert!(kube.diff(&ctx, &objects).await.unwrap().is_empty());
        assert!(!kube.health(&ctx, "knative-serving", &health).await.unwrap().holds);
        assert!(
            until(&ctx, || async { Ok(kube.health(&ctx, "knative-serving", &health).await?.holds) }).await.unwrap()
        );
        assert!(kube.health(&ctx, "knative-serving", &activator).await.unwrap().holds);
        assert!(!kube.health(&ctx, "default", &activator).await.unwrap().holds);
    });
}

#[test]
fn helm_refuses_or_gives_up_as_the_cluster_would() {
    let sim = start(None, &[]);
    let (ctx, helm, kube) = (sim.context(), &sim.clients.helm, &sim.clients.kube);
    let plain = release("metrics-server", "metrics-server", json!({}));
    let operator = release("gpu-operator", "gpu-operator", json!({}));
    run(&sim, async {
        assert!(refused(&sim, helm.upgrade(&ctx, &plain)).await.contains("unreachable"));
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        assert!(refused(&sim, helm.upgrade(&ctx, &plain)).await.contains("\"metrics-server\" not found"));
        assert_eq!(helm.release(&ctx, "gpu-operator", "gpu-operator").await.unwrap(), None);
        kube.make_namespace(&ctx, "gpu-operator", PodSecurity::Restricted).await.unwrap();
        let error = helm.upgrade(&ctx, &operator).await.unwrap_err().to_string();
        assert!(error.contains("PodSecurity") && error.contains("600 s"), "{error}");
        let state = helm.release(&ctx, "gpu-operator", "gpu-operator").await.unwrap();
        assert_eq!(state.as_ref().unwrap().status, "failed");
        let error = install(&sim, &control_plane()).await.unwrap_err().to_string();
        assert!(error.contains("pull secret"), "{error}");
        kube.make_secret(&ctx, "runai-backend", "creds", &pull_secret(), &IndexMap::new()).await.unwrap();
        let error = install(&sim, &control_plane()).await.unwrap_err().to_string();
        assert!(error.contains("storage class"), "{error}");
        install(&sim, &operator).await.unwrap();
        let state = helm.release(&ctx, "gpu-operator", "gpu-operator").await.unwrap();
        assert_eq!(state.as_ref().unwrap().status, "deployed");
    });
}

#[test]
fn a_release_is_healthy_some_time_behind_helm_and_changes_once() {
    let sim = start(None, &[]);
    ready(&sim);
    let (ctx, helm, kube) = (sim.context(), &sim.clients.helm, &sim.clients.kube);
    let operator = release("gpu-operator", "gpu-operator", json!({}));
    let offers = |node: &str| Health::Allocatable { resource: "nvidia.com/gpu".to_owned(), nodes: vec![name(node)] };
    let gpu_pod = Check::GpuPod { node: name("dgx-05") };
    run(&sim, async {
        assert!(!kube.run_check(&ctx, &gpu_pod).await.unwrap().holds);
        kube.make_namespace(&ctx, "gpu-operator", PodSecurity::Privileged).await.unwrap();
        helm.upgrade(&ctx, &operator).await.unwrap();
        assert!(
            !kube.health(&ctx, "gpu-operator", &operator.health[0]).await.unwrap().holds,
            "helm does not wait for operands"
        );
        assert!(!kube.health(&ctx, "gpu-operator", &offers("dgx-05")).await.unwrap().holds);
        let healthy = || async { Ok(kube.health(&ctx, "gpu-operator", &operator.health[0]).await?.holds) };
        assert!(until(&ctx, healthy).await.unwrap());
        assert!(kube.health(&ctx, "gpu-operator", &offers("dgx-05")).await.unwrap().holds);
        assert!(!kube.health(&ctx, "gpu-operator", &offers("cpu-03")).await.unwrap().holds, "a server has no GPU");
        assert!(kube.run_check(&ctx, &gpu_pod).await.unwrap().holds);
        let records = sim.records();
        helm.upgrade(&ctx, &operator).await.unwrap();
        assert_eq!(sim.records(), records);
        let mut newer = operator.clone();
        newer.version = "v1.2.4".parse().unwrap();
        helm.upgrade(&ctx, &newer).await.unwrap();
        let state = helm.release(&ctx, "gpu-operator", "gpu-operator").await.unwrap();
        assert_eq!(
            state.as_ref().unwrap().version.as_str(),
            "1.2.4",
            "as the package says, without the v of the index"
        );
        newer.version = "~2.21.0".parse().unwrap();
        for _ in 0..2 {
            helm.upgrade(&ctx, &newer).await.unwrap();
        }
        let state = helm.release(&ctx, "gpu-operator", "gpu-operator").await.unwrap();
        assert_eq!(state.as_ref().unwrap().version.as_str(), "2.21.0", "a version of the line, not the line");
    });
    assert_eq!(sim.count("release-ended"), 3);
}

#[test]
fn the_hook_of_the_cluster_part_names_what_is_missing() {
    let sim = start(None, &[]);
    let (ctx, kube, client) = (sim.context(), &sim.clients.kube, &sim.clients.runai);
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        platform(&sim).await.unwrap();
        let part = |at: &'static str| {
            let sim = &sim;
            async move {
                let error = sim.clients.helm.upgrade(&sim.context(), &cluster_part()).await.unwrap_err().to_string();
                assert!(error.contains("pre-install") && error.contains(at), "{error}");
            }
        };
        assert_eq!(client.issuer(&ctx, &runai()).await.unwrap(), None);
        let early = client.register(&ctx, &runai()).await.unwrap_err();
        assert!(early.transient.is_some(), "{early}");
        part("503").await;
        install(&sim, &control_plane()).await.unwrap();
        assert_eq!(client.issuer(&ctx, &runai()).await.unwrap(), None, "Keycloak comes up behind its release");
        let issuer = || async { Ok(client.issuer(&ctx, &runai()).await?.as_ref() == Some(&runai().issuer())) };
        assert!(until(&ctx, issuer).await.unwrap());
        part("not registered").await;
        let strange = refused(&sim, client.keep_credentials(&ctx, &runai(), "no-such-id")).await;
        assert!(strange.contains("no-such-id"), "{strange}");
        let uuid = client.register(&ctx, &runai()).await.unwrap().uuid;
        for _ in 0..2 {
            client.keep_credentials(&ctx, &runai(), &uuid).await.unwrap();
        }
        assert!(client.credentials_kept(&ctx, &runai(), &uuid).await.unwrap());
        assert_eq!(sim.count("credentials-kept"), 1);
        assert_eq!(client.clusters(&ctx, &runai()).await.unwrap()[0].state, "WaitingToConnect");
        connect(&sim).await.unwrap();
        let cluster = client.clusters(&ctx, &runai()).await.unwrap().pop().unwrap();
        assert_eq!(
            (cluster.state.as_str(), cluster.gpu_nodes),
            ("Connected", vec!["dgx-05".to_owned(), "dgx-06".to_owned()])
        );
        kube.add_dns(&ctx, DOMAIN, [10, 0, 0, 9].into()).await.unwrap();
    });
}

#[test]
fn without_dns_the_hook_finds_no_such_host() {
    let sim = start(None, &[]);
    let error = run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        platform(&sim).await.unwrap();
        let mut elsewhere = control_plane();
        elsewhere.values = json!({"global": {"domain": "elsewhere.example.com"}}).try_into().unwrap();
        install(&sim, &elsewhere).await.unwrap();
        sim.clients.helm.upgrade(&sim.context(), &cluster_part()).await.unwrap_err()
    });
    assert!(error.to_string().contains("lookup elsewhere.example.com: no such host"), "{error}");
}

#[test]
fn registering_twice_makes_two_entries() {
    let sim = start(None, &[]);
    let (ctx, client) = (sim.context(), &sim.clients.runai);
    run(&sim, async {
        everything(&sim).await.unwrap();
        client.register(&ctx, &runai()).await.unwrap();
        let clusters = client.clusters(&ctx, &runai()).await.unwrap();
        assert_eq!(clusters.len(), 2);
        assert_ne!(clusters[0].uuid, clusters[1].uuid);
        assert_eq!(clusters[1].state, "WaitingToConnect", "only the entry whose credentials are used connects");
    });
}

#[test]
fn acceptance_holds_at_the_end_and_not_before() {
    let sim = start(None, &[]);
    let checks = [
        Check::GpuPod { node: name("dgx-06") },
        Check::Dns { name: DOMAIN.to_owned(), address: [10, 184, 162, 100].into() },
        Check::Ingress { url: runai().url, certificate: Some("runai".to_owned()) },
        Check::Storage,
        Check::Runai { target: runai(), nodes: vec![name("dgx-05"), name("dgx-06")] },
    ];
    let (ctx, kube) = (sim.context(), &sim.clients.kube);
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        for check in checks.iter().filter(|check| !matches!(check, Check::Dns { .. })) {
            assert!(!kube.run_check(&ctx, check).await.unwrap().holds, "{check:?}");
        }
        everything(&sim).await.unwrap();
        for check in &checks {
            let state = kube.run_check(&ctx, check).await.unwrap();
            assert!(state.holds, "{check:?}: {}", state.seen);
        }
    });
}

#[test]
fn without_bcm_every_call_of_it_fails() {
    let sim = Simulation::start(options(None, &[])).unwrap();
    let ctx = sim.context();
    let error = run(&sim, sim.clients.bcm.inventory(&ctx)).unwrap_err();
    assert!(error.to_string().contains("no BCM"), "{error}");
}
