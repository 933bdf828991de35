//! Which versions of what a site works with, as far as that is known without asking anybody: for whoever is asked for help.

use crate::Input;
use plinth_model::Plan;
use plinth_model::steps::{HelmRelease, Work};
use serde_json::{Value, json};
use std::path::Path;

/// Versions by what they are of: what the site file asks for, what the catalog of this plinth pins, what the plan of a run uses, and what
/// was made here for it. What is not known is left out.
#[must_use]
pub fn versions(input: &Input, state: &Path, plan: Option<&str>) -> Value {
    let (desired, catalog) = (&input.site.desired, &input.catalog);
    let mut known = json!({
        "catalog": catalog.digest(),
        "kubernetes": desired.kubernetes.version,
        "helm": { "pinned": catalog.helm_pin().version },
    });
    let environments = plinth_ansible::environments(state);
    if !environments.is_empty() {
        known["pythonEnvironments"] = json!(environments);
    }
    let plan: Option<Plan> = plan.and_then(|plan| serde_json::from_str(plan).ok());
    let release = plan.iter().flat_map(|plan| &plan.steps).find_map(|step| match &step.work {
        Work::KubesprayEnvironment(made) => Some(&made.release),
        _ => None,
    });
    if let Some(release) = release {
        known["kubespray"] = json!({
            "release": release.tag,
            "commit": release.commit,
            "ansible": release.ansible,
            "ansibleCore": release.ansible_core,
            "python": release.python,
        });
    }
    let charts = plan.iter().flat_map(|plan| &plan.steps).filter_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some((release.release.clone(), json!(release.version))),
        _ => None,
    });
    let charts: serde_json::Map<String, Value> = charts.collect();
    if !charts.is_empty() {
        known["charts"] = Value::Object(charts);
    }
    known
}
