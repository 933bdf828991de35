//! Words of BCM's JSON interface that both sides of it speak: the real client, and whoever plays BCM.

use plinth_model::inventory::InterfaceKind;

/// "No reference" in BCM.
pub const ZERO_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// `childType` of each interface kind (vendor's field definitions), and the priority BCM gives it when none is said.
/// `NetworkBMCInterface` is a known misspelling; case is not regarded anyway. The bridge's priority is not published.
const INTERFACE_KINDS: [(&str, InterfaceKind, i64); 8] = [
    ("NetworkPhysicalInterface", InterfaceKind::Physical, 60),
    ("NetworkBondInterface", InterfaceKind::Bond, 70),
    ("NetworkBmcInterface", InterfaceKind::Bmc, 10),
    ("NetworkVLANInterface", InterfaceKind::Vlan, 50),
    ("NetworkAliasInterface", InterfaceKind::Alias, 40),
    ("NetworkTunnelInterface", InterfaceKind::Tunnel, 30),
    ("NetworkNetMapInterface", InterfaceKind::NetMap, 20),
    ("NetworkBridgeInterface", InterfaceKind::Bridge, 0),
];

/// The interface kind of a `childType`, and the priority BCM gives it when none is said. A kind that is not in the published
/// definitions is kept by its name, with priority 0.
#[must_use]
pub fn interface_kind(child_type: &str) -> (InterfaceKind, i64) {
    INTERFACE_KINDS.iter().find(|(name, ..)| child_type.eq_ignore_ascii_case(name)).map_or_else(
        || (InterfaceKind::Other(child_type.to_owned()), 0),
        |(_, kind, priority)| (kind.clone(), *priority),
    )
}

/// The `childType` of an interface kind; the other way round, for whoever has to make entities.
#[must_use]
pub fn interface_child_type(kind: &InterfaceKind) -> &str {
    if let InterfaceKind::Other(child_type) = kind {
        return child_type;
    }
    INTERFACE_KINDS.iter().find(|(_, known, _)| known == kind).map_or("", |(name, ..)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_kind_is_known_in_any_case() {
        for (name, kind, priority) in &INTERFACE_KINDS {
            assert_eq!(interface_kind(&name.to_uppercase()), (kind.clone(), *priority));
            assert_eq!(interface_child_type(kind), *name);
        }
        assert_eq!(interface_kind("NetworkBMCInterface").0, InterfaceKind::Bmc);
        assert_eq!(interface_kind("NetworkQuantum").0, InterfaceKind::Other("NetworkQuantum".to_owned()));
    }
}
