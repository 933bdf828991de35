//! A whole apply, with the inventory of a BCM, of nodes alone.

use crate::seen::{applied, ended, outcome, sh, site, whole};
use crate::support::{Bench, said};
use plinth_lab::{Lab, LabSpec, Node};
use plinth_model::Observed;
use plinth_model::inventory::{Category, Inventory, InventoryNode, Network, NodeKind, SCHEMA};
use plinth_sim::bcm::{BcmFixture, SimAuth, SimBcm};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Variables that the site names; none of the values may turn up anywhere.
const SECRETS: [(&str, &str); 4] = [
    ("BCM_USERNAME", "bcm-user-4711"),
    ("BCM_PASSWORD", "Bcm-Pa55word-for-nodes"),
    ("RUNAI_REGISTRY_TOKEN", "registry-token-for-nodes-0815"),
    ("RUNAI_ADMIN_PASSWORD", "Runai-Pa55word-for-nodes"),
];
const DOMAIN: &str = "runai.nodes.example.com";
/// Run:ai's system node wants ten processors, more than the machine under the lab may have.
const LARGE: &str = "echo 0-15 > /run/online; mount --bind /run/online /sys/devices/system/cpu/online";

/// An address of the lab's range where nothing is.
const HEAD: Ipv4Addr = Ipv4Addr::new(10, 77, 3, 250);

fn machine(name: &str, kind: NodeKind, address: Ipv4Addr) -> InventoryNode {
    let category = (kind != NodeKind::Head).then(|| "cpu".to_owned());
    let (uuid, interfaces) = (String::new(), Vec::new());
    InventoryNode { name: name.to_owned(), uuid, kind, category, template: false, interfaces, given: Some(address) }
}

/// What a BCM would know of the lab.
fn inventory(lab: &Lab) -> Inventory {
    let nodes = lab.nodes().map(|node| machine(node.name(), NodeKind::Physical, node.address()));
    let network = Network {
        name: "dgxnet".to_owned(),
        uuid: String::new(),
        kind: "INTERNAL".to_owned(),
        cidr: Some(lab.network()),
        gateway: Some(lab.bridge()),
        dhcp_pool: None,
        management: true,
        domain: "eth.cluster".to_owned(),
        mtu: 1500,
    };
    Inventory {
        schema: SCHEMA,
        source: String::new(),
        nodes: std::iter::once(machine("head", NodeKind::Head, HEAD)).chain(nodes).collect(),
        networks: vec![network],
        categories: vec![Category { name: "cpu".to_owned(), uuid: String::new() }],
        overlays: Observed::Known(Vec::new()),
    }
}

/// The site of the other tests, with BCM and Run:ai.
fn text(endpoint: &str) -> String {
    let bcm = format!(
        "  bcm: {{endpoint: \"{endpoint}\", username: {{env: BCM_USERNAME}}, password: {{env: BCM_PASSWORD}}, \
         tls: {{caFile: bcm-ca.pem}}}}\n"
    );
    let runai = format!(
        "runai:\n  version: \"2.21\"\n  domain: {DOMAIN}\n  registry: {{token: {{env: RUNAI_REGISTRY_TOKEN}}}}\n\
         \x20 admin: {{email: admin@example.com, password: {{env: RUNAI_ADMIN_PASSWORD}}}}\n"
    );
    site(&["n1"], &["n2", "n3", "n4", "n5"]).replace("  static:\nNODES\n", &bcm) + &runai
}

/// Collects the arguments of all processes of a node until it is ended.
struct Watch(Child);

impl Watch {
    fn on(node: &Node<'_>) -> Self {
        let script = "while [ ! -e /run/enough ]; do for file in /proc/[0-9]*/cmdline; do cat $file 2>/dev/null; done; \
                      sleep 0.01; done > /run/arguments; touch /run/told";
        let mut command = node.command(&["/bin/sh", "-c", script]).unwrap();
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn end(mut self, node: &Node<'_>) -> String {
        sh(node, "touch /run/enough");
        assert!(self.0.wait().unwrap().success());
        sh(node, "[ -e /run/told ]; tr '\\0' ' ' < /run/arguments")
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn five_nodes_of_a_bcm_are_made_ready_and_no_secret_is_left_anywhere() {
    let bench = Bench::up(&LabSpec::unique("whole").usual(5), "");
    let auth = SimAuth::new(SECRETS[0].1, SECRETS[1].1);
    let fixture = BcmFixture::from_inventory(&inventory(&bench.lab));
    let bcm = bench.lab.inside(|| SimBcm::start(fixture, Vec::new(), auth)).unwrap().unwrap();
    std::fs::write(bench.folder.path().join("bcm-ca.pem"), bcm.ca_pem()).unwrap();
    bench.site(&text(bcm.endpoint()));
    let two = bench.lab.node("n2").unwrap();
    sh(&bench.lab.node("n1").unwrap(), LARGE);
    let watch = Watch::on(&two);
    let mut command = bench.command(&["apply", "--yes", "--events", "events.ndjson"]);
    let output = command.envs(SECRETS).output().unwrap();
    let arguments = watch.end(&two);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(bcm.unexpected().is_empty(), "{:?}", bcm.unexpected());
    let events = std::fs::read_to_string(bench.folder.path().join("events.ndjson")).unwrap();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    done(&bench, &events);
    told(&bench, &events);
    silent(&bench, &output, &arguments);
}

/// Everything before Kubernetes is done.
fn done(bench: &Bench, events: &[Value]) {
    assert_eq!(crate::seen::failures(events).len(), 0, "{:?}", crate::seen::failures(events));
    for node in bench.lab.nodes() {
        let name = node.name();
        assert_eq!(outcome(events, &format!("nodes/connect/{name}")), "unchanged", "pinned by preflight");
        assert_eq!(outcome(events, &format!("nodes/account/{name}")), "changed");
        assert_eq!(outcome(events, &format!("nodes/facts/{name}")), "unchanged");
        assert_eq!(outcome(events, &format!("nodes/prepare/{name}")), "changed");
        whole(bench, &node);
        let line = sh(&node, &format!("grep -w {DOMAIN} /etc/hosts; getent hosts {DOMAIN}"));
        assert_eq!(line.lines().count(), 2, "{name}: {line}");
    }
    let changed = ended(events, "changed");
    assert!(changed.iter().any(|step| step.contains("certificate")), "it needs no cluster: {changed:?}");
    let not_run = ended(events, "not-run");
    assert!(not_run.iter().any(|step| step.starts_with("platform/")), "what needs Kubernetes waits: {not_run:?}");
    assert!(!not_run.iter().any(|step| step.starts_with("nodes/")), "{not_run:?}");
}

/// The journal tells the same as the events.
fn told(bench: &Bench, events: &[Value]) {
    let mut command = bench.command(&["status", "--json"]);
    let output = command.envs(SECRETS).output().unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let last = events.last().unwrap();
    assert_eq!(last["event"], "run.finished");
    assert_eq!(last["exit"], 4);
    let counts = &last["counts"];
    let done = ["changed", "unchanged", "skipped"].iter().map(|key| counts[*key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(status["steps"]["done"].as_u64().unwrap(), done, "{status:#} {counts:#}");
    assert_eq!(status["steps"]["failed"], counts["failed"], "{status:#}");
    assert_eq!(status["steps"]["running"], 0);
    assert_eq!(status["run"]["id"], events[0]["run"]);
    assert_eq!(status["lock"], Value::Null, "{status:#}");
}

/// What a node keeps: its journal, and the files where something could be left.
const LEFT: &str = "journalctl --sync; journalctl -q -o verbose; cat /var/log/auth.log /var/log/syslog 2>/dev/null || true; \
    grep -rsI . /etc /home /root /tmp /run/plinth* /var/tmp || true";

/// No secret of the site is in what was written, said or run; nor are the passwords that were only passed through.
fn silent(bench: &Bench, output: &std::process::Output, arguments: &str) {
    let password = ("the bootstrap password", bench.lab.password());
    let own: Vec<PathBuf> = files(bench.folder.path());
    assert!(own.iter().any(|file| file.ends_with("journal.db")));
    assert!(arguments.contains("sshd"), "the search sees arguments");
    let left: Vec<(String, String)> = bench.lab.nodes().map(|node| (node.name().to_owned(), sh(&node, LEFT))).collect();
    assert!(left.iter().all(|(_, text)| text.contains("Accepted password for ubuntu") && text.contains(DOMAIN)));
    for (name, secret) in SECRETS.into_iter().chain([password]) {
        assert!(!holds(said(output).as_bytes(), secret), "{name} was said");
        assert!(!holds(arguments.as_bytes(), secret), "{name} was in the arguments of a process on n2");
        for file in own.iter().filter(|file| !["password", "askpass"].iter().any(|given| file.ends_with(given))) {
            assert!(!holds(&std::fs::read(file).unwrap(), secret), "{name} is in {}", file.display());
        }
        for (node, text) in &left {
            assert!(!holds(text.as_bytes(), secret), "{name} is left on {node}");
        }
    }
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn what_preflight_can_fix_safely_it_fixes_and_nothing_else() {
    let bench = Bench::up(&LabSpec::unique("fix").usual(2), &site(&["n1"], &["n2"]));
    let two = bench.lab.node("n2").unwrap();
    let unit = "[Unit]\nDescription=A time service\n[Service]\nExecStart=/bin/sleep infinity\n\
                [Install]\nWantedBy=multi-user.target\n";
    two.write_file("/etc/systemd/system/chrony.service", "0644", unit.as_bytes()).unwrap();
    sh(&two, "systemctl daemon-reload; systemctl is-active chrony && exit 1; exit 0");
    let before = crate::seen::Report::of(&bench);
    assert_eq!(before.json["fixable"], serde_json::json!({"n2": before.json["fixable"]["n2"]}), "n1 has none to start");
    assert_eq!(before.json["fixable"]["n2"]["timeService"], true, "{:#}", before.json["fixable"]);
    let asked = bench.plinth(&["preflight", "--fix"]);
    assert_eq!(asked.status.code(), Some(1), "without a terminal it wants --yes: {}", said(&asked));
    sh(&two, "systemctl is-active chrony && exit 1; touch /run/mark; exit 0");
    let fixed = bench.plinth(&["preflight", "--fix", "--yes"]);
    assert_eq!(fixed.status.code(), Some(0), "{}", said(&fixed));
    let shown = said(&fixed);
    assert!(shown.contains("nodes/prepare") && shown.contains("start the time service"), "{shown}");
    sh(&two, "systemctl is-active chrony; systemctl is-enabled chrony");
    assert!(!crate::seen::Report::of(&bench).codes("n2").contains("node.no-time-service"));
    let touched = sh(&two, "find /etc /home /root -newer /run/mark -type f | sort");
    assert_eq!(touched, "", "a unit was enabled, and no file was written");
    let again = bench.plinth(&["preflight", "--fix", "--yes"]);
    assert!(said(&again).contains("nothing here is plinth's to fix"), "{}", said(&again));
    applied(&bench);
}
