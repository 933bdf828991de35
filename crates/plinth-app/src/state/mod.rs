//! The state directory of a site: one folder, private to the user, with the journal and its lock, keys, pins and facts.

mod directory;
pub(crate) mod facts;
pub(crate) mod identity;
mod lock;
mod record;

pub use directory::{directory, kind_fits};
pub use lock::SiteLock;
pub use record::{done_before, memory, same_site};

pub(crate) use directory::open;
