//! Clients that are not in this release. Each call is refused in the same words; nothing waits, nothing is tried again.

use async_trait::async_trait;
use plinth_model::finding::code;
use plinth_model::inventory::Inventory;
use plinth_model::steps::{AcceptanceCheck, Check, ComponentRemoval, Release};
use plinth_model::{Finding, Owner, Problem, ReleaseName, Work};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::helm::{HelmClient, ReleaseState};
use plinth_world::{Cause, ClientError, ClientResult, Context};
use std::time::Duration;

/// A client that is not there.
#[derive(Clone, Copy)]
pub(crate) struct Missing {
    /// Its name.
    pub(crate) client: &'static str,
    /// What it would do.
    pub(crate) purpose: &'static str,
}

/// Helm.
pub(crate) const HELM: Missing = Missing { client: "helm", purpose: "installs Helm charts" };
/// BCM, where the site names none.
pub(crate) const BCM: Missing = Missing { client: "bcm", purpose: "asks BCM, since the site names none" };

/// What a real site needs for this step and this release lacks, in words; none: it can be carried out.
#[must_use]
pub fn lacks(work: &Work) -> Option<&'static str> {
    match work {
        Work::HelmRelease(_) => Some("Helm charts"),
        Work::ComponentRemoval(ComponentRemoval { parts, .. }) if !parts.releases.is_empty() => Some("Helm charts"),
        // The one that the control plane answers itself, and those that are carried out in the cluster.
        Work::AcceptanceCheck(AcceptanceCheck { check: Check::Runai { .. } }) => None,
        Work::AcceptanceCheck(AcceptanceCheck { check }) if !plinth_kube::can_check(check) => Some("acceptance checks"),
        _ => None,
    }
}

/// Refuses what needs clients that are not there, before anything is done.
#[must_use]
pub fn not_in_this_release(verb: &str) -> Problem {
    let missing = format!("{} ({})", HELM.client, HELM.purpose);
    Problem::while_doing(format!("`plinth {verb}`"))
        .unreachable(format!("not available in this release: it needs {missing}. Nothing was done"))
        .try_this(
            "`plinth rehearse` runs the same plan against a simulated data centre; `plinth discover` and `plinth plan` \
             work on the real BCM",
        )
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

refused!(HelmClient {
    release(namespace: &str, name: &str) -> Option<ReleaseState>;
    upgrade(release: &Release) -> ();
    uninstall(release: &ReleaseName, limit: Duration) -> ();
});
