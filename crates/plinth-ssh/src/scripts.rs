//! The operations on one machine: for each its script, written as data, and the reading of its answers.

pub(crate) mod account;
mod answer;
pub(crate) mod bootstrap;
pub(crate) mod control_plane;
pub(crate) mod downloads;
pub(crate) mod facts;
pub(crate) mod leftovers;
pub(crate) mod prepare;
pub(crate) mod registries;
pub(crate) mod storage;
#[cfg(test)]
mod trial;
