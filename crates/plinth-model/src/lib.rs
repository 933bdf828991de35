//! Nouns of plinth: names, ids, findings, events, plans. No I/O, no async.
//!
//! Every other crate may use this one; this one uses none of them. What a word means, and what it does not mean, is in
//! `docs/words.md`.

pub mod amount;
pub mod api_group;
mod checked;
pub mod digest;
pub mod domain;
pub mod download;
pub mod engine;
pub mod exit;
pub mod facts;
pub mod finding;
pub mod gate;
pub mod host_path;
pub mod installed;
pub mod inventory;
pub mod name;
pub mod nearest;
pub mod observed;
pub mod plan;
pub mod problem;
pub mod ranges;
pub mod registry;
pub mod run;
pub mod secret;
pub mod span;
pub mod step;
pub mod steps;
pub mod storage;
pub mod text;
pub mod values;
pub mod verdict;
pub mod version;

pub use amount::amount;
pub use checked::TextError;
pub use digest::Digest;
pub use domain::{CertificateName, Domain};
pub use engine::EngineRecord;
pub use exit::Exit;
pub use finding::{Code, Finding, Owner, Position, Severity};
pub use host_path::HostPath;
pub use installed::{Installed, InstalledChange, ObjectName, Parts, ReleaseName};
pub use name::{Misread, NodeName, SiteName, misread};
pub use observed::Observed;
pub use plan::{Change, Gate, Plan, Step};
pub use problem::Problem;
pub use run::{Event, EventBody, Outcome, RunView, StepState};
pub use secret::{Secret, SecretRef};
pub use step::{Stage, StepId};
pub use steps::Work;
pub use storage::DefaultClass;
pub use values::Values;
pub use verdict::Verdict;
pub use version::{ChartVersion, Version};
