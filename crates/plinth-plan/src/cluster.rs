//! The cluster to be made: members with names and addresses that were checked. Complete only when discovery had no errors.

use crate::discover::{DiscoveredNode, Discovery, Role};
use crate::known_hardware::Hardware;
use globset::{Glob, GlobSet, GlobSetBuilder};
use indexmap::IndexMap;
use ipnet::Ipv4Net;
use plinth_catalog::runai::NodeRoles;
use plinth_model::finding::code;
use plinth_model::nearest::nearest_few;
use plinth_model::steps::NodeTarget;
use plinth_model::{DefaultClass, Finding, HostPath, NodeName};
use plinth_site::Desired;
use plinth_site::desired::NodeOverride;
use std::collections::HashSet;
use std::net::Ipv4Addr;

/// One node of the cluster.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its host name, which is its name in Kubernetes too.
    pub name: NodeName,
    /// Production address.
    pub address: Ipv4Addr,
    /// Category in BCM, where it has one.
    pub category: Option<String>,
    /// What it does, each once; a node that does nothing is no member.
    pub roles: Vec<Role>,
    /// SHA-1 keys are accepted from it.
    pub legacy_keys: bool,
    /// Labels, those of its roles first.
    pub labels: IndexMap<String, String>,
    /// `key=value:Effect` or `key:Effect`, from the site's overrides.
    pub taints: Vec<String>,
    /// Directory for container images, when it is decided: by the site, or by what is known of the node.
    pub storage: Option<HostPath>,
    /// There may be images to move there; without any the engine makes the place by itself.
    pub moves: bool,
}

impl Member {
    /// Whether it has a role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether Kubernetes knows it as a node; an etcd member outside the control plane it does not.
    #[must_use]
    pub fn is_kubernetes_node(&self) -> bool {
        self.is(Role::ControlPlane) || self.is(Role::Worker)
    }

    /// Whether losing it counts against a majority.
    #[must_use]
    pub fn is_quorum(&self) -> bool {
        self.is(Role::ControlPlane) || self.is(Role::Etcd)
    }

    /// `a control-plane and etcd node`, for reasons.
    #[must_use]
    pub fn role_text(&self) -> &'static str {
        match (self.is(Role::ControlPlane), self.is(Role::Etcd), self.is(Role::Gpu), self.is(Role::Worker)) {
            (true, _, _, _) => "a control-plane node",
            (_, true, _, _) => "an etcd member",
            (_, _, true, _) => "a GPU worker",
            _ => "a worker",
        }
    }
}

/// The cluster: control plane first, then further etcd members, then workers.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Members, each once.
    pub members: Vec<Member>,
    /// Workers of the site that the plan leaves out: nothing waits for them.
    pub left_out: Vec<Member>,
    /// Range of the production network, where it is known.
    pub production: Option<Ipv4Net>,
    /// What is known of the GPU nodes.
    pub(crate) hardware: Hardware,
    /// Storage classes that are its default, if it was there before, and whether each is of a release that plinth installed.
    pub(crate) classes: Vec<(DefaultClass, bool)>,
    control_plane: Vec<usize>,
    workers: Vec<usize>,
    etcd: Vec<usize>,
}

impl Cluster {
    /// Takes the members out of a discovery. A member without a safe address or with a name that Kubernetes does not accept is
    /// left out, and the findings (here, or in the discovery) say so: with an error among them there is no plan, but what else
    /// is wrong can still be found out.
    #[must_use]
    pub fn new(desired: &Desired, discovery: &Discovery) -> (Self, Vec<Finding>) {
        let (legacy, mut findings) = legacy(&desired.access.legacy_keys);
        let mut place = vec![None; discovery.nodes.len()];
        let mut members = Vec::new();
        for i in discovery.members.all(discovery.nodes.len()) {
            if let Some(member) = member(desired, &discovery.nodes[i], &legacy) {
                place[i] = Some(members.len());
                members.push(member);
            }
        }
        let placed = |nodes: &[usize]| nodes.iter().filter_map(|&i| place[i]).collect();
        let of = &discovery.members;
        let (control_plane, workers, etcd) = (placed(&of.control_plane), placed(&of.workers), placed(&of.etcd));
        findings.extend(legacy_finding(&members));
        let mut cluster = Self {
            members,
            left_out: Vec::new(),
            production: discovery.production,
            hardware: Hardware::default(),
            classes: Vec::new(),
            control_plane,
            workers,
            etcd,
        };
        findings.extend(leave_out(desired, &mut cluster));
        (cluster, findings)
    }

    /// Puts aside the workers that the run's limits leave out.
    pub fn leave_out(&mut self, desired: &Desired) {
        // What is to be said of it was said when the cluster was made.
        let _findings = leave_out(desired, self);
    }

    /// Puts aside the members for which this holds.
    pub(crate) fn put_aside(&mut self, is_left_out: impl Fn(&Member) -> bool) {
        let (out, kept): (Vec<usize>, Vec<usize>) =
            (0..self.members.len()).partition(|&i| is_left_out(&self.members[i]));
        if out.is_empty() {
            return;
        }
        let put_aside: Vec<Member> = out.iter().map(|&i| self.members[i].clone()).collect();
        *self = Self { left_out: [std::mem::take(&mut self.left_out), put_aside].concat(), ..self.only(&kept) };
    }

    /// Adds the labels by which Run:ai places its parts; the site's own ones win.
    pub fn add_role_labels(&mut self, desired: &Desired, names: &NodeRoles) {
        if desired.runai.is_none() {
            return;
        }
        for member in self.members.iter_mut().chain(&mut self.left_out) {
            let placed = match (member.is(Role::Gpu), member.is(Role::Worker)) {
                (true, _) => Some(&names.gpu),
                (false, true) => Some(&names.cpu),
                (false, false) => None,
            };
            let system = member.is(Role::System).then_some(&names.system);
            let roles = system.into_iter().chain(placed).map(|name| (name.clone(), "true".to_owned()));
            let own = std::mem::take(&mut member.labels);
            member.labels = roles.chain(own).collect();
        }
    }

    /// Labels and taints of members that Kubernetes does not know as nodes reach nobody.
    #[must_use]
    pub fn unused_labels(&self, desired: &Desired) -> Vec<Finding> {
        let given = |member: &&Member| {
            let own = desired.nodes.overrides.get(member.name.as_str());
            !member.is_kubernetes_node() && own.is_some_and(|own| !own.labels.is_empty() || !own.taints.is_empty())
        };
        let finding = |member: &Member| {
            let subject = format!("nodes.overrides.{}", member.name);
            let text = format!(
                "{} only runs etcd and is no Kubernetes node, so nobody sees its labels and taints",
                member.name
            );
            Finding::warning(code::NODES_LABELS_UNUSED, subject, text)
                .fix("remove its labels and taints, or select the node as a worker or for the control plane")
        };
        self.members.iter().filter(given).map(finding).collect()
    }

    /// Control plane, in order.
    pub fn control_plane(&self) -> impl Iterator<Item = &Member> {
        self.control_plane.iter().map(|&i| &self.members[i])
    }

    /// Workers, in order.
    pub fn workers(&self) -> impl Iterator<Item = &Member> {
        self.workers.iter().map(|&i| &self.members[i])
    }

    /// etcd members, in order.
    pub fn etcd(&self) -> impl Iterator<Item = &Member> {
        self.etcd.iter().map(|&i| &self.members[i])
    }

    /// The control plane and etcd alone.
    #[must_use]
    pub fn quorum(&self) -> Self {
        self.only(&(0..self.members.len()).filter(|&i| self.members[i].is_quorum()).collect::<Vec<usize>>())
    }

    /// The same cluster with these members, by their places, and no others.
    fn only(&self, kept: &[usize]) -> Self {
        let mut place = vec![None; self.members.len()];
        kept.iter().enumerate().for_each(|(new, &old)| place[old] = Some(new));
        let placed = |of: &[usize]| of.iter().filter_map(|&i| place[i]).collect();
        Self {
            control_plane: placed(&self.control_plane),
            workers: placed(&self.workers),
            etcd: placed(&self.etcd),
            production: self.production,
            hardware: self.hardware.clone(),
            classes: self.classes.clone(),
            members: kept.iter().map(|&i| self.members[i].clone()).collect(),
            left_out: Vec::new(),
        }
    }

    /// The same cluster, in whose control plane and etcd these nodes come last.
    #[must_use]
    pub(crate) fn with_last(&self, last: &[NodeName]) -> Self {
        let ordered = |of: &[usize]| {
            let (late, early): (Vec<usize>, Vec<usize>) =
                of.iter().partition(|&&i| last.contains(&self.members[i].name));
            [early, late].concat()
        };
        Self { control_plane: ordered(&self.control_plane), etcd: ordered(&self.etcd), ..self.clone() }
    }

    /// In the order of the cluster's list.
    pub fn with(&self, role: Role) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |m| m.is(role))
    }

    /// Address that the platform's names resolve to: the site's, else the load balancer's, else the first control-plane node's.
    #[must_use]
    pub fn ingress_address(&self, desired: &Desired) -> Option<Ipv4Addr> {
        let platform = &desired.platform;
        let given = platform.ingress.address.or_else(|| platform.balanced_address());
        given.or_else(|| self.control_plane().next().map(|m| m.address))
    }

    /// A node reached with the service account.
    #[must_use]
    pub fn target(desired: &Desired, member: &Member) -> NodeTarget {
        NodeTarget {
            node: member.name.clone(),
            address: member.address,
            port: desired.access.port,
            user: desired.access.account.name.clone(),
            credential: plinth_model::steps::Credential::Key(desired.access.account.key.clone()),
            legacy_keys: member.legacy_keys,
            jump: desired.access.jump.clone(),
        }
    }

    /// A node reached with the first-contact login.
    #[must_use]
    pub fn first_contact(desired: &Desired, member: &Member) -> NodeTarget {
        let login = &desired.access.bootstrap;
        NodeTarget { user: login.user.clone(), credential: login.credential.clone(), ..Self::target(desired, member) }
    }
}

/// Globs of nodes whose old keys are accepted; a glob that is not one is left out, with a finding.
fn legacy(globs: &[String]) -> (GlobSet, Vec<Finding>) {
    let mut set = GlobSetBuilder::new();
    let mut findings = Vec::new();
    for glob in globs {
        match Glob::new(glob) {
            Ok(glob) => drop(set.add(glob)),
            Err(error) => findings.push(bad_glob(glob, &error)),
        }
    }
    let set = set.build().unwrap_or_else(|error| {
        findings.push(bad_glob(&globs.join(" "), &error));
        GlobSet::empty()
    });
    (set, findings)
}

fn legacy_finding(members: &[Member]) -> Option<Finding> {
    let names: Vec<&str> = members.iter().filter(|m| m.legacy_keys).map(|m| m.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        Finding::warning(
            code::ACCESS_LEGACY_KEYS,
            "access.legacyKeys",
            "keys signed with SHA-1 are accepted from some nodes",
        )
        .evidence(names.join(", "))
        .fix("renew the host keys of these nodes, then take access.legacyKeys away")
    })
}

fn bad_glob(glob: &str, error: &globset::Error) -> Finding {
    Finding::error(code::NODES_BAD_GLOB, "access.legacyKeys", format!("`{glob}` is not a glob: {}", error.kind()))
        .fix("write a name, or a glob such as `dgx-*`")
}

/// The member; none when discovery has already said why it has no address, or no name that can be used.
fn member(desired: &Desired, node: &DiscoveredNode, legacy: &GlobSet) -> Option<Member> {
    let name = NodeName::new(&node.name).ok()?;
    let address = node.address?;
    let none = NodeOverride::default();
    let wanted = desired.nodes.overrides.get(node.name.as_str()).unwrap_or(&none);
    Some(Member {
        category: node.category.clone(),
        legacy_keys: legacy.is_match(&node.name),
        labels: wanted.labels.clone(),
        taints: wanted.taints.clone(),
        storage: wanted.storage.clone(),
        moves: true,
        roles: node.roles.clone(),
        name,
        address,
    })
}

/// Puts aside what the run's limits say. A name that is no node of the site, or that counts in a majority, is an error, and nothing is
/// put aside for it.
fn leave_out(desired: &Desired, cluster: &mut Cluster) -> Vec<Finding> {
    let named: Vec<&NodeName> = desired.run.without.iter().chain(&desired.run.unfit).collect();
    let findings = named.iter().filter_map(|name| cannot(cluster, name)).collect();
    let out: HashSet<&NodeName> = named.into_iter().collect();
    cluster.put_aside(|member| !member.is_quorum() && out.contains(&member.name));
    findings
}

fn cannot(cluster: &Cluster, name: &NodeName) -> Option<Finding> {
    match cluster.members.iter().find(|member| member.name == *name) {
        None => {
            let near = nearest_few(name.as_str(), cluster.members.iter().map(|member| member.name.as_str()));
            let fix = match near.as_slice() {
                [] => "`plinth discover` lists the nodes".to_owned(),
                near => format!("did you mean {}?", near.join(", ")),
            };
            let text = "no node of the site has this name, which `--without` gives";
            Some(Finding::error(code::NODES_NO_MATCH, name.as_str(), text).fix(fix))
        }
        Some(member) if member.is_quorum() => {
            let text = format!("{name} is {}, which cannot be left out of a run", member.role_text());
            Some(Finding::error(code::NODES_WITHOUT_QUORUM, name.as_str(), text).fix(format!(
                "repair it; if BCM re-imaged it, run `plinth recover {name}`; before Kubernetes is installed, name another node instead"
            )))
        }
        Some(_) => None,
    }
}
