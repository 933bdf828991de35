//! Addresses of registries and of their mirrors, as containerd asks them (containerd documentation, `hosts.md`).

/// What stands behind the host of a mirror: nothing, a path of the registry's interface (`/v2/PROJECT`), or something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorPath {
    /// Nothing, or `/`.
    None,
    /// A path with `v2` in it: asked as it is.
    Interface,
    /// Any other path: `/v2` is asked below it.
    Other,
}

/// What stands behind the host of a mirror.
#[must_use]
pub fn mirror_path(address: &str) -> MirrorPath {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path).trim_matches('/');
    match path {
        "" => MirrorPath::None,
        path if path.split('/').any(|part| part == "v2") => MirrorPath::Interface,
        _ => MirrorPath::Other,
    }
}

/// The root of a registry's interface, by the address of the registry or of a mirror. It answers everybody, with 401 where a login is
/// wanted.
#[must_use]
pub fn api_root(place: &str) -> String {
    let place = place.trim_end_matches('/');
    let place = if place.contains("://") { place.to_owned() } else { format!("https://{place}") };
    if mirror_path(&place) == MirrorPath::Interface { format!("{place}/") } else { format!("{place}/v2/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_mirror_is_nothing_the_interface_or_something_else() {
        for none in ["https://m.example.com", "https://m.example.com/", "http://10.0.0.1:5000//"] {
            assert_eq!(mirror_path(none), MirrorPath::None, "{none}");
        }
        for interface in
            ["https://h/v2/hub", "https://h/v2", "https://h/v2/a/b/", "https://h/artifactory/api/docker/remote/v2"]
        {
            assert_eq!(mirror_path(interface), MirrorPath::Interface, "{interface}");
        }
        for other in ["https://h/docker", "https://h/v1/", "https://h/repository/hub", "https://h/v22"] {
            assert_eq!(mirror_path(other), MirrorPath::Other, "{other}");
        }
    }

    #[test]
    fn the_interface_is_asked_where_containerd_asks_it() {
        for (place, root) in [
            ("docker.io", "https://docker.io/v2/"),
            ("https://mirror.example.com/", "https://mirror.example.com/v2/"),
            ("https://harbor.example.com/v2/hub", "https://harbor.example.com/v2/hub/"),
            ("https://mirror.example.com/other", "https://mirror.example.com/other/v2/"),
        ] {
            assert_eq!(api_root(place), root);
        }
    }
}
