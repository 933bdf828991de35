//! The real binary, as a person or a script uses it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod contract;
mod discovery;
mod field_cases;
mod foreign_text;
mod fuzz_smoke;
mod init;
mod interfaces;
mod kill;
mod manifests;
mod memory;
mod mirror_list;
#[path = "../contract/node_client.rs"]
mod node_client;
mod notify;
mod outputs;
mod prediction;
mod proofs;
mod reach;
mod readers;
mod readme;
mod refresh;
mod rehearsal;
mod report;
mod runs;
mod scenarios;
mod secrets;
mod serve;
mod slips;
mod status;
mod support;
mod sweeps;
mod switched_off;
mod terminals;
mod what_happened;
