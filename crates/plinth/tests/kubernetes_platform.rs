//! The whole platform stage on a real control plane: the real binary, real Helm, stand-in charts of everything that the catalog has, nodes
//! that KWOK plays, and Run:ai's simulator behind the ingress address: `cargo xtask test --tier kubernetes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "kubernetes_platform/audit.rs"]
mod audit;
#[path = "kubernetes_platform/charts.rs"]
mod charts;
#[path = "kubernetes_platform/disk.rs"]
mod disk;
#[path = "kubernetes_platform/drift.rs"]
mod drift;
#[path = "kubernetes_platform/ground.rs"]
mod ground;
#[path = "kubernetes_platform/infiniband.rs"]
mod infiniband;
#[path = "kubernetes_platform/keycloak.rs"]
mod keycloak;
#[path = "kubernetes_platform/kill.rs"]
mod kill;
#[path = "kubernetes_platform/late.rs"]
mod late;
#[path = "kubernetes_platform/objects.rs"]
mod objects;
#[path = "kubernetes_platform/operator.rs"]
mod operator;
#[path = "kubernetes_platform/overlap.rs"]
mod overlap;
#[path = "kubernetes_platform/repositories.rs"]
mod repositories;
#[path = "kubernetes_platform/rotation.rs"]
mod rotation;
#[path = "kubernetes_platform/run.rs"]
mod run;
#[path = "kubernetes_platform/secrets.rs"]
mod secrets;
#[path = "kubernetes_platform/storage.rs"]
mod storage;
#[path = "kubernetes_platform/whole.rs"]
mod whole;
