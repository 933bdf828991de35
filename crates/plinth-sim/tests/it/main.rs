//! Integration tests of the simulated data centre.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anew;
#[path = "../../../plinth/tests/contract/ansible_client.rs"]
mod ansible_client;
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
mod runai;
mod runai_account;
#[path = "../../../plinth/tests/contract/runai_client.rs"]
mod runai_client;
mod runai_register;
mod runai_stand;
mod runai_steps;
mod runai_units;
mod runai_workload;
mod world;
