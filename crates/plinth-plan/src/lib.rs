//! Pure planning: desired, observed and catalog become a plan that is linted, compared and rendered. No I/O, no clock, no
//! randomness: the same inputs give the same bytes.

mod address;
pub mod catalog;
pub mod charts;
pub mod cluster;
mod collision;
pub mod diff;
pub mod discover;
pub mod duration;
pub mod engines;
pub mod facts;
mod given;
mod gpu;
mod hardware;
mod ids;
mod images;
mod known_hardware;
pub mod lint;
mod literal;
pub mod manifests;
mod names;
pub mod observed;
mod oidc;
mod planner;
mod ranges;
pub mod render;
pub mod saved;
mod select;
pub mod source;
pub mod sources;
mod step;
mod storage;
mod taints;
mod unmirrored;
mod visit;
mod without;

pub use address::AddressSource;
pub use catalog::Components;
pub use cluster::{Cluster, Member};
pub use discover::{DiscoverReport, DiscoveredNode, Discovery, Role, discover};
pub use engines::kubespray;
pub use given::{inventory_digest, static_inventory};
pub use ids::labelled;
pub use images::places_differ;
pub use observed::{LineMeaning, Observed, StepObservation};
pub use planner::{
    Chosen, Installed, Rotation, checks, endpoint_host, fixes, looked, made_from, plan, recovery, removal, rollback,
    rotation, trust,
};
pub use select::Members;
pub use unmirrored::unmirrored;
pub use visit::{Visit, visits};
