//! First contact: SSH answers, and its host key is pinned.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;

use crate::steps::outcome::{blocked, done, refused, todo};
use plinth_model::steps::{NodeConnect, NodeTarget};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::node::{HostKey, HostKeyState};

const CLIENT: &str = "node";

impl StepKind for NodeConnect {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeConnect::KIND,
        title: "SSH answers, and the node's host key is known.",
        probe: "Connects far enough to see the host key and compares it with the pinned one. A changed key stops the node.",
        act: "Pins the key that is presented on first contact; the journal keeps that decision.",
    };

    /// Pinned and the same, not pinned yet, or pinned and different.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target } = self;
        let state = env.host_key(target).await?;
        match &state.pinned {
            Some(pinned) if *pinned == state.presented => done(format!("host key {} is pinned", pinned.fingerprint)),
            Some(pinned) => blocked(key_changed(target, pinned, &state.presented)),
            None => todo(format!(
                "+ host key {} {} (first contact)",
                state.presented.algorithm, state.presented.fingerprint
            )),
        }
    }

    /// Pins the key that is presented now, unless another one was pinned meanwhile.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target } = self;
        let HostKeyState { presented, pinned } = env.clients.node.host_key(&env.ctx, target).await?;
        if let Some(pinned) = pinned.filter(|pinned| *pinned != presented) {
            return Err(refused(
                CLIENT,
                format!("pinning the host key of {}", target.node),
                key_changed(target, &pinned, &presented),
            ));
        }
        env.clients.node.pin_host_key(&env.ctx, target, &presented).await?;
        Ok(format!("host key {} accepted on first contact and pinned", presented.fingerprint))
    }
}

pub(crate) fn key_changed(target: &NodeTarget, pinned: &HostKey, presented: &HostKey) -> Finding {
    Finding::error(code::NODE_HOST_KEY_CHANGED, target.node.as_str(), "the host key is not the one that was pinned")
        .evidence(format!("pinned: {} {}", pinned.algorithm, pinned.fingerprint))
        .evidence(format!("presented: {} {}", presented.algorithm, presented.fingerprint))
        .evidence(format!("address: {}", target.address))
        .fix(format!(
            "if BCM re-imaged this node, that is expected: \
             run `plinth trust {}`; if not, somebody may be intercepting the connection: investigate first",
            target.node
        ))
}
