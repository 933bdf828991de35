//! The kinds of steps, as data: one file per kind, one table that lists them all.
//!
//! [`Work`], the dispatch in `plinth-run` and the reference of kinds are made from the table [`step_kinds!`](crate::step_kinds).
//! Nothing here can run. No value in here is a secret: secrets are named by [`crate::SecretRef`] and fetched by the behaviour at
//! the moment of use.

pub mod bcm;
pub mod checks;
pub mod engines;
pub mod kube;
pub mod node;
pub mod platform;
pub mod runai;

pub use bcm::*;
pub use checks::*;
pub use engines::existing::*;
pub use engines::kubespray::*;
pub use kube::*;
pub use node::*;
pub use platform::*;
pub use runai::*;

use crate::NodeName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the parameters of every kind of step answer.
pub trait StepParams {
    /// Whether it only looks: it changes nothing, ever.
    const READS_ONLY: bool;

    /// The node it touches, for limits per target and failure budgets; none when it touches several, or the cluster.
    fn node(&self) -> Option<&NodeName> {
        None
    }
}

/// The table of kinds, in the order of the main job: calls another macro with a row `(Params, "kind")` for each. The kind is what
/// stands in a plan, and is never given to other parameters.
#[macro_export]
macro_rules! step_kinds {
    ($callback:ident) => {
        $callback! {
            (BcmIdentity, "bcm.identity")
            (NodeConnect, "node.connect")
            (NodeTrust, "node.trust")
            (NodeAccount, "node.account")
            (NodeFacts, "node.facts")
            (NodeStorage, "node.storage")
            (NodeStorageOld, "node.storage-old")
            (NodePrepare, "node.prepare")
            (NodeRegistries, "node.registries")
            (KubespraySource, "kubespray.source")
            (KubesprayEnvironment, "kubespray.environment")
            (KubesprayInventory, "kubespray.inventory")
            (KubesprayDownloads, "kubespray.downloads")
            (NodeDownloads, "node.downloads")
            (KubesprayRun, "kubespray.run")
            (KubesprayRemoval, "kubespray.removal")
            (KubesprayRecovery, "kubespray.recovery")
            (NodeLeftovers, "node.leftovers")
            (TakeOver, "existing.take-over")
            (Kubeconfig, "kubernetes.kubeconfig")
            (NodeLabels, "kubernetes.labels")
            (NodeReady, "kubernetes.ready")
            (ControlPlane, "kubernetes.control-plane")
            (GpuRuntime, "kubernetes.gpu-runtime")
            (ClusterDns, "kubernetes.dns")
            (Certificate, "platform.certificate")
            (Namespace, "platform.namespace")
            (KubeSecret, "platform.secret")
            (HelmRelease, "platform.release")
            (KubeObjects, "platform.objects")
            (RunaiIssuer, "runai.issuer")
            (RunaiRegister, "runai.register")
            (RunaiConnected, "runai.connected")
            (AcceptanceCheck, "check")
        }
    };
}

macro_rules! work {
    ($(($params:ident, $kind:literal))*) => {
        /// What a step does: its kind, and the parameters of that kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", content = "params")]
        pub enum Work {
            $(
                #[doc = concat!("`", $kind, "`")]
                #[serde(rename = $kind)]
                $params($params),
            )*
        }

        impl Work {
            /// Its kind, as in the plan.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Work::$params(_) => $params::KIND,)*
                }
            }

            /// The parameters, as what every kind answers.
            fn params(&self) -> &dyn AnyParams {
                match self {
                    $(Work::$params(params) => params,)*
                }
            }
        }

        $(
            impl $params {
                /// The kind, as in a plan.
                pub const KIND: &'static str = $kind;
            }

            impl From<$params> for Work {
                fn from(params: $params) -> Self {
                    Work::$params(params)
                }
            }
        )*
    };
}

step_kinds!(work);

/// [`StepParams`] as a trait object.
trait AnyParams {
    fn reads_only(&self) -> bool;
    fn node(&self) -> Option<&NodeName>;
}

impl<P: StepParams> AnyParams for P {
    fn reads_only(&self) -> bool {
        P::READS_ONLY
    }

    fn node(&self) -> Option<&NodeName> {
        StepParams::node(self)
    }
}

impl Work {
    /// Whether it only looks: it changes nothing, ever.
    #[must_use]
    pub fn reads_only(&self) -> bool {
        self.params().reads_only()
    }

    /// The node it touches, for limits per target and failure budgets; none when it touches several, or the cluster.
    #[must_use]
    pub fn node(&self) -> Option<&NodeName> {
        self.params().node()
    }
}
