//! Names of plinth's in the configuration of the cluster's DNS, against a real API server: in CoreDNS and in caches on the nodes, beside what
//! others write there.

use crate::stand::Stand;
use plinth_world::kube::ClusterDns as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const NAME: &str = "runai.lab.example";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 184, 162, 5);
const SERVERS: &str =
    ".:53 {\n    errors\n    kubernetes cluster.local\n    forward . /etc/resolv.conf\n    reload\n}\n";
/// In the shape of Kubespray's cache: only the cluster's own zone goes to its servers, and the second one is for a second cache.
const CACHE: &str = "cluster.local:53 {\n    bind 169.254.25.10\n    forward . 10.0.0.10 {\n        force_tcp\n    }\n}\n.:53 {\n    bind 169.254.25.10\n    forward . /etc/resolv.conf\n}\n";
/// One that asks the cluster's servers for everything needs nothing of its own.
const FORWARDING: &str = ".:53 {\n    bind 169.254.20.10\n    forward . __PILLAR__CLUSTER__DNS__\n}\n";

fn map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kube-system"}, "data": data})
}

impl Stand {
    fn map(&self, name: &str) -> Value {
        let get = ["get", "configmap", name, "-n", "kube-system", "--show-managed-fields", "-o", "json"];
        serde_json::from_str(&self.plane.kubectl(&get).unwrap()).unwrap()
    }

    fn corefile(&self, map: &str, key: &str) -> String {
        self.map(map)["data"][key].as_str().unwrap().to_owned()
    }

    fn versions(&self) -> Vec<Value> {
        ["coredns", "nodelocaldns", "node-local-dns"]
            .map(|name| self.map(name)["metadata"]["resourceVersion"].clone())
            .into()
    }

    fn entry(&self, entry: Option<(&str, Ipv4Addr)>) {
        self.run(self.client.set_entry(&self.ctx, entry)).unwrap();
    }
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_name_is_in_every_configuration_that_answers_pods_and_goes_again() {
    let stand = Stand::introduced();
    let none = stand.run(stand.client.set_entry(&stand.ctx, Some((NAME, ADDRESS)))).unwrap_err();
    assert!(none.happened.contains("no Corefile in kube-system/coredns"), "{none}");
    stand.entry(None);
    for one in [
        map("coredns", &json!({"Corefile": SERVERS})),
        map("nodelocaldns", &json!({"Corefile": CACHE, "Corefile-second": CACHE})),
        map("node-local-dns", &json!({"Corefile": FORWARDING})),
    ] {
        stand.apply(&one);
    }
    stand.entry(Some((NAME, ADDRESS)));
    let line = format!("        {ADDRESS} {NAME}\n");
    for (map, key) in [("coredns", "Corefile"), ("nodelocaldns", "Corefile"), ("nodelocaldns", "Corefile-second")] {
        assert_eq!(stand.corefile(map, key).matches(&line).count(), 1, "{map}/{key}: {}", stand.corefile(map, key));
    }
    assert_eq!(stand.corefile("node-local-dns", "Corefile"), FORWARDING, "it asks those that have it");
    assert_eq!(stand.run(stand.client.own_entries(&stand.ctx)).unwrap(), BTreeSet::from([NAME.to_owned()]));
    let owners = stand.map("nodelocaldns")["metadata"]["managedFields"].to_string();
    assert!(owners.contains("\"plinth\""), "whoever applies it server side is told who changed it: {owners}");

    let versions = stand.versions();
    stand.entry(Some((NAME, ADDRESS)));
    assert_eq!(stand.versions(), versions, "nothing to do");

    // Somebody changes their part, and plinth's stays; then plinth's moves, and theirs stays.
    let theirs = |text: &str| text.replace("forward . /etc/resolv.conf", "forward . 10.0.0.53");
    let patch = json!({"data": {"Corefile": theirs(&stand.corefile("nodelocaldns", "Corefile"))}}).to_string();
    stand
        .plane
        .kubectl(&["patch", "configmap", "nodelocaldns", "-n", "kube-system", "--type=merge", "-p", &patch])
        .unwrap();
    let versions = stand.versions();
    stand.entry(Some((NAME, ADDRESS)));
    assert_eq!(stand.versions(), versions, "what others changed is not undone");
    stand.entry(Some(("other.lab.example", ADDRESS)));
    assert_eq!(stand.run(stand.client.own_entries(&stand.ctx)).unwrap(), ["other.lab.example".to_owned()].into());
    let moved = stand.corefile("nodelocaldns", "Corefile");
    assert!(moved.contains("forward . 10.0.0.53") && !moved.contains(NAME), "{moved}");

    // Kubespray writes the map again as it does, client side: nothing clashes, and the next look finds that the name is missing.
    let file = stand.folder.path().join("map.json");
    std::fs::write(&file, map("nodelocaldns", &json!({"Corefile": CACHE, "Corefile-second": CACHE})).to_string())
        .unwrap();
    stand.plane.kubectl(&["apply", "-f", file.to_str().unwrap()]).unwrap();
    assert_eq!(stand.corefile("nodelocaldns", "Corefile"), CACHE);
    stand.entry(Some(("other.lab.example", ADDRESS)));
    assert_eq!(stand.corefile("nodelocaldns", "Corefile").matches("other.lab.example\n").count(), 1);

    // Run:ai is switched off.
    stand.entry(None);
    assert!(stand.run(stand.client.own_entries(&stand.ctx)).unwrap().is_empty());
    assert_eq!(stand.corefile("coredns", "Corefile"), SERVERS);
    assert_eq!(stand.corefile("nodelocaldns", "Corefile"), CACHE);
    assert_eq!(stand.corefile("nodelocaldns", "Corefile-second"), CACHE);
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn what_kubespray_gives_is_enough_and_what_somebody_else_answers_is_not_overruled() {
    let stand = Stand::introduced();
    let hosts = "    hosts /etc/coredns/hosts {\n        fallthrough\n    }\n}\n";
    let of = |text: &str| json!({"Corefile": text.strip_suffix("}\n").unwrap().to_owned() + hosts, "hosts": format!("{ADDRESS} {NAME}\n")});
    for one in [map("coredns", &of(SERVERS)), map("nodelocaldns", &of(CACHE)), map("node-local-dns", &of(FORWARDING))] {
        stand.apply(&one);
    }
    let versions = stand.versions();
    stand.entry(Some((NAME, ADDRESS)));
    assert_eq!(stand.versions(), versions, "the engine's own setting has it");
    let error = stand.run(stand.client.set_entry(&stand.ctx, Some((NAME, Ipv4Addr::LOCALHOST)))).unwrap_err();
    assert!(error.happened.contains(&format!("leads {NAME} to {ADDRESS} already")), "{error}");
    assert!(error.attempt.contains("let the DNS of the cluster answer 127.0.0.1"), "{error}");
    assert_eq!(stand.versions(), versions, "nothing was changed");
}
