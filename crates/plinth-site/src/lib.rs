//! The site file: parsed with positions, checked all at once, defaulted into Desired; and its JSON Schema.

pub mod desired;

pub use desired::Desired;
