//! Add-ons of Kubespray that the platform stage owns. They stay off: with two owners of one object helm refuses.

use super::line::Line;
use serde_json::{Map, Value, json};

pub(super) struct AddOn {
    /// The variable that switches it on.
    pub(super) switch: &'static str,
    /// The component of the platform that does the same.
    pub(super) component: Option<&'static str>,
    /// First and last minor of Kubespray 2 that have it, as far as known.
    minors: (u64, u64),
}

const EVER: u64 = u64::MAX;

const fn add_on(switch: &'static str, component: Option<&'static str>, minors: (u64, u64)) -> AddOn {
    AddOn { switch, component, minors }
}

/// All of them, with the releases that know the switch (read from the release tags).
const ADD_ONS: [AddOn; 9] = [
    add_on("metrics_server_enabled", Some("metrics-server"), (0, EVER)),
    add_on("local_path_provisioner_enabled", Some("local-path-provisioner"), (0, EVER)),
    add_on("helm_enabled", None, (0, EVER)),
    add_on("cert_manager_enabled", None, (0, EVER)),
    add_on("ingress_nginx_enabled", Some("ingress-nginx"), (0, 30)),
    add_on("metallb_enabled", Some("metallb"), (0, EVER)),
    add_on("argocd_enabled", None, (0, EVER)),
    add_on("gateway_api_enabled", None, (26, EVER)),
    add_on("node_feature_discovery_enabled", Some("gpu-operator"), (25, EVER)),
];

/// The switches that a release knows, off.
pub(super) fn off(line: Line) -> Map<String, Value> {
    let known = ADD_ONS.iter().filter(|add_on| line.is_within(add_on.minors));
    known.map(|add_on| (add_on.switch.to_owned(), json!(false))).collect()
}

/// The add-on that a variable switches on.
pub(super) fn of(variable: &str) -> Option<&'static AddOn> {
    ADD_ONS.iter().find(|add_on| add_on.switch == variable)
}
