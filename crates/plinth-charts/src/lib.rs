//! Packages of Helm charts: from a repository with an index, from a registry of images, or from a folder of this machine. Each is
//! proved by its digest, kept under it in the state directory, and read before it is used. And the helm program: the one of this
//! machine, or a pinned one.
//!
//! A registry is asked here and not through a library of its own: it takes three kinds of requests, and each of them needs our
//! bounds of size and time and our rule for logins, which go to the host that they are for and never along with a redirect.

mod address;
mod challenge;
mod charts;
mod failure;
mod folder;
mod helm;
mod index;
mod login;
mod objects;
mod oci;
mod package;
mod place;
mod record;
mod repository;
mod store;
mod wanted;
mod web;

pub use charts::{Charts, Newest};
pub use helm::HelmProgram;

#[cfg(test)]
mod tests;
