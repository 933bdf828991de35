//! The inventory that a site file gives itself, and the digest of any inventory.

use plinth_model::inventory::{Category, Inventory, InventoryNode, NodeKind, SCHEMA};
use plinth_model::{Digest, Observed};
use plinth_site::desired::StaticNode;

/// Turns the nodes of `inventory: {static: [...]}` into an inventory. It lists no networks and no interfaces: the addresses
/// were given by a person and are checked against the site's networks all the same.
#[must_use]
pub fn static_inventory(nodes: &[StaticNode]) -> Inventory {
    let mut categories: Vec<&str> = nodes.iter().map(|n| n.category.as_str()).filter(|c| !c.is_empty()).collect();
    categories.sort_unstable();
    categories.dedup();
    Inventory {
        schema: SCHEMA,
        source: "static".into(),
        nodes: nodes.iter().map(static_node).collect(),
        networks: Vec::new(),
        categories: categories.into_iter().map(|n| Category { name: n.to_owned(), uuid: String::new() }).collect(),
        overlays: Observed::Absent,
    }
}

fn static_node(node: &StaticNode) -> InventoryNode {
    InventoryNode {
        name: node.name.to_string(),
        uuid: String::new(),
        kind: NodeKind::Physical,
        category: (!node.category.is_empty()).then(|| node.category.clone()),
        template: false,
        interfaces: Vec::new(),
        given: Some(node.address),
    }
}

/// Digest of what an inventory says, whatever order it was listed in: the order has no meaning at the source.
#[must_use]
pub fn inventory_digest(inventory: &Inventory) -> Digest {
    let mut sorted = inventory.clone();
    sorted.nodes.iter_mut().for_each(|n| n.interfaces.sort_by(|a, b| a.name.cmp(&b.name)));
    sorted.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    sorted.networks.sort_by(|a, b| a.name.cmp(&b.name));
    sorted.categories.sort_by(|a, b| a.name.cmp(&b.name));
    Digest::of(&sorted)
}
