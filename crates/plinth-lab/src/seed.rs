//! Real content for containerd.

use crate::error::LabResult;
use crate::node::Node;

const SCRIPT: &str = include_str!("scripts/seed.sh");

/// Name of the image that seeding makes.
pub const IMAGE: &str = "lab.example/seed:1";

/// Imports an image of about `mib` mebibytes: blobs, and snapshots with hard links, whiteouts, odd owners and modes.
pub(crate) fn sow(node: &Node<'_>, mib: u32) -> LabResult<()> {
    let script = format!("MIB={mib}\nIMAGE={IMAGE}\n{SCRIPT}");
    node.fed(&["/bin/sh", "-eu"], script.as_bytes()).map(drop)
}
