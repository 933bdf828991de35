//! A place that a plan fetches from.

/// A place that something is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What comes from there.
    pub kind: SourceKind,
    /// For people: `Kubespray's source`.
    pub what: String,
    /// Addresses to ask; it is enough that one of them answers. None for packages: the index that this machine is set up for.
    pub urls: Vec<String>,
    /// From where it is fetched later, and so asked now.
    pub from: AskedFrom,
    /// The setting of the site file that names another place.
    pub setting: String,
}

/// What comes from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A git repository.
    Git,
    /// Python packages.
    Packages,
    /// Programs, as files.
    Files,
    /// Container images.
    Images,
    /// Helm charts.
    Charts,
}

/// Who fetches from a source later, so that it is asked from there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedFrom {
    /// This machine.
    Here,
    /// Each of the site's nodes, since it fetches by itself.
    Nodes,
}
