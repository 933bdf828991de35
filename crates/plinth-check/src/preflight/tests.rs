use super::*;
use indexmap::IndexMap;
use plinth_model::facts::{Address, Route, Space};
use plinth_model::finding::code;
use plinth_model::steps::NodeMinimum;
use plinth_model::{Finding, Severity};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn space(path: &str, mount: &str, total_gib: u64, free_gib: u64) -> Space {
    Space {
        path: path.into(),
        exists: true,
        mount: mount.into(),
        filesystem: "ext4".into(),
        total_mib: total_gib * 1024,
        free_mib: free_gib * 1024,
        free_inodes_percent: Some(90),
    }
}

fn expected(gpu: bool) -> NodeExpectation {
    NodeExpectation {
        minimum: NodeMinimum { cpus: 2, memory_mib: 3_430, gpu },
        images: plinth_model::HostPath::fixed("/var/lib/containerd"),
        images_gib: 100,
        larger: plinth_model::HostPath::fixed("/local/containerd"),
        address: Ipv4Addr::new(10, 184, 162, 105),
        ports: vec![6443, 10250],
        names: IndexMap::from([
            (plinth_model::Domain::fixed("runai.example.com"), Some(Ipv4Addr::new(10, 184, 162, 200))),
            (plinth_model::Domain::fixed("nvcr.io"), None),
        ]),
        urls: vec!["https://nvcr.io/v2/".into()],
        deployed: false,
        engine_prepares: false,
        docker_may_go: false,
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// A server as it should be.
fn server() -> NodeFacts {
    NodeFacts {
        os: "Rocky Linux 9.4".into(),
        os_id: "rocky".into(),
        os_version: "9.4".into(),
        kernel: "5.14.0-427.13.1.el9_4.x86_64".into(),
        architecture: "x86_64".into(),
        hostname: "dgx-05.cm.cluster".into(),
        cpus: 64,
        memory_mib: 257_000,
        time_service: Some("chrony".into()),
        time_synchronised: Some(true),
        addresses: vec![Address {
            interface: "eno1".into(),
            address: Ipv4Addr::new(10, 184, 162, 105).into(),
            prefix: 24,
        }],
        default_route: Some(Route { interface: "eno1".into(), via: None }),
        spaces: vec![
            space("/", "/", 900, 500),
            space("/var/lib/containerd", "/", 900, 500),
            space("/var", "/", 900, 500),
        ],
        cgroup_version: 2,
        services: [("chronyd".to_owned(), "active".to_owned())].into(),
        modules: texts(&["br_netfilter", "overlay"]),
        sysctls: [("net.ipv4.ip_forward".to_owned(), "1".to_owned())].into(),
        listening: [(22, "sshd".to_owned())].into(),
        package_manager: Some("dnf".into()),
        pythons: texts(&["3.9"]),
        nameservers: texts(&["10.184.162.2"]),
        search: texts(&["cm.cluster"]),
        names: [
            ("runai.example.com".to_owned(), vec![Ipv4Addr::new(10, 184, 162, 200).into()]),
            ("nvcr.io".to_owned(), vec![Ipv4Addr::new(203, 0, 113, 1).into()]),
        ]
        .into(),
        answers: [("https://nvcr.io/v2/".to_owned(), 401)].into(),
        home_filesystem: "xfs".into(),
        root: "sudo".into(),
        ..NodeFacts::default()
    }
}

/// A DGX as BCM delivers it, with room for images.
fn dgx() -> NodeFacts {
    NodeFacts {
        os: "Ubuntu 22.04.4 LTS (DGX OS 6.2.0)".into(),
        os_id: "ubuntu".into(),
        os_version: "22.04".into(),
        dgx_release: Some("6.2.0".into()),
        kernel: "5.15.0-1063-nvidia".into(),
        kernel_headers: true,
        cpus: 224,
        gpus: 8,
        nvswitches: 4,
        driver: Some("535.183.01".into()),
        apparmor: true,
        services: [("ntp", "active"), ("nvidia-fabricmanager", "active"), ("systemd-resolved", "active")]
            .map(|(name, state)| (name.to_owned(), state.to_owned()))
            .into(),
        time_service: Some("ntpd".into()),
        nameservers: texts(&["127.0.0.53"]),
        listening: [(22, "sshd".to_owned()), (8081, "cmd".to_owned())].into(),
        package_manager: Some("apt".into()),
        pythons: texts(&["3.10"]),
        ..server()
    }
}

fn codes(facts: &NodeFacts, expected: &NodeExpectation, least: Severity) -> BTreeSet<String> {
    let judged = judge(&name("dgx-05"), facts, expected);
    judged.into_iter().map(|one| one.finding).filter(|f| f.severity >= least).map(|f| f.code.to_string()).collect()
}

#[test]
fn healthy_nodes_have_notes_only() {
    assert_eq!(codes(&server(), &expected(false), Severity::Info), BTreeSet::new());
    assert_eq!(codes(&dgx(), &expected(true), Severity::Warning), BTreeSet::new());
    let notes = codes(&dgx(), &expected(true), Severity::Info);
    assert_eq!(notes, ["node.apparmor", "node.bcm-port", "node.local-resolver"].map(str::to_owned).into());
}

type Spoil = fn(&mut NodeFacts, &mut NodeExpectation);
use Severity::{Error, Info, Warning};

/// Code, how bad, whether a fix is offered, and what brings it about on a healthy DGX.
const CASES: &[(&str, Severity, bool, Spoil)] = &[
    ("node.too-small", Error, false, |f, _| f.cpus = 1),
    ("node.too-small", Error, false, |f, _| f.memory_mib = 3_429),
    ("node.no-gpu", Error, false, |f, _| (f.gpus, f.nvswitches) = (0, 0)),
    ("node.no-driver", Warning, false, |f, _| f.driver = None),
    ("node.no-kernel-headers", Info, false, |f, _| {
        (f.dgx_release, f.driver, f.kernel_headers) = (None, None, false);
    }),
    ("node.no-fabric-manager", Warning, false, |f, _| drop(f.services.remove("nvidia-fabricmanager"))),
    ("node.architecture", Error, false, |f, _| f.architecture = "ppc64le".into()),
    ("node.unsupported-os", Warning, false, |f, _| (f.os_id, f.dgx_release) = ("sles".into(), None)),
    ("node.unsupported-os", Warning, false, |f, _| (f.os_version, f.dgx_release) = ("18.04".into(), None)),
    ("node.dgx-release-differs", Warning, false, |f, _| f.dgx_release = Some("5.4.2".into())),
    ("node.old-kernel", Warning, false, |f, _| f.kernel = "5.4.0-42-generic".into()),
    ("node.cgroup-v1", Warning, false, |f, _| f.cgroup_version = 1),
    ("node.no-python", Warning, false, |f, _| f.pythons = texts(&["2.7"])),
    ("node.no-python", Warning, false, |f, _| f.pythons = texts(&["3.6.15"])),
    ("node.no-package-manager", Warning, false, |f, _| f.package_manager = None),
    ("node.no-space", Error, false, |f, _| f.spaces = vec![space("/var/lib/containerd", "/", 101, 99)]),
    ("node.small-var", Warning, false, |f, _| f.spaces[2] = space("/var", "/var", 6, 5)),
    ("node.low-space", Warning, false, |f, _| f.spaces[0].free_mib = f.spaces[0].total_mib / 10 - 1),
    ("node.low-inodes", Warning, false, |f, _| f.spaces[0].free_inodes_percent = Some(4)),
    ("node.in-use", Error, false, |f, _| f.obstacles = texts(&["/var/lib/etcd/member"])),
    ("node.in-use", Error, false, |f, _| drop(f.services.insert("k3s".into(), "active".into()))),
    ("node.docker", Error, false, |f, _| drop(f.services.insert("docker".into(), "active".into()))),
    ("node.docker", Info, false, |f, e| {
        e.docker_may_go = true;
        f.services.insert("docker".into(), "active".into());
    }),
    ("node.docker-in-use", Error, false, |f, _| f.obstacles = texts(&["docker: 2 containers run"])),
    ("node.ports-taken", Error, false, |f, _| drop(f.listening.insert(6443, "haproxy".into()))),
    ("node.node-ports-taken", Warning, false, |f, _| drop(f.listening.insert(32_767, String::new()))),
    ("node.bcm-port", Info, false, |_, _| {}),
    ("node.firewall", Warning, false, |f, _| drop(f.services.insert("firewalld".into(), "active".into()))),
    ("node.hostname-differs", Warning, false, |f, _| f.hostname = "dgx-50".into()),
    ("node.no-address", Error, false, |_, e| e.address = Ipv4Addr::new(10, 184, 162, 1)),
    ("node.no-default-route", Warning, false, |f, _| f.default_route = None),
    ("node.name-unresolved", Warning, true, |f, _| drop(f.names.insert("runai.example.com".into(), Vec::new()))),
    ("node.name-unresolved", Warning, false, |f, _| drop(f.names.insert("nvcr.io".into(), Vec::new()))),
    ("node.name-differs", Warning, true, |f, _| {
        f.names.insert("runai.example.com".into(), vec![Ipv4Addr::new(10, 0, 0, 1).into()]);
    }),
    ("node.no-answer", Warning, false, |f, _| f.answers = [("https://nvcr.io/v2/".to_owned(), 0)].into()),
    ("node.no-nameserver", Error, false, |f, _| f.nameservers.clear()),
    ("node.many-nameservers", Warning, false, |f, _| {
        f.nameservers = texts(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"])
    }),
    ("node.local-resolver", Info, false, |_, _| {}),
    ("node.resolver-loop", Warning, false, |f, _| f.nameservers = texts(&["127.0.0.1"])),
    ("node.many-search-domains", Warning, false, |f, _| f.search = texts(&["a", "b", "c", "d", "e", "f", "g"])),
    ("node.proxy", Info, false, |f, _| drop(f.proxies.insert("http_proxy".into(), "http://proxy:3128".into()))),
    ("node.clock-off", Error, false, |f, _| f.clock_offset_ms = -60_001),
    ("node.clock-drifts", Warning, false, |f, _| f.clock_offset_ms = 1_001),
    ("node.no-time-service", Warning, true, |f, _| {
        f.time_service = None;
        f.services.insert("ntp".into(), "inactive".into());
    }),
    ("node.no-time-service", Warning, false, |f, _| {
        f.time_service = None;
        f.services.remove("ntp");
    }),
    ("node.not-synchronised", Warning, false, |f, _| f.time_synchronised = Some(false)),
    ("node.swap", Warning, true, |f, _| f.swap_mib = 1),
    ("node.swap", Info, false, |f, e| (f.swap_mib, e.engine_prepares) = (1, true)),
    ("node.modules-missing", Warning, true, |f, _| f.modules = texts(&["overlay"])),
    ("node.kernel-settings", Warning, true, |f, _| drop(f.sysctls.insert("net.ipv4.ip_forward".into(), "0".into()))),
    ("node.ipv6-off", Info, false, |f, _| drop(f.sysctls.insert("net.ipv6.conf.all.disable_ipv6".into(), "1".into()))),
    ("node.selinux", Info, false, |f, _| f.selinux = Some("enforcing".into())),
    ("node.apparmor", Info, false, |_, _| {}),
    ("node.no-root", Error, false, |f, _| f.root = "none".into()),
    ("node.sudo-password", Info, false, |f, _| f.root = "sudo-password".into()),
    ("node.home-on-nfs", Warning, false, |f, _| f.home_filesystem = "nfs4".into()),
    ("node.noisy-login", Info, false, |f, _| f.noisy = true),
];

#[test]
fn each_fault_is_found_alone() {
    let healthy = codes(&dgx(), &expected(true), Info);
    for (n, (code, severity, fixable, spoil)) in CASES.iter().enumerate() {
        let (mut facts, mut expected) = (dgx(), expected(true));
        spoil(&mut facts, &mut expected);
        let judged = judge(&name("dgx-05"), &facts, &expected);
        let one =
            judged.iter().find(|one| one.finding.code == *code).unwrap_or_else(|| panic!("{n} {code}: {judged:#?}"));
        assert_eq!((one.finding.severity, one.fix.is_some()), (*severity, *fixable), "{n} {code}: {one:#?}");
        assert_eq!(one.finding.subject, "dgx-05");
        assert!(*severity == Info || one.finding.fix.len() > 10, "{code} tells no fix");
        let others = codes(&facts, &expected, Info);
        let more: Vec<&String> = others.difference(&healthy).filter(|other| other.as_str() != *code).collect();
        assert!(more.is_empty(), "{n} {code} brings {more:?} with it");
    }
}

#[test]
fn each_code_has_a_case() {
    let sources = [
        include_str!("machine.rs"),
        include_str!("storage.rs"),
        include_str!("occupancy.rs"),
        include_str!("network.rs"),
        include_str!("time.rs"),
        include_str!("settings.rs"),
        include_str!("login.rs"),
    ];
    let parts = sources.iter().flat_map(|source| source.split("code::NODE_").skip(1));
    let constant = |part: &str| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned);
    let written: BTreeSet<String> = parts.filter_map(constant).collect();
    let tried = CASES.iter().map(|case| case.0.trim_start_matches("node.").replace('-', "_").to_uppercase());
    let tried: BTreeSet<String> = tried.collect();
    assert_eq!(written, tried);
}

#[test]
fn our_own_kubernetes_is_no_obstacle() {
    let mut facts = dgx();
    facts.obstacles = texts(&["/etc/kubernetes/admin.conf", "/var/lib/etcd/member"]);
    facts.listening.extend([(6443, "kube-apiserver".to_owned()), (30_443, "kube-proxy".to_owned())]);
    facts.spaces = vec![space("/var/lib/containerd", "/", 900, 200)];
    facts.spaces[0].free_mib = 99 * 1024 + 100 * 1024;
    let deployed = NodeExpectation { deployed: true, images_gib: 500, ..expected(true) };
    assert_eq!(codes(&facts, &deployed, Warning), BTreeSet::new());
    let fresh = NodeExpectation { deployed: false, ..deployed };
    let found = codes(&facts, &fresh, Warning);
    assert_eq!(
        found,
        ["node.in-use", "node.no-space", "node.node-ports-taken", "node.ports-taken"].map(str::to_owned).into()
    );
}

#[test]
fn limits_themselves_are_allowed() {
    let (mut facts, expected) = (dgx(), expected(true));
    facts.clock_offset_ms = 1_000;
    (facts.cpus, facts.memory_mib) = (2, 3_430);
    facts.spaces = vec![space("/var/lib/containerd", "/", 200, 100), space("/var", "/var", 20, 6)];
    facts.spaces[0].free_inodes_percent = Some(5);
    facts.nameservers = texts(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    facts.search = texts(&["a", "b", "c", "d", "e", "f"]);
    assert_eq!(codes(&facts, &expected, Warning), BTreeSet::new());
}

#[test]
fn room_at_the_larger_place_is_room() {
    let (mut facts, expected) = (dgx(), expected(true));
    facts.spaces = vec![space("/var/lib/containerd", "/", 100, 20), space("/local/containerd", "/local", 900, 100)];
    assert_eq!(codes(&facts, &expected, Error), BTreeSet::new());
    facts.spaces[1].free_mib = 100 * 1024 - 1;
    assert_eq!(codes(&facts, &expected, Error), ["node.no-space".to_owned()].into());
    facts.relocated = true;
    assert_eq!(codes(&facts, &expected, Error), BTreeSet::new());
}

#[test]
fn what_was_not_told_is_not_judged() {
    let facts = NodeFacts {
        nameservers: texts(&["10.0.0.1"]),
        cpus: 8,
        memory_mib: 9_000,
        modules: server().modules,
        ..NodeFacts::default()
    };
    let found = codes(&facts, &expected(false), Info);
    // These two are told by their absence: there are no such programs.
    assert_eq!(found, ["node.no-package-manager", "node.no-python"].map(str::to_owned).into());
}

fn pair(change: impl Fn(&mut NodeFacts)) -> Vec<Finding> {
    let (first, mut second) = (dgx(), dgx());
    second.hostname = "dgx-06".into();
    second.addresses[0].address = Ipv4Addr::new(10, 184, 162, 106).into();
    change(&mut second);
    across(&[(name("dgx-05"), first), (name("dgx-06"), second)])
}

#[test]
fn nodes_are_held_against_each_other() {
    type Change = fn(&mut NodeFacts);
    let bridge =
        |address: [u8; 4]| Address { interface: "docker0".into(), address: Ipv4Addr::from(address).into(), prefix: 16 };
    let cases: [(&[&str], Severity, Change); 8] = [
        (&[], Info, |_| {}),
        (&[], Info, |f| f.clock_offset_ms = 60_000),
        (&["node.clock-skew"], Error, |f| f.clock_offset_ms = -60_001),
        (&["node.systems-differ"], Info, |f| f.os = "Ubuntu 24.04".into()),
        (&["node.kernels-differ"], Info, |f| f.kernel = "6.8.0".into()),
        (&["node.drivers-differ"], Warning, |f| f.driver = Some("550.54.15".into())),
        (&["node.duplicate-hostname"], Error, |f| f.hostname = "DGX-05.cm.cluster".into()),
        (&["node.duplicate-address"], Error, |f| f.addresses[0].address = Ipv4Addr::new(10, 184, 162, 105).into()),
    ];
    for (codes, severity, change) in cases {
        let found = pair(change);
        assert_eq!(found.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), codes);
        assert!(
            found.iter().all(|f| f.severity == severity && f.evidence.len() == 2 || f.evidence.len() == 1),
            "{found:#?}"
        );
    }
    let (mut first, mut second) = (dgx(), server());
    first.addresses = vec![bridge([172, 17, 0, 1]), Address { interface: "usb0".into(), ..bridge([169, 254, 0, 2]) }];
    (second.addresses, second.hostname) = (first.addresses.clone(), "cpu-03".into());
    assert_eq!(across(&[(name("dgx-05"), first), (name("cpu-03"), second)]), [], "a GPU node may differ from a server");
    assert_eq!(across(&[]), []);
}

/// Twenty-four nodes whose settings the engine sets anyway are no work for a person.
#[test]
fn nobody_is_told_to_do_what_the_engine_does() {
    let fixes = |engine_prepares: bool| {
        let (mut facts, mut expected) = (dgx(), expected(true));
        (facts.swap_mib, facts.modules, expected.engine_prepares) = (1, vec![], engine_prepares);
        facts.sysctls.insert("net.ipv4.ip_forward".into(), "0".into());
        let wanted = [code::NODE_SWAP, code::NODE_MODULES_MISSING, code::NODE_KERNEL_SETTINGS];
        let found = judge(&name("dgx-05"), &facts, &expected).into_iter().map(|one| one.finding);
        let found = found.filter(|finding| wanted.contains(&finding.code));
        found.map(|finding| finding.fix).collect::<Vec<String>>()
    };
    assert!(fixes(true).iter().all(|fix| fix.starts_with("nothing has to be done")), "{:?}", fixes(true));
    assert_eq!((fixes(true).len(), fixes(false).len()), (3, 3));
    assert!(fixes(false).iter().all(|fix| fix.starts_with('`')), "{:?}", fixes(false));
}
