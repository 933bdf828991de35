//! Clients that refuse everything: scripted behaviours never open one.

mod keystore;
mod node;

use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::download::{DownloadFile, DownloadList};
use plinth_model::inventory::Inventory;
use plinth_model::steps::{
    Check, Health, KubesprayRelease, NodeTarget, OrgUnit, PodSecurity, Release, RunaiTarget, SecretContent,
};
use plinth_model::{Digest, EngineRecord, NodeName, ObjectName, ReleaseName, Version};
use plinth_world::ansible::{AnsibleClient, Download, PlayHosts, PlayRun, PlayStats};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::engine::EngineRecords;
use plinth_world::fetch::FetchClient;
use plinth_world::helm::{Drift, HelmClient, ReleaseState};
use plinth_world::kube::{
    Behind, CheckSeen, ClusterDns, ClusterHealth, ExistingCluster, GivenConfig, HealthState, HeldConfig, KubeAccess,
    KubeChecks, KubeContent, KubeHealth, KubeJoins, KubeNamespaces, KubeNode, KubeNodes, KubeObjects, KubeRestarts,
    KubeSecrets, KubeSystem, KubeToolkits, KubeWatch, NameSeen, NodePort, ToolkitPod, Unwatched, Watch,
};
use plinth_world::runai::{RunaiClient, RunaiCluster, RunaiOrgUnit, RunaiProject, RunaiTraining, RunaiWorkload};
use plinth_world::{ClientError, ClientResult, Clients, Context};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

struct Shut;
fn refuse<T>() -> ClientResult<T> {
    Err(ClientError::new("none", "opening a client")
        .happened("this test has no clients")
        .attempt("script the behaviour instead"))
}

pub fn clients() -> Clients {
    let shut = Arc::new(Shut);
    Clients {
        bcm: shut.clone(),
        node: shut.clone(),
        fetch: shut.clone(),
        ansible: shut.clone(),
        records: shut.clone(),
        kube: shut.clone(),
        existing: shut.clone(),
        helm: shut.clone(),
        runai: shut.clone(),
        keystore: shut.clone(),
        node_key: shut,
    }
}

#[async_trait]
impl EngineRecords for Shut {
    async fn record(&self, _: &Context) -> ClientResult<Option<EngineRecord>> {
        refuse()
    }
    async fn keep(&self, _: &Context, _: &EngineRecord) -> ClientResult<()> {
        refuse()
    }
    async fn forget(&self, _: &Context) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl ExistingCluster for Shut {
    async fn mark(&self, _: &Context, _: &str) -> ClientResult<plinth_world::kube::ClusterMark> {
        refuse()
    }

    async fn given(&self, _: &Context, _: &str) -> ClientResult<GivenConfig> {
        refuse()
    }
    async fn take_over(&self, _: &Context, _: &str) -> ClientResult<()> {
        refuse()
    }
    async fn version(&self, _: &Context, _: &str) -> ClientResult<Version> {
        refuse()
    }
    async fn default_classes(&self, _: &Context, _: &str) -> ClientResult<Vec<plinth_model::DefaultClass>> {
        refuse()
    }
}

#[async_trait]
impl BcmClient for Shut {
    async fn identity(&self, _: &Context) -> ClientResult<BcmIdentity> {
        refuse()
    }
    async fn inventory(&self, _: &Context) -> ClientResult<Inventory> {
        refuse()
    }
}

#[async_trait]
impl FetchClient for Shut {
    async fn list(&self, _: &Context) -> ClientResult<Option<DownloadList>> {
        refuse()
    }
    async fn keep_list(&self, _: &Context, _: &DownloadList) -> ClientResult<()> {
        refuse()
    }
    async fn missing(&self, _: &Context, _: &[DownloadFile]) -> ClientResult<Vec<DownloadFile>> {
        refuse()
    }
    async fn fetch(&self, _: &Context, _: &DownloadFile) -> ClientResult<()> {
        refuse()
    }
    async fn status(&self, _: &Context, _: &str) -> ClientResult<u16> {
        refuse()
    }
    fn place(&self, sha256: &str) -> PathBuf {
        PathBuf::from(sha256)
    }
}

#[async_trait]
impl AnsibleClient for Shut {
    async fn source(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Option<(String, String)>> {
        refuse()
    }
    async fn fetch_source(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<()> {
        refuse()
    }
    async fn environment(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Option<String>> {
        refuse()
    }
    async fn make_environment(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<()> {
        refuse()
    }
    async fn inventory(&self, _: &Context) -> ClientResult<IndexMap<String, Digest>> {
        refuse()
    }
    async fn write_inventory(&self, _: &Context, _: &IndexMap<String, String>) -> ClientResult<()> {
        refuse()
    }
    async fn play(&self, _: &Context, _: &PlayRun) -> ClientResult<PlayStats> {
        refuse()
    }
    async fn preview(&self, _: &Context, _: &PlayRun) -> ClientResult<Vec<PlayHosts>> {
        refuse()
    }
    async fn validate_inventory(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Option<Vec<String>>> {
        refuse()
    }
    async fn downloads(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Vec<Download>> {
        refuse()
    }
}

#[async_trait]
impl KubeAccess for Shut {
    async fn kubeconfig(&self, _: &Context) -> ClientResult<Option<HeldConfig>> {
        refuse()
    }

    async fn fetch_kubeconfig(&self, _: &Context, _: &NodeTarget, _: &str) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeNodes for Shut {
    async fn node(&self, _: &Context, _: &NodeName) -> ClientResult<Option<KubeNode>> {
        refuse()
    }

    async fn nodes(&self, _: &Context) -> ClientResult<IndexMap<String, KubeNode>> {
        refuse()
    }

    async fn label_node(
        &self,
        _: &Context,
        _: &NodeName,
        _: &IndexMap<String, String>,
        _: &[String],
    ) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeSystem for Shut {
    async fn cluster_health(&self, _: &Context) -> ClientResult<ClusterHealth> {
        refuse()
    }
}

#[async_trait]
impl KubeJoins for Shut {
    async fn redirect_joins(&self, _: &Context, _: &[NodeTarget], _: &str) -> ClientResult<bool> {
        refuse()
    }
}

#[async_trait]
impl KubeToolkits for Shut {
    async fn toolkits(&self, _: &Context) -> ClientResult<IndexMap<String, ToolkitPod>> {
        refuse()
    }

    async fn end_pod(&self, _: &Context, _: &ToolkitPod) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeRestarts for Shut {
    async fn behind(&self, _: &Context, _: &str, _: &str, _: bool) -> ClientResult<Vec<Behind>> {
        refuse()
    }

    async fn restart(&self, _: &Context, _: &str, _: &str, _: &[Behind]) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeNamespaces for Shut {
    async fn namespace(&self, _: &Context, _: &str) -> ClientResult<Option<Option<PodSecurity>>> {
        refuse()
    }

    async fn make_namespace(&self, _: &Context, _: &str, _: PodSecurity) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeSecrets for Shut {
    async fn secret_matches(
        &self,
        _: &Context,
        _: &str,
        _: &str,
        _: &SecretContent,
        _: &IndexMap<String, String>,
    ) -> ClientResult<Option<bool>> {
        refuse()
    }

    async fn make_secret(
        &self,
        _: &Context,
        _: &str,
        _: &str,
        _: &SecretContent,
        _: &IndexMap<String, String>,
    ) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeObjects for Shut {
    async fn diff(&self, _: &Context, _: &[Value]) -> ClientResult<Vec<String>> {
        refuse()
    }

    async fn apply(&self, _: &Context, _: &[Value]) -> ClientResult<()> {
        refuse()
    }

    async fn version(&self, _: &Context, _: &ObjectName) -> ClientResult<Option<Version>> {
        refuse()
    }

    async fn present(&self, _: &Context, _: &[ObjectName]) -> ClientResult<Vec<ObjectName>> {
        refuse()
    }

    async fn remove(&self, _: &Context, _: &[ObjectName]) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeContent for Shut {
    async fn further_kinds(&self, _: &Context) -> ClientResult<Vec<String>> {
        refuse()
    }

    async fn owners(&self, _: &Context, _: &[ObjectName]) -> ClientResult<Vec<(ObjectName, Option<ReleaseName>)>> {
        refuse()
    }

    async fn node_ports(&self, _: &Context) -> ClientResult<Vec<NodePort>> {
        refuse()
    }
}

#[async_trait]
impl KubeWatch for Shut {
    async fn watch(&self, _: &Context, _: &str, _: &[Health]) -> Box<dyn Watch> {
        Box::new(Unwatched)
    }
}

#[async_trait]
impl KubeHealth for Shut {
    async fn health(&self, _: &Context, _: &str, _: &Health) -> ClientResult<HealthState> {
        refuse()
    }
}

#[async_trait]
impl ClusterDns for Shut {
    async fn look_up(&self, _: &Context, _: &str) -> ClientResult<NameSeen> {
        refuse()
    }

    async fn own_entries(&self, _: &Context) -> ClientResult<BTreeSet<String>> {
        refuse()
    }

    async fn set_entry(&self, _: &Context, _: Option<(&str, Ipv4Addr)>) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl KubeChecks for Shut {
    async fn run_check(&self, _: &Context, _: &Check) -> ClientResult<CheckSeen> {
        refuse()
    }
}

#[async_trait]
impl HelmClient for Shut {
    async fn release(&self, _: &Context, _: &str, _: &str) -> ClientResult<Option<ReleaseState>> {
        refuse()
    }
    async fn differences(&self, _: &Context, _: &Release) -> ClientResult<Vec<String>> {
        refuse()
    }
    async fn drift(&self, _: &Context, _: &Release) -> ClientResult<Drift> {
        refuse()
    }
    async fn upgrade(&self, _: &Context, _: &Release) -> ClientResult<Vec<String>> {
        refuse()
    }
    async fn history(&self, _: &Context, _: &ReleaseName) -> ClientResult<Vec<ReleaseState>> {
        refuse()
    }
    async fn differences_to_revision(&self, _: &Context, _: &ReleaseName, _: u32) -> ClientResult<Vec<String>> {
        refuse()
    }
    async fn rollback(
        &self,
        _: &Context,
        _: &ReleaseName,
        _: u32,
        _: std::time::Duration,
    ) -> ClientResult<Vec<String>> {
        refuse()
    }
    async fn uninstall(&self, _: &Context, _: &ReleaseName, _: std::time::Duration) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl RunaiClient for Shut {
    async fn issuer(&self, _: &Context, _: &RunaiTarget) -> ClientResult<Option<String>> {
        refuse()
    }
    async fn up(&self, _: &Context, _: &RunaiTarget, _: bool) -> ClientResult<()> {
        refuse()
    }
    async fn clusters(&self, _: &Context, _: &RunaiTarget) -> ClientResult<Vec<RunaiCluster>> {
        refuse()
    }
    async fn register(&self, _: &Context, _: &RunaiTarget) -> ClientResult<RunaiCluster> {
        refuse()
    }
    async fn keep_credentials(&self, _: &Context, _: &RunaiTarget, _: &str) -> ClientResult<Option<String>> {
        refuse()
    }
    async fn credentials_kept(&self, _: &Context, _: &RunaiTarget, _: &str) -> ClientResult<bool> {
        refuse()
    }
    async fn org_unit(&self, _: &Context, _: &RunaiTarget, _: &str, _: &OrgUnit) -> ClientResult<Option<RunaiOrgUnit>> {
        refuse()
    }
    async fn make_org_unit(&self, _: &Context, _: &RunaiTarget, _: &str, _: &OrgUnit) -> ClientResult<RunaiOrgUnit> {
        refuse()
    }
    async fn set_quota(&self, _: &Context, _: &RunaiTarget, _: &str, _: &OrgUnit) -> ClientResult<()> {
        refuse()
    }
    async fn projects(&self, _: &Context, _: &RunaiTarget, _: &str) -> ClientResult<Vec<RunaiProject>> {
        refuse()
    }
    async fn start_training(
        &self,
        _: &Context,
        _: &RunaiTarget,
        _: (&str, &str),
        _: &RunaiTraining,
    ) -> ClientResult<RunaiWorkload> {
        refuse()
    }
    async fn workloads(&self, _: &Context, _: &RunaiTarget, _: &str, _: &str) -> ClientResult<Vec<RunaiWorkload>> {
        refuse()
    }
    async fn workload(&self, _: &Context, _: &RunaiTarget, _: &str) -> ClientResult<Option<RunaiWorkload>> {
        refuse()
    }
    async fn remove_training(&self, _: &Context, _: &RunaiTarget, _: &str) -> ClientResult<()> {
        refuse()
    }
}
