//! The real BCM client: CMDaemon's JSON interface over TLS.
//!
//! [`client`] is the real thing, [`recorded`] answers from a saved inventory. Field names, reply shapes and defaults come from
//! captures of a live BCM 11 system and from the vendor's published field definitions; BCM 10 differs in places, so decoding is
//! lenient. Only reads are here: nothing in this release changes BCM.

pub mod client;
pub mod config;
pub mod convert;
pub mod entity;
mod failure;
pub mod mask;
pub mod recorded;
pub mod reply;
mod tls;
