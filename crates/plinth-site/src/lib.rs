//! The site file: parsed with positions, checked all at once, defaulted into Desired; and its JSON Schema.
//!
//! `read` (bytes to text) → `parse` (text to a tree that knows places) → `recover` (tree to types, every fault reported) →
//! `check` (what types cannot say) → `resolve` (defaults). Secrets are only ever referenced: a literal one is refused, and
//! hidden wherever the file is shown.

mod check;
mod decode;
mod defaults;
pub mod desired;
mod diagnostics;
mod explain;
mod limits;
mod mask;
mod parse;
mod path;
mod raw;
mod read;
mod recover;
pub mod references;
pub mod render;
mod resolve;
mod site;
pub mod template;
mod todo;
mod tree;
mod unfilled;

pub use desired::Desired;
pub use limits::schema;
pub use read::MAX_BYTES;
pub use references::{NOTIFY, secret_refs};
pub use site::{Rejected, Site, load, parse};
