//! What the acceptance checks claim, in one sentence each: for `plinth explain` and for the reference.

use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::steps::Check;

/// What one acceptance check says of the platform when it holds, and how it finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Stable name, as [`Check::name`] gives it.
    pub name: &'static str,
    /// What is true when it holds.
    pub sentence: &'static str,
    /// How it is proved.
    pub proof: &'static str,
    /// Code of the finding when it does not hold.
    pub code: Code,
    /// Where to look when it does not hold.
    pub fix: &'static str,
}

/// Findings that a check can end with besides its claim's own.
const OTHERS: [Code; 3] = [code::INGRESS_NOBODY_BEHIND, code::GPU_MONITOR_NOT_SELECTED, code::GPU_EXPORTER_NOT_READ];

/// Whether a finding is what a check says, and not why it could not be carried out.
#[must_use]
pub fn is_verdict(code: Code) -> bool {
    CLAIMS.iter().map(|claim| claim.code).chain(OTHERS).any(|one| one == code)
}

/// Every node is there and Ready.
const NODES: Claim = Claim {
    name: "kubernetes.nodes-ready",
    sentence: "Kubernetes knows every node of the site and calls it Ready.",
    proof: "The list of nodes of the API server.",
    code: code::KUBERNETES_NODES_NOT_READY,
    fix: "look at `kubectl describe node NODE` for the condition that fails, and at `journalctl -u kubelet` on the node",
};

/// What keeps the cluster going runs.
const SYSTEM: Claim = Claim {
    name: "kubernetes.system-works",
    sentence: "The API server finds itself well, and every workload of kube-system has its pods.",
    proof: "The API server's own checks (`/readyz`), and the state of every Deployment and DaemonSet of kube-system.",
    code: code::KUBERNETES_CONTROL_PLANE_ILL,
    fix: "look at `kubectl get pods -n kube-system -o wide`, and on the nodes at `journalctl -u kubelet`",
};

/// Pods reach each other across nodes.
const POD_NETWORK: Claim = Claim {
    name: "network.pods-reach-each-other",
    sentence: "Pods on different nodes reach each other by address, and a service by its name.",
    proof: "A pod on every node that answers HTTP, and one that asks the pods of the next nodes and a service in front of all of them. Every question must be answered; all are removed again.",
    code: code::NETWORK_PODS_CUT_OFF,
    fix: "if one node stands in all the failures: its routes, MTU and firewall (Calico needs VXLAN, UDP 4789, or IP-in-IP between nodes), and its pod of the network plugin; if only the service fails: kube-proxy and CoreDNS",
};

/// The metrics API answers.
const METRICS: Claim = Claim {
    name: "kubernetes.metrics-answer",
    sentence: "The metrics API knows the use of every node.",
    proof: "The list of nodes of `metrics.k8s.io`.",
    code: code::KUBERNETES_METRICS_MISSING,
    fix: "look at `kubectl get apiservice v1beta1.metrics.k8s.io` and at the log of metrics-server; it needs a minute after its start",
};

/// All GPUs are offered.
const GPU_CAPACITY: Claim = Claim {
    name: "gpu.all-offered",
    sentence: "Every GPU node offers as many GPUs as its driver sees.",
    proof: "`nvidia.com/gpu` in what the node offers (allocatable), against its label `nvidia.com/gpu.count`, times the replicas of time slicing.",
    code: code::GPU_NOT_ALL_OFFERED,
    fix: "look at the log of the device plugin on that node: it takes GPUs away that report errors (Xid); `nvidia-smi` on the node shows which one",
};

/// A pod with one GPU runs and sees it.
const GPU_POD: Claim = Claim {
    name: "gpu.pod-runs",
    sentence: "A pod that asks for one GPU runs on the node and sees it.",
    proof: "A pod with a limit of one `nvidia.com/gpu`, bound to the node, runs `nvidia-smi -L`; it is removed again.",
    code: code::GPU_POD_DOES_NOT_RUN,
    fix: "look at the pods of namespace gpu-operator on this node (driver, toolkit, device plugin, validator), and at the kernel log for Xid errors",
};

/// GPUs are shared by time.
const GPU_SHARING: Claim = Claim {
    name: "gpu.shared-by-time",
    sentence: "Every GPU node offers each GPU as often as the site says, and pods that share run at the same time.",
    proof: "What the node offers (allocatable) against `nvidia.com/gpu.count` times the replicas, its labels `nvidia.com/gpu.replicas` and `nvidia.com/gpu.product` (`-SHARED`, unless shares have a name of their own), and two pods that ask for a share each and run at the same time on one node; they are removed again.",
    code: code::GPU_NOT_SHARED,
    fix: "look at the log of the device plugin and of gpu-feature-discovery on that node, and at the ConfigMap that `devicePlugin.config` of the cluster policy names",
};

/// GPUs are measured.
const GPU_METRICS: Claim = Claim {
    name: "gpu.measured",
    sentence: "Prometheus has the metrics of the GPUs of every GPU node.",
    proof: "Prometheus is asked through the API server for a series that every exporter gives, and which node each is from; for what is missing, whether the exporter is a target, and what Prometheus got from it last.",
    code: code::GPU_NOT_MEASURED,
    fix: "look at the pods of Prometheus, and at the exporter's pod of the node that is named",
};

/// InfiniBand in pods.
const RDMA: Claim = Claim {
    name: "network.rdma-in-pods",
    sentence: "On every GPU node a pod that asks for a virtual function of each InfiniBand adapter gets them and sees their devices.",
    proof: "A pod on each GPU node with one of each resource, attached to the networks of the adapters, lists /dev/infiniband and the link layer of the ports of its own functions; it is removed again.",
    code: code::NETWORK_RDMA_NOT_IN_PODS,
    fix: "look at `kubectl get sriovnetworknodestates -A -o yaml` of the node, at the log of the SR-IOV device plugin, and at `ibstat` on the node",
};

/// The platform's name resolves inside pods.
const DNS: Claim = Claim {
    name: "dns.name-resolves-in-pods",
    sentence: "Pods on each kind of node resolve the platform's name to its ingress address.",
    proof: "A pod on one node of each kind (role, GPUs, operating system) asks its DNS server for the name, for two minutes at most, since servers and caches read a new entry late; all are removed again.",
    code: code::DNS_NAME_DOES_NOT_RESOLVE,
    fix: "look at the ConfigMaps coredns and nodelocaldns (where it is) in kube-system, and at what the servers they forward to answer for this name",
};

/// Others' names resolve inside pods.
const DNS_OUT: Claim = Claim {
    name: "dns.others-resolve-in-pods",
    sentence: "Pods on each kind of node resolve names of others than the cluster.",
    proof: "A pod on one node of each kind (role, GPUs, operating system) asks its DNS server for each name, and for a name of the cluster itself to compare; all are removed again.",
    code: code::DNS_OTHERS_DO_NOT_RESOLVE,
    fix: "if the cluster's own names resolve there, ask the servers of `forward` in the ConfigMap of CoreDNS; if none do, look at CoreDNS and the network of the pods",
};

/// The load balancer leads to the ingress.
const LOAD_BALANCER: Claim = Claim {
    name: "ingress.address-answers",
    sentence: "The ingress's Service has an address of the load balancer, and each of its ports answers there.",
    proof: "The Service in the API, and a connection to each of its ports at that address from this machine; where this machine does not get there, a request of a pod, which is removed again.",
    code: code::INGRESS_ADDRESS_DOES_NOT_ANSWER,
    fix: "look at the Service's events and at the load balancer's pools; where nothing answers, at the log of MetalLB's speakers and at the pods of the ingress controller",
};

/// The ingress controller answers.
const INGRESS_CONTROLLER: Claim = Claim {
    name: "ingress.controller-answers",
    sentence: "The ingress controller answers HTTP at the address and port of the site, if only that it has nothing of that name.",
    proof: "An HTTP request from this machine; where this machine does not get there, one of a pod, which is removed again.",
    code: code::INGRESS_DOES_NOT_ANSWER,
    fix: "look at the pods and the Service of the ingress controller, and see whether the port is open on the way",
};

/// The ingress shows a certificate that is trusted.
const INGRESS: Claim = Claim {
    name: "ingress.certificate-is-trusted",
    sentence: "HTTPS to the platform's URL answers with the certificate that the site's authority signed, and somebody is behind it, unless Run:ai's control plane is elsewhere.",
    proof: "An HTTPS request from this machine to the ingress's address, verified against the kept authority or the system's roots, for the name of the URL.",
    code: code::INGRESS_CERTIFICATE_NOT_TRUSTED,
    fix: "compare the TLS secret that the ingress names with the kept certificate; a fake certificate means that the ingress does not find its secret",
};

/// A volume claim of the default class binds.
const STORAGE: Claim = Claim {
    name: "storage.claim-binds",
    sentence: "A volume claim of the default storage class binds, and keeps what was written into it.",
    proof: "A small claim, a pod that writes to it, and another one that reads it; all are removed again.",
    code: code::STORAGE_CLAIM_DOES_NOT_BIND,
    fix: "check that exactly one storage class is the default, and look at the log of its provisioner",
};

/// A snapshot holds what was in the volume.
const SNAPSHOT: Claim = Claim {
    name: "storage.snapshot-restores",
    sentence: "A snapshot of a volume is taken, and what was written before is in a volume that is made from it.",
    proof: "A small claim of a class whose driver takes snapshots, a pod that writes to it, a snapshot, a claim made from that, and a pod that reads it; all are removed again.",
    code: code::STORAGE_SNAPSHOT_DOES_NOT_RESTORE,
    fix: "compare the driver of `kubectl get volumesnapshotclass` with the provisioner of the storage class; look at the snapshot controller and at the driver's csi-snapshotter",
};

/// Run:ai is connected and sees the GPU nodes.
const RUNAI: Claim = Claim {
    name: "runai.cluster-connected",
    sentence: "Run:ai calls the cluster connected and sees every GPU node.",
    proof: "The control plane's REST interface: the state of the cluster of exactly this name, and its nodes with GPUs.",
    code: code::RUNAI_CLUSTER_NOT_CONNECTED,
    fix: "look at the deployments runai-agent, cluster-sync and assets-sync in namespace runai, and at the conditions of the runaiconfig object",
};

/// Run:ai's scheduler works.
const RUNAI_WORKLOAD: Claim = Claim {
    name: "runai.workload-runs",
    sentence: "Run:ai's scheduler places a small training of a project, and it runs.",
    proof: "A training that asks for one GPU is started in the site's first project over Run:ai's interface, and its phase is read until it runs, with what the scheduler says of it. It ends by itself within a minute and is removed again.",
    code: code::RUNAI_WORKLOAD_DOES_NOT_RUN,
    fix: "read what the scheduler says: a quota or GPUs that are in use, else look at the pods of the project's namespace (`runai-PROJECT`) and at deployment runai-scheduler",
};

/// All claims, in the order in which they are carried out.
pub const CLAIMS: [Claim; 18] = [
    NODES,
    SYSTEM,
    POD_NETWORK,
    METRICS,
    GPU_CAPACITY,
    GPU_POD,
    GPU_SHARING,
    GPU_METRICS,
    RDMA,
    DNS,
    DNS_OUT,
    LOAD_BALANCER,
    INGRESS_CONTROLLER,
    INGRESS,
    STORAGE,
    SNAPSHOT,
    RUNAI,
    RUNAI_WORKLOAD,
];

impl Claim {
    /// By its kind alone; parameters do not change what is claimed.
    #[must_use]
    pub const fn of(check: &Check) -> &'static Claim {
        match check {
            Check::Nodes { .. } => &NODES,
            Check::System => &SYSTEM,
            Check::PodNetwork { .. } => &POD_NETWORK,
            Check::Metrics { .. } => &METRICS,
            Check::GpuCapacity { .. } => &GPU_CAPACITY,
            Check::GpuPod { .. } => &GPU_POD,
            Check::GpuSharing { .. } => &GPU_SHARING,
            Check::GpuMetrics { .. } => &GPU_METRICS,
            Check::Rdma { .. } => &RDMA,
            Check::Dns { .. } => &DNS,
            Check::DnsOut { .. } => &DNS_OUT,
            Check::LoadBalancer { .. } => &LOAD_BALANCER,
            Check::IngressController { .. } => &INGRESS_CONTROLLER,
            Check::Ingress { .. } => &INGRESS,
            Check::Storage { .. } => &STORAGE,
            Check::Snapshot { .. } => &SNAPSHOT,
            Check::Runai { .. } => &RUNAI,
            Check::RunaiWorkload { .. } => &RUNAI_WORKLOAD,
        }
    }
}

/// What a check is about: a node, a name, a URL, a storage class, a cluster.
#[must_use]
pub fn subject(check: &Check) -> String {
    match check {
        Check::Nodes { .. } | Check::System | Check::PodNetwork { .. } | Check::Metrics { .. } => {
            "kubernetes".to_owned()
        }
        Check::GpuCapacity { resource, .. } | Check::GpuSharing { resource, .. } => resource.clone(),
        Check::GpuMetrics { prometheus, .. } => format!("{}/{}", prometheus.namespace, prometheus.name),
        Check::Rdma { .. } => "InfiniBand".to_owned(),
        Check::DnsOut { names, .. } => names.join(", "),
        Check::Snapshot { .. } => "snapshots".to_owned(),
        Check::GpuPod { node, .. } => node.to_string(),
        Check::Dns { name, .. } => name.to_string(),
        Check::LoadBalancer { service, .. } => format!("{}/{}", service.namespace, service.name),
        Check::IngressController { address, port, .. } => format!("http://{address}:{port}"),
        Check::Ingress { url, .. } => url.clone(),
        Check::Storage { .. } => "default".to_owned(),
        Check::Runai { target, .. } | Check::RunaiWorkload { target, .. } => target.cluster.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use plinth_model::NodeName;
    use plinth_model::steps::{Placed, WHOLE_GPU};
    use std::net::Ipv4Addr;

    fn placed(name: &str) -> Placed {
        Placed { namespace: "lab".to_owned(), name: name.to_owned() }
    }

    /// One of each, in the order of the claims.
    fn one_of_each() -> Vec<Check> {
        vec![
            Check::Nodes { nodes: Vec::new() },
            Check::System,
            Check::PodNetwork { nodes: Vec::new(), asking: Vec::new(), image: String::new() },
            Check::Metrics { nodes: Vec::new() },
            Check::GpuCapacity { nodes: Vec::new(), replicas: 1, resource: WHOLE_GPU.to_owned() },
            Check::GpuPod {
                node: NodeName::new("dgx-05").unwrap(),
                image: String::new(),
                resource: WHOLE_GPU.to_owned(),
            },
            Check::GpuSharing { nodes: Vec::new(), replicas: 4, resource: "shared".to_owned(), image: String::new() },
            Check::GpuMetrics {
                nodes: Vec::new(),
                series: String::new(),
                monitor: placed("exporter"),
                pods: String::new(),
                prometheus: placed("prometheus"),
                port: 9090,
            },
            Check::Rdma { nodes: Vec::new(), resources: Vec::new(), networks: Vec::new(), image: String::new() },
            Check::Dns {
                name: plinth_model::Domain::fixed("a.test"),
                address: Ipv4Addr::LOCALHOST,
                nodes: Vec::new(),
                image: String::new(),
            },
            Check::DnsOut { nodes: Vec::new(), names: vec!["b.test".to_owned()], image: String::new() },
            Check::LoadBalancer { service: placed("ingress"), pool: Vec::new(), image: String::new() },
            Check::IngressController { address: Ipv4Addr::LOCALHOST, port: 80, image: String::new() },
            Check::Ingress { url: "https://a.test".to_owned(), address: None, certificate: None, nobody_behind: false },
            Check::Storage { image: String::new() },
            Check::Snapshot { image: String::new() },
            Check::Runai { target: Box::new(crate::acceptance::tests::target()), nodes: Vec::new() },
            Check::RunaiWorkload {
                target: Box::new(crate::acceptance::tests::target()),
                project: "p".to_owned(),
                gpus: 1,
                image: String::new(),
            },
        ]
    }

    #[test]
    fn every_check_has_the_claim_of_its_name() {
        let checks = one_of_each();
        let names: Vec<&str> = checks.iter().map(|c| Claim::of(c).name).collect();
        assert_eq!(names, checks.iter().map(Check::name).collect::<Vec<_>>());
        assert_eq!(names, CLAIMS.map(|c| c.name));
        let subjects: Vec<String> = checks.iter().map(subject).collect();
        let about = [
            "nvidia.com/gpu",
            "dgx-05",
            "shared",
            "lab/prometheus",
            "InfiniBand",
            "a.test",
            "b.test",
            "lab/ingress",
            "http://127.0.0.1:80",
            "https://a.test",
            "default",
            "snapshots",
            "gpu",
            "gpu",
        ];
        assert_eq!(subjects[4..], about);
    }
}
