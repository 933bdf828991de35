//! What plinth does to a site, as a library: open, observe, plan, approve, run. The binary prints around it, a page could as well.
//!
//! The world is the only difference between `apply` and `rehearse`: see [`World`].

mod admin_password;
pub mod audience;
pub mod certificates;
pub mod drift;
pub mod engine;
pub mod failure;
pub mod goal;
pub mod hand_over;
pub mod input;
pub mod kubeconfig;
pub mod logs;
pub mod new_site;
pub mod nodes;
pub mod notify;
pub mod operation;
pub mod overwrite;
pub mod own_files;
mod rollback;
mod rotation;
pub mod saved;
pub mod state;
pub mod support;
mod validate;
pub mod versions;
pub mod world;

pub use audience::Audience;
pub use failure::Failure;
pub use goal::Goal;
pub use input::Input;
pub use operation::{
    Access, Approve, Approved, ChartMove, Depth, Discovered, Observation, Operation, Planned, Refreshed, Setup,
};
pub use world::{Crash, Script, World};

/// Waits for programs of a run that was dropped: a helm that was told to stop writes down that it failed. Bounded, and at once when there
/// are none. The process ends behind it.
pub async fn programs_end() {
    plinth_helm::all_ended().await;
}
