//! What is known of all GPU nodes together, as a plan takes it.

use plinth_site::Desired;

/// What is known of all GPU nodes together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hardware {
    /// The driver is on the nodes themselves; none: not known, or not the same on all.
    pub(crate) driver_on_host: Option<bool>,
    /// NVIDIA's runtime is in the nodes' own settings of containerd; none: not known, or not the same on all.
    pub(crate) toolkit_on_host: Option<bool>,
    /// InfiniBand adapters that every one of them has, in the order of their names.
    pub(crate) adapters: Vec<String>,
    /// Whether the firmware of the wanted adapters has the wanted number of virtual functions on every one of them.
    pub(crate) firmware: Firmware,
}

impl Hardware {
    /// As the site says, else as its GPU nodes are; DGX OS brings its driver, so that is what holds before anybody looked.
    pub(crate) fn driver(&self, desired: &Desired) -> bool {
        desired.platform.gpu.driver_on_host.or(self.driver_on_host).unwrap_or(true)
    }
}

/// Virtual functions that the firmware of the adapters has, against those that are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Firmware {
    /// Not known of every GPU node.
    #[default]
    Unknown,
    /// As wanted everywhere: no node restarts for it.
    Same,
    /// Another number somewhere.
    Differs,
}

impl Firmware {
    /// As a fact of the catalog.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Same => "same",
            Self::Differs => "differs",
        }
    }
}
