//! Where a component stands in the site file.

/// The path of a component's choices, which findings about them name.
pub(crate) fn path(component: &str) -> String {
    format!("platform.components.{component}")
}
