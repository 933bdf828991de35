//! What a lab is to be.

use crate::error::{LabError, LabResult};
use crate::odd::Odd;
use crate::root::RootSpec;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Where the lab lives. Each lab has a network namespace of its own, so all may use the same range side by side.
const NETWORK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 77, 0, 0), 22);

/// Offset of the first node's address; what lies before is for the bridge and what a test puts beside it.
const FIRST: u32 = 11;

/// A lab to be made.
#[derive(Clone, Debug)]
pub struct LabSpec {
    /// Lower-case letters, digits and hyphens; at most 40 characters.
    pub name: String,
    /// The nodes, in order.
    pub nodes: Vec<NodeSpec>,
    /// What they stand on.
    pub root: RootSpec,
    /// The lab's range; its first address is the bridge's, where tests and plinth itself stand.
    pub network: Ipv4Net,
    /// Whether it outlives the process that made it.
    pub kept: bool,
    /// Range of all pods, if Kubernetes is to run: each node has a /24 of it, in order.
    pub pods: Option<Ipv4Net>,
}

impl LabSpec {
    /// An empty lab in 10.77.0.0/22 that ends with its maker.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            nodes: Vec::new(),
            root: RootSpec::default(),
            network: NETWORK,
            kept: false,
            pods: None,
        }
    }

    /// A name no other running process uses: for tests.
    #[must_use]
    pub fn unique(prefix: &str) -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self::new(format!("{prefix}-{}", &random[..8]))
    }

    /// Adds a node.
    #[must_use]
    pub fn node(mut self, node: NodeSpec) -> Self {
        self.nodes.push(node);
        self
    }

    /// Adds `count` usual nodes, `n1` and so on.
    #[must_use]
    pub fn usual(mut self, count: usize) -> Self {
        let first = self.nodes.len() + 1;
        self.nodes.extend((first..first + count).map(|n| NodeSpec::new(format!("n{n}"))));
        self
    }

    /// Nodes for installing Kubernetes: bare of all containers, and with a network for pods: a bridge on each node by the
    /// plugins that an installer puts into /opt/cni/bin, and routes between them.
    #[must_use]
    pub fn kubernetes(mut self, pods: Ipv4Net) -> Self {
        self.root = RootSpec::bare();
        self.pods = Some(pods);
        self
    }

    /// Lets it outlive the process that makes it, until `down`.
    #[must_use]
    pub const fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// The bridge's address.
    #[must_use]
    pub fn bridge(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network.network()) + 1)
    }

    /// Every node with its address: its own, or the next free one.
    pub(crate) fn addressed(&self) -> LabResult<Vec<(&NodeSpec, Ipv4Addr)>> {
        let wrong = |what: String| {
            LabError::new(format!("planning the lab {}", self.name), what, "change the lab's specification")
        };
        let named = |name: &str| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !name.is_empty() && name.len() <= 40 && name.chars().all(fits) && !name.starts_with('-')
        };
        let (mut names, mut taken) = (BTreeSet::new(), BTreeSet::from([self.bridge()]));
        for name in std::iter::once(&self.name).chain(self.nodes.iter().map(|node| &node.name)) {
            if !named(name) {
                return Err(wrong(format!("{name:?} is not made of lower-case letters, digits and hyphens")));
            }
        }
        for node in &self.nodes {
            if !names.insert(&node.name) {
                return Err(wrong(format!("two nodes are called {}", node.name)));
            }
            if node.address.is_some_and(|address| !taken.insert(address) || !self.holds(address)) {
                return Err(wrong(format!("the address of {} is taken or outside {}", node.name, self.network)));
            }
        }
        let first = u32::from(self.network.network()) + FIRST;
        let free: Vec<Ipv4Addr> = (first..u32::from(self.network.broadcast()))
            .map(Ipv4Addr::from)
            .filter(|address| !taken.contains(address))
            .collect();
        let mut free = free.into_iter();
        let address = |node: &NodeSpec| node.address.or_else(|| free.next());
        let all: Option<Vec<_>> = self.nodes.iter().map(address).collect();
        let all = all.ok_or_else(|| wrong(format!("{} has no room for {} nodes", self.network, self.nodes.len())))?;
        Ok(self.nodes.iter().zip(all).collect())
    }

    fn holds(&self, address: Ipv4Addr) -> bool {
        self.network.contains(&address) && address != self.network.network() && address != self.network.broadcast()
    }
}

/// A node to be made.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// As a lab's name; also its host name unless that is odd.
    pub name: String,
    /// Inside the lab's range; the next free one if none.
    pub address: Option<Ipv4Addr>,
    /// What is unusual about it.
    pub odd: Odd,
    /// Mebibytes of containerd content it is made with.
    pub seed: u32,
}

impl NodeSpec {
    /// A usual node: user `ubuntu` with the lab's password and sudo by password, keys and passwords accepted by sshd,
    /// containerd running and empty.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), address: None, odd: Odd::default(), seed: 0 }
    }

    /// Gives it an address of its own.
    #[must_use]
    pub const fn address(mut self, address: Ipv4Addr) -> Self {
        self.address = Some(address);
        self
    }

    /// Lets the node differ from a usual one in this way.
    #[must_use]
    pub fn odd(mut self, odd: Odd) -> Self {
        self.odd = odd;
        self
    }

    /// Puts about `mib` mebibytes of real blobs and snapshots into its containerd, in the namespace of Kubernetes.
    #[must_use]
    pub const fn seed_containerd(mut self, mib: u32) -> Self {
        self.seed = mib;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(spec: &LabSpec) -> Vec<String> {
        spec.addressed().unwrap().iter().map(|(_, address)| address.to_string()).collect()
    }

    #[test]
    fn addresses_are_given_in_order_around_chosen_ones() {
        let spec = LabSpec::new("a").usual(1).node(NodeSpec::new("x").address("10.77.0.12".parse().unwrap())).usual(1);
        assert_eq!(addresses(&spec), ["10.77.0.11", "10.77.0.12", "10.77.0.13"]);
        assert_eq!(spec.bridge().to_string(), "10.77.0.1");
        assert_eq!(addresses(&LabSpec::new("a").usual(300)).last().unwrap(), "10.77.1.54");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let at = |address: &str| NodeSpec::new("x").address(address.parse().unwrap());
        let cases = [
            (LabSpec::new("A"), "lower-case"),
            (LabSpec::new(""), "lower-case"),
            (LabSpec::new("a/b"), "lower-case"),
            (LabSpec::new("a").node(NodeSpec::new("n.1")), "lower-case"),
            (LabSpec::new("a").node(NodeSpec::new("x")).node(NodeSpec::new("x")), "two nodes"),
            (LabSpec::new("a").node(at("10.77.0.1")), "taken"),
            (LabSpec::new("a").node(at("10.78.0.1")), "outside"),
            (LabSpec::new("a").node(at("10.77.3.255")), "outside"),
            (LabSpec::new("a").usual(1100), "no room"),
        ];
        for (spec, want) in cases {
            let error = spec.addressed().unwrap_err();
            assert!(error.happened.contains(want), "{error} should say {want}");
        }
    }
}
