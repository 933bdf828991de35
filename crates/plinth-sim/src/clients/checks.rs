//! Acceptance checks of the simulated cluster.

use super::infiniband;
use super::kube::{SimKube, call, is_ready, system_workloads};
use super::model::{Role, control_plane_is_up, offered_gpus, release, works};
use crate::faults::FaultKind;
use crate::timing;
use crate::world::State;
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::steps::{AddressRange, Check, Placed};
use plinth_model::{Digest, NodeName, amount};
use plinth_world::kube::{CheckSeen, KubeChecks};
use plinth_world::{ClientResult, Context};
use std::net::Ipv4Addr;

#[async_trait]
impl KubeChecks for SimKube {
    async fn run_check(&self, ctx: &Context, check: &Check) -> ClientResult<CheckSeen> {
        self.request(&call(format!("checking {}", check.name()))).await?;
        if check.image().is_some() {
            ctx.progress(0, 0, "waiting for test pods");
            self.centre.spend("check", &Digest::of(check).to_string(), timing::TEST_POD).await;
        }
        let is_it = |kind: &FaultKind| matches!(kind, FaultKind::Check { name } if name == check.verb());
        if self.centre.strikes(is_it)? {
            return Ok(told(false, "a fault of this rehearsal"));
        }
        self.centre.look(|state, now| checked(state, now, check))
    }
}

fn told(holds: bool, line: impl Into<String>) -> CheckSeen {
    if holds {
        CheckSeen::Holds(vec![line.into()])
    } else {
        CheckSeen::Fails { evidence: vec![line.into()], code: None }
    }
}

/// What a check of the simulated cluster sees.
fn checked(state: &State, now: Timestamp, check: &Check) -> CheckSeen {
    match check {
        Check::Nodes { nodes } => ready_nodes(state, now, nodes),
        Check::System => system(state, now),
        Check::PodNetwork { nodes, .. } => {
            let seen = ready_nodes(state, now, nodes);
            let line = format!("pods on {} reach each other", amount(nodes.len(), "node"));
            if seen.holds() { told(true, line) } else { seen }
        }
        Check::Metrics { nodes } => {
            let answers = works(state, Role::Metrics, now);
            let counted = format!("metrics of {}", amount(nodes.len(), "node"));
            told(answers, if answers { counted } else { "the metrics API gives no answer".to_owned() })
        }
        Check::GpuCapacity { nodes, replicas, .. } => gpu_capacity(state, now, nodes, *replicas),
        Check::GpuPod { node, resource, .. } => gpu_pod(state, now, node, resource),
        Check::GpuSharing { nodes, replicas, .. } => gpu_sharing(state, now, nodes, *replicas),
        Check::GpuMetrics { nodes, series, .. } => gpu_metrics(state, now, nodes, series),
        Check::Rdma { nodes, resources, .. } => rdma(state, now, nodes, resources),
        Check::DnsOut { nodes, names, .. } => {
            let seen = ready_nodes(state, now, nodes);
            let line = format!("{} resolved in pods", amount(names.len(), "name"));
            if seen.holds() { told(true, line) } else { seen }
        }
        // The class of the simulated cluster is a folder of a node.
        Check::Snapshot { .. } => CheckSeen::Skipped("no driver of a storage class takes snapshots".to_owned()),
        Check::Dns { name, address, .. } => dns(state, name, *address),
        Check::LoadBalancer { service, pool, .. } => load_balancer(state, now, service, pool),
        Check::IngressController { address, port, .. } => {
            let works = works(state, Role::Ingress, now);
            let said = if works { "answers this machine with 404" } else { "does not answer: connection refused" };
            told(works, format!("{address}:{port} {said}"))
        }
        Check::Ingress { url, .. } => ingress(state, now, url),
        Check::Storage { .. } => storage(state, now),
        Check::Runai { nodes, .. } => runai(state, now, nodes),
        // Nobody else's jobs run in a simulated cluster; the simulated Run:ai says the rest.
        Check::RunaiWorkload { .. } => told(true, "every GPU is free"),
    }
}

fn ready_nodes(state: &State, now: Timestamp, nodes: &[NodeName]) -> CheckSeen {
    let ready = |node: &&NodeName| state.cluster.members.get(*node).is_some_and(|member| is_ready(member, now));
    let count = nodes.iter().filter(ready).count();
    told(count == nodes.len(), format!("{count} of {} Ready", amount(nodes.len(), "node")))
}

fn system(state: &State, now: Timestamp) -> CheckSeen {
    let workloads = system_workloads(state, now);
    let short = workloads.iter().filter(|one| one.ready < one.wanted).count();
    told(short == 0, format!("{} of kube-system, {short} without all pods", amount(workloads.len(), "workload")))
}

fn gpu_capacity(state: &State, now: Timestamp, nodes: &[NodeName], replicas: u32) -> CheckSeen {
    let offered: u32 = nodes.iter().map(|node| offered_gpus(state, node, now)).sum();
    let all = nodes.iter().all(|node| offered_gpus(state, node, now) > 0);
    let gpus = amount(offered.saturating_mul(replicas) as usize, "GPU");
    told(all, format!("{gpus} on {} offered", amount(nodes.len(), "node")))
}

fn gpu_sharing(state: &State, now: Timestamp, nodes: &[NodeName], replicas: u32) -> CheckSeen {
    let offered: u32 = nodes.iter().map(|node| offered_gpus(state, node, now)).sum();
    let all = nodes.iter().all(|node| offered_gpus(state, node, now) > 0);
    let shares = amount(offered.saturating_mul(replicas) as usize, "share");
    told(all, format!("{shares} on {}, and 2 pods with a share each ran", amount(nodes.len(), "node")))
}

fn gpu_metrics(state: &State, now: Timestamp, nodes: &[NodeName], series: &str) -> CheckSeen {
    if !works(state, Role::Monitoring, now) {
        return told(false, "Prometheus gives no answer: no endpoints available");
    }
    let measured = nodes.iter().filter(|node| offered_gpus(state, node, now) > 0).count();
    told(measured == nodes.len(), format!("{series} of {measured} of {}", amount(nodes.len(), "node")))
}

fn rdma(state: &State, now: Timestamp, nodes: &[NodeName], resources: &[String]) -> CheckSeen {
    let lacking = resources.iter().find(|one| infiniband::offered(state, now, one, nodes) != Some(true));
    match lacking {
        Some(resource) => told(false, format!("pod Pending: Insufficient {resource}")),
        None => {
            let devices = amount(resources.len(), "InfiniBand device");
            told(true, format!("a pod on each of {} saw {devices}", amount(nodes.len(), "node")))
        }
    }
}

fn gpu_pod(state: &State, now: Timestamp, node: &NodeName, resource: &str) -> CheckSeen {
    match offered_gpus(state, node, now) {
        0 => told(false, format!("{node} offers no {resource} at all, so no pod gets one")),
        _ => told(true, format!("a pod ran on {node} and saw {}", amount(1, "GPU"))),
    }
}

fn load_balancer(state: &State, now: Timestamp, service: &Placed, pool: &[AddressRange]) -> CheckSeen {
    let place = format!("service {}/{}", service.namespace, service.name);
    match pool.first() {
        Some(range) if works(state, Role::Ingress, now) => {
            told(true, format!("{place} has {}, and its ports answer", range.first))
        }
        _ => told(false, format!("{place} has no address from a load balancer")),
    }
}

fn ingress(state: &State, now: Timestamp, url: &str) -> CheckSeen {
    if !works(state, Role::Ingress, now) {
        return told(false, format!("{url}: connection refused"));
    }
    let tls = state.cluster.secrets.values().any(|secret| secret.class == "tls");
    if !tls {
        return told(false, format!("{url}: the certificate is the ingress controller's own"));
    }
    let behind = release(state, Role::ControlPlane).is_none_or(|release| release.works(now));
    if !behind {
        return told(false, format!("{url}: 503 from the ingress controller"));
    }
    told(true, format!("{url}: TLS with the expected certificate"))
}

fn storage(state: &State, now: Timestamp) -> CheckSeen {
    if works(state, Role::LocalStorage, now) {
        told(true, "a claim of 64 MiB was bound, written by one pod and read by another")
    } else {
        told(false, "claim Pending: no default storage class provisions it")
    }
}

fn dns(state: &State, name: &str, address: Ipv4Addr) -> CheckSeen {
    match state.cluster.dns.get(name) {
        Some(found) => told(*found == address, format!("{name} is {found}")),
        None => told(false, format!("{name}: no such host")),
    }
}

fn runai(state: &State, now: Timestamp, nodes: &[NodeName]) -> CheckSeen {
    let gpus = nodes.iter().filter(|node| offered_gpus(state, node, now) > 0).count();
    let holds = control_plane_is_up(state, now) && works(state, Role::ClusterPart, now) && gpus == nodes.len();
    told(holds, format!("{gpus} of {} GPU nodes have their labels", nodes.len()))
}
