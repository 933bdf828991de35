use crate::rack::{
    DOMAIN, cluster_part, connect, control_plane, everything, install, kubernetes, name, options, platform,
    prepare_nodes, pull_secret, ready, refused, release, run, runai, start, until,
};
use indexmap::IndexMap;
use plinth_model::steps::{Check, Health, PodSecurity, SecretContent};
use plinth_sim::Simulation;
use serde_json::json;

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
            kube.set_entry(&ctx, Some(("other.example.com", [10, 0, 0, 1].into()))).await.unwrap();
        }
        // The name of the fixture goes for this one.
        assert_eq!(sim.records(), before + 5);
        assert_eq!(kube.secret_matches(&ctx, "runai", "x", &pull_secret(), &none).await.unwrap(), Some(true));
        assert_eq!(kube.secret_matches(&ctx, "runai", "x", &pull_secret(), &labels).await.unwrap(), Some(false));
        assert_eq!(kube.namespace(&ctx, "runai").await.unwrap(), Some(Some(PodSecurity::Privileged)));
        assert_eq!(
            kube.look_up(&ctx, "other.example.com").await.unwrap().addresses,
            [std::net::Ipv4Addr::new(10, 0, 0, 1)]
        );
        assert!(kube.look_up(&ctx, "nobody.example.com").await.unwrap().addresses.is_empty());
        kube.set_entry(&ctx, Some(("new.example.com", [10, 0, 0, 1].into()))).await.unwrap();
        assert!(kube.look_up(&ctx, "other.example.com").await.unwrap().addresses.is_empty(), "the former name goes");
        assert_eq!(kube.own_entries(&ctx).await.unwrap(), ["new.example.com".to_owned()].into());
        kube.set_entry(&ctx, None).await.unwrap();
        assert!(kube.own_entries(&ctx).await.unwrap().is_empty());
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
    let gpu_pod = Check::GpuPod { node: name("dgx-05"), image: String::new(), resource: "nvidia.com/gpu".to_owned() };
    run(&sim, async {
        assert!(!kube.run_check(&ctx, &gpu_pod).await.unwrap().holds());
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
        assert!(kube.run_check(&ctx, &gpu_pod).await.unwrap().holds());
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
        let up = || async { Ok(client.up(&ctx, &runai(), false).await.is_ok()) };
        assert!(until(&ctx, up).await.unwrap());
        assert_eq!(client.issuer(&ctx, &runai()).await.unwrap(), Some(runai().issuer()));
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
            ("Connected", Some(vec!["dgx-05".to_owned(), "dgx-06".to_owned()]))
        );
        kube.set_entry(&ctx, Some((DOMAIN, [10, 0, 0, 9].into()))).await.unwrap();
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
        Check::GpuPod { node: name("dgx-06"), image: String::new(), resource: "nvidia.com/gpu".to_owned() },
        Check::Dns {
            name: plinth_model::Domain::fixed(DOMAIN),
            address: [10, 184, 162, 100].into(),
            nodes: Vec::new(),
            image: String::new(),
        },
        Check::Ingress { url: runai().url, address: None, certificate: Some("runai".to_owned()), nobody_behind: false },
        Check::Storage { image: String::new() },
        Check::Runai { target: Box::new(runai()), nodes: vec![name("dgx-05"), name("dgx-06")] },
    ];
    let (ctx, kube) = (sim.context(), &sim.clients.kube);
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        for check in checks.iter().filter(|check| !matches!(check, Check::Dns { .. })) {
            assert!(!kube.run_check(&ctx, check).await.unwrap().holds(), "{check:?}");
        }
        everything(&sim).await.unwrap();
        for check in &checks {
            let state = kube.run_check(&ctx, check).await.unwrap();
            assert!(state.holds(), "{check:?}: {state:?}");
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
