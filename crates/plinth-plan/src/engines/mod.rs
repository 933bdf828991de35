//! How Kubernetes gets onto the nodes: one engine each. Whoever stands outside asks a plan through the functions here and knows no
//! engine.

pub mod kubespray;
mod mirror_list;
mod work;

pub use mirror_list::MirrorList;
pub use work::{EngineFile, file, is_done, tools};
