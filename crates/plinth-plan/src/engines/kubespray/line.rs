//! What differs between releases of Kubespray. Minors of version 2, read from the release tags.

use crate::catalog::KubesprayChoice;

/// First minor whose template puts `containerd_extra_args` above the first table, where `imports` must stand.
const IMPORTS: u64 = 25;
/// First minor that builds all addresses of files on a few base addresses.
const BASE_ADDRESSES: u64 = 25;
/// First minor that always writes the reserved amounts, and has no separate ones for the control plane.
const RESERVED_ALWAYS: u64 = 27;
/// First minor that takes `nftables`.
const NFTABLES: u64 = 28;
/// First minor that leaves `/etc/hosts` alone altogether.
const NO_HOSTS_FILE: u64 = 29;

/// One line of releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    minor: u64,
}

impl Line {
    /// The line of a release.
    pub(super) fn of(engine: &KubesprayChoice) -> Self {
        Self { minor: engine.tag.semver().minor }
    }

    pub(super) const fn has_imports(self) -> bool {
        self.minor >= IMPORTS
    }

    pub(super) const fn has_base_addresses(self) -> bool {
        self.minor >= BASE_ADDRESSES
    }

    pub(super) const fn reserves_always(self) -> bool {
        self.minor >= RESERVED_ALWAYS
    }

    pub(super) const fn has_nftables(self) -> bool {
        self.minor >= NFTABLES
    }

    pub(super) const fn writes_hosts_file(self) -> bool {
        self.minor < NO_HOSTS_FILE
    }

    /// Whether the line is one of these, both ends included.
    pub(super) const fn is_within(self, (first, last): (u64, u64)) -> bool {
        first <= self.minor && self.minor <= last
    }
}
