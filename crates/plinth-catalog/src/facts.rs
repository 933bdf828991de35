//! What is known of a site where values are made.

use serde_json::Value;
use std::collections::BTreeMap;

/// What the catalog's values may refer to: flat names to JSON values, made by the planner from desired state and inventory.
/// The names are listed in `catalog/README.md`.
pub type Facts = BTreeMap<String, Value>;
