//! How helm marks what belongs to a release (Helm documentation, "Labels and Annotations"). It refuses to take over what has not all three.

/// The label that every object of a release has.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "Helm");
/// The annotation with the name of the release.
pub const RELEASE: &str = "meta.helm.sh/release-name";
/// The annotation with the release's namespace.
pub const NAMESPACE: &str = "meta.helm.sh/release-namespace";
