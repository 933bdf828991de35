//! Integration tests of the simulated data centre.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bcm;
mod clock;
mod doors;
mod faults;
mod rack;
mod world;
