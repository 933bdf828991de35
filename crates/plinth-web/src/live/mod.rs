//! What changes while a run is on: one reader of its events, one patch for all followers, none of whom is ever waited for.

mod feed;
mod patch;
mod stream;
mod tail;

pub(crate) use feed::Feed;
pub(crate) use stream::{Followers, stream};
pub(crate) use tail::Tail;
#[cfg(test)]
pub(crate) use tail::look;
