//! How Kubernetes gets onto the nodes: one engine each, behind one trait. Whoever stands outside asks a plan through the functions here and
//! knows no engine. What every engine needs afterwards (kubeconfig, labels, readiness, health, names) is the planner's.

mod bcm;
mod engine;
mod existing;
pub mod kubespray;
mod mirror_list;
mod work;

pub use mirror_list::MirrorList;
pub use work::{EngineFile, fetches_tools, file, is_done, tools};

pub(crate) use engine::{Asked, Engine, Install};
use plinth_site::Desired;
use plinth_site::desired::Engine as Wanted;

/// The engine of a site.
pub(crate) fn of(desired: &Desired) -> &'static dyn Engine {
    match desired.kubernetes.engine {
        Wanted::Kubespray => &kubespray::Kubespray,
        Wanted::Bcm => &bcm::Bcm,
        Wanted::Existing => &existing::Existing,
    }
}
