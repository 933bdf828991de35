//! What a simulated BCM knows.

use super::SimBcmError;
use serde_json::Value;

const CAPTURED_NODES: &str = include_str!("../../data/bcm/getNodes.json");
const CAPTURED_NETWORKS: &str = include_str!("../../data/bcm/getNetworks.json");
const CAPTURED_CATEGORIES: &str = include_str!("../../data/bcm/getCategories.json");
const CAPTURED_USERS: &str = include_str!("../../data/bcm/getUsers.json");
const CAPTURED_KUBE_CLUSTER: &str = include_str!("../../data/bcm/kube_cluster.json");
const BASEPOD_NODES: &str = include_str!("../../data/bcm/getNodes_basepod.json");
const BASEPOD_NETWORKS: &str = include_str!("../../data/bcm/getNetworks_basepod.json");

/// Categories of the basepod: the names, and the ids that its nodes refer to.
const BASEPOD_CATEGORIES: [(&str, &str); 2] =
    [("cpu", "1010a6ba-f80c-53db-98fa-32cf760eaa03"), ("dgx-h100", "3ecd74bb-51f4-5d6f-ae1b-833847d8f112")];

/// Entities, as CMDaemon would send them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BcmFixture {
    /// Devices: head nodes and physical nodes.
    pub devices: Vec<Value>,
    /// Answered to `getNetworks`, as they are.
    pub networks: Vec<Value>,
    /// Answered to `getCategories`, as they are.
    pub categories: Vec<Value>,
    /// Answered to `getUsers`; empty in one that is made from an inventory.
    pub users: Vec<Value>,
    /// Kubernetes clusters that BCM keeps books about.
    pub kube_clusters: Vec<Value>,
}

impl BcmFixture {
    /// The captured system: one head node and two nodes that never booted.
    ///
    /// # Errors
    /// When the embedded data is broken: our bug.
    pub fn captured() -> Result<Self, SimBcmError> {
        Ok(Self {
            devices: list(CAPTURED_NODES)?,
            networks: list(CAPTURED_NETWORKS)?,
            categories: list(CAPTURED_CATEGORIES)?,
            users: list(CAPTURED_USERS)?,
            kube_clusters: vec![parse(CAPTURED_KUBE_CLUSTER)?],
        })
    }

    /// The constructed DGX site with its three traps. Its categories are the captured one under other names.
    ///
    /// # Errors
    /// When the embedded data is broken: our bug.
    pub fn basepod() -> Result<Self, SimBcmError> {
        let captured = Self::captured()?;
        let derived = |(name, uuid): &(&str, &str)| {
            let mut category = captured.categories.first().cloned().unwrap_or_default();
            for (field, value) in [("name", *name), ("uuid", *uuid), ("parent_uuid", *uuid)] {
                category[field] = Value::from(value);
            }
            category
        };
        Ok(Self {
            devices: list(BASEPOD_NODES)?,
            networks: list(BASEPOD_NETWORKS)?,
            categories: BASEPOD_CATEGORIES.iter().map(derived).collect(),
            users: captured.users.clone(),
            kube_clusters: Vec::new(),
        })
    }
}

fn list(text: &str) -> Result<Vec<Value>, SimBcmError> {
    serde_json::from_str(text).map_err(SimBcmError::of("reading embedded data"))
}

fn parse(text: &str) -> Result<Value, SimBcmError> {
    serde_json::from_str(text).map_err(SimBcmError::of("reading embedded data"))
}
