//! How far a control plane has come up, and what it answers until then. Its parts come one after the other.

use super::reply::Reply;
use serde_json::json;

/// How far a control plane has come up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunaiStage {
    /// The ingress alone: 404, in no form.
    #[default]
    Nothing,
    /// Keycloak answers, and knows no realm yet.
    Keycloak,
    /// The realm is there, and its administrator is not made yet.
    Realm,
    /// The administrator is let in, and nothing serves the interface yet.
    Administrator,
    /// Everything answers as it does in the end.
    Whole,
}

impl RunaiStage {
    /// What comes instead of the right answer to this call; none: what answers it is up.
    pub(super) fn instead(self, call: &str, by_keycloak: bool) -> Option<Reply> {
        if self == Self::Nothing {
            return Some(Reply::nothing_here());
        }
        match (call, by_keycloak) {
            (_, true) if self < Self::Realm => Some(Reply::json(404, &json!({"error": "Realm does not exist"}))),
            ("token", true) if self < Self::Administrator => {
                Some(Reply::keycloak(401, "invalid_grant", "Invalid user credentials"))
            }
            (_, true) => None,
            (_, false) => (self < Self::Whole).then(Reply::no_endpoints),
        }
    }
}
