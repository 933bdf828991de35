//! People sign in to the API server with tokens of Run:ai: the issuer that it is told is the one that stands in them.

use crate::facts::control_plane_url;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_site::Desired;

/// A finding when the API server is told an issuer at Run:ai's host that is not its own. Issuers are compared as exact texts, so a port that
/// is missing makes every login fail, and nothing else shows it. One at another host is somebody else's.
pub(crate) fn foreign_issuer(desired: &Desired) -> Option<Finding> {
    let (runai, oidc) = (desired.runai.as_ref()?, desired.kubernetes.oidc.as_ref()?);
    let url = control_plane_url(runai);
    let expected = runai.issuer();
    let is_wrong = host(&oidc.issuer) == host(&url) && oidc.issuer != expected;
    is_wrong.then(|| {
        let text = "the API server would be told another issuer than the one that Run:ai writes into tokens";
        Finding::error(code::RUNAI_OIDC_ISSUER, "kubernetes.api.oidc.issuer", text)
            .evidence(format!("in the site file: {}", oidc.issuer))
            .evidence(format!("in tokens:        {expected}"))
            .fix(format!("write `issuer: {expected}`"))
    })
}

/// A finding when the API server would be told of Run:ai as the issuer and could not trust it: our own authority is made by this very plan, or
/// lies in a file of the site's, and the nodes get what stands in the site file. An issuer that is not trusted stops no API server; it takes
/// none of its tokens.
pub(crate) fn not_trusted(desired: &Desired) -> Option<Finding> {
    let (runai, oidc) = (desired.runai.as_ref()?, desired.kubernetes.oidc.as_ref()?);
    let is_here = runai.control_plane.is_none() && oidc.issuer == runai.issuer();
    let wanted = is_here && runai.has_private_authority() && oidc.authority.is_none();
    wanted.then(|| {
        let text =
            "API servers will take no token of Run:ai: they are not told the authority that signs its certificate";
        Finding::warning(code::RUNAI_OIDC_AUTHORITY, "kubernetes.api.oidc.authority", text)
            .evidence(format!("issuer: {}", oidc.issuer))
            .fix(
                "once the certificate is there, put the authority that `plinth render certs` shows under \
                 kubernetes.api.oidc.authority and run `plinth apply` again: API servers restart one after the other",
            )
    })
}

/// The host alone, in small letters.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest).to_ascii_lowercase()
}
