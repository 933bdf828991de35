//! What each kind of step does: how it looks, how it acts, what people are told of it. One file per kind, under the same name as
//! its parameters in [`plinth_model::steps`]; found through the same table, so a kind without behaviour does not compile.
//!
//! Looking never changes anything, with one exception: a `check` step is carried out by looking, and removes its test objects.

mod explain;
mod managed;
mod outcome;
mod wait;

mod bcm {
    mod identity;
}

mod checks {
    mod acceptance;
}

mod engines {
    mod existing {
        mod take_over;
    }
    pub(super) mod kubespray;
}

mod kube {
    mod control_plane;
    mod dns;
    mod gpu_runtime;
    mod kubeconfig;
    mod labels;
    mod ready;
}

pub(crate) mod node {
    pub(crate) mod account;
    pub(crate) mod connect;
    mod downloads;
    mod facts;
    mod leftovers;
    mod prepare;
    mod registries;
    mod storage;
    mod storage_old;
    mod trust;
}

mod platform {
    mod certificate;
    mod namespace;
    mod objects;
    mod release;
    mod removal;
    mod restart;
    mod rollback;
    mod rotation;
    mod secret;
    mod served;
    mod upgrade_path;
}

mod runai {
    mod connected;
    mod issuer;
    mod new;
    mod org_unit;
    mod register;

    pub(super) use new::{installed, is_new};
}

#[cfg(test)]
mod tests;

pub use engines::kubespray::downloads;
pub use explain::{EXPLANATIONS, Explanation, explain};
pub use plinth_check::is_verdict;

use crate::behaviour::{Behaviour, Probed, StepEnv};
use plinth_model::steps::StepParams;
use plinth_model::{Step, Work};
use plinth_world::ClientError;

/// The behaviour of one kind of step, implemented by its parameters.
trait StepKind: StepParams + Sync {
    /// What people are told of it.
    const EXPLANATION: Explanation;

    /// Looks. Changes nothing.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError>;

    /// Makes it as the plan wants it, or waits for it; answers one line for people.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError>;
}

/// The behaviours, looked up by the kind of a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kinds;

macro_rules! dispatch {
    ($(($params:ident, $kind:literal))*) => {
        #[async_trait::async_trait]
        impl Behaviour for Kinds {
            async fn probe(&self, step: &Step, env: &StepEnv) -> Result<Probed, ClientError> {
                match &step.work {
                    $(Work::$params(params) => params.probe(env).await,)*
                }
            }

            async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
                match &step.work {
                    $(Work::$params(params) => params.act(step, env).await,)*
                }
            }
        }
    };
}

plinth_model::step_kinds!(dispatch);
