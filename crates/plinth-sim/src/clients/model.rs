//! How releases behave: what they need, how long they take. The only place that knows charts by name.

use crate::runai::RunaiStage;
use crate::timing::CONTROL_PLANE_PARTS;
use crate::world::{Installed, State};
use jiff::Timestamp;
use plinth_model::steps::PodSecurity;

/// What a release is to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    LocalStorage,
    Ingress,
    Monitoring,
    GpuOperator,
    NetworkOperator,
    LoadBalancer,
    Knative,
    LeaderWorkerSet,
    ControlPlane,
    ClusterPart,
    Metrics,
    /// Installs within a minute and needs nothing.
    Plain,
}

impl Role {
    /// By component or by the last part of the chart's name.
    pub(super) fn of(component: &str, chart: &str) -> Self {
        let named = |names: &[&str]| names.contains(&component) || names.contains(&chart);
        if named(&["local-path-provisioner", "local-path"]) {
            Role::LocalStorage
        } else if named(&["ingress-nginx", "haproxy-ingress", "kubernetes-ingress"]) {
            Role::Ingress
        } else if named(&["metrics-server"]) {
            Role::Metrics
        } else if named(&["kube-prometheus-stack"]) {
            Role::Monitoring
        } else if named(&["gpu-operator"]) {
            Role::GpuOperator
        } else if named(&["network-operator"]) {
            Role::NetworkOperator
        } else if named(&["metallb"]) {
            Role::LoadBalancer
        } else if named(&["knative-operator"]) {
            Role::Knative
        } else if named(&["lws", "leader-worker-set", "leaderworkerset"]) {
            Role::LeaderWorkerSet
        } else if named(&["runai-control-plane", "control-plane", "runai-backend"]) {
            Role::ControlPlane
        } else if named(&["runai-cluster"]) {
            Role::ClusterPart
        } else {
            Role::Plain
        }
    }

    pub(super) fn of_installed(release: &Installed) -> Self {
        Self::of(&release.component, &release.chart)
    }

    /// Who serves an API group that is not Kubernetes' own; none: nobody we know.
    pub(super) fn serving(group: &str) -> Option<Self> {
        match group {
            "operator.knative.dev" => Some(Role::Knative),
            "metallb.io" => Some(Role::LoadBalancer),
            "mellanox.com" | "sriovnetwork.openshift.io" | "nv-ipam.nvidia.com" | "k8s.cni.cncf.io" => {
                Some(Role::NetworkOperator)
            }
            "nvidia.com" | "nfd.k8s-sigs.io" => Some(Role::GpuOperator),
            "monitoring.coreos.com" => Some(Role::Monitoring),
            "leaderworkerset.x-k8s.io" => Some(Role::LeaderWorkerSet),
            _ if group == "run.ai" || group.ends_with(".run.ai") => Some(Role::ClusterPart),
            _ => None,
        }
    }

    /// Pod Security level its pods need. From what the charts' pods mount and which capabilities they ask for; Run:ai docs 2.25
    /// ask for `privileged`.
    pub(super) const fn level(self) -> PodSecurity {
        match self {
            Role::GpuOperator
            | Role::NetworkOperator
            | Role::Monitoring
            | Role::LoadBalancer
            | Role::LocalStorage
            | Role::ControlPlane
            | Role::ClusterPart => PodSecurity::Privileged,
            Role::Knative | Role::LeaderWorkerSet => PodSecurity::Baseline,
            Role::Ingress | Role::Metrics | Role::Plain => PodSecurity::Restricted,
        }
    }

    /// Whether its images are behind a login.
    pub(super) const fn needs_pull_secret(self) -> bool {
        matches!(self, Role::ControlPlane | Role::ClusterPart)
    }

    /// Seconds that helm takes, and seconds behind that until everything works.
    pub(super) const fn seconds(self) -> (f64, f64) {
        match self {
            Role::LocalStorage => (22.0, 2.0),
            Role::Ingress => (45.0, 5.0),
            Role::Monitoring => (130.0, 15.0),
            // helm does not wait for custom resources: the operator then rolls its operands out.
            Role::GpuOperator => (65.0, 175.0),
            Role::NetworkOperator => (80.0, 60.0),
            Role::LoadBalancer => (50.0, 8.0),
            Role::Knative => (35.0, 5.0),
            Role::LeaderWorkerSet => (30.0, 4.0),
            Role::ControlPlane => (335.0, 25.0),
            Role::ClusterPart => (180.0, 20.0),
            Role::Metrics | Role::Plain => (28.0, 4.0),
        }
    }
}

/// The release with this role, if there is one.
pub(super) fn release(state: &State, role: Role) -> Option<&Installed> {
    state.cluster.releases.values().find(|release| Role::of_installed(release) == role)
}

/// Whether the release with this role is there and works.
pub(super) fn works(state: &State, role: Role, now: Timestamp) -> bool {
    release(state, role).is_some_and(|release| release.works(now))
}

/// GPUs that a node offers to pods.
pub(super) fn offered_gpus(state: &State, node: &plinth_model::NodeName, now: Timestamp) -> u32 {
    let ready = state.cluster.members.get(node).and_then(|member| member.ready_at).is_some_and(|at| at <= now);
    if !ready || !works(state, Role::GpuOperator, now) {
        return 0;
    }
    state.machines.get(node).map_or(0, |machine| machine.hardware.gpus)
}

/// How far the control plane has come up: its parts come one after the other. One that was there before keeps realm and
/// administrator.
pub(super) fn control_plane(state: &State, now: Timestamp) -> RunaiStage {
    let there = release(state, Role::ControlPlane).filter(|release| release.works(now));
    let Some((release, whole)) = there.and_then(|release| Some((release, release.answers_at?))) else {
        return RunaiStage::Nothing;
    };
    let stages = [RunaiStage::Keycloak, RunaiStage::Realm, RunaiStage::Administrator];
    if whole <= now {
        return RunaiStage::Whole;
    }
    let mut begun = CONTROL_PLANE_PARTS
        .into_iter()
        .zip(stages)
        .filter(|(before, _)| whole.duration_since(now).as_secs_f64() <= *before);
    match begun.next_back() {
        Some(_) if release.revision > 1 => RunaiStage::Administrator,
        Some((_, stage)) => stage,
        None => RunaiStage::Nothing,
    }
}

/// Whether all of the control plane answers.
pub(super) fn control_plane_is_up(state: &State, now: Timestamp) -> bool {
    control_plane(state, now) == RunaiStage::Whole
}

/// Whether the level of a namespace lets such pods in. A namespace without a level lets everything in.
pub(super) fn admits(level: Option<PodSecurity>, needed: PodSecurity) -> bool {
    level.is_none_or(|level| level >= needed)
}
