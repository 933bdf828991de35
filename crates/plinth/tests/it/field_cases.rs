//! Inputs that people really have: each case of `tests/cases`, and more of each kind, through the binary.

use crate::support::{Ran, plinth};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;

fn cases() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

/// The finding with this code, and about this if anything is named.
fn has(report: &Value, code: &str, subject: &str) -> bool {
    let findings = report["findings"].as_array().into_iter().flatten();
    let mut same = findings.filter(|finding| finding["code"] == code);
    same.any(|finding| subject == "-" || finding["subject"] == subject)
}

/// Demands an exit code and a finding; `-` as a code means that nothing but remarks is found.
#[track_caller]
fn judged(name: &str, ran: Ran, exit: i32, code: &str, subject: &str) {
    assert_eq!(ran.exit, exit, "{name}:\n{}\n{}", ran.stdout, ran.stderr);
    let report = ran.json();
    if code == "-" {
        let others: Vec<&Value> =
            report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "info").collect();
        assert_eq!(others, Vec::<&Value>::new(), "{name}");
    } else {
        assert!(has(&report, code, subject), "{name}: no {code} about {subject} in {report:#}");
    }
}

#[test]
fn every_case_of_the_field_is_judged_as_its_table_says() {
    let table = std::fs::read_to_string(cases().join("expect.tsv")).unwrap();
    let mut judged_files = BTreeSet::new();
    for line in table.lines() {
        let [file, verb, exit, code, subject] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let ran = plinth(cases(), &[verb, "--json", "-f", &format!("{file}.yaml")]);
        judged(file, ran, exit.parse().unwrap(), code, subject);
        judged_files.insert(format!("{file}.yaml"));
    }
    let there = std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = there.filter(|name| name.ends_with(".yaml")).collect();
    assert_eq!(judged_files, there, "a file without a line, or a line without a file");
}

const RANGES: &str = "network: {plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}";

/// A sound site, changed.
fn site(changes: &[(&str, &str)]) -> String {
    let good = std::fs::read_to_string(cases().join("glob-set.yaml")).unwrap();
    changes.iter().fold(good, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn validated(text: &str) -> Ran {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("site.yaml"), text).unwrap();
    plinth(folder.path(), &["validate", "--json"])
}

/// A change of the sound site, and what must be found.
type Case<'a> = (&'a str, &'a str, i32, &'a str, &'a str);

fn all(cases: &[Case<'_>]) {
    for (from, to, exit, code, subject) in cases {
        judged(to, validated(&site(&[(from, to)])), *exit, code, subject);
    }
}

#[test]
fn names_of_nodes_that_mean_something_else_below() {
    let name = "inventory.static[1].name";
    for bad in [
        "\"007\"",
        "101",
        "0x1f",
        "1e3",
        "off",
        "yes",
        "true",
        "null",
        "~",
        "\"no\"",
        "all",
        "ungrouped",
        "bastion",
        "k8s-cluster",
    ] {
        let text = site(&[("{name: cp-2,", &format!("{{name: {bad},")), ("[cp-1, cp-2,", "[cp-1, cp-3,")]);
        let ran = validated(&text.replace("cp-3, cp-3", "cp-3"));
        assert_eq!(ran.exit, 1, "{bad}: {}", ran.stdout);
        let report = ran.json();
        assert!(has(&report, "nodes.bad-name", name), "{bad}: {report:#}");
        assert!(!report.to_string().contains("put it in quotes"), "{bad}: quotes lead straight into it");
    }
    let bcm = "inventory:\n  bcm: {endpoint: \"https://bcm:8081\", username: {env: U}, password: {env: P}}\nnetworks:";
    let listed = site(&[]);
    let (before, after) = listed.split_once("inventory:").unwrap();
    let rest = after.split_once("networks:").unwrap().1;
    let text = format!("{before}{bcm}{rest}").replace("[cp-1, cp-2, cp-3]", "[cp-1, 102, etcd]");
    let report = validated(&text).exits(1).json();
    assert!(
        has(&report, "nodes.bad-name", "nodes.controlPlane[1]")
            && has(&report, "nodes.bad-name", "nodes.controlPlane[2]"),
        "{report:#}"
    );
}

#[test]
fn ranges_are_judged_alone() {
    let (pods, services) = ("kubernetes.network.pods", "kubernetes.network.services");
    all(&[
        (RANGES, "network: {services: 10.128.0.0/11}", 1, "site.range", services),
        (RANGES, "network: {services: 10.150.0.0/29}", 1, "site.range", services),
        (RANGES, "network: {pods: 172.29.0.0/16, services: 10.144.0.0/12}", 0, "-", "-"),
        (RANGES, "network: {pods: 172.29.0.0/16, services: 10.150.0.16/28}", 0, "-", "-"),
        (RANGES, "network: {pods: 10.0.0.0/9, nodePrefix: 26}", 1, "site.range", pods),
        (RANGES, "network: {pods: 224.0.0.0/8}", 1, "site.range", pods),
        (RANGES, "network: {pods: 0.0.0.0/8}", 1, "site.range", pods),
        (RANGES, "network: {services: 169.254.0.0/16}", 1, "site.range", services),
        (RANGES, "network: {pods: 240.0.0.0/8}", 1, "site.range", pods),
        (RANGES, "network: {pods: 100.0.0.0/8, nodePrefix: 24}", 0, "site.range-public", pods),
        (RANGES, "network: {services: 203.0.113.0/24}", 0, "site.range-public", services),
        (RANGES, "network: {pods: 172.29.0.0/27, nodePrefix: 30}", 1, "site.range", pods),
    ]);
}

#[test]
fn mirrors_with_a_path_and_registries_under_other_names() {
    let mirror = |registry: &str, endpoint: &str| {
        format!("{RANGES}\nregistries: {{mirrors: [{{registry: {registry}, endpoints: [\"{endpoint}\"]}}]}}")
    };
    let fine = "https://m.example.com";
    let cases = [
        (mirror("docker.io", "https://m.example.com/"), 0, "-", "-"),
        (mirror("docker.io", "https://m.example.com/v2/a/b/"), 0, "-", "-"),
        (
            mirror("docker.io", "https://m.example.com/docker"),
            0,
            "site.mirror-path",
            "registries.mirrors[0].endpoints[0]",
        ),
        (mirror("docker.io", "https://m.example.com/v2/a?b"), 1, "site.wrong-value", "-"),
        (mirror("index.docker.io", fine), 1, "site.registry-name", "registries.mirrors[0].registry"),
        (mirror("hub.docker.com", fine), 1, "site.registry-name", "-"),
        (mirror("Docker.io", fine), 1, "site.registry-name", "-"),
        (mirror("quay.io:443", fine), 1, "site.registry-name", "-"),
        (mirror("k8s.gcr.io", fine), 1, "site.registry-name", "-"),
        (mirror("mirror.example.com:5000", fine), 0, "-", "-"),
    ];
    for (text, exit, code, subject) in &cases {
        judged(text, validated(&site(&[(RANGES, text)])), *exit, code, subject);
    }
    let login = format!(
        "{RANGES}\nregistries: {{logins: [{{registry: registry-1.docker.io, username: u, password: {{env: BOOTSTRAP_PASSWORD}}}}]}}"
    );
    judged("login", validated(&site(&[(RANGES, &login)])), 1, "site.registry-name", "registries.logins[0].registry");
}

#[test]
fn brackets_in_selectors() {
    let workers = "workers: [\"gpu-[12]\"]";
    all(&[
        (workers, "workers: [\"gpu-[1-2]\"]", 0, "-", "-"),
        (workers, "workers: [\"gpu-{1,2}\"]", 0, "-", "-"),
        (workers, "workers: [\"{gpu-1,gpu-2}\"]", 0, "-", "-"),
        (workers, "workers: [\"gpu-[!9]\"]", 0, "-", "-"),
        (workers, "workers: [\"gpu-[01:02]\"]", 1, "site.range-selector", "nodes.workers[0]"),
        (workers, "workers: [\"gpu-[1-2,4]\"]", 1, "site.range-selector", "nodes.workers[0]"),
        (workers, "workers: [\"gpu-{1..2}\"]", 1, "site.range-selector", "nodes.workers[0]"),
        (workers, "workers: [\"GPU-*\"]", 1, "site.wrong-value", "nodes.workers[0]"),
        (workers, "workers: [\"~gpu-.*\"]", 1, "site.wrong-value", "nodes.workers[0]"),
        ("gpu: [gpu-*]", "gpu: [\"gpu-[1-16]\"]", 1, "site.range-selector", "nodes.gpu[0]"),
    ]);
}

/// With BCM the names are not known: whatever a valid selector is, nothing is said about names that had to be made up.
#[test]
fn validate_never_needs_names_that_it_cannot_know() {
    let listed = site(&[]);
    let (before, after) = listed.split_once("inventory:").unwrap();
    let rest = after.split_once("networks:").unwrap().1;
    let bcm = "inventory:\n  bcm: {endpoint: \"https://bcm:8081\", username: {env: U}, password: {env: P}}\nnetworks:";
    let good = format!("{before}{bcm}{rest}");
    let selectors = [
        ("[cp-1, cp-2, cp-3]", "[\"cp-[12]\"]"),
        ("[cp-1, cp-2, cp-3]", "[cp-1, \"k8s-*\"]"),
        ("[cp-1, cp-2, cp-3]", "[{category: \"K8S Control\"}]"),
        ("[\"gpu-[12]\"]", "[\"dgx-h100-r[1-3]-n0[1-8]\"]"),
        ("[\"gpu-[12]\"]", "[\"[a-c][!x]-{p,q}*\"]"),
        ("[\"gpu-[12]\"]", "[\"*\"]"),
        ("[\"gpu-[12]\"]", "[\"[0-9][0-9]\"]"),
        ("[\"gpu-[12]\"]", "[\"dgx-?\", {category: DGX_H100}]"),
    ];
    for (from, to) in selectors {
        let text = good.replace(from, to).replace("  gpu: [gpu-*]\n", "");
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("site.yaml"), &text).unwrap();
        judged(to, plinth(folder.path(), &["validate", "--json"]), 0, "-", "-");
        if to != "[\"*\"]" {
            plinth(folder.path(), &["rehearse"]).exits(0);
        }
    }
}

#[test]
fn taints_and_labels_that_are_not_ones_own() {
    let nodes = "  gpu: [gpu-*]\n";
    let with = |what: &str| format!("  gpu: [gpu-*]\n  overrides: {{gpu-1: {{{what}}}}}\n");
    let cases = [
        ("taints: [\"a=b:NoSchedule\", \"a:NoSchedule\"]", 1, "site.taint", "nodes.overrides.gpu-1.taints[1]"),
        ("taints: [\"a=b:NoSchedule\", \"a=b:NoExecute\"]", 0, "-", "-"),
        ("taints: [\"node.kubernetes.io/unreachable:NoExecute\"]", 1, "site.taint", "-"),
        ("labels: {kubernetes.io/arch: arm64}", 1, "site.label", "-"),
        ("labels: {kubernetes.io/os: windows}", 1, "site.label", "-"),
        ("labels: {node-role.kubernetes.io/control-plane: \"\"}", 1, "site.label", "-"),
        ("labels: {topology.kubernetes.io/zone: a, node-role.kubernetes.io/gpu: \"\"}", 0, "-", "-"),
    ];
    for (what, exit, code, subject) in cases {
        judged(what, validated(&site(&[(nodes, &with(what))])), exit, code, subject);
    }
}

#[test]
fn shared_addresses_at_the_edge_of_a_network() {
    let with = |what: &str| format!("{RANGES}\n{what}");
    let cases = [
        ("  api: {endpoint: {kubeVip: {address: 198.18.10.0}}}", 1, "kubernetes.api.endpoint.kubeVip.address"),
        (
            "  api: {endpoint: {loadBalancer: {address: 198.18.10.255}}}",
            1,
            "kubernetes.api.endpoint.loadBalancer.address",
        ),
        ("platform: {loadBalancer: {addresses: [198.18.10.192/26]}}", 1, "platform.loadBalancer.addresses[0]"),
        ("platform: {loadBalancer: {addresses: [198.18.10.0-198.18.10.9]}}", 1, "platform.loadBalancer.addresses[0]"),
        ("platform: {loadBalancer: {addresses: [198.18.10.192-198.18.10.254]}}", 0, "-"),
    ];
    for (what, exit, subject) in cases {
        let code = if exit == 1 { "site.address-edge" } else { "-" };
        judged(what, validated(&site(&[(RANGES, &with(what))])), exit, code, subject);
    }
}

#[test]
fn what_cannot_be_seen_and_what_nobody_fills_in() {
    let version = "version: v1.31.9";
    all(&[
        (version, "version: \u{a0}v1.31.9", 1, "site.invisible", "-"),
        (version, "version: v1.31.9\u{200b}", 1, "site.invisible", "-"),
        (version, "\u{3000}version: v1.31.9", 1, "site.invisible", "-"),
        (version, "version: v1.31.9 # from\u{a0}the vendor", 0, "-", "-"),
        (version, "version: $K8S_VERSION", 1, "site.variable", "kubernetes.version"),
        (version, "version: \"{{ version }}\"", 1, "site.variable", "kubernetes.version"),
        ("production: 198.18.10.0/24", "production: ${NET:-10.0.0.0/24}", 1, "site.variable", "-"),
        ("metadata: {name: lab}", "metadata: {name: \"${SITE}\"}", 1, "site.variable", "metadata.name"),
        ("{env: BOOTSTRAP_PASSWORD}", "${BOOTSTRAP_PASSWORD}", 1, "site.variable", "-"),
        ("{env: BOOTSTRAP_PASSWORD}", "{exec: [sh, -c, 'echo \"${HOME}\"']}", 0, "-", "-"),
    ]);
    let ran = validated(&site(&[(version, "version: v1.31.9\u{a0}")])).exits(1);
    let finding = &ran.json()["findings"][0];
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(19), Some(19)), "{finding:#}");
}

#[test]
fn folders_for_images_inside_each_other() {
    let with = |what: &str| format!("{RANGES}\nstorage: {{{what}}}");
    for (what, exit) in [
        ("larger: /var/lib/containerd/big", 1),
        ("images: /local/containerd/a", 1),
        ("images: /data, larger: /data", 1),
        ("images: /data/a, larger: /data/ab", 0),
        ("larger: /raid/containerd", 0),
    ] {
        let (code, subject) = if exit == 1 { ("site.storage", "-") } else { ("-", "-") };
        judged(what, validated(&site(&[(RANGES, &with(what))])), exit, code, subject);
    }
}

/// An inventory as `discover --save` writes it, with machines of several kinds.
fn recorded(names: &[(&str, &str)]) -> Value {
    let node = |at: usize, name: &str, kind: &str| {
        json!({"name": name, "uuid": "", "kind": kind, "category": "dgx", "template": false, "given": null, "interfaces": [{
            "name": "bond0", "kind": "bond", "address": format!("198.18.10.{}", at + 11), "dhcp": false, "start": "ALWAYS",
            "network": "prod", "priority": 60}]})
    };
    json!({
        "schema": 1, "source": "bcm test", "categories": [{"name": "dgx", "uuid": ""}], "overlays": {"seen": "absent"},
        "nodes": names.iter().enumerate().map(|(at, (name, kind))| node(at, name, kind)).collect::<Vec<_>>(),
        "networks": [{"name": "prod", "uuid": "", "kind": "INTERNAL", "cidr": "198.18.10.0/24", "gateway": null, "dhcpPool": null,
            "management": false, "domain": "example.com", "mtu": 1500}],
    })
}

#[test]
fn discover_and_plan_have_one_truth_about_names() {
    let listed = site(&[]);
    let (before, after) = listed.split_once("inventory:").unwrap();
    let rest = after.split_once("networks:").unwrap().1;
    let bcm = "inventory:\n  bcm: {endpoint: \"https://bcm:8081\", username: {env: U}, password: {env: P}}\nnetworks:";
    let text = format!("{before}{bcm}{rest}")
        .replace("[\"gpu-[12]\"]", "[{category: dgx}]")
        .replace("198.18.10.0/24}", "prod}");
    let text = text.replace("[cp-1, cp-2, cp-3]", "[cp-1]");
    let env = [("U", "u"), ("P", "p"), ("BOOTSTRAP_PASSWORD", "b")];
    for (name, bad) in [("gpu-2", false), ("102", true), ("GPU_2", true), ("etcd", true), ("off", true)] {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("site.yaml"), &text).unwrap();
        let mut inventory =
            recorded(&[("cp-1", "physical"), ("gpu-1", "physical"), (name, "physical"), ("gpu-3", "LiteNode")]);
        inventory["nodes"][0]["category"] = json!("cpu");
        inventory["nodes"][3]["kind"] = json!({"other": "LiteNode"});
        std::fs::write(folder.path().join("inv.json"), inventory.to_string()).unwrap();
        for verb in ["discover", "plan"] {
            let ran = crate::support::plinth_with(folder.path(), &env, &[verb, "--json", "--inventory", "inv.json"]);
            assert_eq!(ran.exit, i32::from(bad), "{verb} {name}: {}\n{}", ran.stdout, ran.stderr);
            let report = ran.json();
            assert_eq!(has(&report, "nodes.bad-name", name), bad, "{verb} {name}: {report:#}");
            assert!(
                has(&report, "nodes.left-out", "nodes.workers[0]"),
                "{verb} {name}: a machine is missing without a word"
            );
        }
    }
}
