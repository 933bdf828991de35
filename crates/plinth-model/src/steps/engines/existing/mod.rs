//! A cluster that somebody else installed.

mod take_over;

pub use take_over::TakeOver;
