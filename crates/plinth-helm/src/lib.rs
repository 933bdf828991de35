//! The real Helm client. What is there is read from the cluster, where helm keeps it, through the Kubernetes client; the program
//! `helm` runs only when something is to be changed, from a package that is a file of this machine. So helm needs no repository and
//! no way to the web.
//!
//! The program is given values on standard input: no secret is in its arguments, its environment or a file. Not covered: storage
//! drivers of helm other than `secret`, post-renderers and plugins.

mod client;
mod crds;
mod documents;
mod drift;
mod failure;
mod folder;
mod hooks;
mod kept;
mod local;
mod mark;
mod objects;
mod package;
mod payload;
mod process;
mod program;
mod records;
mod render;
mod repair;
mod rollback;
mod starting;
#[cfg(test)]
mod tests;
mod uninstall;

pub use documents::objects;
pub use kept::LOGS;
pub use local::{HelmCluster, LocalHelm};
pub use process::all_ended;
pub use render::Renderer;
