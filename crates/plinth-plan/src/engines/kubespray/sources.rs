//! Where Kubespray fetches from.

use crate::source::{AskedFrom, Source, SourceKind};
use plinth_model::registry::api_root;
use plinth_model::{Step, Work};
use plinth_site::Desired;
use plinth_site::desired::ApiEndpoint;

/// What `docker.io` is called where it answers.
const DOCKER_HUB: &str = "registry-1.docker.io";
/// Variables of Kubespray for the hosts that the programs of every node come from.
const HOSTS_OF_FILES: [(&str, &str); 2] = [("dl_k8s_io_url", "dl.k8s.io"), ("github_url", "github.com")];

/// What its steps fetch.
pub(super) fn sources(desired: &Desired, steps: &[&Step]) -> Vec<Source> {
    let mut sources = Vec::new();
    for step in steps {
        match &step.work {
            Work::KubespraySource(work) => sources.extend(git(&work.release.source)),
            Work::KubesprayEnvironment(work) => sources.extend(packages(desired, &work.release.ansible)),
            Work::KubesprayDownloads(_) => sources.extend(files(desired, AskedFrom::Here)),
            Work::KubesprayRun(_) => sources.extend(of_nodes(desired)),
            _ => {}
        }
    }
    sources
}

/// What nodes fetch for themselves.
pub(super) fn of_nodes(desired: &Desired) -> Vec<Source> {
    // With a web proxy of their own, what nodes reach directly says nothing.
    if desired.kubernetes.proxy.is_some() {
        return Vec::new();
    }
    let files = if desired.kubernetes.downloads.push { Vec::new() } else { files(desired, AskedFrom::Nodes) };
    files.into_iter().chain(images(desired)).collect()
}

fn git(source: &str) -> Option<Source> {
    let is_web = source.starts_with("http://") || source.starts_with("https://");
    is_web.then(|| Source {
        kind: SourceKind::Git,
        what: "Kubespray's source".to_owned(),
        urls: vec![format!("{}/info/refs?service=git-upload-pack", source.trim_end_matches('/'))],
        from: AskedFrom::Here,
        setting: "`kubernetes.kubespray.source`: a mirror, a tarball or a folder".to_owned(),
    })
}

fn packages(desired: &Desired, version: &str) -> Option<Source> {
    let tools = &desired.kubernetes.kubespray_tools;
    tools.wheels.is_none().then(|| Source {
        kind: SourceKind::Packages,
        what: format!("the Python packages of Ansible {version}"),
        urls: tools.index.iter().map(|index| format!("{}/ansible/", index.trim_end_matches('/'))).collect(),
        from: AskedFrom::Here,
        setting: "`kubernetes.kubespray.index`: another index, or `kubernetes.kubespray.wheels`: a folder".to_owned(),
    })
}

fn variable<'a>(desired: &'a Desired, name: &str) -> Option<&'a str> {
    desired.kubernetes.extra_vars.get(name).and_then(serde_json::Value::as_str)
}

/// None where the site gives addresses of single files: these are not known here.
fn files(desired: &Desired, from: AskedFrom) -> Vec<Source> {
    let kubernetes = &desired.kubernetes;
    if kubernetes.extra_vars.keys().any(|name| name.ends_with("_download_url")) {
        return Vec::new();
    }
    let source = |(name, host): (&str, &str)| {
        let mirrored =
            kubernetes.downloads.files.as_ref().map(|files| format!("{}/{host}/", files.trim_end_matches('/')));
        let given = variable(desired, name).map(|url| format!("{}/", url.trim_end_matches('/')));
        Source {
            kind: SourceKind::Files,
            what: format!("programs of {host}"),
            urls: vec![given.or(mirrored).unwrap_or_else(|| format!("https://{host}/"))],
            from,
            setting: "`kubernetes.downloads.files`: a mirror (`plinth render mirror-list` says what it must hold)"
                .to_owned(),
        }
    };
    HOSTS_OF_FILES.into_iter().map(source).collect()
}

/// Registries that the images of Kubernetes itself and of its network come from, each with the mirrors that containerd asks first.
fn images(desired: &Desired) -> Vec<Source> {
    let kubernetes = &desired.kubernetes;
    let network = match kubernetes.plugin.as_str() {
        "calico" | "cilium" => Some(("quay.io", "quay_image_repo")),
        "flannel" => Some(("docker.io", "docker_image_repo")),
        _ => None,
    };
    // The small proxy before the API servers is nginx from Docker's registry; a shared address of kube-vip comes from GitHub's.
    let endpoint = match &kubernetes.endpoint {
        ApiEndpoint::KubeVip { .. } => Some(("ghcr.io", "github_image_repo")),
        other => other.shared().is_none().then_some(("docker.io", "docker_image_repo")),
    };
    let mut registries = vec![("registry.k8s.io", "kube_image_repo")];
    registries.extend(network);
    registries.extend(endpoint.filter(|one| Some(*one) != network));
    registries.into_iter().map(|(registry, name)| images_of(desired, registry, name)).collect()
}

fn images_of(desired: &Desired, registry: &str, name: &str) -> Source {
    let place =
        variable(desired, name).or_else(|| desired.kubernetes.downloads.images.get(registry).map(String::as_str));
    let host = place.map_or(registry, |place| place.split('/').next().unwrap_or(place));
    let mirrors = desired.registries.mirrors.iter().filter(|mirror| mirror.registry == host);
    let mut urls: Vec<String> =
        mirrors.flat_map(|mirror| &mirror.endpoints).map(|endpoint| api_root(endpoint)).collect();
    urls.push(api_root(if host == "docker.io" { DOCKER_HUB } else { host }));
    Source {
        kind: SourceKind::Images,
        what: format!("images of {registry}"),
        urls,
        from: AskedFrom::Nodes,
        setting: format!("`kubernetes.downloads.images` or `registries.mirrors`: a mirror of {registry}"),
    }
}
