//! How Kubernetes gets onto the nodes: one engine each.

pub mod kubespray;
