//! Whether a control plane that plinth has installed is up. Its parts come one after the other: Keycloak, its realm, the
//! administrator, the interface. Helm's word and a running Keycloak prove none of them. Source: NVIDIA Run:ai docs 2.25, Install the
//! Control Plane; Keycloak 26 for the words of each refusal.

use crate::failure::{Cause, Failure};
use crate::link::Body;
use crate::session::Session;
use crate::wire::Cluster;
use plinth_model::steps::RunaiTarget;
use plinth_world::Context;
use reqwest::Method;

/// Why a control plane that is not up may yet come up.
pub(crate) const COMES: &str = "the control plane is still coming up";

/// One login, unless there is a token, and one list; its caller waits and looks again. `first`: no cluster was ever registered from here,
/// so that a refused login may be one of an administrator that is not made yet.
pub(crate) async fn look(session: &Session, ctx: &Context, target: &RunaiTarget, first: bool) -> Result<(), Failure> {
    if first {
        session.forgive(ctx).await;
    }
    let listed = session.call(ctx, Method::GET, &target.api.clusters, &Body::Empty).await;
    listed.and_then(|answer| answer.decode::<Vec<Cluster>>()).map(drop)
}

/// Whether this may be otherwise in a while, with a control plane that is coming up.
pub(crate) const fn may_pass(cause: Cause, first: bool) -> bool {
    match cause {
        Cause::NotUp
        | Cause::NothingListens
        | Cause::Unreachable
        | Cause::NoSuchHost
        | Cause::Timeout
        | Cause::Server
        | Cause::Gateway
        | Cause::TooMany
        | Cause::Truncated
        | Cause::Unfinished => true,
        // No administrator yet, without its role yet, a realm without its clients yet, the web pages before the interface.
        Cause::Credentials
        | Cause::Unauthorized
        | Cause::UnknownWay
        | Cause::Forbidden
        | Cause::NotFound
        | Cause::BadAnswer => first,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_model::steps::deadlines::RUNAI_ISSUER;
    use plinth_world::deadlines::RUNAI_LOGIN_PAUSE;

    /// Failures after which Keycloak locks the account, for everybody.
    const KEYCLOAK_LOCKS: u64 = 30;

    #[test]
    fn a_wrong_password_locks_nobody_out() {
        let logins = u64::from(RUNAI_ISSUER) / RUNAI_LOGIN_PAUSE.as_secs() + 1;
        assert!(logins < KEYCLOAK_LOCKS, "{logins} logins in one wait");
    }

    #[test]
    fn a_refused_login_is_final_once_a_cluster_was_registered_and_a_wrong_certificate_always() {
        for (cause, before, after) in [
            (Cause::Credentials, true, false),
            (Cause::Forbidden, true, false),
            (Cause::NotUp, true, true),
            (Cause::Server, true, true),
            (Cause::Issuer, false, false),
            (Cause::UnknownAuthority, false, false),
            (Cause::Redirect, false, false),
        ] {
            assert_eq!((may_pass(cause, true), may_pass(cause, false)), (before, after), "{cause:?}");
        }
    }
}
