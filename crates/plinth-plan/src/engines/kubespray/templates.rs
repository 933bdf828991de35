//! Values that Ansible would run, or read as something else. It takes every text of a variable for a template of Jinja, and a template may start programs on the
//! machine where Ansible runs: whoever writes a value would run what he likes. None is handed on.

use super::group_vars::group_vars;
use super::inventory::inventory;
use crate::catalog::KubesprayChoice;
use crate::cluster::Cluster;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::text::{is_mark, named, template};
use plinth_site::Desired;
use serde_json::Value;

/// Longest part of a template that is shown, characters.
const SHOWN: usize = 80;

/// Variables whose text is the site's own, with no rule that bounds it, and where it stands.
const PLACES: [(&str, &str); 7] = [
    ("kube_oidc_url", "kubernetes.api.oidc.issuer"),
    ("kube_oidc_client_id", "kubernetes.api.oidc.client"),
    ("kube_oidc_username_claim", "kubernetes.api.oidc.usernameClaim"),
    ("kube_oidc_username_prefix", "kubernetes.api.oidc.usernamePrefix"),
    ("kube_oidc_groups_claim", "kubernetes.api.oidc.groupsClaim"),
    ("kube_oidc_groups_prefix", "kubernetes.api.oidc.groupsPrefix"),
    ("calico_ip_auto_method", "kubernetes.network.calico.interface"),
];

/// A finding for each variable with a template in it, and for each host of the inventory.
pub(super) fn refused(desired: &Desired, vars: &Value, inventory: &Value) -> Vec<Finding> {
    let vars = vars.as_object().into_iter().flatten();
    let of_vars = vars.filter_map(|(name, value)| {
        let text = template(value).or_else(|| named(name))?;
        Some(finding(&place(desired, name), text))
    });
    let all = &inventory["all"];
    let hosts = all["hosts"].as_object().into_iter().flatten();
    let of_hosts = hosts.filter_map(|(node, vars)| Some(finding(&format!("nodes.overrides.{node}"), template(vars)?)));
    let of_all = template(&all["vars"]).map(|text| finding("access", text));
    of_vars.chain(of_hosts).chain(of_all).collect()
}

/// The same for operations that use the files and have no place for what is doubtful about them.
pub(super) fn of(desired: &Desired, cluster: &Cluster, engine: &KubesprayChoice) -> Vec<Finding> {
    refused(desired, &group_vars(desired, cluster, engine).0, &inventory(desired, cluster))
}

/// Where the site file says what a variable holds.
fn place(desired: &Desired, name: &str) -> String {
    if desired.kubernetes.extra_vars.contains_key(name) {
        return format!("kubernetes.extraVars.{name}");
    }
    let known = PLACES.into_iter().find(|(variable, _)| name == *variable);
    known.map_or("kubernetes", |(_, place)| place).to_owned()
}

fn finding(place: &str, text: &str) -> Finding {
    let shown: String = text.chars().take(SHOWN).collect();
    let (what, fix) = if is_mark(text) {
        (
            "a mark of Ansible's own: it would decrypt what stands there, or read it in another way",
            "write the value itself",
        )
    } else {
        (
            "a template: Ansible would run it on this machine",
            "write the value that it stands for, without `{{`, `{%` and `{#`",
        )
    };
    Finding::error(code::KUBERNETES_TEMPLATE, place, format!("`{shown}` is {what}")).fix(fix)
}
