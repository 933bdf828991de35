//! Settings of the cluster that do not fit each other.

use crate::diagnostics::Diagnostics;
use crate::raw::Site;
use crate::raw::kubernetes::Plugin;
use plinth_model::Finding;
use plinth_model::finding::code;

/// Most pods of a node that Kubernetes is tested with (Kubernetes documentation, "Considerations for large clusters").
const TESTED_PODS: u32 = 110;

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    calico(site, diagnostics);
    proxy(site, diagnostics);
    pods(site, diagnostics);
    oidc(site, diagnostics);
}

/// Either Run:ai is the issuer, or somebody who is named.
fn oidc(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(oidc) = site.kubernetes.api.as_ref().and_then(|api| api.oidc.as_ref()) else { return };
    let wrong = match (oidc.runai, &oidc.issuer, &oidc.client) {
        (true, _, _) if site.runai.is_none() => ("there is no `runai` in this file", "name the issuer, or add `runai`"),
        (true, Some(_), _) => {
            ("the issuer is that of Run:ai, and another one is named", "remove one of `runai` and `issuer`")
        }
        (true, _, Some(_)) => {
            ("Run:ai's tokens are made for its own client, and another one is named", "remove `client`")
        }
        (false, None, _) => {
            ("no issuer is named", "add `issuer: https://..`, or `runai: true` where Run:ai is the issuer")
        }
        (false, _, None) => ("no client is named", "add `client: NAME`: whom tokens must be made for"),
        _ => return,
    };
    diagnostics.report(Finding::error(code::SITE_OIDC, "kubernetes.api.oidc", wrong.0).fix(wrong.1));
}

/// Settings that another plugin never sees would be believed.
fn calico(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(network) = site.kubernetes.network.as_ref().filter(|network| network.calico.is_some()) else { return };
    let plugin = network.plugin.unwrap_or(Plugin::Calico);
    if plugin != Plugin::Calico {
        let message = format!("these are settings of calico; the plugin is {}", plugin.as_str());
        let finding = Finding::error(code::SITE_CALICO_PLUGIN, "kubernetes.network.calico", message);
        diagnostics.report_pair(finding.fix("remove them, or choose `plugin: calico`"), "kubernetes.network.plugin");
    }
}

fn proxy(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(proxy) = &site.kubernetes.proxy else { return };
    if proxy.http.is_none() && proxy.https.is_none() {
        let finding = Finding::error(code::SITE_PROXY_EMPTY, "kubernetes.proxy", "no proxy is named");
        diagnostics.report(finding.fix("add `https: http://HOST:PORT`, or remove the part"));
    }
}

fn pods(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let given = site.kubernetes.kubelet.as_ref().and_then(|kubelet| kubelet.max_pods);
    if let Some(pods) = given.filter(|pods| *pods > TESTED_PODS * 5) {
        let message = format!("{pods} pods on a node are far more than Kubernetes is tested with ({TESTED_PODS})");
        let finding = Finding::warning(code::SITE_MANY_PODS, "kubernetes.kubelet.maxPods", message);
        diagnostics.report(finding.fix("use fewer, or try it before anything depends on it"));
    }
}
