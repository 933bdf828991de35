//! Groups of the Kubernetes API: which of them Kubernetes serves by itself, so that everything else must be brought by somebody.

/// Groups of Kubernetes' own, in all releases that plinth knows (Kubernetes API reference); that of the core has no name.
const OWN: [&str; 22] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];
/// Kinds of these groups that belong to the whole cluster, and to no namespace.
const OF_CLUSTER: [&str; 22] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// The group of an `apiVersion`: `apps` of `apps/v1`, nothing of `v1`.
#[must_use]
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether Kubernetes serves a group by itself.
#[must_use]
pub fn is_own(group: &str) -> bool {
    OWN.contains(&group)
}

/// Whether objects of a kind of Kubernetes' own have no namespace.
#[must_use]
pub fn is_of_cluster(api_version: &str, kind: &str) -> bool {
    is_own(group_of(api_version)) && OF_CLUSTER.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_brings_is_told_from_what_others_bring_under_its_name() {
        for (version, own) in [
            ("v1", true),
            ("apps/v1", true),
            ("networking.k8s.io/v1", true),
            ("gateway.networking.k8s.io/v1", false),
            ("snapshot.storage.k8s.io/v1", false),
            ("leaderworkerset.x-k8s.io/v1", false),
            ("monitoring.coreos.com/v1", false),
        ] {
            assert_eq!(is_own(group_of(version)), own, "{version}");
        }
        assert!(is_of_cluster("v1", "Namespace") && !is_of_cluster("v1", "Pod"));
        assert!(!is_of_cluster("example.com/v1", "Node"), "nobody knows that of foreign kinds");
    }
}
