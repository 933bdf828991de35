//! Pure planning: desired, observed and catalog become a plan that is linted, compared and rendered.

pub mod observed;

pub use observed::{Observed, Seen};
