//! Pages of runs in a real browser: pictures of them, and what they cost.

mod bench;
mod follow;
mod http;
mod measured;
mod minute;
mod pictures;
mod section;
mod stage;
mod stream;

pub(crate) use bench::{Part, run as bench};
pub(crate) use pictures::run as pictures;
pub(crate) use section::kept;
