//! Integration tests of the simulated data centre.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bcm;
mod clock;
mod contract;
mod doors;
mod faults;
#[path = "../../../plinth/tests/contract/kube_door.rs"]
mod kube_door;
mod rack;
mod world;
