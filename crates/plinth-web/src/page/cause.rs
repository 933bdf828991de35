//! A cause of failures, as every page names it.

use super::parts::{short, told};
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use sha2::{Digest as _, Sha256};

/// A name for a cause that stays when others come.
pub(crate) fn anchor(group: &FailureGroup) -> String {
    let digest = Sha256::digest(format!("{} {}", group.code, group.cause));
    format!("cause-{}", hex::encode(digest).chars().take(10).collect::<String>())
}

/// Where: `on 47 nodes, dgx-[001-047]`.
pub(crate) fn place(group: &FailureGroup) -> String {
    match group.node_count {
        0 if group.steps.len() == 1 => format!("in {}", told(group.first.as_str())),
        0 => format!("in {}", amount(group.steps.len(), "step")),
        1 => format!("on {}", short(&group.nodes)),
        count => format!("on {}, {}", amount(count, "node"), short(&group.nodes)),
    }
}
