//! The real Ansible client: Kubespray's source, its Python environment, its playbooks, run on this machine.

mod alive;
mod environment;
pub mod events;
mod folder;
mod follow;
mod hints;
mod index;
mod local;
mod preview;
mod profile;
mod program;
mod python;
mod record;
mod settings;
mod source;
mod stage;
mod table;
mod tree;
mod verdict;
pub mod watch;

pub use environment::{Environment, PackageSource, environments};
pub use index::{DEFAULT_INDEX, package_index};
pub use local::{LOGS, LocalAnsible};
