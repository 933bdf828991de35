//! The site file: parsed with positions, checked all at once, defaulted into Desired; and its JSON Schema.
//!
//! `intake` (bytes to text) → `grow` (text to a tree that knows places) → `repair` (tree to types, every fault reported) →
//! `check` (what types cannot say) → `lower` (defaults). Secrets are only ever referenced: a literal one is refused, and
//! hidden wherever the file is shown.

mod check;
mod decode;
pub mod desired;
mod explain;
mod grow;
mod intake;
mod lower;
mod mask;
mod path;
mod raw;
pub mod references;
pub mod render;
mod repair;
mod shape;
mod site;
pub mod template;
mod tree;

pub use desired::Desired;
pub use intake::MAX_BYTES;
pub use references::secret_refs;
pub use shape::schema;
pub use site::{Rejected, Site, load, parse};
