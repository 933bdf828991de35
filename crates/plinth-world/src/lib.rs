//! Clients: the only way to each foreign system. One module each: its traits and the values they speak. The real ones are crates of
//! their own (`plinth-ssh`, `-bcm`, `-ansible`, `-kube`, `-helm`, `-charts`, `-runai`, `-net`, `-keystore`), of which none uses another; simulated sides live
//! in `plinth-sim` and pass the same contract.
//!
//! Rules for every client: each call takes a [`Context`]; reads retry by themselves, writes only when they provably were not
//! sent; errors say whether they are transient, and why; nothing returned holds a secret.

pub mod ansible;
pub mod bcm;
pub mod charts;
pub mod clock;
pub mod context;
pub mod deadlines;
pub mod engine;
pub mod error;
pub mod fetch;
pub mod files;
pub mod given_up;
pub mod helm;
pub mod keystore;
pub mod kube;
pub mod mark;
pub mod node;
pub mod output;
pub mod packed;
pub mod private_file;
pub mod program_log;
pub mod runai;
pub mod seam;
pub mod secrets;

pub use clock::{Clock, SystemClock};
pub use context::{Context, Progress};
pub use error::{Cause, ClientError, ClientResult, FailedOn};

use std::sync::Arc;

/// All clients of a site.
#[derive(Clone)]
pub struct Clients {
    /// Base Command Manager.
    pub bcm: Arc<dyn bcm::BcmClient>,
    /// Nodes, over SSH.
    pub node: Arc<dyn node::NodeClient>,
    /// Files of the web.
    pub fetch: Arc<dyn fetch::FetchClient>,
    /// Ansible with Kubespray.
    pub ansible: Arc<dyn ansible::AnsibleClient>,
    /// The record of what runs on the nodes.
    pub records: Arc<dyn engine::EngineRecords>,
    /// The Kubernetes API.
    pub kube: Arc<dyn kube::KubeClient>,
    /// A cluster that is already there, before it is ours to work with.
    pub existing: Arc<dyn kube::ExistingCluster>,
    /// Releases in the cluster.
    pub helm: Arc<dyn helm::HelmClient>,
    /// The REST interface of Run:ai's control plane.
    pub runai: Arc<dyn runai::RunaiClient>,
    /// Certificates that plinth makes and keeps.
    pub keystore: Arc<dyn keystore::Keystore>,
    /// Our key pair for nodes.
    pub node_key: Arc<dyn keystore::NodeKey>,
}
