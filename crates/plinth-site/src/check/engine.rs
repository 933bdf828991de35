//! What each engine needs of the site file, and what it would never read.

use crate::diagnostics::Diagnostics;
use crate::explain::missing;
use crate::path::Path;
use crate::raw::Site;
use crate::raw::kubernetes::Engine;
use plinth_model::Finding;
use plinth_model::finding::code;

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    version(site, diagnostics);
    match site.kubernetes.engine {
        Some(Engine::Existing) => existing(site, diagnostics),
        engine => {
            if engine == Some(Engine::Bcm) {
                let message = "this engine is not in this release";
                let finding = Finding::error(code::SITE_ENGINE_NOT_IN_RELEASE, "kubernetes.engine", message);
                diagnostics.report(finding.fix("write `kubespray`, or remove the key"));
            }
            installed(site, diagnostics);
        }
    }
}

fn version(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(version) = &site.kubernetes.version else { return };
    if version.numbers() != 3 {
        let message = format!("`{}` is not one version: Kubernetes needs all three numbers", version.0);
        let finding = Finding::error(code::SITE_VERSION_NOT_EXACT, "kubernetes.version", message);
        diagnostics.report(finding.fix("write it like `v1.31.9`"));
    }
}

/// Whoever installs Kubernetes reaches the nodes, and knows which version.
fn installed(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    if site.access.is_none() {
        diagnostics.report(missing(&Path::default(), "access"));
    }
    if site.kubernetes.version.is_none() {
        diagnostics.report(missing(&Path::parse("kubernetes"), "version"));
    }
    if site.kubernetes.kubeconfig.is_some() {
        let message = "the kubeconfig of an existing cluster is only read with `engine: existing`";
        let finding = Finding::error(code::SITE_KUBECONFIG_NOT_READ, "kubernetes.kubeconfig", message);
        diagnostics.report(finding.fix("remove it, or write `engine: existing`"));
    }
}

/// A cluster that is taken over: settings that only an installer or the nodes would read reach nobody.
fn existing(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let kubernetes = &site.kubernetes;
    if kubernetes.kubeconfig.is_none() {
        let message = "an existing cluster is taken over by its kubeconfig, and none is named";
        let finding = Finding::error(code::SITE_KUBECONFIG_MISSING, "kubernetes.kubeconfig", message);
        diagnostics.report(finding.fix("add `kubeconfig: FILE` under `kubernetes`, the file of an administrator"));
    }
    let unread = [
        ("access", site.access.is_some()),
        ("storage", site.storage.is_some()),
        ("registries", site.registries.is_some()),
        ("kubernetes.kubespray", kubernetes.kubespray.is_some()),
        ("kubernetes.api", kubernetes.api.is_some()),
        ("kubernetes.kubelet", kubernetes.kubelet.is_some()),
        ("kubernetes.featureGates", !kubernetes.feature_gates.is_empty()),
        ("kubernetes.dns", kubernetes.dns.is_some()),
        ("kubernetes.proxy", kubernetes.proxy.is_some()),
        ("kubernetes.downloads", kubernetes.downloads.is_some()),
        ("kubernetes.extraVars", !kubernetes.extra_vars.is_empty()),
    ];
    for (path, _) in unread.into_iter().filter(|(_, given)| *given) {
        let message =
            format!("with `engine: existing` nobody reads `{path}`: plinth touches no node and installs no Kubernetes");
        let finding = Finding::warning(code::SITE_ENGINE_IGNORES, path, message);
        diagnostics.report(finding.fix("remove it, and set it up where the cluster was installed"));
    }
}
