//! What NVIDIA's network operator, SR-IOV's and nv-ipam do with their objects, and the order in which they find them: each stage only when
//! the one before works. The kind of pools is not there before the whole operator's policy is ready, as on a real cluster.

use crate::charts::{Kind, POOLS};
use crate::ground::{FEW, Ground};
use crate::operator::Operators;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NAMESPACE: &str = "network-operator";
/// GPU nodes of the site.
const NODES: [&str; 2] = ["dgx-01", "dgx-02"];
/// From a policy to a node that has its functions.
const WORK: Duration = Duration::from_secs(2);

/// What these operators remember.
#[derive(Default)]
pub(crate) struct Progress {
    policies_seen: Option<Instant>,
    /// What was found before its time.
    pub(crate) early: Vec<String>,
}

fn kind(group: &str, version: &str, plural: &str, kind: &str, namespaced: bool) -> Kind {
    let text = str::to_owned;
    Kind { group: text(group), version: text(version), plural: text(plural), kind: text(kind), namespaced }
}

fn sriov(plural: &str, name: &str) -> Kind {
    kind("sriovnetwork.openshift.io", "v1", plural, name, true)
}

impl Operators {
    /// One look at everything, and what follows from it.
    pub(crate) async fn infiniband(&self, progress: &mut Progress) -> kube::Result<()> {
        let policy = kind("mellanox.com", "v1alpha1", "nicclusterpolicies", "NicClusterPolicy", false);
        let Some(found) = self.api(&policy, "").get_opt("nic-cluster-policy").await? else { return Ok(()) };
        let ready = found.data.pointer("/status/state") == Some(&json!("ready"));
        if ready {
            self.define(&kind("nv-ipam.nvidia.com", "v1alpha1", "ippools", "IPPool", true)).await?;
        }
        let policies = self.names(&sriov("sriovnetworknodepolicies", "SriovNetworkNodePolicy"), NAMESPACE).await?;
        progress.note(!policies.is_empty() && !ready, "policies before the operator's own policy was ready");
        let done = self.functions(progress, &policies).await?;
        let pools = match ready {
            true => self.names(&kind("nv-ipam.nvidia.com", "v1alpha1", "ippools", "IPPool", true), NAMESPACE).await?,
            false => Vec::new(),
        };
        progress.note(!pools.is_empty() && !done, "pools before the nodes had their functions");
        let networks = self.names(&sriov("sriovibnetworks", "SriovIBNetwork"), NAMESPACE).await?;
        progress.note(!networks.is_empty() && pools.len() < networks.len(), "networks before their pools");
        for network in networks {
            self.attachment(&network).await?;
        }
        Ok(())
    }

    async fn names(&self, kind: &Kind, namespace: &str) -> kube::Result<Vec<String>> {
        let list = self.api(kind, namespace).list(&ListParams::default()).await?;
        Ok(list.items.into_iter().filter_map(|one| one.metadata.name).collect())
    }

    async fn define(&self, kind: &Kind) -> kube::Result<()> {
        let definitions = Api::<CustomResourceDefinition>::all(self.client.clone());
        if definitions.get_metadata_opt(&format!("{}.{}", kind.plural, kind.group)).await?.is_none() {
            let definition = serde_json::from_value(kind.definition()).unwrap();
            definitions.create(&PostParams::default(), &definition).await?;
        }
        Ok(())
    }

    /// Nodes get a state with the first policy, and their functions some time later. Answers whether they have them.
    async fn functions(&self, progress: &mut Progress, policies: &[String]) -> kube::Result<bool> {
        if policies.is_empty() {
            return Ok(false);
        }
        let done = progress.policies_seen.get_or_insert_with(Instant::now).elapsed() > WORK;
        let states = self.api(&sriov("sriovnetworknodestates", "SriovNetworkNodeState"), NAMESPACE);
        for node in NODES {
            let mut state = json!({"apiVersion": "sriovnetwork.openshift.io/v1", "kind": "SriovNetworkNodeState",
                "metadata": {"name": node, "namespace": NAMESPACE}, "spec": {}});
            if states.get_opt(node).await?.is_none() {
                let made = serde_json::from_value(state.clone()).unwrap();
                states.create(&PostParams::default(), &made).await?;
            }
            state["status"] = json!({"syncStatus": if done { "Succeeded" } else { "InProgress" }});
            let patch = Patch::Merge(json!({"status": state["status"]}));
            states.patch_status(node, &PatchParams::default(), &patch).await?;
            if done {
                self.offer(node, policies).await?;
            }
        }
        Ok(done)
    }

    async fn offer(&self, node: &str, policies: &[String]) -> kube::Result<()> {
        let offered: serde_json::Map<String, Value> =
            policies.iter().map(|policy| (format!("nvidia.com/res{policy}"), json!("8"))).collect();
        let patch = Patch::Merge(json!({"status": {"allocatable": offered.clone(), "capacity": offered}}));
        let nodes = Api::<Node>::all(self.client.clone());
        nodes.patch_status(node, &PatchParams::default(), &patch).await.map(drop)
    }

    async fn attachment(&self, network: &str) -> kube::Result<()> {
        let kind = kind("k8s.cni.cncf.io", "v1", "network-attachment-definitions", "NetworkAttachmentDefinition", true);
        self.define(&kind).await?;
        let api = self.api(&kind, "default");
        if api.get_opt(network).await?.is_none() {
            let made = json!({"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
                "metadata": {"name": network, "namespace": "default"}, "spec": {}});
            api.create(&PostParams::default(), &serde_json::from_value(made).unwrap()).await?;
        }
        Ok(())
    }
}

impl Progress {
    fn note(&mut self, early: bool, what: &str) {
        if early && !self.early.iter().any(|known| known == what) {
            self.early.push(what.to_owned());
        }
    }
}

/// Two adapters, and nothing else of the platform.
fn site() -> String {
    format!("  infiniband: {{interfaces: [ibp24s0, ibP2p3s0], addresses: 192.168.0.0/16}}\n{FEW}")
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn infiniband_is_set_up_in_stages_that_wait_for_each_other() {
    Ground::with("helm3", &site(), |ground| {
        ground.apply_site().exits(0);
        assert_eq!(ground.operators.progress.lock().unwrap().early, Vec::<String>::new());
        let wanted =
            ["", ".policies", ".pools", ".networks"].map(|stage| format!("platform/objects/network-operator{stage}"));
        let changed = ground.changed();
        let at =
            |id: &String| changed.iter().position(|known| known == id).unwrap_or_else(|| panic!("{id}: {changed:#?}"));
        assert!(wanted.iter().map(at).is_sorted(), "{changed:#?}");
        let kubectl = |words: &[&str]| ground.plane.kubectl(words).unwrap();
        let pools = kubectl(&["get", POOLS, "--namespace", NAMESPACE, "-o", "name"]);
        assert_eq!(pools.lines().count(), 2, "{pools}");
        let of = ["get", "sriovnetworknodepolicies.sriovnetwork.openshift.io", "--namespace", NAMESPACE, "ibp2p3s0"];
        let interface = kubectl(&[&of[..], &["-o", "jsonpath={.spec.nicSelector.pfNames[0]}"]].concat());
        assert_eq!(interface, "ibP2p3s0", "the interface keeps its name");
        ground.apply_site().exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new());
        ground.plan_is_empty();
    });
}
