//! plinth on real nodes: systemd, sshd, sudo, containerd. They need root: `cargo xtask test --tier nodes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "nodes/access.rs"]
mod access;
#[path = "nodes/clients.rs"]
mod clients;
#[path = "nodes/content.rs"]
mod content;
#[path = "nodes/contract.rs"]
mod contract;
#[path = "nodes/cuts.rs"]
mod cuts;
#[path = "nodes/half.rs"]
mod half;
#[path = "nodes/hostkeys.rs"]
mod hostkeys;
#[path = "nodes/killed/mod.rs"]
mod killed;
#[path = "nodes/logins.rs"]
mod logins;
#[path = "nodes/moves.rs"]
mod moves;
#[path = "contract/node_client.rs"]
mod node_client;
#[path = "nodes/odd.rs"]
mod odd;
#[path = "nodes/once.rs"]
mod once;
#[path = "nodes/partial.rs"]
mod partial;
#[path = "nodes/seen.rs"]
mod seen;
#[path = "nodes/storage.rs"]
mod storage;
#[path = "nodes/support.rs"]
mod support;
#[path = "nodes/told.rs"]
mod told;
#[path = "nodes/whole.rs"]
mod whole;
