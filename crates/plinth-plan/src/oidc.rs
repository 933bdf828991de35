//! People sign in to the API server with tokens of Run:ai: the issuer that it is told is the one that stands in them.

use crate::facts::control_plane_url;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_site::Desired;

/// A finding when the API server is told an issuer at Run:ai's host that is not its own. Issuers are compared as exact texts, so a port that
/// is missing makes every login fail, and nothing else shows it. One at another host is somebody else's.
pub(crate) fn foreign_issuer(desired: &Desired, realm: &str) -> Option<Finding> {
    let (runai, oidc) = (desired.runai.as_ref()?, desired.kubernetes.oidc.as_ref()?);
    let url = control_plane_url(runai);
    let realm = runai.control_plane.as_ref().and_then(|there| there.realm.as_deref()).unwrap_or(realm);
    let expected = format!("{url}/auth/realms/{realm}");
    let is_wrong = host(&oidc.issuer) == host(&url) && oidc.issuer != expected;
    is_wrong.then(|| {
        let text = "the API server would be told another issuer than the one that Run:ai writes into tokens";
        Finding::error(code::RUNAI_OIDC_ISSUER, "kubernetes.api.oidc.issuer", text)
            .evidence(format!("in the site file: {}", oidc.issuer))
            .evidence(format!("in tokens:        {expected}"))
            .fix(format!("write `issuer: {expected}`"))
    })
}

/// The host alone, in small letters.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest).to_ascii_lowercase()
}
