//! A node that is not reached is the same finding wherever that is noticed: when the nodes are checked before a run, and by any step of it.

use plinth_model::finding::code;
use plinth_model::{Finding, Owner};
use plinth_world::{Cause, ClientError};

/// Whether an error says that the node itself was not reached, or was lost: it did not answer, or not in time.
pub(crate) fn is_unreached(error: &ClientError) -> bool {
    error.client == "node" && error.transient.is_some() && matches!(error.cause, Cause::Unreachable | Cause::Timeout)
}

/// The finding about it: what may pass by itself is a matter of the network.
pub(crate) fn unreached(node: &str, error: ClientError) -> Finding {
    let owner = if error.transient.is_some() { Owner::NetworkTeam } else { Owner::You };
    Finding::error(code::NODE_UNREACHABLE, node, error.happened).owner(owner).evidence(error.doing).fix(error.attempt)
}
