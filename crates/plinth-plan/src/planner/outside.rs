//! Names of others than the cluster that pods must resolve: what the site is known to need, unless its file says it.

use super::discovery::endpoint_host;
use plinth_model::inventory::{Inventory, InventoryNode, NodeKind};
use plinth_site::Desired;
use plinth_site::desired::ArtifactSource;
use std::collections::BTreeSet;

/// Where the images of NVIDIA's operators come from, and what people pull in their own pods.
const PUBLIC: &str = "nvcr.io";

/// The names; empty: nothing is known, and nothing is checked.
pub(super) fn names(desired: &Desired, inventory: &Inventory) -> Vec<String> {
    if let Some(given) = &desired.checks.names {
        return given.clone();
    }
    let elsewhere = desired.runai.as_ref().and_then(|runai| runai.control_plane.as_ref());
    let elsewhere = elsewhere.map(|plane| endpoint_host(&plane.url).to_owned());
    let public = is_connected(desired).then(|| PUBLIC.to_owned());
    let names: BTreeSet<String> = heads(inventory).into_iter().chain(elsewhere).chain(public).collect();
    // The platform's own name is led to the ingress, and has a check of its own.
    let own = desired.runai.as_ref().filter(|runai| runai.control_plane.is_none()).map(|runai| runai.domain.as_str());
    names.into_iter().filter(|name| own != Some(name.as_str()) && name.parse::<std::net::IpAddr>().is_err()).collect()
}

/// Whether the site's nodes take things from the internet by its name, as far as its file says: charts and images come from nowhere else.
/// A web proxy resolves the names of others itself, and where there is one, those inside often resolve none of them.
fn is_connected(desired: &Desired) -> bool {
    let airgapped = desired.runai.as_ref().is_some_and(|runai| runai.source == ArtifactSource::Airgapped);
    let mirrored = desired.registries.mirrors.iter().any(|mirror| mirror.registry == PUBLIC);
    !airgapped && !mirrored && desired.platform.charts.is_none() && desired.kubernetes.proxy.is_none()
}

/// The head nodes of Base Command Manager, by the domain of their network: its own DNS knows them.
fn heads(inventory: &Inventory) -> Vec<String> {
    let domain = |node: &InventoryNode| {
        let networks = node.interfaces.iter().filter_map(|interface| interface.network.as_deref());
        let of = |name: &str| inventory.networks.iter().find(|network| network.name == name);
        networks.filter_map(of).find(|network| network.kind == "INTERNAL" && !network.domain.is_empty())
    };
    let heads = inventory.nodes.iter().filter(|node| node.kind == NodeKind::Head);
    heads.filter_map(|node| Some(format!("{}.{}", node.name, domain(node)?.domain).to_lowercase())).collect()
}
