//! What a cluster says of its storage.

use crate::ReleaseName;
use serde::{Deserialize, Serialize};

/// A storage class that claims get which name none. A cluster should have exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefaultClass {
    /// Of the class; unique in the cluster.
    pub name: String,
    /// The release that it is marked to belong to; none: to no release of helm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseName>,
}
