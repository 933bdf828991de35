//! The files that Kubespray reads, as texts.

use super::group_vars::group_vars;
use super::inventory::{self, inventory};
use super::templates;
use crate::catalog::KubesprayChoice;
use crate::cluster::Cluster;
use indexmap::IndexMap;
use plinth_model::{Finding, NodeName};
use plinth_site::Desired;
use serde_json::Value;

/// File name below the site's state directory to content.
pub type Files = IndexMap<String, String>;

/// Name of the inventory file.
pub const INVENTORY: &str = plinth_model::steps::INVENTORY_FILE;
/// Name of the variables file.
pub const GROUP_VARS: &str = plinth_model::steps::VARIABLES_FILE;

/// All files of a cluster, and what is doubtful about the site's own variables.
#[must_use]
pub fn files(desired: &Desired, cluster: &Cluster, engine: &KubesprayChoice) -> (Files, Vec<Finding>) {
    let (vars, mut findings) = group_vars(desired, cluster, engine);
    let inventory = inventory(desired, cluster);
    findings.extend(templates::refused(desired, &vars, &inventory));
    let files = [(INVENTORY, json(&inventory)), (GROUP_VARS, json(&vars))];
    (files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(), findings)
}

/// The same files for a recovery: the inventory has the survivors first, and says who is broken. Variables are the usual ones, so that
/// nothing of the cluster comes out otherwise than it was.
#[must_use]
pub fn recovery_files(desired: &Desired, cluster: &Cluster, engine: &KubesprayChoice, broken: &[NodeName]) -> Files {
    let (mut files, _) = files(desired, cluster, engine);
    files.insert(INVENTORY.to_owned(), json(&inventory::recovery(desired, cluster, broken)));
    files
}

/// Pretty JSON, in the order of the value, with a line break at the end.
#[must_use]
pub fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// YAML, for people.
///
/// # Errors
/// When the value cannot be written as YAML; the text says why.
pub fn yaml(value: &Value) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|error| error.to_string())
}
