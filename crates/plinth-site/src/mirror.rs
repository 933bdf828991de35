//! Addresses of registry mirrors, for whoever hands them on.

use crate::raw::registry_rules::{MirrorPath, mirror_path};

/// Whether the address of a mirror has a path of the registry's interface, `/v2/PROJECT`, that must be asked as it is.
#[must_use]
pub fn is_interface_path(address: &str) -> bool {
    mirror_path(address) == MirrorPath::Interface
}
