//! One end of a connection: a node, or the host in between.

use plinth_model::steps::{Credential, Jump, NodeTarget};
use std::fmt;

/// Whom we connect to, and as whom.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Peer {
    /// Name of its pin: the node's, or the jump host's.
    pub(super) name: String,
    /// Host name or address.
    pub(super) host: String,
    /// SSH port.
    pub(super) port: u16,
    pub(super) user: String,
    /// How it proves itself.
    pub(super) credential: Credential,
    /// SHA-1 signatures are accepted.
    pub(super) legacy: bool,
    /// It is the host in between.
    pub(super) between: bool,
}

impl Peer {
    /// The node itself.
    pub(super) fn node(target: &NodeTarget) -> Self {
        Self {
            name: target.node.as_str().to_owned(),
            host: target.address.to_string(),
            port: target.port,
            user: target.user.clone(),
            credential: target.credential.clone(),
            legacy: target.legacy_keys,
            between: false,
        }
    }

    /// The host in between. Whatever is allowed for a node is not allowed for it.
    pub(super) fn jump(jump: &Jump) -> Self {
        Self {
            name: jump.host.clone(),
            host: jump.host.clone(),
            port: jump.port,
            user: jump.user.clone(),
            credential: jump.credential.clone(),
            legacy: false,
            between: true,
        }
    }

    /// A peer for examples and fuzzing.
    pub(super) fn example() -> Self {
        Self {
            name: "dgx-01".to_owned(),
            host: "10.0.0.1".to_owned(),
            port: 22,
            user: "root".to_owned(),
            credential: Credential::Agent,
            legacy: false,
            between: false,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, host, port, user, .. } = self;
        if name == host { write!(f, "{user}@{host}:{port}") } else { write!(f, "{name} ({user}@{host}:{port})") }
    }
}
