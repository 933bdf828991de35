//! Doors that are not in this release. Each call is refused in the same words; nothing waits, nothing is tried again.

use async_trait::async_trait;
use plinth_model::inventory::Inventory;
use plinth_model::work::{Release, RunaiTarget};
use plinth_model::{Finding, Observed, Owner};
use plinth_world::bcm::{BcmDoor, BcmIdentity};
use plinth_world::helm::{HelmDoor, ReleaseState};
use plinth_world::runai::{RunaiCluster, RunaiDoor};
use plinth_world::{Context, DoorError, DoorResult};

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
