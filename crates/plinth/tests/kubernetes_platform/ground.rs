//! A control plane with nodes that KWOK plays, in a network of its own, and a site whose platform is made of stand-in charts.

use crate::charts;
pub(crate) use crate::charts::plan_of;
use crate::operator::Operators;
use plinth_lab::{ControlPlane, ControlPlaneSpec, Keycloak, LocalNetwork, Parts};
use plinth_model::Secret;
use plinth_sim::runai::RunaiSetup;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Where the load balancer would give the ingress its address, and Run:ai is found.
pub(crate) const INGRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 100);
pub(crate) const DOMAIN: &str = "runai.platform.test";
/// Of the administrator, and of the images' registry. Neither is in any other text of these tests.
pub(crate) const PASSWORD: &str = "Adm1n-word-of-these-tests-9b1f";
pub(crate) const TOKEN: &str = "registry-token-of-these-tests-77c3";
const NODES: [(&str, Ipv4Addr); 3] = [
    ("cpu-01", Ipv4Addr::new(10, 20, 0, 11)),
    ("dgx-01", Ipv4Addr::new(10, 20, 0, 21)),
    ("dgx-02", Ipv4Addr::new(10, 20, 0, 22)),
];
/// Where CoreDNS's pods lead.
const NAMES: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 5353);

/// What a site with Run:ai and a load balancer gets. Where the catalog knows the digest of the version that it would take, a stand-in cannot
/// be that version, so its neighbour is asked for.
pub(crate) const STANDARD: &str = "  components:
    metrics-server: {version: 3.13.1}
    local-path-provisioner: {version: 0.0.36}
    metallb: {version: 0.15.3}
    knative-operator: {version: v1.19.5}
";

/// The same, and what is off unless a site asks for it. InfiniBand is left out: it restarts nodes.
pub(crate) fn whole() -> String {
    let more = "    cert-manager: {enabled: true}
    k8s-nim-operator: {enabled: true}
    kyverno: {enabled: true, version: 3.5.2}
    kyverno-policies: {enabled: true, version: 3.5.2}
    postgres-operator: {enabled: true, version: 1.14.1}
    spark-operator: {enabled: true, version: 2.3.1}
";
    format!("{STANDARD}{more}")
}

/// A line of Run:ai before the one that recommends another ingress controller, and what no other site of these tests has. Two components are
/// files of objects with these digests.
pub(crate) fn older([buckets, training]: [&str; 2]) -> String {
    format!(
        "  components:
    metrics-server: {{version: 3.13.1}}
    local-path-provisioner: {{version: 0.0.36}}
    metallb: {{version: 0.15.3}}
    knative-operator: {{version: v1.18.1}}
    {INGRESS_NGINX}
    snapshot-controller: {{enabled: true, version: 4.0.3}}
    cosi-controller: {{enabled: true, version: v0.2.2, digest: \"{buckets}\"}}
    training-operator: {{enabled: true, version: v1.9.2, digest: \"{training}\"}}
"
    )
}

const INGRESS_NGINX: &str = "ingress-nginx: {version: 4.15.0}";

/// The line of Run:ai of a site with these components.
fn line(components: &str) -> &'static str {
    if components.contains(INGRESS_NGINX) { "2.24" } else { "2.25" }
}

/// Two components, and no Run:ai: for what goes wrong whatever is installed.
pub(crate) const FEW: &str = "  components:
    metrics-server: {version: 3.13.1}
    local-path-provisioner: {enabled: false}
    haproxy-ingress: {enabled: false}
    ingress-nginx: {enabled: false}
    metallb: {enabled: false}
    kube-prometheus-stack: {enabled: false}
    prometheus-adapter: {enabled: false}
    gpu-operator: {enabled: false}
    knative-operator: {enabled: false}
";

/// The same, and one whose operator has something to say.
pub(crate) const WITH_KNATIVE: &str = "  components:
    metrics-server: {version: 3.13.1}
    knative-operator: {version: v1.19.5}
    local-path-provisioner: {enabled: false}
    haproxy-ingress: {enabled: false}
    ingress-nginx: {enabled: false}
    metallb: {enabled: false}
    kube-prometheus-stack: {enabled: false}
    prometheus-adapter: {enabled: false}
    gpu-operator: {enabled: false}
";

/// A site file with this part about charts and components. Checks that need pods which do something are left out: KWOK's say nothing
/// (pod-network, dns, dns-out, gpu-pod, storage, snapshot), nobody measures them (metrics, gpu-metrics), and nobody gives addresses (load-balancer).
pub(crate) fn site(charts: &str, components: &str) -> String {
    let (balancer, runai) = if components.contains("metallb: {enabled: false}") {
        ("", String::new())
    } else {
        (BALANCER, runai(line(components)))
    };
    format!(
        "apiVersion: plinth/v1
kind: Site
metadata: {{name: played}}
inventory:
  static:
    - {{name: cpu-01, address: 10.20.0.11, category: control}}
    - {{name: dgx-01, address: 10.20.0.21, category: dgx-h100}}
    - {{name: dgx-02, address: 10.20.0.22, category: dgx-h100}}
networks: {{production: 10.20.0.0/24}}
nodes:
  controlPlane: [cpu-01]
  workers: [{{category: dgx-h100}}]
  gpu: [{{category: dgx-h100}}]
kubernetes: {{engine: existing, kubeconfig: given.conf, version: v1.34.2}}
checks: {{skip: [pod-network, dns, dns-out, load-balancer, gpu-pod, gpu-metrics, storage, snapshot, metrics, rdma]}}
platform:
  charts: {charts}
{balancer}{components}{runai}"
    )
}

const BALANCER: &str = "  loadBalancer: {addresses: [10.20.0.100-10.20.0.110]}\n";

fn runai(line: &str) -> String {
    format!(
        "runai:
  version: \"{line}\"
  domain: {DOMAIN}
  registry: {{token: {{file: registry-token}}}}
  admin: {{email: admin@example.com, password: {{exec: [/bin/cat, admin-password]}}}}
  cluster: {{name: played}}
"
    )
}

/// The cluster, and the folder in which plinth runs.
pub(crate) struct Ground {
    pub(crate) plane: ControlPlane,
    pub(crate) operators: Arc<Operators>,
    pub(crate) folder: TempDir,
    /// What plinth finds as `helm`.
    pub(crate) helm: PathBuf,
}

impl Ground {
    /// Makes everything but what plinth makes, and does the work in it. Whatever happens, all of it is gone afterwards.
    pub(crate) fn with(helm: &str, components: &str, work: impl FnOnce(&mut Self) + Send) {
        Self::of(helm, components, None, work);
    }

    /// The same, whose Run:ai has no Keycloak of its own: the test starts one at this port of loopback.
    pub(crate) fn behind(keycloak: u16, components: &str, work: impl FnOnce(&mut Self) + Send) {
        Self::of("helm3", components, Some((Ipv4Addr::LOCALHOST, keycloak).into()), work);
    }

    fn of(helm: &str, components: &str, keycloak: Option<SocketAddr>, work: impl FnOnce(&mut Self) + Send) {
        let helm = Parts::helm().unwrap().program(helm).unwrap();
        let addresses: Vec<Ipv4Addr> = NODES.iter().map(|(_, address)| *address).chain([INGRESS]).collect();
        let network = LocalNetwork::up(&addresses).unwrap();
        let password = if keycloak.is_some() { Keycloak::PASSWORD } else { PASSWORD };
        let version = line(components).parse().unwrap();
        let setup = RunaiSetup {
            listen: (INGRESS, 443).into(),
            keycloak,
            ..RunaiSetup::new(DOMAIN, version, Secret::new(password.to_owned()))
        };
        network.inside(|| Self::inside(helm, components, setup, work)).unwrap();
    }

    fn inside(helm: PathBuf, components: &str, setup: RunaiSetup, work: impl FnOnce(&mut Self)) {
        let plane = ControlPlane::of(ControlPlaneSpec { controllers: true, ..ControlPlaneSpec::default() }).unwrap();
        let password = setup.password.clone();
        let operators = Operators::new(&plane.admin(), setup);
        let mut ground = Self { plane, operators, folder: tempfile::tempdir().unwrap(), helm };
        ground.furnish(components, password.expose());
        let told = ground.told();
        let operators = Arc::clone(&ground.operators);
        std::thread::scope(|threads| {
            threads.spawn(|| operators.work(&told));
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut ground)));
            operators.stop();
            if let Err(panic) = done {
                std::panic::resume_unwind(panic);
            }
        });
    }

    /// What the operators of this site say of their custom resources.
    pub(crate) fn told(&self) -> Vec<charts::Told> {
        charts::told(&plan_of(&self.path("site.yaml")))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Nodes, CoreDNS, rights of the person whose kubeconfig plinth gets, the site file and its charts.
    fn furnish(&mut self, components: &str, password: &str) {
        self.operators.answer_names(NAMES.into());
        for (name, address) in NODES {
            self.node(name, address);
        }
        self.plane.play_nodes(&[(53, NAMES.into())]).unwrap();
        self.apply(&core_dns());
        self.plane
            .kubectl(&["create", "clusterrolebinding", "operators", "--clusterrole=cluster-admin", "--group=operators"])
            .unwrap();
        std::fs::copy(self.plane.operator(), self.path("given.conf")).unwrap();
        std::fs::create_dir(self.path("bin")).unwrap();
        std::os::unix::fs::symlink(&self.helm, self.path("bin/helm")).unwrap();
        for (name, secret) in [("registry-token", TOKEN), ("admin-password", password)] {
            self.write(name, secret);
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        self.write("site.yaml", site("{folder: charts}", components));
        charts::pack(&plan_of(&self.path("site.yaml")), &self.path("charts"));
    }

    /// One node, with eight GPUs when it is a DGX, before anybody plays it.
    fn node(&self, name: &str, address: Ipv4Addr) {
        let gpus = if name.starts_with("dgx") { 8 } else { 0 };
        let labels = json!({"kubernetes.io/hostname": name, "nvidia.com/gpu.count": gpus.to_string()});
        self.apply(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}));
        let resources = json!({"cpu": "128", "memory": "1Ti", "pods": "500", "nvidia.com/gpu": gpus.to_string()});
        let none = [
            "architecture",
            "bootID",
            "containerRuntimeVersion",
            "kernelVersion",
            "kubeProxyVersion",
            "machineID",
            "operatingSystem",
            "osImage",
            "systemUUID",
        ];
        let mut about: Value = none.into_iter().map(|key| (key.to_owned(), json!("played"))).collect();
        about["kubeletVersion"] = json!("v1.34.2");
        let status = json!({"status": {"capacity": resources, "allocatable": resources, "nodeInfo": about,
            "addresses": [{"type": "InternalIP", "address": address.to_string()}]}});
        let status = status.to_string();
        self.plane.kubectl(&["patch", "node", name, "--subresource=status", "--type=merge", "-p", &status]).unwrap();
    }

    /// Somebody else applies this.
    pub(crate) fn apply(&self, manifest: &Value) {
        self.write("manifest.json", manifest.to_string());
        let file = self.path("manifest.json");
        self.plane.kubectl(&["apply", "--server-side", "-f", file.to_str().unwrap()]).unwrap();
    }

    /// Somebody runs helm by hand.
    pub(crate) fn by_hand(&self, words: &[&str]) -> String {
        let mut command = std::process::Command::new(&self.helm);
        let ended = command.arg("--kubeconfig").arg(self.plane.admin()).args(words).output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{text}");
        text
    }
}

/// What a cluster has that somebody installed.
fn core_dns() -> Value {
    let labels = json!({"k8s-app": "kube-dns"});
    let corefile = ".:53 {\n    errors\n    kubernetes cluster.local in-addr.arpa ip6.arpa\n    forward . /etc/resolv.conf\n    reload\n}\n";
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": corefile}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", "namespace": "kube-system"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"tolerations": [{"operator": "Exists"}], "containers": [{"name": "coredns", "image": "stand-in.invalid/coredns:1"}]}}}},
    ]})
}
