//! Clients that are not in this release. Each call is refused in the same words; nothing waits, nothing is tried again.

use async_trait::async_trait;
use plinth_model::finding::code;
use plinth_model::inventory::Inventory;
use plinth_model::steps::{Release, RunaiTarget};
use plinth_model::{Finding, Owner};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::helm::{HelmClient, ReleaseState};
use plinth_world::runai::{RunaiClient, RunaiCluster};
use plinth_world::{Cause, ClientError, ClientResult, Context};

/// A client that is not there.
pub(crate) struct Absent {
    client: &'static str,
    purpose: &'static str,
}

impl Absent {
    pub(crate) const fn new(client: &'static str, purpose: &'static str) -> Self {
        Self { client, purpose }
    }

    fn refuse<T>(&self, doing: &str) -> ClientResult<T> {
        let happened = format!("this release has no client that {}; nothing was done", self.purpose);
        let attempt = "everything before this point is done and recorded: a release with this client goes on from here; \
                       `plinth rehearse` shows the rest against a simulated data centre";
        let finding = Finding::error(code::PLINTH_NOT_IN_THIS_RELEASE, self.client, happened.clone())
            .owner(Owner::Vendor)
            .fix(attempt);
        Err(ClientError::permanent(self.client, doing, happened, attempt)
            .because(Cause::NotInThisRelease)
            .finding(finding))
    }
}

/// Implements calls that are refused.
macro_rules! refused {
    ($client:ident { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* } $($rest:tt)*) => {
        #[async_trait]
        impl $client for Absent {
            $(async fn $name(&self, _: &Context $(, $argument: $type)*) -> ClientResult<$answer> {
                $(let _ = $argument;)*
                self.refuse(concat!("calling `", stringify!($name), "`"))
            })*
            $($rest)*
        }
    };
}

refused!(BcmClient {
    identity() -> BcmIdentity;
    inventory() -> Inventory;
});

refused!(HelmClient {
    release(namespace: &str, name: &str) -> Option<ReleaseState>;
    upgrade(release: &Release) -> ();
});

refused!(RunaiClient {
    issuer(target: &RunaiTarget) -> Option<String>;
    clusters(target: &RunaiTarget) -> Vec<RunaiCluster>;
    register(target: &RunaiTarget) -> RunaiCluster;
    keep_credentials(target: &RunaiTarget, uuid: &str) -> ();
    credentials_kept(target: &RunaiTarget, uuid: &str) -> bool;
});
