//! Clients that are not in this release. Each call is refused in the same words; nothing waits, nothing is tried again.

use async_trait::async_trait;
use plinth_model::finding::code;
use plinth_model::inventory::Inventory;
use plinth_model::steps::{AcceptanceCheck, Check, RunaiTarget};
use plinth_model::{Finding, Owner, Work};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::runai::{RunaiClient, RunaiCluster};
use plinth_world::{Cause, ClientError, ClientResult, Context};

/// A client that is not there.
#[derive(Clone, Copy)]
pub(crate) struct Missing {
    /// Its name.
    pub(crate) client: &'static str,
    /// What it would do.
    pub(crate) purpose: &'static str,
}

/// Run:ai.
pub(crate) const RUNAI: Missing = Missing { client: "runai", purpose: "registers the cluster" };
/// BCM, where the site names none.
pub(crate) const BCM: Missing = Missing { client: "bcm", purpose: "asks BCM, since the site names none" };

/// What a real site needs for this step and this release lacks, in words; none: it can be carried out.
#[must_use]
pub fn lacks(work: &Work) -> Option<&'static str> {
    match work {
        Work::RunaiIssuer(_) | Work::RunaiRegister(_) | Work::RunaiConnected(_) => Some("Run:ai"),
        Work::AcceptanceCheck(AcceptanceCheck { check: Check::Runai { .. } }) => Some("Run:ai"),
        _ => None,
    }
}

impl Missing {
    fn refuse<T>(&self, doing: &str) -> ClientResult<T> {
        let happened = format!("this release has no client that {}; nothing was done", self.purpose);
        let attempt = "everything before this point is done and recorded: a release with this client goes on from here; \
                       `plinth rehearse` shows the rest against a simulated data centre";
        let finding = Finding::error(code::PLINTH_NOT_IN_THIS_RELEASE, self.client, happened.clone())
            .owner(Owner::Vendor)
            .fix(attempt);
        Err(ClientError::new(self.client, doing)
            .happened(happened)
            .attempt(attempt)
            .because(Cause::NotInThisRelease)
            .finding(finding))
    }
}

/// Implements calls that are refused.
macro_rules! refused {
    ($client:ident { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* } $($rest:tt)*) => {
        #[async_trait]
        impl $client for Missing {
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

refused!(RunaiClient {
    issuer(target: &RunaiTarget) -> Option<String>;
    clusters(target: &RunaiTarget) -> Vec<RunaiCluster>;
    register(target: &RunaiTarget) -> RunaiCluster;
    keep_credentials(target: &RunaiTarget, uuid: &str) -> ();
    credentials_kept(target: &RunaiTarget, uuid: &str) -> bool;
});
