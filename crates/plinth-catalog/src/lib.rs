//! Components and compatibility as data, and the resolver that answers with reasons.

pub mod resolution;

pub use resolution::{Facts, Resolution, ResolvedComponent};
