//! Real nodes on one machine, for tests and for people who want to try plinth: systemd, sshd and containerd on Debian, each
//! in namespaces of its own, joined by a bridge that the machine itself cannot see.
//!
//! [`Lab::up`] makes one from a [`LabSpec`], [`Lab::command`] runs a program in its network, [`Node`] is one machine with a
//! cable to cut, a power button and oddities ([`Odd`]). Needs root; `docs/lab.md` tells what is real and what is not.

pub mod browser;
mod cache;
mod control_plane;
mod error;
mod group;
mod inside;
mod keycloak;
mod lab;
mod launch;
mod local_network;
mod mirror;
mod needs;
mod network;
mod node;
mod odd;
mod owner;
mod parts;
mod pods;
mod program;
mod root;
mod seed;
mod sources;
mod spec;
mod state;
mod tied;
mod tree;

pub use cache::cached;
pub use control_plane::{ControlPlane, ControlPlaneSpec};
pub use error::{LabError, LabResult};
pub use keycloak::{KEYCLOAK, Keycloak};
pub use lab::Lab;
pub use local_network::LocalNetwork;
pub use mirror::{BUSYBOX, CUDA, Mirror, OPERATOR, PROBE, REGISTRIES, Served};
pub use needs::xml_validator;
pub use node::Node;
pub use odd::{Login, Odd, Sudo};
pub use owner::Owner;
pub use parts::{COLLECTOR, CONTAINERD, ETCD, HELM, KUBERNETES, KWOK, Parts};
pub use root::RootSpec;
pub use seed::IMAGE;
pub use spec::{LabSpec, NodeSpec};
