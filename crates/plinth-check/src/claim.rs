//! What the acceptance checks claim, in one sentence each: for `plinth explain` and for the reference.

use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::steps::Check;

/// One claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Stable name, as [`Check::name`] gives it.
    pub name: &'static str,
    /// The claim.
    pub sentence: &'static str,
    /// How it is proved.
    pub proof: &'static str,
    /// Code of the finding when it does not hold.
    pub code: Code,
    /// Where to look when it does not hold.
    pub fix: &'static str,
}

/// A pod with one GPU runs and sees it.
const GPU_POD: Claim = Claim {
    name: "gpu.pod-runs",
    sentence: "A pod that asks for one GPU runs on the node and sees it.",
    proof: "A pod with a limit of one `nvidia.com/gpu`, bound to the node, lists its GPUs; it is removed again.",
    code: code::GPU_POD_DOES_NOT_RUN,
    fix: "look at the pods of namespace gpu-operator on this node (driver, toolkit, device plugin, validator), and at the kernel log for Xid errors",
};

/// The platform's name resolves inside pods.
const DNS: Claim = Claim {
    name: "dns.name-resolves-in-pods",
    sentence: "Pods resolve the platform's name to its ingress address.",
    proof: "A pod asks the cluster's DNS for the name; it is removed again.",
    code: code::DNS_NAME_DOES_NOT_RESOLVE,
    fix: "look at the ConfigMap of CoreDNS in kube-system, and at what the servers it forwards to answer for this name",
};

/// The ingress shows a certificate that is trusted.
const INGRESS: Claim = Claim {
    name: "ingress.certificate-is-trusted",
    sentence: "HTTPS to the platform's URL answers with a certificate that the site's authority signed.",
    proof: "An HTTPS request from inside the cluster, verified against the kept authority or the system's roots.",
    code: code::INGRESS_CERTIFICATE_NOT_TRUSTED,
    fix: "compare the TLS secret that the ingress names with the kept certificate; a fake certificate means that the ingress does not find its secret",
};

/// A volume claim of the default class binds.
const STORAGE: Claim = Claim {
    name: "storage.claim-binds",
    sentence: "A volume claim of the default storage class binds.",
    proof: "A small claim and a pod that writes to it; both are removed again.",
    code: code::STORAGE_CLAIM_DOES_NOT_BIND,
    fix: "check that exactly one storage class is the default, and look at the log of its provisioner",
};

/// Run:ai is connected and sees the GPU nodes.
const RUNAI: Claim = Claim {
    name: "runai.cluster-connected",
    sentence: "Run:ai calls the cluster connected and sees every GPU node.",
    proof: "The control plane's REST interface: the state of the cluster of exactly this name, and its nodes with GPUs.",
    code: code::RUNAI_CLUSTER_NOT_CONNECTED,
    fix: "look at the deployments runai-agent, cluster-sync and assets-sync in namespace runai, and at the conditions of the runaiconfig object",
};

/// All claims, in the order in which they are carried out.
pub const CLAIMS: [Claim; 5] = [GPU_POD, DNS, INGRESS, STORAGE, RUNAI];

impl Claim {
    /// What a check claims.
    #[must_use]
    pub const fn of(check: &Check) -> &'static Claim {
        match check {
            Check::GpuPod { .. } => &GPU_POD,
            Check::Dns { .. } => &DNS,
            Check::Ingress { .. } => &INGRESS,
            Check::Storage => &STORAGE,
            Check::Runai { .. } => &RUNAI,
        }
    }
}

/// What a check is about: a node, a name, a URL, a storage class, a cluster.
#[must_use]
pub fn subject(check: &Check) -> String {
    match check {
        Check::GpuPod { node } => node.to_string(),
        Check::Dns { name, .. } => name.clone(),
        Check::Ingress { url, .. } => url.clone(),
        Check::Storage => "default".to_owned(),
        Check::Runai { target, .. } => target.cluster.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use plinth_model::NodeName;
    use std::net::Ipv4Addr;

    #[test]
    fn every_check_has_the_claim_of_its_name() {
        let checks = [
            Check::GpuPod { node: NodeName::new("dgx-05").unwrap() },
            Check::Dns { name: "a.test".to_owned(), address: Ipv4Addr::LOCALHOST },
            Check::Ingress { url: "https://a.test".to_owned(), certificate: None },
            Check::Storage,
            Check::Runai { target: Box::new(crate::acceptance::tests::target()), nodes: Vec::new() },
        ];
        let names: Vec<&str> = checks.iter().map(|c| Claim::of(c).name).collect();
        assert_eq!(names, checks.iter().map(Check::name).collect::<Vec<_>>());
        assert_eq!(names, CLAIMS.map(|c| c.name));
        let subjects: Vec<String> = checks.iter().map(subject).collect();
        assert_eq!(subjects, ["dgx-05", "a.test", "https://a.test", "default", "gpu"]);
    }
}
