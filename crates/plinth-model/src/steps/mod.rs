//! The kinds of steps, as data: one file per kind, one table that lists them all.
//!
//! [`Work`], the dispatch in `plinth-run` and the reference of kinds are made from the table [`step_kinds!`](crate::step_kinds).
//! Nothing here can run. No value in here is a secret: secrets are named by [`crate::SecretRef`] and fetched by the behaviour at
//! the moment of use.

pub mod deadlines;
mod properties;

/// What is asked of BCM.
pub mod bcm {
    mod identity;

    pub use identity::BcmIdentity;
}

/// What proves that the platform works.
pub mod checks {
    mod acceptance;
    mod values;

    pub use acceptance::AcceptanceCheck;
    pub use values::*;
}

/// How Kubernetes gets onto the nodes, one module per engine.
pub mod engines {
    pub mod existing;

    /// What a run of the engine is made from, in the parts that decide which play is the smallest safe one.
    pub mod kubespray {
        mod downloads;
        mod environment;
        mod inventory;
        mod recovery;
        mod removal;
        mod run;
        mod source;
        mod values;

        pub use downloads::KubesprayDownloads;
        pub use environment::KubesprayEnvironment;
        pub use inventory::KubesprayInventory;
        pub use recovery::KubesprayRecovery;
        pub use removal::KubesprayRemoval;
        pub use run::KubesprayRun;
        pub use source::KubespraySource;
        pub use values::*;
    }
}

/// What is asked of a running Kubernetes cluster, and set in it.
pub mod kube {
    mod control_plane;
    mod dns;
    mod gpu_runtime;
    mod kubeconfig;
    mod labels;
    mod ready;

    pub use control_plane::ControlPlane;
    pub use dns::ClusterDns;
    pub use gpu_runtime::GpuRuntime;
    pub use kubeconfig::Kubeconfig;
    pub use labels::NodeLabels;
    pub use ready::NodeReady;
}

/// What is done on nodes: logins, accounts, registries, least sizes.
pub mod node {
    mod account;
    mod connect;
    mod downloads;
    mod facts;
    mod leftovers;
    mod prepare;
    mod registries;
    mod storage;
    mod storage_old;
    mod trust;
    mod values;

    pub use account::NodeAccount;
    pub use connect::NodeConnect;
    pub use downloads::NodeDownloads;
    pub use facts::NodeFacts;
    pub use leftovers::NodeLeftovers;
    pub use prepare::NodePrepare;
    pub use registries::NodeRegistries;
    pub use storage::NodeStorage;
    pub use storage_old::NodeStorageOld;
    pub use trust::NodeTrust;
    pub use values::*;
}

/// What is installed into Kubernetes: certificates, namespaces, secrets, releases, objects, and what proves their health.
pub mod platform {
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
    mod values;

    pub use certificate::Certificate;
    pub use namespace::Namespace;
    pub use objects::KubeObjects;
    pub use release::HelmRelease;
    pub use removal::ComponentRemoval;
    pub use restart::SecretRestart;
    pub use rollback::HelmRollback;
    pub use rotation::{CertificateRotation, Outgoing, RotationPhase};
    pub use secret::KubeSecret;
    pub use served::CertificateServed;
    pub use upgrade_path::{Carrier, UpgradeGap, UpgradePath};
    pub use values::*;
}

/// What is done for Run:ai.
pub mod runai {
    mod connected;
    mod issuer;
    mod org_unit;
    mod register;
    mod values;

    pub use connected::RunaiConnected;
    pub use issuer::RunaiIssuer;
    pub use org_unit::RunaiOrgUnit;
    pub use register::RunaiRegister;
    pub use values::*;
}

pub use bcm::*;
pub use checks::*;
pub use engines::existing::*;
pub use engines::kubespray::*;
pub use kube::*;
pub use node::*;
pub use platform::*;
pub use properties::{Effect, FreeText, Lane, Properties, StepParams, Undo};
pub use runai::*;

use crate::{InstalledChange, NodeName, Stage};
use deadlines::Deadline;
use properties::AnyParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
            (ComponentRemoval, "platform.removal")
            (HelmRollback, "platform.rollback")
            (CertificateRotation, "platform.rotation")
            (SecretRestart, "platform.restart")
            (CertificateServed, "platform.served")
            (RunaiIssuer, "runai.issuer")
            (RunaiRegister, "runai.register")
            (RunaiConnected, "runai.connected")
            (RunaiOrgUnit, "runai.org-unit")
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

        /// Every kind, in the order of the main job, with what holds for its steps.
        pub const KINDS: &[(&str, Properties)] = &[$(($kind, <$params as StepParams>::PROPERTIES)),*];

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

impl Work {
    /// What holds for every step of its kind.
    #[must_use]
    pub fn properties(&self) -> Properties {
        self.params().properties()
    }

    /// Parameters that are not in the digest of a step.
    pub(crate) fn not_in_digest(&self) -> &'static [&'static str] {
        self.params().not_in_digest()
    }

    /// What tells one thing that may be made only once from another; none for a kind that may make it again.
    pub(crate) fn made_once(&self) -> Option<Vec<&str>> {
        self.properties().once.then(|| self.params().made_once())
    }

    /// Where in the main job it belongs.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.params().stage()
    }

    /// How long one attempt may take, seconds.
    #[must_use]
    pub fn deadline_s(&self) -> u32 {
        self.deadline().seconds
    }

    /// When one attempt of this very step is given up, and why then.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.params().deadline()
    }

    /// What it destroys, moves or interrupts, in words; none: nothing.
    #[must_use]
    pub fn destroys(&self) -> Option<String> {
        self.params().destroys()
    }

    /// Whether it only looks: it changes nothing, ever.
    #[must_use]
    pub fn reads_only(&self) -> bool {
        self.properties().effect == Effect::Reads
    }

    /// The node it touches, for limits per target and failure budgets; none when it touches several, or the cluster.
    #[must_use]
    pub fn node(&self) -> Option<&NodeName> {
        self.params().node()
    }

    /// Whether it may begin only while a majority of the control plane is left.
    #[must_use]
    pub fn needs_quorum(&self) -> bool {
        self.params().needs_quorum()
    }

    /// Members of the control plane and of etcd, if the step knows them.
    #[must_use]
    pub fn members(&self) -> Vec<&NodeName> {
        self.params().members()
    }

    /// Whether it may change something on this node.
    #[must_use]
    pub fn changes_on(&self, node: &NodeName) -> bool {
        self.params().changes_on(node)
    }

    /// Where the site's own text can get in.
    #[must_use]
    pub fn free_text(&self) -> Vec<FreeText<'_>> {
        self.params().free_text()
    }

    /// What it brings into the cluster, or takes away.
    #[must_use]
    pub fn installed(&self) -> Option<InstalledChange> {
        self.params().installed()
    }
}

/// What holds for every step of a kind such as `node.account`; none when there is no such kind.
#[must_use]
pub fn properties_of(kind: &str) -> Option<Properties> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, properties)| *properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_repeated_or_taken_back_does_not_claim_to_be_undone_exactly() {
        for (kind, Properties { effect, destructive, once, undo, .. }) in KINDS {
            let leaves_something = matches!(undo, Undo::Compensate(_) | Undo::OneWay(_));
            assert!(leaves_something || !(*destructive || *once), "{kind}: {undo:?}");
            assert_eq!(*undo == Undo::Nothing, *effect != Effect::Changes, "{kind}: {undo:?}");
            assert!(undo.text().ends_with('.') && undo.text().len() > 10, "{kind}: {undo:?}");
        }
    }

    #[test]
    fn every_kind_has_a_deadline_that_is_longer_than_it_usually_takes() {
        for (kind, Properties { expected_s, deadline, .. }) in KINDS {
            let seconds = deadline.seconds;
            assert!(seconds > *expected_s, "{kind}: {seconds} s, and it usually takes {expected_s} s");
            assert!(deadline.reasons().ends_with('.'), "{kind}: nobody says why: {deadline:?}");
        }
        assert_eq!(properties_of("node.account").map(|p| p.stage), Some(Stage::Nodes));
        assert_eq!(properties_of("node.nothing"), None);
    }
}
