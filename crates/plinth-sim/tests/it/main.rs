//! Integration tests of the simulated data centre.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bcm;
mod clients;
mod clock;
mod cluster;
mod contract;
mod faults;
#[path = "../../../plinth/tests/contract/helm_client.rs"]
mod helm_client;
#[path = "../../../plinth/tests/contract/kube_client.rs"]
mod kube_client;
mod rack;
mod world;
