//! Why an attempt of a step is given up when it is, and what moves that: for people who wait for it.

use super::Work;
use super::checks::Check;
use super::deadlines::reason;

/// The deadline of a step, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Seconds after which one attempt is given up.
    pub seconds: u32,
    /// Where that figure comes from, in sentences.
    pub why: String,
    /// What makes it longer or shorter; none: nothing does.
    pub moved_by: Option<&'static str>,
}

const NODES: &str = "it grows with the number of nodes of the play";
const TIMEOUT: &str = "it grows with the `timeoutS` of the component in the catalog";
const NODES_OF_CHECK: &str = "it grows with the number of nodes that are checked";

impl Work {
    /// When one attempt of this very step is given up, and why then.
    #[must_use]
    pub fn given_up(&self) -> GivenUp {
        let (names, moved_by) = self.deadline_names();
        let reasons = names.iter().filter_map(|name| reason(name)).map(str::trim);
        GivenUp { seconds: self.deadline_s(), why: reasons.collect::<Vec<_>>().join(" "), moved_by }
    }

    /// The deadlines that it is made of, and what moves it.
    fn deadline_names(&self) -> (&'static [&'static str], Option<&'static str>) {
        match self {
            Self::KubesprayRun(_) | Self::KubesprayRemoval(_) | Self::KubesprayRecovery(_) => {
                (&["KUBESPRAY_RUN", "KUBESPRAY_RUN_PER_NODE", "KUBESPRAY_RUN_MAX"], Some(NODES))
            }
            Self::HelmRelease(_) => (&["RELEASE_BEFORE", "HELM_RUN", "RELEASE_MARGIN"], Some(TIMEOUT)),
            Self::ComponentRemoval(_) => (&["HELM_UNINSTALL", "HELM_RUN", "RELEASE_MARGIN"], None),
            Self::HelmRollback(_) => (&["HELM_RUN", "RELEASE_MARGIN"], Some(TIMEOUT)),
            Self::KubeObjects(_) | Self::SecretRestart(_) => (&["RELEASE_MARGIN"], None),
            Self::AcceptanceCheck(check) => deadline_of_check(&check.check),
            other => (other.single_deadline(), None),
        }
    }

    /// The one deadline of a kind that has one for all of its steps.
    fn single_deadline(&self) -> &'static [&'static str] {
        match self {
            Self::BcmIdentity(_) => &["BCM_IDENTITY"],
            Self::NodeConnect(_) | Self::NodeTrust(_) => &["NODE_CONNECT"],
            Self::NodeAccount(_) => &["NODE_ACCOUNT"],
            Self::NodeFacts(_) => &["NODE_FACTS"],
            Self::NodeStorage(_) => &["NODE_STORAGE"],
            Self::NodeStorageOld(_) => &["NODE_STORAGE_OLD"],
            Self::NodePrepare(_) => &["NODE_PREPARE"],
            Self::NodeRegistries(_) => &["NODE_REGISTRIES"],
            Self::KubespraySource(_) => &["KUBESPRAY_SOURCE"],
            Self::KubesprayEnvironment(_) => &["KUBESPRAY_ENVIRONMENT"],
            Self::KubesprayDownloads(_) => &["KUBESPRAY_DOWNLOADS"],
            Self::NodeDownloads(_) => &["NODE_DOWNLOADS"],
            Self::NodeLeftovers(_) => &["NODE_LEFTOVERS"],
            Self::KubesprayInventory(_) | Self::Certificate(_) | Self::CertificateRotation(_) => &["LOCAL_FILES"],
            Self::TakeOver(_) | Self::Kubeconfig(_) => &["KUBECONFIG"],
            Self::NodeLabels(_) | Self::Namespace(_) | Self::KubeSecret(_) => &["KUBE_CALL"],
            Self::NodeReady(_) => &["NODE_READY"],
            Self::ControlPlane(_) => &["CONTROL_PLANE"],
            Self::GpuRuntime(_) => &["GPU_RUNTIME"],
            Self::ClusterDns(_) => &["CLUSTER_DNS"],
            Self::CertificateServed(_) => &["CERTIFICATE_SERVED"],
            Self::RunaiIssuer(_) => &["RUNAI_ISSUER"],
            Self::RunaiRegister(_) | Self::RunaiOrgUnit(_) => &["RUNAI_REGISTER"],
            Self::RunaiConnected(_) => &["RUNAI_CONNECTED"],
            _ => &[],
        }
    }
}

/// As [`super::checks::AcceptanceCheck`] chooses among them.
fn deadline_of_check(check: &Check) -> (&'static [&'static str], Option<&'static str>) {
    match check {
        Check::GpuPod { .. } | Check::GpuSharing { .. } => (&["CHECK_GPU"], None),
        Check::PodNetwork { .. } | Check::Rdma { .. } => (&["CHECK_PODS", "CHECK_PODS_PER_NODE"], Some(NODES_OF_CHECK)),
        Check::GpuMetrics { .. } => (&["CHECK_MEASURED"], None),
        Check::Storage { .. } => (&["CHECK_PODS"], None),
        Check::DnsOut { .. } => {
            (&["CHECK_PODS", "CHECK_PODS_PER_NAME"], Some("it grows with the number of names that pods ask for"))
        }
        Check::Snapshot { .. } | Check::RunaiWorkload { .. } => (&["CHECK_SNAPSHOT"], None),
        _ => (&["CHECK"], None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::deadlines;
    use super::*;

    #[test]
    fn a_reason_is_the_comment_above_its_deadline() {
        let told = reason("NODE_CONNECT").map(str::trim);
        assert_eq!(
            told,
            Some(
                "A TCP connection and a key exchange. A host without a route answers after its kernel's own limit, about 130 s; nobody \
                 should wait for that."
            )
        );
        assert_eq!((reason("NO_SUCH"), deadlines::NODE_CONNECT), (None, 60));
    }
}
