use super::*;
use plinth_model::engine::KubesprayRecord;
use plinth_model::facts::{Address, NodeFacts, Route, Space};
use plinth_model::steps::{
    Account, HostInputs, NodeAccount, NodeConnect, NodeExpectation, NodeMinimum, NodePrepare, NodeRegistries,
    NodeStorage, NodeStorageOld, Preparation, RunInputs,
};
use plinth_model::{Digest, steps};
use plinth_world::bcm::BcmIdentity;
use plinth_world::node::{AccountState, HostKey, HostKeyState, StorageState};

fn key(fingerprint: &str) -> HostKey {
    HostKey { algorithm: "ssh-ed25519".to_owned(), fingerprint: fingerprint.to_owned() }
}

fn keys(presented: &str, pinned: Option<&str>) -> HostKeyState {
    HostKeyState { presented: key(presented), pinned: pinned.map(key) }
}

#[tokio::test]
async fn the_head_nodes_of_the_inventory_must_answer() {
    let identity = |wanted: &[&str]| {
        Work::BcmIdentity(steps::BcmIdentity {
            endpoint: "https://head:8081".to_owned(),
            head_nodes: wanted.iter().map(|w| (*w).to_owned()).collect(),
        })
    };
    let answered = || BcmIdentity { head_nodes: vec!["a".to_owned(), "b".to_owned()], names: vec!["head".to_owned()] };
    let bench = Bench::new();
    bench.fake.on("identity", answered());
    assert!(done(bench.look(&identity(&["a"])).await).contains("head"));
    bench.fake.on("identity", answered());
    let other = blocked(bench.look(&identity(&["a", "c"])).await);
    assert_eq!(other.code, "bcm.other-system");
    assert!(other.evidence[0].ends_with(": c"), "{:?}", other.evidence);
    assert_eq!(blocked_without_evidence(bench.look(&identity(&[])).await), "bcm.identity-unknown");
}

#[track_caller]
fn blocked_without_evidence(seen: Result<Probed, ClientError>) -> String {
    match seen.map(|s| s.probe) {
        Ok(Probe::Blocked(finding)) => finding.code.to_string(),
        other => panic!("not blocked: {other:?}"),
    }
}

#[tokio::test]
async fn a_host_key_is_pinned_once_and_a_changed_one_stops_the_node() {
    let work = Work::NodeConnect(NodeConnect { target: target() });
    let bench = Bench::new();
    bench.fake.on("host_key", keys("SHA256:a", None));
    assert_eq!(todo(bench.look(&work).await), ["+ host key ssh-ed25519 SHA256:a (first contact)"]);
    bench.fake.on("host_key", keys("SHA256:a", None)).on("pin_host_key", ());
    assert!(bench.act(&work).await.unwrap().contains("SHA256:a"));
    bench.fake.on("host_key", keys("SHA256:a", Some("SHA256:a")));
    done(bench.look(&work).await);
    bench.fake.on("host_key", keys("SHA256:b", Some("SHA256:a")));
    let changed = blocked(bench.look(&work).await);
    assert_eq!(changed.code, "node.host-key-changed");
    assert!(changed.evidence[0].contains("SHA256:a") && changed.evidence[1].contains("SHA256:b"));
    assert!(changed.fix.contains("plinth trust dgx-05"));
    bench.fake.on("host_key", keys("SHA256:b", Some("SHA256:a")));
    assert_eq!(refused(bench.act(&work).await).code, "node.host-key-changed");
    assert_eq!(bench.fake.calls().iter().filter(|c| **c == "pin_host_key").count(), 1);
}

fn account(key: SecretRef) -> Work {
    let account = Account {
        name: "ansiblebcm".to_owned(),
        uid: 60000,
        gid: 60000,
        home: plinth_model::HostPath::fixed("/home/ansiblebcm"),
        shell: plinth_model::HostPath::fixed("/bin/bash"),
        key,
        key_algorithm: plinth_model::steps::KeyAlgorithm::default(),
        authorized_keys: Vec::new(),
    };
    Work::NodeAccount(NodeAccount { target: target(), account })
}

#[tokio::test]
async fn an_account_is_made_completed_or_left_alone() {
    let bench = Bench::new();
    let work = account(SecretRef::Generated("ssh-key".to_owned()));
    bench.fake.on("account", AccountState::Absent);
    assert!(todo(bench.look(&work).await).contains(&"+ user ansiblebcm (uid 60000)".to_owned()));
    bench.fake.on("account", AccountState::Partial(vec!["sudo rule".to_owned()]));
    assert_eq!(todo(bench.look(&work).await), ["~ sudo rule"]);
    bench.fake.on("account", AccountState::Same);
    done(bench.look(&work).await);
    bench.fake.on("account", AccountState::Clash(vec!["uid 60000 is nagios".to_owned()]));
    let clash = blocked(bench.look(&work).await);
    assert_eq!(
        (clash.code.as_str(), clash.evidence.as_slice()),
        ("node.account-clash", &["uid 60000 is nagios".to_owned()][..])
    );
    bench.fake.on("ssh_key", "SHA256:k".to_owned()).on("make_account", ());
    bench.act(&work).await.unwrap();
    let given = Bench::new();
    given.fake.on("make_account", ());
    given.act(&account(SecretRef::File("key".to_owned()))).await.unwrap();
    assert_eq!(given.fake.calls(), ["make_account"], "a given key is not made");
}

fn space(path: &str, gib: u64) -> Space {
    Space { path: path.to_owned(), exists: true, free_mib: gib * 1024, ..Space::default() }
}

pub(super) fn facts(images_gib: u64, larger_gib: u64) -> NodeFacts {
    NodeFacts {
        os: "DGX OS".to_owned(),
        kernel: "5.15".to_owned(),
        cpus: 112,
        memory_mib: 2_000_000,
        gpus: 8,
        driver: Some("550".to_owned()),
        clock_offset_ms: -20,
        spaces: vec![space("/images", images_gib), space("/larger", larger_gib)],
        architecture: "x86_64".to_owned(),
        hostname: "dgx-05".to_owned(),
        addresses: vec![Address { interface: "bond0".to_owned(), address: [192, 0, 2, 5].into(), prefix: 24 }],
        default_route: Some(Route { interface: "bond0".to_owned(), via: None }),
        nameservers: vec!["192.0.2.53".to_owned()],
        cgroup_version: 2,
        package_manager: Some("apt".to_owned()),
        pythons: vec!["3.10".to_owned()],
        modules: ["br_netfilter", "overlay"].map(str::to_owned).into(),
        root: "sudo".to_owned(),
        ..NodeFacts::default()
    }
}

fn wanted(larger: &str) -> Work {
    Work::NodeFacts(steps::NodeFacts { target: target(), expected: expectation(larger) })
}

pub(super) fn expectation(larger: &str) -> NodeExpectation {
    NodeExpectation {
        minimum: NodeMinimum { cpus: 10, memory_mib: 20_000, gpu: true },
        images: plinth_model::HostPath::fixed("/images"),
        images_gib: 100,
        larger: plinth_model::HostPath::new(larger).unwrap(),
        address: [192, 0, 2, 5].into(),
        ports: Vec::new(),
        names: indexmap::IndexMap::new(),
        urls: Vec::new(),
        deployed: false,
        engine_prepares: true,
        docker_may_go: false,
    }
}

fn deployed(hosts: &[&str]) -> Option<EngineRecord> {
    let host = |h: &&str| (node(h), HostInputs { groups: Vec::new(), variables: Digest::of("x") });
    let hosts = hosts.iter().map(host).collect();
    let inputs = RunInputs {
        tag: "v2.27.1".parse().unwrap(),
        version: "v1.31.9".parse().unwrap(),
        variables: Digest::of("x"),
        hosts,
    };
    recorded(KubesprayRecord { last: Some(inputs), begun: None, at: None })
}

#[tokio::test]
async fn the_storage_gate_opens_by_free_space_and_stays_as_it_opened() {
    let relocated = NodeFacts { relocated: true, ..facts(500, 500) };
    let cases = [
        ("room", facts(100, 0), None, "fits"),
        ("too small", facts(99, 100), None, "relocate"),
        ("already moved", relocated, None, "relocate"),
        ("filled by our own images", facts(3, 500), deployed(&["dgx-05"]), "fits"),
        ("another node is deployed", facts(3, 500), deployed(&["dgx-06"]), "relocate"),
    ];
    for (case, facts, deployed, answer) in cases {
        let bench = Bench::new();
        bench.fake.on("facts", facts).on("record", deployed);
        let seen = bench.look(&wanted("/larger")).await.unwrap();
        assert!(matches!(seen.probe, Probe::Done(_)), "{case}: {:?}", seen.probe);
        assert_eq!(seen.answers, [("storage/dgx-05".parse().unwrap(), answer.parse().unwrap())], "{case}");
    }
}

#[tokio::test]
async fn a_place_that_the_site_decided_has_no_gate() {
    let bench = Bench::new();
    bench.fake.on("facts", facts(100, 0)).on("record", None::<EngineRecord>);
    let seen = bench.look(&wanted("/images")).await.unwrap();
    assert!(matches!(seen.probe, Probe::Done(_)) && seen.answers.is_empty());
    bench.fake.on("facts", facts(99, 0)).on("record", None::<EngineRecord>);
    assert_eq!(blocked(bench.look(&wanted("/images")).await).code, "node.no-space");
}

#[tokio::test]
async fn an_unfit_node_is_told_everything_at_once() {
    type Spoil = fn(&mut NodeFacts);
    let cases: [(&str, Spoil); 6] = [
        ("node.too-small", |f| f.cpus = 9),
        ("node.too-small", |f| f.memory_mib = 19_999),
        ("node.no-gpu", |f| f.gpus = 0),
        ("node.clock-off", |f| f.clock_offset_ms = -60_001),
        ("node.in-use", |f| f.obstacles.push("docker runs".to_owned())),
        ("node.no-space", |f| f.spaces.clear()),
    ];
    let mut all = facts(100, 100);
    for (code, spoil) in cases {
        let mut one = facts(100, 100);
        spoil(&mut one);
        spoil(&mut all);
        let (bench, told) = (Bench::new(), one.traits());
        bench.fake.on("facts", one).on("record", None::<EngineRecord>);
        let seen = bench.look(&wanted("/larger")).await;
        assert!(seen.as_ref().unwrap().answers.is_empty(), "{code}: an unfit node answers nothing");
        assert_eq!(seen.as_ref().unwrap().facts, told, "{code}: what it is, is told all the same");
        assert_eq!(blocked(seen).code, code);
    }
    let bench = Bench::new();
    bench.fake.on("facts", all).on("record", None::<EngineRecord>);
    let finding = blocked(bench.look(&wanted("/larger")).await);
    assert_eq!(finding.evidence.len(), 6, "five things and the facts: {:?}", finding.evidence);
    assert!(finding.message.starts_with("5 things"));
    let mut ok = facts(100, 100);
    ok.clock_offset_ms = 60_000;
    let bench = Bench::new();
    bench.fake.on("facts", ok).on("record", None::<EngineRecord>);
    let seen = bench.look(&wanted("/larger")).await;
    assert_eq!(seen.as_ref().unwrap().facts, facts(100, 100).traits());
    done(seen);
}

#[tokio::test]
async fn storage_and_registries_are_compared_before_they_are_changed() {
    let bench = Bench::new();
    let storage = Work::NodeStorage(NodeStorage {
        target: target(),
        from: plinth_model::HostPath::fixed("/images"),
        to: plinth_model::HostPath::fixed("/larger"),
    });
    bench.fake.on("storage", StorageState::Old);
    assert_eq!(todo(bench.look(&storage).await), ["~ images /images → /larger"]);
    bench.fake.on("storage", StorageState::Begun("copied".to_owned()));
    assert_eq!(todo(bench.look(&storage).await), ["~ images /images → /larger; a move was begun: copied"]);
    bench.fake.on("storage", StorageState::New { old_copy_mib: Some(3) });
    done(bench.look(&storage).await);
    bench.fake.on("relocate_storage", ());
    bench.act(&storage).await.unwrap();
    let registries = Work::NodeRegistries(NodeRegistries {
        target: target(),
        mirrors: vec![plinth_model::steps::Mirror {
            registry: "docker.io".to_owned(),
            endpoints: vec!["https://m.test".to_owned()],
        }],
        mirrors_by_engine: false,
        logins: Vec::new(),
    });
    bench.fake.on("registries", None::<Vec<String>>);
    assert_eq!(todo(bench.look(&registries).await), ["+ mirror docker.io → https://m.test"]);
    bench.fake.on("registries", Some(Vec::<String>::new()));
    done(bench.look(&registries).await);
    bench.fake.fails::<Option<Vec<String>>>(
        "registries",
        ClientError::new("fake", "looking").happened("no root").attempt("look"),
    );
    assert!(bench.look(&registries).await.unwrap_err().happened.contains("no root"), "unknown is not absent");
}

#[tokio::test]
async fn an_old_copy_goes_only_when_the_images_live_elsewhere() {
    let bench = Bench::new();
    let work = Work::NodeStorageOld(NodeStorageOld {
        target: target(),
        from: plinth_model::HostPath::fixed("/images"),
        to: plinth_model::HostPath::fixed("/larger"),
    });
    bench.fake.on("storage", StorageState::New { old_copy_mib: Some(3) });
    assert_eq!(todo(bench.look(&work).await), ["- old copy beside /images, 3 MiB"]);
    bench.fake.on("storage", StorageState::New { old_copy_mib: None });
    done(bench.look(&work).await);
    for early in [StorageState::Old, StorageState::Begun("copied".to_owned())] {
        bench.fake.on("storage", early);
        assert_eq!(todo(bench.look(&work).await), ["- /images as it was, once images live in /larger"]);
    }
    bench.fake.on("remove_old_storage", ());
    bench.act(&work).await.unwrap();
}

#[tokio::test]
async fn a_node_is_prepared_by_its_differences() {
    let bench = Bench::new();
    let wanted = Preparation { swap_off: true, modules: vec!["overlay".to_owned()], ..Preparation::default() };
    let work = Work::NodePrepare(NodePrepare { target: target(), wanted });
    bench.fake.on("preparation", vec!["swap is on".to_owned()]);
    assert_eq!(todo(bench.look(&work).await), ["swap is on"]);
    bench.fake.on("preparation", Vec::<String>::new());
    done(bench.look(&work).await);
    bench.fake.on("prepare", ());
    assert_eq!(bench.act(&work).await.unwrap(), "1 kernel module loaded, swap off");
}
