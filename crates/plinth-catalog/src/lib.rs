//! Components and compatibility as data, and the resolver that answers with reasons.
//!
//! No code in here knows a chart's name: what is installed, how, and what goes with what stands in `catalog/`.

pub mod adapters;
pub mod catalog;
mod choice;
pub mod compatibility;
pub mod component;
mod derived;
pub mod error;
pub mod expression;
mod facts;
pub mod keys;
pub mod known;
pub mod known_bad;
pub mod kubespray;
mod kubespray_release;
mod kubespray_vars;
pub mod merge;
mod near;
mod objects;
mod order;
mod placement;
pub mod range;
mod render;
pub mod resolution;
mod resolve;
pub mod runai;
mod site_path;
mod source;
mod storage;
mod versions;

pub use catalog::Catalog;
pub use error::CatalogError;
pub use facts::Facts;
pub use kubespray::KubernetesVersionForm;
pub use kubespray_release::no_version;
pub use resolution::{Resolution, ResolvedCheck, ResolvedComponent, ResolvedSecret, ResolvedStage};
pub use runai::{DerivedFact, RunaiNames, RunaiPart};
