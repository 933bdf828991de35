//! plinth with real ansible on real nodes, over a tree in Kubespray's shape (`tests/kubespray`). They need root, the lab and a
//! package index: `cargo xtask test --tier kubespray`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "ansible/broken.rs"]
mod broken;
#[path = "ansible/ground.rs"]
mod ground;
#[path = "ansible/killed.rs"]
mod killed;
#[path = "ansible/life.rs"]
mod life;
#[path = "nodes/seen.rs"]
#[allow(dead_code, reason = "shared with the tests of nodes, which use all of it")]
mod seen;
#[path = "nodes/support.rs"]
#[allow(dead_code, reason = "shared with the tests of nodes, which use all of it")]
mod support;
