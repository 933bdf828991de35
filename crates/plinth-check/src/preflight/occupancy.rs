//! What is on the node already: ports, other Kubernetes, Docker, a firewall.

use super::{Case, Judged, Rule};
use plinth_model::Finding;
use plinth_model::finding::code;

pub(super) const RULES: &[Rule] = &[in_use, docker, ports_taken, node_ports_taken, bcm_port, firewall];

/// What facts say of Docker's containers begins so.
const DOCKER: &str = "docker:";
/// Port of BCM's CMDaemon on every node (BCM administrator manual).
const CMDAEMON_PORT: u16 = 8081;
/// Ports that services of type NodePort get by default (Kubernetes documentation, "Service").
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;
/// Services of other Kubernetes distributions.
const OTHERS: [&str; 5] = ["k3s", "k3s-agent", "rke2-server", "rke2-agent", "snap.microk8s.daemon-kubelite"];

/// Kubespray takes what it finds for its own, and etcd does not start on the data of another cluster.
fn in_use(case: &Case<'_>) -> Option<Judged> {
    let files = case.facts.obstacles.iter().filter(|what| !what.starts_with(DOCKER)).cloned();
    let running = OTHERS.iter().filter(|name| case.unit(name) == Some("active")).map(|name| format!("{name} runs"));
    let found: Vec<String> = files.chain(running).collect();
    if case.expected.deployed || found.is_empty() {
        return None;
    }
    let message = format!("something stands in the way: {}", found.join("; "));
    let fix = "remove what is left of an earlier installation (`kubeadm reset`, or its own uninstaller), or choose another node";
    Some(Finding::error(code::NODE_IN_USE, case.node, message).fix(fix).into())
}

/// Kubespray uninstalls Docker when its container manager is containerd; whether it may is the site's to say.
fn docker(case: &Case<'_>) -> Option<Judged> {
    let containers = case.facts.obstacles.iter().find(|what| what.starts_with(DOCKER));
    let runs = case.unit("docker") == Some("active");
    if case.expected.deployed || (containers.is_none() && !runs) {
        return None;
    }
    let finding = match (containers, case.expected.docker_may_go) {
        (Some(what), _) => Finding::error(
            code::NODE_DOCKER_IN_USE,
            case.node,
            "Kubespray would uninstall Docker, and containers run in it",
        )
        .evidence(what.clone())
        .fix("stop them if nobody needs them (`docker ps`, `docker stop`), or choose another node"),
        (None, false) => {
            Finding::error(code::NODE_DOCKER, case.node, "Docker runs here, and Kubespray would uninstall it").fix(
                "make sure with `docker ps -a` that nobody needs it, then set `removeDocker: true` under `kubernetes`",
            )
        }
        (None, true) => {
            let message =
                "Kubespray will uninstall Docker, as the site file allows; no container of it was seen running";
            Finding::info(code::NODE_DOCKER, case.node, message)
        }
    };
    Some(finding.into())
}

fn ports_taken(case: &Case<'_>) -> Option<Judged> {
    let taken = listeners(case, |port| case.expected.ports.contains(&port));
    if case.expected.deployed || taken.is_empty() {
        return None;
    }
    let message = format!("ports that Kubernetes needs are taken: {}", taken.join(", "));
    let fix = "stop what listens there (`ss -ltnp` names it), or choose another node";
    Some(Finding::error(code::NODE_PORTS_TAKEN, case.node, message).fix(fix).into())
}

fn node_ports_taken(case: &Case<'_>) -> Option<Judged> {
    let taken = listeners(case, |port| NODE_PORTS.contains(&port) && !case.expected.ports.contains(&port));
    if case.expected.deployed || taken.is_empty() {
        return None;
    }
    let message = format!("ports that services of Kubernetes may be given are taken: {}", taken.join(", "));
    let fix =
        "move what listens there (`ss -ltnp` names it); a service with such a port would not be reached on this node";
    Some(Finding::warning(code::NODE_NODE_PORTS_TAKEN, case.node, message).fix(fix).into())
}

fn bcm_port(case: &Case<'_>) -> Option<Judged> {
    let taken = listeners(case, |port| port == CMDAEMON_PORT && !case.expected.ports.contains(&port));
    (!taken.is_empty()).then(|| {
        let message = "port 8081 belongs to BCM's CMDaemon; no pod with a host port may use it";
        Finding::info(code::NODE_BCM_PORT, case.node, message).evidence(taken.join(", ")).into()
    })
}

/// Kubespray does not manage firewalls (its README). ufw is not judged: its unit is active also where ufw itself is off.
fn firewall(case: &Case<'_>) -> Option<Judged> {
    (case.unit("firewalld") == Some("active")).then(|| {
        let message = "firewalld runs; it closes ports of Kubernetes, and nothing of Kubespray opens them";
        Finding::warning(code::NODE_FIREWALL, case.node, message)
            .fix("`systemctl disable --now firewalld`, or open the ports of Kubernetes and of its network between the nodes")
            .into()
    })
}

/// `6443 (haproxy)`.
fn listeners(case: &Case<'_>, meant: impl Fn(u16) -> bool) -> Vec<String> {
    let told = case.facts.listening.iter().filter(|(port, _)| meant(**port));
    told.map(|(port, name)| if name.is_empty() { port.to_string() } else { format!("{port} ({name})") }).collect()
}
