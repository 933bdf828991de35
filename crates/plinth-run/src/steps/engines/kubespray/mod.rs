//! Kubespray: source, environment, inventory, downloads, and the runs of its playbooks.

mod birth;
mod choice;
pub mod downloads;
mod environment;
mod inventory;
mod recovery;
mod removal;
mod run;
mod source;

const CLIENT: &str = "ansible";
