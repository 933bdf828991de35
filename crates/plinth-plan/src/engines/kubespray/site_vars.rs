//! The site's own variables: put last, so that they win, and judged.

use super::{add_ons, own_vars};
use crate::literal;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_site::Desired;
use serde_json::{Map, Value};

/// Variables that no supported release reads any more, or reads with another meaning, and what to use. What only newer releases
/// do not read is in `removed`.
const DEAD: [(&str, &str); 3] = [
    ("nginx_kube_apiserver_healthcheck_port", "use loadbalancer_apiserver_healthcheck_port"),
    ("nvidia_accelerator_enabled", "the GPU operator does this"),
    ("any_errors_fatal", "it is a reserved name in Ansible"),
];
/// Port of BCM's CMDaemon on every node (BCM administrator manual).
const CMDAEMON_PORT: u64 = 8081;

/// Puts the site's variables over ours.
pub(super) fn put(desired: &Desired, vars: &mut Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in &desired.kubernetes.extra_vars {
        findings.extend(dead(name));
        findings.extend(secret(name, value));
        findings.extend(bcm_port(name, value));
        let ours = vars.insert(name.clone(), value.clone());
        match add_on(name, value) {
            Some(finding) => findings.push(finding),
            None => match own_vars::refused(desired, name, ours.as_ref(), value) {
                Some(finding) => findings.push(finding),
                None => findings.extend(ours.and_then(|ours| replaces(name, &ours, value))),
            },
        }
    }
    findings
}

/// Variables that look like secrets in clear: wrong for every engine, since its variables are kept in clear.
pub(in crate::engines) fn clear_secrets(desired: &Desired) -> Vec<Finding> {
    desired.kubernetes.extra_vars.iter().filter_map(|(name, value)| secret(name, value)).collect()
}

fn subject(name: &str) -> String {
    format!("kubernetes.extraVars.{name}")
}

fn dead(name: &str) -> Option<Finding> {
    let (_, instead) = DEAD.iter().find(|(dead, _)| *dead == name)?;
    let text = format!("`{name}` has no effect in Kubespray");
    Some(Finding::warning(code::KUBERNETES_EXTRA_VAR_DEAD, subject(name), text).fix(*instead))
}

fn secret(name: &str, value: &Value) -> Option<Finding> {
    let place = literal::find(name, value)?;
    let text = format!("{place} looks like a secret in clear; this file and the plan are kept in clear");
    let fix = "use registries.logins for registry logins; other secrets cannot be given to Kubespray this way";
    Some(Finding::error(code::KUBERNETES_EXTRA_VAR_SECRET, subject(name), text).fix(fix))
}

/// The health check of the proxy on workers binds on all addresses, so it takes the port away from BCM.
fn bcm_port(name: &str, value: &Value) -> Option<Finding> {
    let same = value.as_u64().or_else(|| value.as_str()?.parse().ok()) == Some(CMDAEMON_PORT);
    (name == "loadbalancer_apiserver_healthcheck_port" && same).then(|| {
        let text = "port 8081 belongs to BCM's CMDaemon on every node";
        Finding::error(code::KUBERNETES_EXTRA_VAR_BCM_PORT, subject(name), text)
            .fix("choose another port, such as 8082, or remove it: then there is no such check")
    })
}

/// An add-on that the platform stage owns. With two owners helm refuses objects that it did not make.
fn add_on(name: &str, value: &Value) -> Option<Finding> {
    let add_on = add_ons::of(name).filter(|_| !matches!(value, Value::Bool(false)))?;
    let text = if value.is_string() {
        format!("`{name}` is a text; to Ansible every text but an empty one is true")
    } else {
        format!("`{name}` makes Kubespray install what the platform stage installs too")
    };
    let fix = match add_on.component {
        Some(component) => format!("remove it, and set `platform.components.{component}` instead"),
        None => "remove it; install it yourself after plinth".to_owned(),
    };
    Some(Finding::error(code::KUBERNETES_EXTRA_VAR_TWO_OWNERS, subject(name), text).fix(fix))
}

fn replaces(name: &str, ours: &Value, value: &Value) -> Option<Finding> {
    (ours != value).then(|| {
        let text = format!("`{name}` replaces what plinth would have written");
        Finding::warning(code::KUBERNETES_EXTRA_VAR_REPLACES, subject(name), text)
            .evidence(format!("plinth: {ours}"))
            .evidence(format!("site: {}", shown(name, value)))
            .fix("remove it unless you know why it is needed")
    })
}

fn shown(name: &str, value: &Value) -> String {
    if literal::find(name, value).is_some() { "[withheld]".to_owned() } else { value.to_string() }
}
