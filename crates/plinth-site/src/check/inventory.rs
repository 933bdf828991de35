//! Inventory source and registries.

use super::nodes::bad_name;
use crate::diagnostics::Diagnostics;
use crate::raw::Site;
use crate::raw::inventory::{Bcm, Inventory, StaticNode};
use crate::raw::kubernetes::Engine;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::registry::{MirrorPath, mirror_path};
use std::collections::HashMap;

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    match &site.inventory {
        Inventory::Bcm(bcm) => bcm_login(bcm, diagnostics),
        Inventory::Static(nodes) => static_nodes(site, nodes, diagnostics),
    }
    registries(site, diagnostics);
}

fn bcm_login(bcm: &Bcm, diagnostics: &mut Diagnostics<'_>) {
    let password = (bcm.username.is_some(), bcm.password.is_some());
    let certificate = (bcm.certificate.is_some(), bcm.key.is_some());
    let complete = matches!((password, certificate), ((true, true), (false, false)) | ((false, false), (true, true)));
    if !complete && diagnostics.is_whole(&["inventory"]) {
        let message =
            "the login to BCM is incomplete or ambiguous: it is a user with a password, or a certificate with its key";
        diagnostics.report(
            Finding::error(code::SITE_BCM_LOGIN, "inventory.bcm", message)
                .fix("give either `username` and `password`, or `certificate` and `key`"),
        );
    }
    let Some(tls) = &bcm.tls else { return };
    if tls.insecure == Some(true) && tls.ca_file.is_some() {
        let message = "an authority is named, but `insecure: true` ignores it";
        diagnostics
            .report(Finding::error(code::SITE_TLS, "inventory.bcm.tls.caFile", message).fix("remove `insecure: true`"));
    }
}

fn static_nodes(site: &Site, nodes: &[StaticNode], diagnostics: &mut Diagnostics<'_>) {
    if nodes.is_empty() && diagnostics.is_whole(&["inventory"]) {
        let message = "the inventory lists no node";
        diagnostics.report(
            Finding::error(code::SITE_NO_NODES, "inventory.static", message)
                .fix("list each node with name and address"),
        );
    }
    let (mut names, mut addresses) = (HashMap::new(), HashMap::new());
    for (index, node) in nodes.iter().enumerate() {
        let name_path = format!("inventory.static[{index}].name");
        if site.kubernetes.engine != Some(Engine::Existing) {
            diagnostics.report_some(bad_name(&name_path, node.name.as_str()));
        }
        if let Some(first) = names.insert(node.name.as_str(), name_path.clone()) {
            let message = format!("node `{}` is listed twice", node.name.0);
            diagnostics.report_pair(
                Finding::error(code::SITE_DUPLICATE_NODE, name_path, message).fix("keep one entry"),
                &first,
            );
        }
        let address_path = format!("inventory.static[{index}].address");
        if let Some(first) = addresses.insert(node.address.0, address_path.clone()) {
            let message = format!("address {} belongs to two nodes", node.address.0);
            let finding = Finding::error(code::SITE_DUPLICATE_ADDRESS, address_path, message)
                .fix("give each node its own address");
            diagnostics.report_pair(finding, &first);
        }
    }
}

fn registries(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(registries) = &site.registries else { return };
    let mirrors = registries.mirrors.iter().map(|mirror| mirror.registry.0.0.as_str());
    duplicates("mirrors", mirrors, diagnostics);
    duplicates("logins", registries.logins.iter().map(|login| login.registry.0.0.as_str()), diagnostics);
    for (index, mirror) in registries.mirrors.iter().enumerate() {
        for (at, endpoint) in mirror.endpoints.iter().enumerate() {
            below_a_path(&format!("registries.mirrors[{index}].endpoints[{at}]"), &endpoint.0.0, diagnostics);
        }
        for (at, endpoint) in mirror.endpoints.iter().enumerate().filter(|(_, e)| e.0.0.starts_with("http://")) {
            let path = format!("registries.mirrors[{index}].endpoints[{at}]");
            let message = format!("mirror `{}` is reached without TLS: images can be changed on the way", endpoint.0.0);
            diagnostics.report(Finding::warning(code::SITE_INSECURE_MIRROR, path, message).fix("use `https://`"));
        }
    }
}

/// containerd asks `/v2` below the address; Harbor and others have projects behind `/v2` instead.
fn below_a_path(path: &str, endpoint: &str, diagnostics: &mut Diagnostics<'_>) {
    if mirror_path(endpoint) != MirrorPath::Other {
        return;
    }
    let address = endpoint.trim_end_matches('/');
    let message =
        format!("images will be asked of `{address}/v2/...`; most registries have their projects behind `/v2`");
    let (host, rest) = address.split_once("://").and_then(|(_, rest)| rest.split_once('/')).unwrap_or((address, ""));
    let fix = format!(
        "write `https://{host}/v2/{rest}` for Harbor and others like it; leave it when the mirror answers below that path"
    );
    diagnostics.report(Finding::warning(code::SITE_MIRROR_PATH, path, message).fix(fix));
}

fn duplicates<'a>(kind: &str, registries: impl Iterator<Item = &'a str>, diagnostics: &mut Diagnostics<'_>) {
    let mut seen = HashMap::new();
    for (index, registry) in registries.enumerate() {
        let path = format!("registries.{kind}[{index}].registry");
        if let Some(first) = seen.insert(registry, path.clone()) {
            let message = format!("registry `{registry}` is listed twice");
            let finding = Finding::error(code::SITE_DUPLICATE_REGISTRY, path, message).fix("merge the two entries");
            diagnostics.report_pair(finding, &first);
        }
    }
}
