//! A node of the control plane, as far as the Kubernetes client asks for one: a file stands for its kubeconfig.

use async_trait::async_trait;
use plinth_model::Secret;
use plinth_model::steps::NodeTarget;
use plinth_world::node::{Bootstrap, ControlPlane, NodeControlPlane};
use plinth_world::{ClientError, ClientResult, Context};
use std::path::PathBuf;
use std::sync::Mutex;

/// The node; its kubeconfig is the content of this file.
pub(crate) struct Node(pub(crate) Mutex<PathBuf>);

fn refused<T>(doing: &str) -> ClientResult<T> {
    Err(ClientError::new("node", doing).happened("this node only has a kubeconfig").attempt("ask for that"))
}

#[async_trait]
impl NodeControlPlane for Node {
    async fn bootstrap(&self, _: &Context, _: &NodeTarget) -> ClientResult<Option<Bootstrap>> {
        refused("bootstrap")
    }

    async fn admin_config(&self, _: &Context, _: &NodeTarget) -> ClientResult<Secret> {
        Ok(Secret::new(std::fs::read_to_string(&*self.0.lock().unwrap()).unwrap()))
    }

    async fn control_plane(&self, _: &Context, _: &NodeTarget) -> ClientResult<ControlPlane> {
        refused("control_plane")
    }
}
