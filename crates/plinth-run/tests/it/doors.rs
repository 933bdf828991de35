//! Doors that refuse everything: scripted behaviours never open one.

use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::download::{DownloadFile, DownloadList};
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::inventory::Inventory;
use plinth_model::work::{
    Account, CertificateSource, Check, Health, KeyAlgorithm, KubesprayRelease, NodeTarget, PodSecurity, Preparation,
    Release, RunaiTarget, SecretContent,
};
use plinth_model::{Digest, NodeName, Observed, Secret};
use plinth_world::ansible::{AnsibleDoor, Deployed, Download, PlayHosts, PlayRun, PlayStats};
use plinth_world::bcm::{BcmDoor, BcmIdentity};
use plinth_world::fetch::FetchDoor;
use plinth_world::helm::{HelmDoor, ReleaseState};
use plinth_world::keystore::{CertificateState, Keystore};
use plinth_world::kube::{ClusterHealth, HealthState, HeldConfig, KubeDoor, KubeNode, ToolkitPod};
use plinth_world::node::{
    AccountState, Birth, ControlPlane, HostKey, HostKeyState, NodeDoor, PushFile, Registries, Remains, StorageState,
};
use plinth_world::runai::{RunaiCluster, RunaiDoor};
use plinth_world::{Context, DoorError, DoorResult, Doors};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

struct Shut;

fn refuse<T>() -> DoorResult<T> {
    Err(DoorError::permanent("none", "opening a door", "this test has no doors", "script the behaviour instead"))
}

pub fn doors() -> Doors {
    let shut = Arc::new(Shut);
    Doors {
        bcm: shut.clone(),
        node: shut.clone(),
        fetch: shut.clone(),
        ansible: shut.clone(),
        kube: shut.clone(),
        helm: shut.clone(),
        runai: shut.clone(),
        keystore: shut,
    }
}

#[async_trait]
impl BcmDoor for Shut {
    async fn identity(&self, _: &Context) -> DoorResult<BcmIdentity> {
        refuse()
    }
    async fn inventory(&self, _: &Context) -> DoorResult<Inventory> {
        refuse()
    }
}

#[async_trait]
impl NodeDoor for Shut {
    async fn host_key(&self, _: &Context, _: &NodeTarget) -> DoorResult<HostKeyState> {
        refuse()
    }
    async fn pin_host_key(&self, _: &Context, _: &NodeTarget, _: &HostKey) -> DoorResult<()> {
        refuse()
    }
    async fn account(&self, _: &Context, _: &NodeTarget, _: &Account) -> DoorResult<AccountState> {
        refuse()
    }
    async fn make_account(&self, _: &Context, _: &NodeTarget, _: &Account) -> DoorResult<()> {
        refuse()
    }
    async fn repin_host_key(&self, _: &Context, _: &NodeTarget, _: &HostKey) -> DoorResult<()> {
        refuse()
    }
    async fn facts(&self, _: &Context, _: &NodeTarget, _: &Asked) -> DoorResult<NodeFacts> {
        refuse()
    }
    async fn storage(&self, _: &Context, _: &NodeTarget, _: &str, _: &str) -> DoorResult<StorageState> {
        refuse()
    }
    async fn remove_old_storage(&self, _: &Context, _: &NodeTarget, _: &str, _: &str) -> DoorResult<()> {
        refuse()
    }
    async fn preparation(&self, _: &Context, _: &NodeTarget, _: &Preparation) -> DoorResult<Vec<String>> {
        refuse()
    }
    async fn remains(&self, _: &Context, _: &NodeTarget) -> DoorResult<Remains> {
        Ok(Remains::default())
    }
    async fn birth(&self, _: &Context, _: &NodeTarget) -> DoorResult<Option<Birth>> {
        Ok(None)
    }
    async fn clear_remains(&self, _: &Context, _: &NodeTarget) -> DoorResult<()> {
        Ok(())
    }
    async fn prepare(&self, _: &Context, _: &NodeTarget, _: &Preparation) -> DoorResult<()> {
        refuse()
    }
    async fn relocate_storage(&self, _: &Context, _: &NodeTarget, _: &str, _: &str) -> DoorResult<()> {
        refuse()
    }
    async fn registries(&self, _: &Context, _: &NodeTarget, _: &Registries<'_>) -> DoorResult<Observed<Vec<String>>> {
        refuse()
    }
    async fn admin_config(&self, _: &Context, _: &NodeTarget) -> DoorResult<Secret> {
        refuse()
    }
    async fn control_plane(&self, _: &Context, _: &NodeTarget) -> DoorResult<ControlPlane> {
        refuse()
    }
    async fn set_registries(&self, _: &Context, _: &NodeTarget, _: &Registries<'_>) -> DoorResult<()> {
        refuse()
    }
    async fn missing_files(&self, _: &Context, _: &NodeTarget, _: &str, _: &[DownloadFile]) -> DoorResult<Vec<String>> {
        refuse()
    }
    async fn push_file(&self, _: &Context, _: &NodeTarget, _: &PushFile<'_>) -> DoorResult<()> {
        refuse()
    }
}

#[async_trait]
impl FetchDoor for Shut {
    async fn list(&self, _: &Context) -> DoorResult<Observed<DownloadList>> {
        refuse()
    }
    async fn keep_list(&self, _: &Context, _: &DownloadList) -> DoorResult<()> {
        refuse()
    }
    async fn missing(&self, _: &Context, _: &[DownloadFile]) -> DoorResult<Vec<DownloadFile>> {
        refuse()
    }
    async fn fetch(&self, _: &Context, _: &DownloadFile) -> DoorResult<()> {
        refuse()
    }
    fn place(&self, sha256: &str) -> PathBuf {
        PathBuf::from(sha256)
    }
}

#[async_trait]
impl AnsibleDoor for Shut {
    async fn source(&self, _: &Context, _: &KubesprayRelease) -> DoorResult<Observed<(String, String)>> {
        refuse()
    }
    async fn fetch_source(&self, _: &Context, _: &KubesprayRelease) -> DoorResult<()> {
        refuse()
    }
    async fn environment(&self, _: &Context, _: &KubesprayRelease) -> DoorResult<Observed<String>> {
        refuse()
    }
    async fn make_environment(&self, _: &Context, _: &KubesprayRelease) -> DoorResult<()> {
        refuse()
    }
    async fn inventory(&self, _: &Context) -> DoorResult<IndexMap<String, Digest>> {
        refuse()
    }
    async fn write_inventory(&self, _: &Context, _: &IndexMap<String, String>) -> DoorResult<()> {
        refuse()
    }
    async fn deployed(&self, _: &Context) -> DoorResult<Observed<Deployed>> {
        refuse()
    }
    async fn play(&self, _: &Context, _: &PlayRun) -> DoorResult<PlayStats> {
        refuse()
    }
    async fn preview(&self, _: &Context, _: &PlayRun) -> DoorResult<Vec<PlayHosts>> {
        refuse()
    }
    async fn opinion(&self, _: &Context, _: &KubesprayRelease) -> DoorResult<Observed<Vec<String>>> {
        refuse()
    }
    async fn downloads(&self, _: &Context, _: &KubesprayRelease) -> DoorResult<Vec<Download>> {
        refuse()
    }
}

#[async_trait]
impl KubeDoor for Shut {
    async fn nodes(&self, _: &Context) -> DoorResult<IndexMap<String, KubeNode>> {
        refuse()
    }
    async fn cluster_health(&self, _: &Context) -> DoorResult<ClusterHealth> {
        refuse()
    }
    async fn lead_joins(&self, _: &Context, _: &[NodeTarget], _: &str) -> DoorResult<bool> {
        refuse()
    }
    async fn toolkits(&self, _: &Context) -> DoorResult<IndexMap<String, ToolkitPod>> {
        refuse()
    }
    async fn end_pod(&self, _: &Context, _: &ToolkitPod) -> DoorResult<()> {
        refuse()
    }
    async fn kubeconfig(&self, _: &Context) -> DoorResult<Observed<HeldConfig>> {
        refuse()
    }
    async fn fetch_kubeconfig(&self, _: &Context, _: &NodeTarget, _: &str) -> DoorResult<()> {
        refuse()
    }
    async fn node(&self, _: &Context, _: &NodeName) -> DoorResult<Observed<KubeNode>> {
        refuse()
    }
    async fn label_node(
        &self,
        _: &Context,
        _: &NodeName,
        _: &IndexMap<String, String>,
        _: &[String],
    ) -> DoorResult<()> {
        refuse()
    }
    async fn namespace(&self, _: &Context, _: &str) -> DoorResult<Observed<Option<PodSecurity>>> {
        refuse()
    }
    async fn make_namespace(&self, _: &Context, _: &str, _: PodSecurity) -> DoorResult<()> {
        refuse()
    }
    async fn secret_matches(
        &self,
        _: &Context,
        _: &str,
        _: &str,
        _: &SecretContent,
        _: &IndexMap<String, String>,
    ) -> DoorResult<Observed<bool>> {
        refuse()
    }
    async fn make_secret(
        &self,
        _: &Context,
        _: &str,
        _: &str,
        _: &SecretContent,
        _: &IndexMap<String, String>,
    ) -> DoorResult<()> {
        refuse()
    }
    async fn diff(&self, _: &Context, _: &[Value]) -> DoorResult<Vec<String>> {
        refuse()
    }
    async fn apply(&self, _: &Context, _: &[Value]) -> DoorResult<()> {
        refuse()
    }
    async fn health(&self, _: &Context, _: &str, _: &Health) -> DoorResult<HealthState> {
        refuse()
    }
    async fn resolve_in_pod(&self, _: &Context, _: &str) -> DoorResult<Vec<Ipv4Addr>> {
        refuse()
    }
    async fn add_dns(&self, _: &Context, _: &str, _: Ipv4Addr) -> DoorResult<()> {
        refuse()
    }
    async fn run_check(&self, _: &Context, _: &Check) -> DoorResult<HealthState> {
        refuse()
    }
}

#[async_trait]
impl HelmDoor for Shut {
    async fn release(&self, _: &Context, _: &str, _: &str) -> DoorResult<Observed<ReleaseState>> {
        refuse()
    }
    async fn upgrade(&self, _: &Context, _: &Release) -> DoorResult<()> {
        refuse()
    }
}

#[async_trait]
impl RunaiDoor for Shut {
    async fn issuer(&self, _: &Context, _: &RunaiTarget) -> DoorResult<Observed<String>> {
        refuse()
    }
    async fn clusters(&self, _: &Context, _: &RunaiTarget) -> DoorResult<Vec<RunaiCluster>> {
        refuse()
    }
    async fn register(&self, _: &Context, _: &RunaiTarget) -> DoorResult<RunaiCluster> {
        refuse()
    }
    async fn keep_credentials(&self, _: &Context, _: &RunaiTarget, _: &str) -> DoorResult<()> {
        refuse()
    }
    async fn credentials_kept(&self, _: &Context, _: &RunaiTarget, _: &str) -> DoorResult<bool> {
        refuse()
    }
}

#[async_trait]
impl Keystore for Shut {
    async fn certificate(&self, _: &Context, _: &str) -> DoorResult<Observed<CertificateState>> {
        refuse()
    }
    async fn make_certificate(
        &self,
        _: &Context,
        _: &str,
        _: &[String],
        _: &CertificateSource,
    ) -> DoorResult<CertificateState> {
        refuse()
    }
    async fn ssh_key(&self, _: &Context, _: KeyAlgorithm) -> DoorResult<String> {
        refuse()
    }
}
