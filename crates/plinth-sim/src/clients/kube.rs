//! Simulated Kubernetes.

use super::manifest::{OWN_NAMESPACES, key};
use super::model::offered_gpus;
use super::{Call, infiniband};
use crate::data_centre::DataCentre;
use crate::timing;
use crate::world::state::{AccountProgress, Member};
use crate::world::{Effect, State};
use async_trait::async_trait;
use indexmap::IndexMap;
use jiff::Timestamp;
use plinth_model::steps::{Health, NodeTarget, PodSecurity, SecretContent};
use plinth_model::{Digest, NodeName};
use plinth_world::keystore::Keystore;
use plinth_world::kube::{
    ClusterDns, ClusterHealth, HealthState, HeldConfig, KubeAccess, KubeHealth, KubeJoins, KubeNamespaces, KubeNode,
    KubeNodes, KubeSecrets, KubeSystem, KubeToolkits, NameSeen, SystemWorkload, ToolkitPod, taint_name,
};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientResult, Context};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

const CLIENT: &str = "kube";
/// How names of the cluster's own end.
const OWN_DOMAIN: &str = ".svc.cluster.local";

/// Kubernetes.
pub(crate) struct SimKube {
    pub(crate) centre: Arc<DataCentre>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) keystore: Arc<dyn Keystore>,
    /// Where names of the cluster's own lead.
    pub(crate) service: Option<Ipv4Addr>,
}

pub(super) fn call(doing: impl Into<String>) -> Call {
    Call::new(CLIENT, doing)
}

fn seen(holds: bool, seen: impl Into<String>) -> HealthState {
    HealthState { holds, seen: seen.into() }
}

/// Whether a namespace is there.
pub(super) fn has_namespace(state: &State, name: &str) -> bool {
    OWN_NAMESPACES.contains(&name) || state.cluster.namespaces.contains_key(name)
}

impl SimKube {
    /// One call of the API, refused while there is nothing to call.
    pub(super) async fn request(&self, call: &Call) -> ClientResult<()> {
        self.centre.wait(std::time::Duration::from_secs_f64(timing::KUBE_CALL)).await;
        if self.centre.look(|state, _| state.cluster.kubeconfig.is_none())? {
            return Err(call.fails("there is no kubeconfig yet", "deploy Kubernetes first"));
        }
        Ok(())
    }

    pub(super) async fn request_in(&self, call: &Call, namespace: &str) -> ClientResult<()> {
        self.request(call).await?;
        if self.centre.look(|state, _| has_namespace(state, namespace))? {
            return Ok(());
        }
        Err(call.fails(format!("namespaces \"{namespace}\" not found"), "make the namespace first"))
    }

    /// What a secret is made from, digested with the seed.
    async fn secret_digest(
        &self,
        ctx: &Context,
        call: &Call,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<Digest> {
        let inside = match content {
            SecretContent::RegistryLogin { login } => digest_of(&call.secret(&*self.secrets, &login.password)?),
            SecretContent::Bundle { pem, .. } => Digest::of_bytes(pem.as_bytes()),
            SecretContent::Value { value, .. } => digest_of(&call.secret(&*self.secrets, value)?),
            SecretContent::Tls { certificate } | SecretContent::Authority { certificate, .. } => {
                match self.keystore.certificate(ctx, certificate).await? {
                    Some(state) => match (content, state.authority) {
                        (SecretContent::Authority { .. }, Some(authority)) => Digest::of(&authority.fingerprints),
                        _ => Digest::of_bytes(state.fingerprint.as_bytes()),
                    },
                    _ => {
                        let happened = format!("the certificate {certificate} is not there");
                        return Err(call.fails(happened, "make the certificate first"));
                    }
                }
            }
        };
        Ok(Digest::of(&(self.centre.timing.seed, content, labels, inside)))
    }
}

fn digest_of(secret: &plinth_model::Secret) -> Digest {
    Digest::of_bytes(secret.expose().as_bytes())
}

fn class(content: &SecretContent) -> &'static str {
    match content {
        SecretContent::RegistryLogin { .. } => "registry-login",
        SecretContent::Tls { .. } => "tls",
        SecretContent::Authority { .. } | SecretContent::Bundle { .. } => "authority",
        SecretContent::Value { .. } => "value",
    }
}

/// Health of something that a release declares, or that an applied object brings.
fn declared(state: &State, now: Timestamp, namespace: &str, health: &Health) -> HealthState {
    let owner = state
        .cluster
        .releases
        .iter()
        .find(|(key, release)| release.health.contains(health) && in_namespace(key, namespace, health));
    if let Some((_, release)) = owner {
        let works = release.works(now);
        return seen(
            works,
            if works { "ready".to_owned() } else { format!("not ready, helm says {}", release.status) },
        );
    }
    if let Health::Field { resource, name, .. } = health
        && let Some(done) = infiniband::node_state(state, now, resource, name)
    {
        return seen(done, if done { "Succeeded" } else { "InProgress" });
    }
    if let Health::Field { resource, name, .. } = health
        && let Some(made) = infiniband::attachment(state, now, resource, name)
    {
        return seen(made, if made { name } else { "not found" });
    }
    let object = match health {
        Health::Field { resource, name, namespace, .. } | Health::Condition { resource, name, namespace, .. } => {
            state.cluster.objects.get(&key(resource, namespace, name))
        }
        Health::Workload { .. } => {
            let inside = format!("/{namespace}/");
            state.cluster.objects.iter().find(|(key, _)| key.contains(&inside)).map(|(_, object)| object)
        }
        Health::Allocatable { .. } => None,
    };
    match object {
        Some(object) if object.is_settled(now) => seen(true, "ready"),
        Some(object) if object.refused => seen(false, "not ready: its operator does not take this version"),
        Some(_) => seen(false, "not ready yet"),
        None => seen(false, "not found"),
    }
}

/// Workloads are looked for in one namespace, objects anywhere.
fn in_namespace(key: &str, namespace: &str, health: &Health) -> bool {
    !matches!(health, Health::Workload { .. }) || key.split('/').next() == Some(namespace)
}

fn allocatable(state: &State, now: Timestamp, resource: &str, nodes: &[NodeName]) -> HealthState {
    if let Some(offered) = infiniband::offered(state, now, resource, nodes) {
        return seen(
            offered,
            if offered { format!("{resource} offered") } else { format!("no node offers {resource}") },
        );
    }
    if !matches!(resource, "nvidia.com/gpu" | "nvidia.com/gpu.shared") {
        return seen(false, format!("no node offers {resource}"));
    }
    let nodes: Vec<&NodeName> = if nodes.is_empty() {
        state.machines.iter().filter(|(_, machine)| machine.hardware.gpus > 0).map(|(node, _)| node).collect()
    } else {
        nodes.iter().collect()
    };
    let offers: Vec<(&NodeName, u32)> = nodes.into_iter().map(|node| (node, offered_gpus(state, node, now))).collect();
    let holds = !offers.is_empty() && offers.iter().all(|(_, gpus)| *gpus > 0);
    let lines: Vec<String> = offers.iter().map(|(node, gpus)| format!("{node}: {gpus}")).collect();
    seen(holds, if lines.is_empty() { "no node has GPUs".to_owned() } else { lines.join(", ") })
}

pub(super) fn is_ready(member: &Member, now: Timestamp) -> bool {
    member.ready_at.is_some_and(|at| at <= now)
}

fn as_seen(state: &State, node: &NodeName, member: &Member, now: Timestamp) -> KubeNode {
    KubeNode {
        ready: is_ready(member, now),
        version: member.version.clone(),
        labels: member.labels.clone(),
        taints: member.taints.iter().cloned().collect(),
        address: state.machines.get(node).map(|machine| machine.hardware.address),
        own_labels: member.own_labels.clone(),
        own_taints: member.own_taints.clone(),
    }
}

/// What Kubespray leaves in kube-system, as far as every cluster has it. A pod of a daemon set is ready with its node.
pub(super) fn system_workloads(state: &State, now: Timestamp) -> Vec<SystemWorkload> {
    let count = |nodes: usize| u32::try_from(nodes).unwrap_or(u32::MAX);
    let ready = count(state.cluster.members.values().filter(|member| is_ready(member, now)).count());
    let wanted = count(state.cluster.members.len());
    let workload = |kind, name: &str, ready, wanted| SystemWorkload { kind, name: name.to_owned(), ready, wanted };
    let names = wanted.min(2);
    vec![workload("Deployment", "coredns", ready.min(names), names), workload("DaemonSet", "kube-proxy", ready, wanted)]
}

#[async_trait]
impl KubeAccess for SimKube {
    async fn kubeconfig(&self, _: &Context) -> ClientResult<Option<HeldConfig>> {
        let held = |server| HeldConfig { server, refused: None };
        self.centre.look(|state, _| state.cluster.kubeconfig.clone().map(held))
    }

    async fn fetch_kubeconfig(&self, _: &Context, from: &NodeTarget, server: &str) -> ClientResult<()> {
        let call = call(format!("fetching the kubeconfig from {}", from.node));
        self.centre.spend("kubeconfig", from.node.as_str(), timing::KUBECONFIG).await;
        let (member, login, same) = self.centre.look(|state, _| {
            let account = state.machines.get(&from.node).and_then(|machine| machine.account.clone());
            let login = matches!(account, Some(AccountProgress::Made(account)) if account.name == from.user);
            let ready = state.cluster.members.get(&from.node).is_some_and(|member| member.ready_at.is_some());
            (ready, login, state.cluster.kubeconfig.as_deref() == Some(server))
        })?;
        if !login {
            return Err(call.fails(format!("permission denied for {}", from.user), "make the service account first"));
        }
        if !member {
            return Err(call.fails("/etc/kubernetes/admin.conf: no such file", "deploy Kubernetes first"));
        }
        if same {
            return Ok(());
        }
        self.centre.effect(Effect::KubeconfigFetched { server: server.to_owned() })
    }
}

#[async_trait]
impl KubeNodes for SimKube {
    async fn node(&self, _: &Context, node: &NodeName) -> ClientResult<Option<KubeNode>> {
        self.request(&call(format!("looking at node {node}"))).await?;
        self.centre.look(|state, now| state.cluster.members.get(node).map(|member| as_seen(state, node, member, now)))
    }

    async fn nodes(&self, _: &Context) -> ClientResult<IndexMap<String, KubeNode>> {
        self.request(&call("listing nodes")).await?;
        self.centre.look(|state, now| {
            let seen = |(node, member): (&NodeName, &Member)| (node.to_string(), as_seen(state, node, member, now));
            state.cluster.members.iter().map(seen).collect()
        })
    }

    async fn label_node(
        &self,
        _: &Context,
        node: &NodeName,
        labels: &IndexMap<String, String>,
        taints: &[String],
    ) -> ClientResult<()> {
        let call = call(format!("labelling node {node}"));
        self.request(&call).await?;
        let member = self.centre.look(|state, _| state.cluster.members.get(node).cloned())?;
        let Some(member) = member else {
            return Err(call.fails(format!("nodes \"{node}\" not found"), "deploy Kubernetes on the node first"));
        };
        let labelled = labels.iter().all(|(name, value)| member.labels.get(name) == Some(value));
        let names: BTreeSet<String> = taints.iter().map(|taint| taint_name(taint)).collect();
        let dropped = member.own_labels.iter().filter(|key| !labels.contains_key(*key));
        let dropped: Vec<String> = dropped.chain(member.own_taints.difference(&names)).cloned().collect();
        if labelled && dropped.is_empty() && taints.iter().all(|taint| member.taints.contains(taint)) {
            return Ok(());
        }
        let (node, labels, taints) = (node.clone(), labels.clone(), taints.to_vec());
        self.centre.effect(Effect::NodeLabelled { node, labels, taints, dropped })
    }
}

#[async_trait]
impl KubeSystem for SimKube {
    async fn cluster_health(&self, _: &Context) -> ClientResult<ClusterHealth> {
        self.request(&call("looking at the health of the cluster")).await?;
        self.centre.look(|state, now| ClusterHealth { failing: Vec::new(), workloads: system_workloads(state, now) })
    }
}

#[async_trait]
impl KubeJoins for SimKube {
    /// The simulated nodes join through a shared endpoint, which is never away.
    async fn redirect_joins(&self, _: &Context, _: &[NodeTarget], _: &str) -> ClientResult<bool> {
        self.request(&call("reading cluster-info in kube-public")).await.map(|_| false)
    }
}

#[async_trait]
impl KubeToolkits for SimKube {
    /// The simulated operator's toolkit has its runtime in a file of its own, which no play touches: there is nothing to end.
    async fn toolkits(&self, _: &Context) -> ClientResult<IndexMap<String, ToolkitPod>> {
        self.request(&call("listing the pods of the GPU operator's toolkit")).await?;
        Ok(IndexMap::new())
    }

    async fn end_pod(&self, _: &Context, pod: &ToolkitPod) -> ClientResult<()> {
        let call = call(format!("ending pod {} in {}", pod.name, pod.namespace));
        self.request(&call).await?;
        Err(call.fails(format!("pods \"{}\" not found", pod.name), "list the pods again"))
    }
}

#[async_trait]
impl KubeNamespaces for SimKube {
    async fn namespace(&self, _: &Context, name: &str) -> ClientResult<Option<Option<PodSecurity>>> {
        self.request(&call(format!("looking at namespace {name}"))).await?;
        self.centre.look(|state, _| match state.cluster.namespaces.get(name) {
            Some(level) => Some(Some(*level)),
            None if has_namespace(state, name) => Some(None),
            None => None,
        })
    }

    async fn make_namespace(&self, _: &Context, name: &str, level: PodSecurity) -> ClientResult<()> {
        self.request(&call(format!("making namespace {name}"))).await?;
        if self.centre.look(|state, _| state.cluster.namespaces.get(name) == Some(&level))? {
            return Ok(());
        }
        self.centre.effect(Effect::NamespaceMade { name: name.to_owned(), level })
    }
}

#[async_trait]
impl KubeSecrets for SimKube {
    async fn secret_matches(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<Option<bool>> {
        let call = call(format!("comparing secret {namespace}/{name}"));
        self.request(&call).await?;
        let key = format!("{namespace}/{name}");
        let Some(there) = self.centre.look(|state, _| state.cluster.secrets.get(&key).cloned())? else {
            return Ok(None);
        };
        Ok(Some(there.digest == self.secret_digest(ctx, &call, content, labels).await?))
    }

    async fn make_secret(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<()> {
        let call = call(format!("making secret {namespace}/{name}"));
        self.request_in(&call, namespace).await?;
        let digest = self.secret_digest(ctx, &call, content, labels).await?;
        let key = format!("{namespace}/{name}");
        if self.centre.look(|state, _| state.cluster.secrets.get(&key).is_some_and(|there| there.digest == digest))? {
            return Ok(());
        }
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.centre.effect(Effect::SecretMade { namespace, name, class: class(content).to_owned(), digest })
    }
}

#[async_trait]
impl KubeHealth for SimKube {
    async fn health(&self, _: &Context, namespace: &str, health: &Health) -> ClientResult<HealthState> {
        self.request(&call(format!("looking at the health of {namespace}"))).await?;
        self.centre.look(|state, now| match health {
            Health::Allocatable { resource, nodes } => allocatable(state, now, resource, nodes),
            _ => declared(state, now, namespace, health),
        })
    }
}

#[async_trait]
impl ClusterDns for SimKube {
    async fn look_up(&self, _: &Context, name: &str) -> ClientResult<NameSeen> {
        self.request(&call(format!("resolving {name} in the cluster"))).await?;
        let own = self.service.filter(|_| name.ends_with(OWN_DOMAIN));
        let found = self.centre.look(|state, _| state.cluster.dns.get(name).copied())?;
        let addresses = found.or(own).into_iter().collect();
        Ok(NameSeen { addresses, caches: Vec::new() })
    }

    async fn own_entries(&self, _: &Context) -> ClientResult<BTreeSet<String>> {
        self.request(&call("reading the configuration of the cluster's DNS")).await?;
        self.centre.look(|state, _| state.cluster.own_names.clone())
    }

    async fn set_entry(&self, _: &Context, entry: Option<(&str, Ipv4Addr)>) -> ClientResult<()> {
        self.request(&call("changing the configuration of the cluster's DNS")).await?;
        let others = |state: &State| {
            let others = state.cluster.own_names.iter().filter(|name| entry.is_none_or(|(wanted, _)| wanted != *name));
            others.cloned().collect::<Vec<_>>()
        };
        for name in self.centre.look(|state, _| others(state))? {
            self.centre.effect(Effect::DnsRemoved { name })?;
        }
        match entry {
            Some((name, address)) if self.centre.look(|state, _| state.cluster.dns.get(name) != Some(&address))? => {
                self.centre.effect(Effect::DnsAdded { name: name.to_owned(), address })
            }
            _ => Ok(()),
        }
    }
}
