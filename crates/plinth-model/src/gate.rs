//! The gates that plans have, and their answers: one definition for the planner that shows them and the step that answers them.

use crate::NodeName;

/// Answer of a storage gate: images stay where they are.
pub const FITS: &str = "fits";
/// Answer of a storage gate: images move to the larger place, or live there already.
pub const RELOCATE: &str = "relocate";

/// Id of the gate that waits for the size of a node's disk.
#[must_use]
pub fn storage(node: &NodeName) -> String {
    format!("storage/{node}")
}
