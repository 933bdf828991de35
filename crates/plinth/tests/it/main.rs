//! The real binary, as a person or a script uses it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod codes;
mod discovery;
mod interfaces;
mod kill;
mod rehearsal;
mod secrets;
mod support;
