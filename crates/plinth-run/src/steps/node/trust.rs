//! Trust: a person compared a host key, and it takes the place of the pinned one.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::NodeTrust;
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::node::HostKey;

impl StepKind for NodeTrust {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeTrust::KIND,
        title: "The host key that a person compared is the pinned one.",
        probe: "Connects far enough to see the host key. A node that shows another key than the one that was compared is stopped.",
        act: "Pins that key in place of any other; the journal keeps the decision.",
    };

    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let wanted = key(self);
        let state = env.clients.node.host_key(&env.ctx, &self.target).await?;
        if state.presented != wanted {
            return blocked(other_key(self, &state.presented));
        }
        match &state.pinned {
            Some(pinned) if *pinned == wanted => done(format!("host key {} is pinned", pinned.fingerprint)),
            Some(pinned) => todo(format!("~ host key {} → {}", pinned.fingerprint, wanted.fingerprint)),
            None => todo(format!("+ host key {} {}", wanted.algorithm, wanted.fingerprint)),
        }
    }

    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        env.clients.node.repin_host_key(&env.ctx, &self.target, &key(self)).await?;
        Ok(format!("host key {} pinned in place of any other", self.fingerprint))
    }
}

fn key(trust: &NodeTrust) -> HostKey {
    HostKey { algorithm: trust.algorithm.clone(), fingerprint: trust.fingerprint.clone() }
}

fn other_key(trust: &NodeTrust, presented: &HostKey) -> Finding {
    let text = "the node shows another host key than the one that was compared";
    Finding::error(code::NODE_HOST_KEY_CHANGED, trust.target.node.as_str(), text)
        .evidence(format!("compared: {} {}", trust.algorithm, trust.fingerprint))
        .evidence(format!("presented: {} {}", presented.algorithm, presented.fingerprint))
        .evidence(format!("address: {}", trust.target.address))
        .fix("find out why: a node shows the same key each time; then run `plinth trust` again")
}
