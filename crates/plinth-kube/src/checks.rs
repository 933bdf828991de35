//! Acceptance checks that happen inside the cluster. Names can be checked; what needs a pod with an image, helm or Run:ai is
//! refused.

use crate::api::KubeApi;
use async_trait::async_trait;
use plinth_model::finding::code;
use plinth_model::steps::Check;
use plinth_model::{Finding, Owner};
use plinth_world::kube::{ClusterDns, HealthState, KubeChecks};
use plinth_world::{Cause, ClientError, ClientResult, Context};
use std::net::Ipv4Addr;

/// Whether this release carries out the check.
#[must_use]
pub const fn can_check(check: &Check) -> bool {
    matches!(check, Check::Dns { .. })
}

#[async_trait]
impl KubeChecks for KubeApi {
    async fn run_check(&self, ctx: &Context, check: &Check) -> ClientResult<HealthState> {
        let Check::Dns { name, address } = check else {
            debug_assert!(!can_check(check), "the predicate and the client disagree");
            return Err(not_here(check));
        };
        let found = self.resolve_in_pod(ctx, name).await?;
        let words: Vec<String> = found.iter().map(Ipv4Addr::to_string).collect();
        let seen =
            if found.is_empty() { format!("{name}: no such host") } else { format!("{name} is {}", words.join(", ")) };
        Ok(HealthState { holds: found == [*address], seen })
    }
}

fn not_here(check: &Check) -> ClientError {
    let happened = format!("this release cannot carry out the check {}; nothing was done", check.name());
    let attempt = "everything before this point is done and recorded: a release with this check goes on from here";
    let finding = Finding::error(code::PLINTH_NOT_IN_THIS_RELEASE, "kubernetes", happened.clone())
        .owner(Owner::Vendor)
        .fix(attempt);
    ClientError::new("kube", format!("checking {}", check.name()))
        .happened(happened)
        .attempt(attempt)
        .because(Cause::NotInThisRelease)
        .finding(finding)
}
