//! Stage discovery: BCM is the one the inventory came from.

use crate::ids;
use crate::step::step;
use plinth_model::Work;
use plinth_model::inventory::{Inventory, NodeKind};
use plinth_model::plan::Step;
use plinth_model::steps::BcmIdentity;
use plinth_site::Desired;
use plinth_site::desired::InventorySource;

/// The identity check; none with a static inventory.
pub(crate) fn steps(desired: &Desired, inventory: &Inventory) -> Option<Step> {
    let InventorySource::Bcm(bcm) = &desired.inventory else { return None };
    let mut head_nodes: Vec<String> =
        inventory.nodes.iter().filter(|n| n.kind == NodeKind::Head).map(|n| n.uuid.clone()).collect();
    head_nodes.sort_unstable();
    let host = endpoint_host(&bcm.endpoint);
    let reason = format!("the inventory came from the BCM at {host}; this checks that it is still the same one");
    let work = Work::BcmIdentity(BcmIdentity { endpoint: bcm.endpoint.clone(), head_nodes });
    Some(step(ids::identity(host), work, reason))
}

/// `bcm-head-01` of `https://bcm-head-01:8081`; brackets of an IPv6 address stay.
#[must_use]
pub fn endpoint_host(endpoint: &str) -> &str {
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or(authority);
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::endpoint_host;

    #[test]
    fn the_host_of_an_endpoint_has_no_scheme_and_no_port() {
        for (endpoint, wanted) in [
            ("https://bcm-head-01:8081", "bcm-head-01"),
            ("https://bcm-head-01", "bcm-head-01"),
            ("https://[fd00::1]:8081/", "[fd00::1]"),
            ("bcm.example.com:8081/json", "bcm.example.com"),
        ] {
            assert_eq!(endpoint_host(endpoint), wanted);
        }
    }
}
