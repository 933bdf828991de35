//! What Kubespray reads: inventory and variables, as texts. Facts about names and traps: Kubespray v2.24 to v2.31, whose
//! sources and runs are the authority; unknown variables are never reported by Ansible, so nothing is written on a guess.

mod add_ons;
pub(crate) mod downloads;
mod files;
mod group_vars;
mod ini;
mod inputs;
mod inventory;
mod line;
mod recovery;
mod removal;
mod removed;
mod settings;
mod site_vars;

pub use files::{Files, GROUP_VARS, INVENTORY, files, json, recovery_files, yaml};
pub use group_vars::{group_vars, wants_toolkit};
pub use ini::inventory_ini;
pub use inputs::inputs;
pub use inventory::inventory;
pub use recovery::recovery;
pub use removal::removal;
pub use removed::removed;
pub use settings::RELEASES;
