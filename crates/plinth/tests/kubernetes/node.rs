//! A node of the control plane, as far as the Kubernetes client asks for one: a file stands for its kubeconfig.

use async_trait::async_trait;
use plinth_model::download::DownloadFile;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::steps::{Account, NodeTarget, Preparation};
use plinth_model::{Observed, Secret};
use plinth_world::node::{
    AccountState, Birth, ControlPlane, HostKey, HostKeyState, Leftovers, NodeClient, PushFile, Registries, StorageState,
};
use plinth_world::{ClientError, ClientResult, Context};
use std::path::PathBuf;
use std::sync::Mutex;

/// The node; its kubeconfig is the content of this file.
pub(crate) struct Node(pub(crate) Mutex<PathBuf>);

/// Everything else is refused.
macro_rules! refused {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl NodeClient for Node {
            $(async fn $name(&self, _: &Context, _: &NodeTarget $(, $argument: $type)*) -> ClientResult<$answer> {
                $(let _ = $argument;)*
                Err(ClientError::permanent("node", stringify!($name), "this node only has a kubeconfig", "ask for that"))
            })*

            async fn admin_config(&self, _: &Context, _: &NodeTarget) -> ClientResult<Secret> {
                Ok(Secret::new(std::fs::read_to_string(&*self.0.lock().unwrap()).unwrap()))
            }
        }
    };
}

refused! {
    host_key() -> HostKeyState;
    pin_host_key(key: &HostKey) -> ();
    repin_host_key(key: &HostKey) -> ();
    account(account: &Account) -> AccountState;
    make_account(account: &Account) -> ();
    facts(asked: &Asked) -> NodeFacts;
    storage(from: &str, to: &str) -> StorageState;
    relocate_storage(from: &str, to: &str) -> ();
    remove_old_storage(from: &str, to: &str) -> ();
    preparation(wanted: &Preparation) -> Vec<String>;
    prepare(wanted: &Preparation) -> ();
    registries(wanted: &Registries<'_>) -> Observed<Vec<String>>;
    set_registries(wanted: &Registries<'_>) -> ();
    leftovers() -> Leftovers;
    birth() -> Option<Birth>;
    clear_leftovers() -> ();
    control_plane() -> ControlPlane;
    missing_files(folder: &str, files: &[DownloadFile]) -> Vec<String>;
    push_file(push: &PushFile<'_>) -> ();
}
