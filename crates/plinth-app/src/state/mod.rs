//! The state directory of a site: one folder, private to the user, with the journal and its lock, keys, pins and facts.

mod awaited;
pub(crate) mod classes;
mod directory;
pub mod facts;
pub(crate) mod identity;
mod lock;
pub(crate) mod mark;
mod prediction;
mod private;
mod progress;
mod record;
pub(crate) mod refused;
mod rehearsal;
mod told;
mod unlock;

pub(crate) use awaited::AwaitedFile;
pub use awaited::awaited;
pub use directory::{directory, kind_fits};
pub use identity::same as same_identity;
pub use lock::SiteLock;
pub use prediction::{keep_prediction, kept_prediction};
pub use private::inspect;
pub use progress::{progress, told_at};
pub use record::{done_before, memory, same_site};
pub use refused::refused;
pub use rehearsal::RehearsalFolder;
pub use unlock::Held;

pub(crate) use directory::{journal_fits, open};
pub(crate) use progress::ProgressFile;
