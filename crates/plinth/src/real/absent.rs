//! Doors that are not in this release. Each call is refused in the same words; nothing waits, nothing is tried again.

use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::inventory::Inventory;
use plinth_model::work::{Check, Health, NodeTarget, PodSecurity, Release, RunaiTarget, SecretContent};
use plinth_model::{Finding, NodeName, Observed, Owner};
use plinth_world::bcm::{BcmDoor, BcmIdentity};
use plinth_world::helm::{HelmDoor, ReleaseState};
use plinth_world::kube::{ClusterHealth, HealthState, HeldConfig, KubeDoor, KubeNode};
use plinth_world::runai::{RunaiCluster, RunaiDoor};
use plinth_world::{Context, DoorError, DoorResult};
use serde_json::Value;
use std::net::Ipv4Addr;

/// A door that is not there.
pub(crate) struct Absent {
    door: &'static str,
    purpose: &'static str,
}

impl Absent {
    pub(crate) const fn new(door: &'static str, purpose: &'static str) -> Self {
        Self { door, purpose }
    }

    fn refuse<T>(&self, doing: &str) -> DoorResult<T> {
        let happened = format!("this release has no door that {}; nothing was done", self.purpose);
        let attempt = "everything before this point is done and recorded: a release with this door goes on from here; \
                       `plinth rehearse` shows the rest against a simulated data centre";
        let finding =
            Finding::error("plinth.door-absent", self.door, happened.clone()).owner(Owner::Vendor).fix(attempt);
        Err(DoorError::permanent(self.door, doing, happened, attempt).finding(finding))
    }
}

/// Implements calls that are refused.
macro_rules! refused {
    ($door:ident { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* } $($rest:tt)*) => {
        #[async_trait]
        impl $door for Absent {
            $(async fn $name(&self, _: &Context $(, $argument: $type)*) -> DoorResult<$answer> {
                $(let _ = $argument;)*
                self.refuse(concat!("calling `", stringify!($name), "`"))
            })*
            $($rest)*
        }
    };
}

refused!(BcmDoor {
    identity() -> BcmIdentity;
    inventory() -> Inventory;
});

refused!(KubeDoor {
    kubeconfig() -> Observed<HeldConfig>;
    fetch_kubeconfig(from: &NodeTarget, server: &str) -> ();
    node(node: &NodeName) -> Observed<KubeNode>;
    nodes() -> IndexMap<String, KubeNode>;
    label_node(node: &NodeName, labels: &IndexMap<String, String>, taints: &[String]) -> ();
    cluster_health() -> ClusterHealth;
    namespace(name: &str) -> Observed<Option<PodSecurity>>;
    make_namespace(name: &str, level: PodSecurity) -> ();
    secret_matches(namespace: &str, name: &str, content: &SecretContent, labels: &IndexMap<String, String>) -> Observed<bool>;
    make_secret(namespace: &str, name: &str, content: &SecretContent, labels: &IndexMap<String, String>) -> ();
    diff(objects: &[Value]) -> Vec<String>;
    apply(objects: &[Value]) -> ();
    health(namespace: &str, health: &Health) -> HealthState;
    resolve_in_pod(name: &str) -> Vec<Ipv4Addr>;
    add_dns(name: &str, address: Ipv4Addr) -> ();
    run_check(check: &Check) -> HealthState;
});

refused!(HelmDoor {
    release(namespace: &str, name: &str) -> Observed<ReleaseState>;
    upgrade(release: &Release) -> ();
});

refused!(RunaiDoor {
    issuer(target: &RunaiTarget) -> Observed<String>;
    clusters(target: &RunaiTarget) -> Vec<RunaiCluster>;
    register(target: &RunaiTarget) -> RunaiCluster;
    keep_credentials(target: &RunaiTarget, uuid: &str) -> ();
    credentials_kept(target: &RunaiTarget, uuid: &str) -> bool;
});
