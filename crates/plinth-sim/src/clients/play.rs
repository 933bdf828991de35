//! The plays of cluster.yml, as far as a watcher sees them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// One play: what people call it, its share of the static tasks.
pub(super) struct Play {
    pub(super) title: &'static str,
    pub(super) tasks: u64,
}

const fn play(title: &'static str, tasks: u64) -> Play {
    Play { title, tasks }
}

/// The 15 plays with the static task counts of Kubespray v2.27.1; the same plays are in v2.29.1 and v2.31.0.
pub(super) const PLAYS: [Play; 15] = [
    play("check the Ansible version", 3),
    play("check groups and input", 1),
    play("bastion", 8),
    play("bootstrap the operating system", 13),
    play("gather facts", 3),
    play("preinstall, container engine, downloads", 346),
    play("etcd client setup for workers", 6),
    play("etcd", 26),
    play("kubelet and local proxy", 47),
    play("control plane", 79),
    play("join workers, labels, network", 128),
    play("calico route reflectors", 8),
    play("Windows patch", 10),
    play("apps", 216),
    play("final resolv.conf", 146),
];

/// Position of the play behind which hosts are prepared.
pub(super) const PREPARES: usize = 5;
/// Position of the play behind which hosts are members.
pub(super) const JOINS: usize = 10;

/// Static tasks in all.
pub(super) fn total() -> u64 {
    PLAYS.iter().map(|play| play.tasks).sum()
}

/// The Kubernetes version that written variables ask for, with its `v`: the value of `kube_version`, in YAML or JSON.
pub(super) fn kube_version<'a>(contents: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut lines = contents.flat_map(str::lines).filter(|line| !line.trim_start().starts_with('#'));
    let value = lines.find_map(|line| {
        let (key, value) = line.split_once("kube_version")?;
        let quoted = key.trim_start_matches([' ', '{', '"', '\'']).is_empty();
        let value = value.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
        quoted.then(|| value.trim().trim_start_matches(['"', '\'']))
    })?;
    let version: String = value.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-+".contains(*c)).collect();
    let bare = version.strip_prefix('v').unwrap_or(&version);
    (!bare.is_empty()).then(|| format!("v{bare}"))
}

/// Names that written variables (JSON) put into CoreDNS: the lines of `dns_etchosts`.
pub(super) fn names<'a>(contents: impl Iterator<Item = &'a str>) -> BTreeMap<String, Ipv4Addr> {
    let documents = contents.filter_map(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let hosts: Vec<String> =
        documents.filter_map(|document| document.get("dns_etchosts")?.as_str().map(str::to_owned)).collect();
    let entry = |line: &str| {
        let (address, name) = line.trim().split_once(' ')?;
        Some((name.trim().to_owned(), address.parse().ok()?))
    };
    hosts.iter().flat_map(|text| text.lines()).filter_map(entry).collect()
}

/// Hosts of the group `etcd` in a written inventory (JSON).
pub(super) fn etcd<'a>(contents: impl Iterator<Item = &'a str>) -> Vec<String> {
    let documents = contents.filter_map(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let hosts = |document: serde_json::Value| {
        let hosts = document.pointer("/all/children/etcd/hosts")?.as_object()?;
        Some(hosts.keys().cloned().collect())
    };
    documents.into_iter().find_map(hosts).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{PLAYS, etcd, kube_version, names, total};

    #[test]
    fn the_names_of_the_variables_are_found() {
        let found = names([r#"{"dns_etchosts": "10.0.0.5 a.example\n10.0.0.6 b.example\n"}"#, "not JSON"].into_iter());
        assert_eq!(found.len(), 2);
        assert_eq!(found["b.example"].to_string(), "10.0.0.6");
    }

    #[test]
    fn the_members_of_etcd_are_found() {
        let text = r#"{"all": {"children": {"etcd": {"hosts": {"n1": {}, "n2": {}}}}}}"#;
        assert_eq!(etcd(["{}", text].into_iter()), ["n1", "n2"]);
        assert_eq!(etcd(["not JSON"].into_iter()), Vec::<String>::new());
    }

    #[test]
    fn the_plays_have_the_task_counts_of_the_release() {
        assert_eq!((PLAYS.len(), total()), (15, 1040));
    }

    #[test]
    fn the_version_is_found_in_every_notation() {
        for text in [
            "kube_version: v1.31.9",
            "# kube_version: v9\nother: 1\nkube_version: 1.31.9 # pinned",
            "{\"kube_version\": \"v1.31.9\"}",
            "  kube_version: '1.31.9'",
        ] {
            assert_eq!(kube_version([text].into_iter()).as_deref(), Some("v1.31.9"), "{text}");
        }
        for text in ["", "my_kube_version: v1", "kube_version:", "kube_version_min: v1"] {
            assert_eq!(kube_version([text].into_iter()), None, "{text}");
        }
    }
}
