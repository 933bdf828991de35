//! What watches a cluster of stand-in charts: operators that tell of their custom resources, CoreDNS, and Run:ai's control plane, which
//! comes up with the certificate that is in the cluster and calls a cluster connected that shows the right credential.

use crate::charts::{Kind, Told};
use crate::infiniband::Progress;
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use plinth_sim::runai::{RunaiServer, RunaiSetup, ServedCertificate};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two looks: people's operators watch, and look sooner.
const LOOK: Duration = Duration::from_millis(200);

/// What the stand-ins know, and what they were told to leave.
pub(crate) struct Operators {
    pub(crate) client: Client,
    runtime: tokio::runtime::Runtime,
    stop: AtomicBool,
    /// Components whose operators say nothing.
    silent: Mutex<BTreeSet<String>>,
    pub(crate) runai: Mutex<Option<RunaiServer>>,
    /// The chain that Run:ai's ingress shows.
    shown: Mutex<String>,
    /// What the pods of the cluster part had of the authority when they began, by their ids.
    trust: Mutex<BTreeMap<String, String>>,
    /// How often a cluster part that had been connected did not believe what it was shown.
    pub(crate) lost: Mutex<Vec<String>>,
    /// What the operators of InfiniBand remember.
    pub(crate) progress: Mutex<Progress>,
    setup: RunaiSetup,
}

impl Operators {
    /// Of the cluster of this kubeconfig. Run:ai will be this one, once its release is there.
    pub(crate) fn new(kubeconfig: &Path, setup: RunaiSetup) -> Arc<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
            let options = kube::config::KubeConfigOptions::default();
            Client::try_from(kube::Config::from_custom_kubeconfig(file, &options).await.unwrap()).unwrap()
        });
        let (stop, silent, runai) = (AtomicBool::new(false), Mutex::default(), Mutex::default());
        let (shown, trust, lost, progress) = (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { client, runtime, stop, silent, runai, shown, trust, lost, progress, setup })
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// From now on the operator of this component says nothing.
    pub(crate) fn keeps_silent(&self, component: &str) {
        self.silent.lock().unwrap().insert(component.to_owned());
    }

    /// The operator of this component speaks again, and has said all of this when this returns.
    pub(crate) fn speaks(&self, component: &str, told: &[Told]) {
        self.silent.lock().unwrap().remove(component);
        for one in told.iter().filter(|one| one.component == component) {
            self.runtime.block_on(self.tell(one)).unwrap();
        }
    }

    /// Tells what has to be told until it is stopped. A cluster that does not answer is asked again.
    pub(crate) fn work(&self, told: &[Told]) {
        while !self.stop.load(Ordering::Relaxed) {
            for one in told {
                if !self.silent.lock().unwrap().contains(&one.component) {
                    let _again_later = self.runtime.block_on(self.tell(one));
                }
            }
            let _again_later = self.runtime.block_on(self.run_ai());
            let _again_later = self.runtime.block_on(self.infiniband(&mut self.progress.lock().unwrap()));
            std::thread::sleep(LOOK);
        }
    }

    pub(crate) fn api(&self, kind: &Kind, namespace: &str) -> Api<DynamicObject> {
        let Kind { group, version, plural, kind, .. } = kind.clone();
        let api_version = format!("{group}/{version}");
        let resource = ApiResource { group, version, api_version, kind, plural };
        match namespace {
            "" => Api::all_with(self.client.clone(), &resource),
            namespace => Api::namespaced_with(self.client.clone(), namespace, &resource),
        }
    }

    async fn tell(&self, one: &Told) -> kube::Result<()> {
        let api = self.api(&one.kind, &one.namespace);
        let Some(found) = api.get_opt(&one.name).await? else { return Ok(()) };
        if holds(&found.data, &one.status) {
            return Ok(());
        }
        api.patch_status(&one.name, &PatchParams::default(), &Patch::Merge(&one.status)).await.map(drop)
    }

    async fn secret(&self, namespace: &str, name: &str, keys: &[&str]) -> kube::Result<Option<Vec<String>>> {
        let found = Api::<Secret>::namespaced(self.client.clone(), namespace).get_opt(name).await?;
        let data = found.and_then(|secret| secret.data).unwrap_or_default();
        let text = |key: &&str| data.get(*key).map(|ByteString(bytes)| String::from_utf8_lossy(bytes).into_owned());
        Ok(keys.iter().map(text).collect())
    }

    async fn run_ai(&self) -> kube::Result<()> {
        let up = self.runai.lock().unwrap().is_some();
        if !up {
            return self.comes_up().await;
        }
        self.follows_its_secret().await?;
        let doubts = self.doubts().await?;
        let keys = ["secret", "uid", "url", "existing", "key"];
        let Some(mut shown) = self.secret("runai", "stand-in-credential", &keys).await? else { return Ok(()) };
        // The credential itself, or where it stands.
        if !shown[3].is_empty() {
            let Some(named) = self.secret("runai", &shown[3], &[&shown[4]]).await? else { return Ok(()) };
            shown[0].clone_from(&named[0]);
        }
        let guard = self.runai.lock().unwrap();
        let Some(server) = guard.as_ref() else { return Ok(()) };
        // A cluster part with another credential, or for another place, stays unknown.
        if server.secrets_given().contains(&shown[0]) && server.url() == shown[2] {
            let state = if doubts.is_empty() { "Connected" } else { "Disconnected" };
            self.lost.lock().unwrap().extend(doubts);
            let status = serde_json::json!({"state": state, "conditions": []});
            server.reports(&shown[1], status, &[("dgx-01", 8), ("dgx-02", 8)]);
        }
        Ok(())
    }

    /// With the certificate of the cluster, as the ingress shows it.
    async fn comes_up(&self) -> kube::Result<()> {
        let keycloak = Api::<StatefulSet>::namespaced(self.client.clone(), "runai-backend").get_opt("keycloak").await?;
        if keycloak.and_then(|set| set.status?.ready_replicas).unwrap_or(0) == 0 {
            return Ok(());
        }
        let Some(pair) = self.secret("runai-backend", "runai-backend-tls", &["tls.crt", "tls.key"]).await? else {
            return Ok(());
        };
        let [chain, key] = [0, 1].map(|at| pair[at].clone());
        self.shown.lock().unwrap().clone_from(&chain);
        let served = Some(ServedCertificate { chain, key: plinth_model::Secret::new(key) });
        let server = RunaiServer::start(RunaiSetup { served, ..self.setup.clone() }, Vec::new()).unwrap();
        *self.runai.lock().unwrap() = Some(server);
        Ok(())
    }

    /// As an ingress controller does, whose secret changed.
    async fn follows_its_secret(&self) -> kube::Result<()> {
        let Some(pair) = self.secret("runai-backend", "runai-backend-tls", &["tls.crt", "tls.key"]).await? else {
            return Ok(());
        };
        let [chain, key] = [0, 1].map(|at| pair[at].clone());
        if *self.shown.lock().unwrap() != chain {
            let served = ServedCertificate { chain: chain.clone(), key: plinth_model::Secret::new(key) };
            self.runai.lock().unwrap().as_ref().unwrap().shows(&served).unwrap();
            *self.shown.lock().unwrap() = chain;
        }
        Ok(())
    }

    /// Pods of the cluster part that do not believe what is shown, by the authority that they had when they began: a file that is mounted by
    /// sub-path does not follow its secret. The authority stands last in the chains that plinth makes.
    async fn doubts(&self) -> kube::Result<Vec<String>> {
        let agents = ListParams::default().labels("app=runai-agent");
        let pods = Api::<Pod>::namespaced(self.client.clone(), "runai").list(&agents).await?.items;
        let bundle = self.secret("runai", "runai-ca-cert", &["runai-ca.pem"]).await?.map(|mut found| found.remove(0));
        let chain = self.shown.lock().unwrap().clone();
        let end = chain.rfind("-----BEGIN").map_or("", |at| chain[at..].trim()).to_owned();
        let mut trust = self.trust.lock().unwrap();
        let mut doubts = Vec::new();
        for pod in pods {
            let id = pod.metadata.uid.unwrap_or_default();
            let had = trust.entry(id).or_insert_with(|| bundle.clone().unwrap_or_default());
            let runs = pod.metadata.deletion_timestamp.is_none();
            if runs && !had.contains(&end) {
                doubts.push(pod.metadata.name.unwrap_or_default());
            }
        }
        Ok(doubts)
    }

    /// Answers names as the cluster's CoreDNS would by its configuration: DNS over TCP, one question a connection.
    pub(crate) fn answer_names(self: &Arc<Self>, at: SocketAddr) {
        let (listener, own) = (TcpListener::bind(at).unwrap(), Arc::clone(self));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _the_asker_went = own.answer(stream);
            }
        });
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question)?;
        let maps = Api::<ConfigMap>::namespaced(self.client.clone(), "kube-system");
        let map = self.runtime.block_on(maps.get_opt("coredns")).ok().flatten();
        let corefile = map.and_then(|map| map.data?.remove("Corefile")).unwrap_or_default();
        let answer = response(&question, &corefile);
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &answer].concat())
    }
}

/// Whether an object already says all of this.
fn holds(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| there.get(key).is_some_and(|there| holds(there, value)))
        }
        _ => there == wanted,
    }
}

/// The answer of a server with this configuration: a line `ADDRESS NAME` of a `hosts` block, or no such name (RFC 1035, 4.1).
fn response(question: &[u8], corefile: &str) -> Vec<u8> {
    let (mut at, mut name) = (12, Vec::new());
    while let Some(length) = question.get(at).copied().filter(|length| *length > 0) {
        name.push(String::from_utf8_lossy(&question[at + 1..=at + usize::from(length)]).into_owned());
        at += usize::from(length) + 1;
    }
    // Kind and class of the question; what follows (EDNS) is left out of the answer.
    let asked = &question[12..at + 5];
    let name = name.join(".");
    let found = corefile.lines().find_map(|line| {
        let (address, known) = line.trim().split_once(' ')?;
        known.split_whitespace().any(|known| known == name).then(|| address.parse::<Ipv4Addr>().ok())?
    });
    let (code, answers) = if found.is_some() { (0x80, 1) } else { (0x83, 0) };
    let mut answer = [&question[..2], &[0x85, code, 0, 1, 0, answers, 0, 0, 0, 0], asked].concat();
    if let Some(address) = found {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4]);
        answer.extend(address.octets());
    }
    answer
}
