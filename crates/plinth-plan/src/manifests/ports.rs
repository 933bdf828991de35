//! Ports of nodes that two want: services with the same node port, and pods on the network of their node.

use super::{Manifests, Seen, Surroundings, with_evidence};
use plinth_model::finding::code;
use plinth_model::{Finding, ObjectName, ReleaseName};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `TCP` in a manifest, and where it says nothing.
    Tcp,
    /// `UDP` in a manifest.
    Udp,
    /// `SCTP` in a manifest.
    Sctp,
}

impl Protocol {
    /// As Kubernetes writes it; TCP where nothing is said.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        match text {
            Some("UDP") => Self::Udp,
            Some("SCTP") => Self::Sctp,
            _ => Self::Tcp,
        }
    }
}

/// A port of every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// 1 to 65535.
    pub number: u16,
    /// Two ports clash only when this is the same.
    pub protocol: Protocol,
}

/// A node port that a service of the cluster has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenPort {
    /// Which port of every node.
    pub port: Port,
    /// Who has it: namespace and name.
    pub service: ObjectName,
    /// The release that it belongs to; none: to no release.
    pub release: Option<ReleaseName>,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        };
        write!(f, "{protocol} port {}", self.number)
    }
}

/// What listens on every machine of a cluster, whoever made it (Kubernetes documentation, "Ports and Protocols").
const OF_MACHINES: [(u16, &str); 3] = [(22, "sshd"), (10250, "kubelet"), (10256, "kube-proxy")];
/// CMDaemon's, on every machine that BCM manages (BCM's administrator manual: HTTP and HTTPS of the daemon).
const OF_BCM: [(u16, &str); 2] = [(8080, "BCM's daemon (cmd)"), (8081, "BCM's daemon (cmd)")];
/// BCM's proxy in front of the API servers and of the ingress, which `cm-kubernetes-setup` puts on every member.
const OF_BCM_PROXY: [(u16, &str); 2] = [(443, "BCM's proxy of the ingress"), (10443, "BCM's proxy of the API servers")];

/// One finding for each port that two want.
pub(super) fn judge(all: &[Manifests], around: &Surroundings, seen: &Seen) -> Vec<Finding> {
    let mut wanted: BTreeMap<Port, Vec<Wish>> = BTreeMap::new();
    for one in all {
        for (port, wish) in wishes(one) {
            wanted.entry(port).or_default().push(wish);
        }
    }
    wanted.iter().filter_map(|(port, wishes)| clash(*port, wishes, around, seen)).collect()
}

/// Somebody who wants a port.
struct Wish {
    component: String,
    object: ObjectName,
    /// A service's; else a pod's.
    is_node_port: bool,
}

fn clash(port: Port, wishes: &[Wish], around: &Surroundings, seen: &Seen) -> Option<Finding> {
    let mut lines: Vec<String> = wishes.iter().map(|wish| format!("{} of {}", wish.object, wish.component)).collect();
    let others = machine(port, around).into_iter().map(str::to_owned).chain(in_use(port, wishes, around, seen));
    let before = lines.len();
    lines.extend(others);
    let taken = lines.len() > before;
    let ours: BTreeSet<&ObjectName> = wishes.iter().map(|wish| &wish.object).collect();
    let components: BTreeSet<&str> = wishes.iter().map(|wish| wish.component.as_str()).collect();
    let services = wishes.iter().filter(|wish| wish.is_node_port).map(|wish| &wish.object).collect::<BTreeSet<_>>();
    // Pods of one component may be made for different nodes; of two services one is refused, whoever has them.
    let twice = services.len() > 1 || (ours.len() > 1 && components.len() > 1);
    if !taken && !twice {
        return None;
    }
    let subject = components.first().copied().unwrap_or_default();
    let text = format!("more than one wants {port} of the nodes");
    let fix = format!(
        "give one of them another port in `platform.components.{subject}.values` (node ports of the ingress: `platform.ingress`)"
    );
    Some(with_evidence(Finding::warning(code::PLATFORM_PORT_TAKEN, subject, text), lines).fix(fix))
}

/// What listens there already, before any pod.
fn machine(port: Port, around: &Surroundings) -> Option<&'static str> {
    if port.protocol != Protocol::Tcp {
        return None;
    }
    let bcm = OF_BCM.iter().filter(|_| around.has_bcm);
    let proxy = OF_BCM_PROXY.iter().filter(|_| around.has_bcm_proxy);
    OF_MACHINES.iter().chain(bcm).chain(proxy).find(|(number, _)| *number == port.number).map(|(_, who)| *who)
}

/// Services of the cluster that have it, are none of ours, and are still there when ours come.
fn in_use<'a>(
    port: Port,
    wishes: &'a [Wish],
    around: &'a Surroundings,
    seen: &'a Seen,
) -> impl Iterator<Item = String> + use<'a> {
    let services = seen.content().into_iter().flat_map(|content| &content.node_ports);
    let stays = move |taken: &TakenPort| {
        let gone =
            |wish: &Wish| taken.release.as_ref().is_some_and(|release| around.is_gone_before(&wish.component, release));
        !wishes.iter().any(|wish| same(&wish.object, &taken.service)) && !wishes.iter().all(gone)
    };
    services
        .filter(move |taken| taken.port == port && stays(taken))
        .map(|taken| format!("{}, which is there", taken.service))
}

fn same(one: &ObjectName, other: &ObjectName) -> bool {
    (&one.kind, &one.namespace, &one.name) == (&other.kind, &other.namespace, &other.name)
}

fn wishes(one: &Manifests) -> Vec<(Port, Wish)> {
    let mut found = Vec::new();
    for object in &one.objects {
        let wish = |is_node_port| Wish { component: one.component.clone(), object: one.name(object), is_node_port };
        if object["kind"] == "Service" {
            let ports = list(&object["spec"]["ports"]).filter_map(|port| of(port, "nodePort"));
            found.extend(ports.map(|port| (port, wish(true))));
        }
        let name = one.name(object);
        let Some(pod) = super::pods::pod(object, String::new(), name.namespace) else { continue };
        let key = if pod.is_on_host_network() { "containerPort" } else { "hostPort" };
        let ports: BTreeSet<Port> =
            pod.containers().flat_map(|container| list(&container["ports"])).filter_map(|port| of(port, key)).collect();
        found.extend(ports.into_iter().map(|port| (port, wish(false))));
    }
    found
}

fn of(port: &Value, key: &str) -> Option<Port> {
    let number = u16::try_from(port[key].as_u64()?).ok().filter(|number| *number != 0)?;
    Some(Port { number, protocol: Protocol::read(port["protocol"].as_str()) })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
