//! plinth against a real Kubernetes API: `cargo xtask test --tier kubernetes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "kubernetes/checks.rs"]
mod checks;
#[path = "kubernetes/existing.rs"]
mod existing;
#[path = "kubernetes/exports.rs"]
mod exports;
#[path = "kubernetes/helm.rs"]
mod helm;
#[path = "contract/helm_client.rs"]
mod helm_client;
#[path = "kubernetes/helm_ground.rs"]
mod helm_ground;
#[path = "kubernetes/helm_objects.rs"]
mod helm_objects;
#[path = "contract/kube_client.rs"]
mod kube_client;
#[path = "kubernetes/names.rs"]
mod names;
#[path = "kubernetes/node.rs"]
mod node;
#[path = "kubernetes/platform.rs"]
mod platform;
#[path = "kubernetes/rendering.rs"]
mod rendering;
#[path = "kubernetes/sharing.rs"]
mod sharing;
#[path = "kubernetes/stand.rs"]
mod stand;
#[path = "kubernetes/starting.rs"]
mod starting;
#[path = "kubernetes/trouble.rs"]
mod trouble;
#[path = "kubernetes/verb.rs"]
mod verb;
#[path = "kubernetes/watch.rs"]
mod watch;
#[path = "kubernetes/whole.rs"]
mod whole;
