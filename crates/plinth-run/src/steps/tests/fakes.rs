//! Clients with scripted answers. Every call that was not scripted is an error, and every call is noted.

use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::download::{DownloadFile, DownloadList};
use plinth_model::engine::Play;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::inventory::Inventory;
use plinth_model::steps::{
    Account, CertificateRotation, CertificateSource, Check, Health, KeyAlgorithm, KubesprayRelease, NodeTarget,
    OrgUnit, PodSecurity, Preparation, Release, RunaiTarget, SecretContent,
};
use plinth_model::{Digest, EngineRecord, NodeName, ObjectName, ReleaseName, Secret, Version};
use plinth_world::ansible::{AnsibleClient, Download, PlayHosts, PlayRun, PlayStats};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::engine::EngineRecords;
use plinth_world::fetch::FetchClient;
use plinth_world::helm::{Drift, HelmClient, ReleaseState};
use plinth_world::keystore::{CertificateState, Keystore, NodeKey};
use plinth_world::kube::{
    Behind, CheckSeen, ClusterDns, ClusterHealth, ExistingCluster, GivenConfig, HealthState, HeldConfig, KubeAccess,
    KubeChecks, KubeContent, KubeHealth, KubeJoins, KubeNamespaces, KubeNode, KubeNodes, KubeObjects, KubeRestarts,
    KubeSecrets, KubeSystem, KubeToolkits, KubeWatch, NameSeen, NodePort, ToolkitPod, Unwatched, Watch,
};
use plinth_world::node::{
    AccountState, Bootstrap, ControlPlane, HostKey, HostKeyState, Leftovers, NodeAccounts, NodeControlPlane, NodeFiles,
    NodeHostKeys, NodeInspection, NodeLeftovers, NodePreparation, NodeRegistries, NodeStorage, PushFile, Registries,
    StorageState,
};
use plinth_world::runai::{RunaiClient, RunaiCluster, RunaiOrgUnit, RunaiProject, RunaiTraining, RunaiWorkload};
use plinth_world::{ClientError, ClientResult, Clients, Context};
use serde_json::Value;
use std::any::Any;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Scripted = VecDeque<Box<dyn Any + Send>>;

/// All clients at once.
#[derive(Default)]
pub(super) struct Fake {
    answers: Mutex<HashMap<&'static str, Scripted>>,
    calls: Mutex<Vec<&'static str>>,
    pub(super) plays: Mutex<Vec<Play>>,
    pub(super) kept: Mutex<Vec<EngineRecord>>,
    /// What a watch says.
    pub(super) waits: Mutex<Vec<Vec<String>>>,
}

impl Fake {
    /// The next call of this name succeeds with this value.
    pub(super) fn on<T: Send + 'static>(self: &Arc<Self>, call: &'static str, value: T) -> &Arc<Self> {
        self.script::<T>(call, Ok(value))
    }

    /// The next call of this name fails.
    pub(super) fn fails<T: Send + 'static>(self: &Arc<Self>, call: &'static str, error: ClientError) -> &Arc<Self> {
        self.script::<T>(call, Err(error))
    }

    fn script<T: Send + 'static>(self: &Arc<Self>, call: &'static str, answer: ClientResult<T>) -> &Arc<Self> {
        self.answers.lock().unwrap().entry(call).or_default().push_back(Box::new(answer));
        self
    }

    /// Calls so far.
    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }

    /// Nothing that was scripted is left over.
    pub(super) fn assert_used_up(&self) {
        let left: Vec<&str> =
            self.answers.lock().unwrap().iter().filter(|(_, q)| !q.is_empty()).map(|(n, _)| *n).collect();
        assert!(left.is_empty(), "never called: {left:?}");
    }

    fn answer<T: 'static>(&self, call: &'static str) -> ClientResult<T> {
        self.calls.lock().unwrap().push(call);
        let next = self.answers.lock().unwrap().get_mut(call).and_then(VecDeque::pop_front);
        match next.map(Box::<dyn Any + Send>::downcast::<ClientResult<T>>) {
            Some(Ok(answer)) => *answer,
            Some(Err(_)) => panic!("{call} was scripted with another type"),
            None => Err(ClientError::new("fake", call).happened("unexpected call").attempt("script it")),
        }
    }

    pub(super) fn clients(self: &Arc<Self>) -> Clients {
        Clients {
            bcm: self.clone(),
            node: self.clone(),
            fetch: self.clone(),
            ansible: self.clone(),
            records: self.clone(),
            kube: self.clone(),
            existing: self.clone(),
            helm: self.clone(),
            runai: self.clone(),
            keystore: self.clone(),
            node_key: self.clone(),
        }
    }
}

/// Implements a client: each call answers what was scripted under its name.
macro_rules! client {
    ($client:ident { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* }) => {
        #[async_trait]
        impl $client for Fake {
            $(async fn $name(&self, _: &Context $(, $argument: $type)*) -> ClientResult<$answer> {
                $(let _ = $argument;)*
                self.answer(stringify!($name))
            })*
        }
    };
}

#[async_trait]
impl EngineRecords for Fake {
    async fn record(&self, _: &Context) -> ClientResult<Option<EngineRecord>> {
        self.answer("record")
    }
    async fn keep(&self, _: &Context, record: &EngineRecord) -> ClientResult<()> {
        self.kept.lock().unwrap().push(record.clone());
        self.answer("keep")
    }
    async fn forget(&self, _: &Context) -> ClientResult<()> {
        self.answer("forget")
    }
}

client!(ExistingCluster {
    given(file: &str) -> GivenConfig;
    mark(file: &str) -> plinth_world::kube::ClusterMark;
    take_over(file: &str) -> ();
    version(file: &str) -> Version;
    default_classes(file: &str) -> Vec<plinth_model::DefaultClass>;
});

client!(BcmClient {
    identity() -> BcmIdentity;
    inventory() -> Inventory;
});

client!(NodeHostKeys {
    host_key(target: &NodeTarget) -> HostKeyState;
    pin_host_key(target: &NodeTarget, key: &HostKey) -> ();
    repin_host_key(target: &NodeTarget, key: &HostKey) -> ();
});

client!(NodeAccounts {
    account(target: &NodeTarget, account: &Account) -> AccountState;
    make_account(target: &NodeTarget, account: &Account) -> ();
});

client!(NodeInspection {
    facts(target: &NodeTarget, asked: &Asked) -> NodeFacts;
});

client!(NodeStorage {
    storage(target: &NodeTarget, from: &str, to: &str) -> StorageState;
    relocate_storage(target: &NodeTarget, from: &str, to: &str) -> ();
    remove_old_storage(target: &NodeTarget, from: &str, to: &str) -> ();
});

client!(NodePreparation {
    preparation(target: &NodeTarget, wanted: &Preparation) -> Vec<String>;
    prepare(target: &NodeTarget, wanted: &Preparation) -> ();
});

client!(NodeRegistries {
    registries(target: &NodeTarget, wanted: &Registries<'_>) -> Option<Vec<String>>;
    set_registries(target: &NodeTarget, wanted: &Registries<'_>) -> ();
});

client!(NodeLeftovers {
    leftovers(target: &NodeTarget) -> Leftovers;
    clear_leftovers(target: &NodeTarget) -> ();
});

client!(NodeControlPlane {
    bootstrap(target: &NodeTarget) -> Option<Bootstrap>;
    admin_config(target: &NodeTarget) -> Secret;
    control_plane(target: &NodeTarget) -> ControlPlane;
});

client!(NodeFiles {
    missing_files(target: &NodeTarget, folder: &str, files: &[DownloadFile]) -> Vec<String>;
    push_file(target: &NodeTarget, push: &PushFile<'_>) -> ();
});

#[async_trait]
impl FetchClient for Fake {
    async fn list(&self, _: &Context) -> ClientResult<Option<DownloadList>> {
        self.answer("list")
    }
    async fn keep_list(&self, _: &Context, _: &DownloadList) -> ClientResult<()> {
        self.answer("keep_list")
    }
    async fn missing(&self, _: &Context, _: &[DownloadFile]) -> ClientResult<Vec<DownloadFile>> {
        self.answer("missing")
    }
    async fn fetch(&self, _: &Context, _: &DownloadFile) -> ClientResult<()> {
        self.answer("fetch")
    }
    async fn status(&self, _: &Context, _: &str) -> ClientResult<u16> {
        self.answer("status")
    }
    fn place(&self, sha256: &str) -> PathBuf {
        PathBuf::from(sha256)
    }
}

#[async_trait]
impl AnsibleClient for Fake {
    async fn source(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Option<(String, String)>> {
        self.answer("source")
    }
    async fn fetch_source(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<()> {
        self.answer("fetch_source")
    }
    async fn environment(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Option<String>> {
        self.answer("environment")
    }
    async fn make_environment(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<()> {
        self.answer("make_environment")
    }
    async fn inventory(&self, _: &Context) -> ClientResult<IndexMap<String, Digest>> {
        self.answer("written_files")
    }
    async fn write_inventory(&self, _: &Context, _: &IndexMap<String, String>) -> ClientResult<()> {
        self.answer("write_inventory")
    }
    async fn play(&self, _: &Context, run: &PlayRun) -> ClientResult<PlayStats> {
        self.plays.lock().unwrap().push(run.play.clone());
        self.answer("play")
    }
    async fn preview(&self, _: &Context, _: &PlayRun) -> ClientResult<Vec<PlayHosts>> {
        self.answer("preview")
    }
    async fn validate_inventory(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Option<Vec<String>>> {
        self.answer("validate_inventory")
    }
    async fn downloads(&self, _: &Context, _: &KubesprayRelease) -> ClientResult<Vec<Download>> {
        self.answer("downloads")
    }
}

client!(KubeAccess {
    kubeconfig() -> Option<HeldConfig>;
    fetch_kubeconfig(from: &NodeTarget, server: &str) -> ();
});

client!(KubeNodes {
    node(node: &NodeName) -> Option<KubeNode>;
    nodes() -> IndexMap<String, KubeNode>;
    label_node(node: &NodeName, labels: &IndexMap<String, String>, taints: &[String]) -> ();
});

client!(KubeSystem {
    cluster_health() -> ClusterHealth;
});

client!(KubeJoins {
    redirect_joins(away: &[NodeTarget], server: &str) -> bool;
});

client!(KubeToolkits {
    toolkits() -> IndexMap<String, ToolkitPod>;
    end_pod(pod: &ToolkitPod) -> ();
});

client!(KubeNamespaces {
    namespace(name: &str) -> Option<Option<PodSecurity>>;
    make_namespace(name: &str, level: PodSecurity) -> ();
});

client!(KubeSecrets {
    secret_matches(namespace: &str, name: &str, content: &SecretContent, labels: &IndexMap<String, String>) -> Option<bool>;
    make_secret(namespace: &str, name: &str, content: &SecretContent, labels: &IndexMap<String, String>) -> ();
});

client!(KubeRestarts {
    behind(namespace: &str, secret: &str, read_at_start: bool) -> Vec<Behind>;
    restart(namespace: &str, secret: &str, behind: &[Behind]) -> ();
});

client!(KubeObjects {
    diff(objects: &[Value]) -> Vec<String>;
    apply(objects: &[Value]) -> ();
    version(object: &ObjectName) -> Option<Version>;
    present(objects: &[ObjectName]) -> Vec<ObjectName>;
    remove(objects: &[ObjectName]) -> ();
});

client!(KubeContent {
    further_kinds() -> Vec<String>;
    owners(objects: &[ObjectName]) -> Vec<(ObjectName, Option<ReleaseName>)>;
    node_ports() -> Vec<NodePort>;
});

client!(KubeHealth {
    health(namespace: &str, health: &Health) -> HealthState;
});

#[async_trait]
impl KubeWatch for Fake {
    async fn watch(&self, _: &Context, _: &str, _: &[Health]) -> Box<dyn Watch> {
        Box::new(Watched(self.waits.lock().unwrap().drain(..).collect()))
    }
}

/// Says these at once, one after the other; then nothing changes any more.
struct Watched(VecDeque<Vec<String>>);

#[async_trait]
impl Watch for Watched {
    async fn changed(&mut self, ctx: &Context, most: Duration) -> Vec<String> {
        match self.0.pop_front() {
            Some(lines) => lines,
            None => Unwatched.changed(ctx, most).await,
        }
    }
}

client!(ClusterDns {
    look_up(name: &str) -> NameSeen;
    own_entries() -> BTreeSet<String>;
    set_entry(entry: Option<(&str, Ipv4Addr)>) -> ();
});

client!(KubeChecks {
    run_check(check: &Check) -> CheckSeen;
});

client!(HelmClient {
    release(namespace: &str, name: &str) -> Option<ReleaseState>;
    differences(release: &Release) -> Vec<String>;
    drift(release: &Release) -> Drift;
    upgrade(release: &Release) -> Vec<String>;
    history(release: &ReleaseName) -> Vec<ReleaseState>;
    differences_to_revision(release: &ReleaseName, revision: u32) -> Vec<String>;
    rollback(release: &ReleaseName, revision: u32, limit: Duration) -> Vec<String>;
    uninstall(release: &ReleaseName, limit: Duration) -> ();
});

client!(RunaiClient {
    issuer(target: &RunaiTarget) -> Option<String>;
    up(target: &RunaiTarget, is_new: bool) -> ();
    clusters(target: &RunaiTarget) -> Vec<RunaiCluster>;
    register(target: &RunaiTarget) -> RunaiCluster;
    keep_credentials(target: &RunaiTarget, uuid: &str) -> Option<String>;
    credentials_kept(target: &RunaiTarget, uuid: &str) -> bool;
    org_unit(target: &RunaiTarget, uuid: &str, unit: &OrgUnit) -> Option<RunaiOrgUnit>;
    make_org_unit(target: &RunaiTarget, uuid: &str, unit: &OrgUnit) -> RunaiOrgUnit;
    set_quota(target: &RunaiTarget, uuid: &str, unit: &OrgUnit) -> ();
    projects(target: &RunaiTarget, uuid: &str) -> Vec<RunaiProject>;
    start_training(target: &RunaiTarget, place: (&str, &str), training: &RunaiTraining) -> RunaiWorkload;
    workloads(target: &RunaiTarget, project: &str, name: &str) -> Vec<RunaiWorkload>;
    workload(target: &RunaiTarget, id: &str) -> Option<RunaiWorkload>;
    remove_training(target: &RunaiTarget, id: &str) -> ();
});

#[async_trait]
impl Keystore for Fake {
    async fn certificate(&self, _: &Context, _: &str) -> ClientResult<Option<CertificateState>> {
        self.answer("certificate")
    }
    async fn make_certificate(
        &self,
        _: &Context,
        _: &str,
        _: &[plinth_model::CertificateName],
        _: &CertificateSource,
    ) -> ClientResult<CertificateState> {
        self.answer("make_certificate")
    }
    async fn rotation_differs(&self, _: &Context, _: &CertificateRotation) -> ClientResult<Vec<String>> {
        self.answer("rotation_differs")
    }
    async fn rotate(&self, _: &Context, _: &CertificateRotation) -> ClientResult<CertificateState> {
        self.answer("rotate")
    }
}

#[async_trait]
impl NodeKey for Fake {
    async fn ssh_key(&self, _: &Context, _: KeyAlgorithm) -> ClientResult<String> {
        self.answer("ssh_key")
    }
}
