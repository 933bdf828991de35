//! What is asked of a running Kubernetes cluster, and set in it.

mod control_plane;
mod dns;
mod gpu_runtime;
mod kubeconfig;
mod labels;
mod ready;

pub use control_plane::ControlPlane;
pub use dns::ClusterDns;
pub use gpu_runtime::GpuRuntime;
pub use kubeconfig::Kubeconfig;
pub use labels::NodeLabels;
pub use ready::NodeReady;
