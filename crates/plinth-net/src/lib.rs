//! What all clients that speak TLS or HTTP have in common, and the one that speaks nothing else: the client for files of the web.
//! It is here, and not a crate of its own, since it is small and changes with the rest.

pub mod fault;
pub mod fetch;
pub mod probe;
pub mod trust;
pub mod webhook;

pub use fault::Fault;
