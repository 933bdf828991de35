use crate::rack::{
    account, asked, deploy, everything, files, inputs, kubespray, name, play, prepare_node, prepare_nodes, refused,
    registries, run, scenario, start, target, until,
};
use plinth_model::EngineRecord;
use plinth_model::engine::KubesprayRecord;
use plinth_model::steps::{KubesprayRelease, Mirror};
use plinth_sim::{Oddity, SimOptions, Simulation};
use plinth_world::ansible::PlayRun;
use plinth_world::node::{AccountState, HostKey};
use std::sync::{Arc, Mutex};

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
        shell.shell = plinth_model::HostPath::fixed("/bin/sh");
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
