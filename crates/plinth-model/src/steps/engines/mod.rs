//! How Kubernetes gets onto the nodes, one folder per engine.

pub mod existing;
pub mod kubespray;
