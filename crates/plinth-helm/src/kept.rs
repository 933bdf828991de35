//! What is kept of the words of helm.

/// Folder of the logs of helm, below the state directory.
pub const LOGS: &str = "helm/logs";
/// Logs that are kept: three runs over a whole platform.
pub(super) const LOGS_KEPT: usize = 60;
