//! What the inventory source (BCM, a recorded file, the site file itself) says about machines and networks, free of its format.
//!
//! Everything is as it was said: nothing here has been judged. Which address is safe to use is decided by `plinth-plan`.

use crate::Observed;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Schema number of a recorded inventory (`plinth discover --save`).
pub const SCHEMA: u32 = 1;

/// Everything an inventory source said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// [`SCHEMA`] of the plinth that wrote it; a newer one is refused.
    pub schema: u32,
    /// Who said it: `bcm https://bcm-head-01:8081`, `static`.
    pub source: String,
    /// Nodes, in the order they were listed.
    pub nodes: Vec<InventoryNode>,
    /// Networks; includes ranges that no machine has an address in (pod and service networks are BCM networks too).
    pub networks: Vec<Network>,
    /// Those that the source lists; a node may name one that is not here.
    pub categories: Vec<Category>,
    /// Configuration overlays; BCM's JSON interface has no evidenced call for them, so this is usually unknown.
    pub overlays: Observed<Vec<String>>,
}

/// A machine as the source lists it: head nodes, nodes, and templates that are no machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryNode {
    /// Hostname as listed; may not be a valid node name.
    pub name: String,
    /// Entity id at the source; empty for static nodes.
    #[serde(default)]
    pub uuid: String,
    /// What kind of machine.
    pub kind: NodeKind,
    /// Name of the category; none on head nodes.
    #[serde(default)]
    pub category: Option<String>,
    /// A template, not a machine: never a target.
    #[serde(default)]
    pub template: bool,
    /// Interfaces, in the order they were listed (the order has no meaning).
    #[serde(default)]
    pub interfaces: Vec<Interface>,
    /// An address given by a person (static inventory): taken as it is, still checked against the networks.
    #[serde(default)]
    pub given: Option<Ipv4Addr>,
}

/// What kind of machine; BCM's `childType`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A BCM head node.
    Head,
    /// A machine that can be a node of the cluster.
    Physical,
    /// Something else; never a target.
    Other(String),
}

impl NodeKind {
    /// The word in tables and JSON; for other kinds the source's own.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            NodeKind::Head => "head",
            NodeKind::Physical => "physical",
            NodeKind::Other(kind) => kind,
        }
    }
}

/// A network interface as recorded at the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// `bond0`, `ipmi0`, `eth0:0`.
    pub name: String,
    /// What the source says it is; decides whether its address can be a machine's own.
    pub kind: InterfaceKind,
    /// The address text as recorded: may be empty, `0.0.0.0`, or nonsense.
    pub address: String,
    /// Whether the address comes from DHCP, so that the recorded one means nothing.
    pub dhcp: bool,
    /// `ALWAYS`, `ACTIVE`, `PASSIVE`, `PREFERPASSIVE` (field definitions of the vendor's Python client); ACTIVE and PASSIVE are
    /// shared failover addresses.
    pub start: String,
    /// Name of the network it is on, or none.
    pub network: Option<String>,
    /// BCM's onNetworkPriority: higher first.
    pub priority: i64,
}

/// Kind of an interface; BCM's `childType`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InterfaceKind {
    /// Several ports as one: `NetworkBondInterface`.
    Bond,
    /// Where virtual machines or containers are attached: `NetworkBridgeInterface`.
    Bridge,
    /// One tagged network on another interface: `NetworkVLANInterface`.
    Vlan,
    /// A physical port.
    Physical,
    /// A second address on another interface.
    Alias,
    /// The baseboard management controller: never a machine's own address.
    Bmc,
    /// A network inside another: `NetworkTunnelInterface`.
    Tunnel,
    /// A network map.
    NetMap,
    /// Something this release does not know; never a candidate.
    Other(String),
}

/// A network as the source lists it. Its name is what interfaces and the site file refer to it by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Name, unique at the source.
    pub name: String,
    /// Entity id at the source.
    #[serde(default)]
    pub uuid: String,
    /// `INTERNAL`, `EXTERNAL`, `GLOBAL`, ... There is no kind for out-of-band networks.
    pub kind: String,
    /// Range; none when the source says `0.0.0.0` or nonsense.
    pub cidr: Option<Ipv4Net>,
    /// Gateway; none when `0.0.0.0`.
    pub gateway: Option<Ipv4Addr>,
    /// First and last address of the DHCP pool for unknown nodes.
    pub dhcp_pool: Option<(Ipv4Addr, Ipv4Addr)>,
    /// BCM's flag; does **not** mean out-of-band: in BCM 11 captures every internal network has it.
    pub management: bool,
    /// Domain name, may be empty.
    pub domain: String,
    /// Largest packet, bytes.
    pub mtu: u32,
}

/// A category: a named set of equal nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    /// What nodes refer to it by, and selectors of the site file; unique at the source.
    pub name: String,
    /// Entity id at the source.
    #[serde(default)]
    pub uuid: String,
}
