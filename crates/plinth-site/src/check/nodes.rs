//! Roles, as far as names decide them; what globs and categories select is judged at discovery.

use super::labels;
use crate::desired::Selector as Chosen;
use crate::diagnostics::Diagnostics;
use crate::raw::Site;
use crate::raw::inventory::{Inventory, StaticNode};
use crate::raw::kubernetes::Engine;
use crate::raw::nodes::Selector;
use globset::{Glob, GlobMatcher};
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::misread;
use plinth_model::nearest::nearest;
use std::collections::{HashMap, HashSet};

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let nodes = &site.nodes;
    let lists = [
        ("controlPlane", &nodes.control_plane),
        ("workers", &nodes.workers),
        ("gpu", &nodes.gpu),
        ("system", &nodes.system),
        ("exclude", &nodes.exclude),
    ];
    for (role, selectors) in lists.into_iter().chain(nodes.etcd.as_ref().map(|etcd| ("etcd", etcd))) {
        twice(role, selectors, diagnostics);
        known(site, role, selectors, diagnostics);
        // Leaving such a node out is a way to live with its name.
        if role != "exclude" {
            misread_names(site, role, selectors, diagnostics);
        }
    }
    two_roles(site, diagnostics);
    quorum(site, diagnostics);
    gpu_among_workers(site, diagnostics);
    overrides(site, diagnostics);
}

fn names(selectors: &[Selector]) -> impl Iterator<Item = (usize, &str)> {
    selectors.iter().enumerate().filter_map(|(at, selector)| match &selector.0 {
        Chosen::Name(name) => Some((at, name.as_str())),
        _ => None,
    })
}

fn twice(role: &str, selectors: &[Selector], diagnostics: &mut Diagnostics<'_>) {
    let mut seen: Vec<&Selector> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, selector) in selectors.iter().enumerate() {
        let first = match &selector.0 {
            Chosen::Name(name) => places.insert(name, at),
            _ => seen.iter().position(|other| *other == selector),
        };
        if let Some(first) = first {
            let message = format!("this is listed twice in `nodes.{role}`");
            let finding = Finding::error(code::SITE_DUPLICATE_NODE, format!("nodes.{role}[{at}]"), message)
                .fix("keep one of the two");
            diagnostics.report_pair(finding, &format!("nodes.{role}[{first}]"));
        }
        if !matches!(selector.0, Chosen::Name(_)) {
            seen.push(selector);
        }
    }
}

/// Names that lead astray further below, of machines that only BCM lists; those of a static inventory are judged where they stand.
fn misread_names(site: &Site, role: &str, selectors: &[Selector], diagnostics: &mut Diagnostics<'_>) {
    if matches!(site.inventory, Inventory::Static(_)) || site.kubernetes.engine == Some(Engine::Existing) {
        return;
    }
    for (at, name) in names(selectors) {
        diagnostics
            .report_some(bad_name(&format!("nodes.{role}[{at}]"), name).map(|f| f.fix("rename the machine in BCM")));
    }
}

/// A name that Kubernetes takes, but YAML or Ansible reads as something else.
pub(crate) fn bad_name(path: &str, name: &str) -> Option<Finding> {
    let why = misread(name)?.why();
    let message = format!("a node cannot be called `{}`: {why}", crate::raw::rules::short(name));
    Some(
        Finding::error(code::NODES_BAD_NAME, path, message)
            .fix("rename the machine, for example by a letter in front: `node-...`"),
    )
}

/// With a static inventory everything can be decided: what selects nothing is wrong here already.
fn known(site: &Site, role: &str, selectors: &[Selector], diagnostics: &mut Diagnostics<'_>) {
    let Inventory::Static(nodes) = &site.inventory else { return };
    if !diagnostics.is_whole(&["inventory"]) {
        return;
    }
    let listed: HashSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    for (at, selector) in selectors.iter().enumerate() {
        let found = match &selector.0 {
            Chosen::Name(name) => listed.contains(name.as_str()),
            _ => {
                let selection = Selection::of(std::slice::from_ref(selector));
                nodes.iter().any(|node| selection.has(node))
            }
        };
        if !found {
            let path = format!("nodes.{role}[{at}]");
            let known: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
            diagnostics.report(nothing_selected(selector, path, &known));
        }
    }
}

fn nothing_selected(selector: &Selector, path: String, known: &[&str]) -> Finding {
    let (message, near) = match &selector.0 {
        Chosen::Name(name) => (format!("node `{name}` is not in the inventory"), nearest(name, known.iter().copied())),
        Chosen::Glob(glob) => (format!("`{glob}` selects no node of the inventory"), None),
        Chosen::Category(name) => (format!("no node of the inventory is of category `{name}`"), None),
    };
    let meant = near.map_or(String::new(), |near| format!("; the most similar name there is `{near}`"));
    let fix = format!("correct the selector, or add the node to `inventory.static`{meant}");
    Finding::error(code::SITE_UNKNOWN_NODE, path, message).fix(fix)
}

/// A list of selectors, ready to be asked about many nodes.
pub(super) struct Selection<'a> {
    names: HashSet<&'a str>,
    categories: HashSet<&'a str>,
    globs: Vec<GlobMatcher>,
}

impl<'a> Selection<'a> {
    pub(super) fn of(selectors: &'a [Selector]) -> Self {
        let mut selection = Self { names: HashSet::new(), categories: HashSet::new(), globs: Vec::new() };
        for selector in selectors {
            match &selector.0 {
                Chosen::Name(name) => drop(selection.names.insert(name)),
                Chosen::Category(category) => drop(selection.categories.insert(category)),
                Chosen::Glob(glob) => selection.globs.extend(Glob::new(glob).map(|glob| glob.compile_matcher())),
            }
        }
        selection
    }

    fn has_name(&self, name: &str) -> bool {
        self.names.contains(name) || self.globs.iter().any(|glob| glob.is_match(name))
    }

    pub(super) fn has(&self, node: &StaticNode) -> bool {
        self.has_name(node.name.as_str()) || node.category.as_deref().is_some_and(|c| self.categories.contains(c))
    }
}

/// In Kubespray a host of both groups runs workloads beside the control plane; here that is taken for a slip.
fn two_roles(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let control: HashMap<&str, usize> = names(&site.nodes.control_plane).map(|(at, name)| (name, at)).collect();
    for (at, name) in names(&site.nodes.workers) {
        if let Some(first) = control.get(name) {
            let message = format!("node `{name}` is in the control plane and among the workers");
            let finding = Finding::error(code::SITE_NODE_TWO_ROLES, format!("nodes.workers[{at}]"), message)
                .fix("keep it in one of the two; GPU jobs beside the control plane can starve it");
            diagnostics.report_pair(finding, &format!("nodes.controlPlane[{first}]"));
        }
    }
}

/// etcd needs an odd number: an even one survives no more failures than one member less.
fn quorum(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let (path, members) = match &site.nodes.etcd {
        Some(etcd) => ("nodes.etcd", etcd),
        None => ("nodes.controlPlane", &site.nodes.control_plane),
    };
    let decidable = diagnostics.is_whole(&["nodes"]) && diagnostics.is_whole(&["inventory"]);
    let Some(count) = count(site, members).filter(|_| decidable) else { return };
    if count == 0 && site.nodes.etcd.is_some() {
        diagnostics.report(
            Finding::error(code::SITE_EVEN_ETCD, path, "no etcd member is named")
                .fix("name one, three or five nodes, or remove the key"),
        );
    } else if count > 0 && count % 2 == 0 {
        let role = if site.nodes.etcd.is_some() { "" } else { ", since the control plane carries etcd" };
        let message = format!("etcd would have {count} members{role}; an even number is no safer than {}", count - 1);
        diagnostics.report(
            Finding::error(code::SITE_EVEN_ETCD, path, message)
                .fix("use an odd number: one, three or five; `nodes.etcd` can name them"),
        );
    } else if count > 7 {
        let message = format!("etcd would have {count} members; writes wait for more than half of them");
        diagnostics.report(
            Finding::warning(code::SITE_LARGE_ETCD, path, message).fix("name three or five nodes under `nodes.etcd`"),
        );
    }
}

/// How many nodes are selected, where the file alone decides it.
fn count(site: &Site, selectors: &[Selector]) -> Option<usize> {
    let excluded = Selection::of(&site.nodes.exclude);
    match &site.inventory {
        Inventory::Static(nodes) => {
            let selection = Selection::of(selectors);
            let chosen = nodes.iter().filter(|node| selection.has(node) && !excluded.has(node));
            Some(chosen.map(|node| node.name.as_str()).collect::<HashSet<_>>().len())
        }
        Inventory::Bcm(_)
            if excluded.categories.is_empty() && selectors.iter().all(|s| matches!(s.0, Chosen::Name(_))) =>
        {
            let chosen = names(selectors).map(|(_, name)| name).filter(|name| !excluded.has_name(name));
            Some(chosen.collect::<HashSet<_>>().len())
        }
        Inventory::Bcm(_) => None,
    }
}

fn gpu_among_workers(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    if !diagnostics.is_whole(&["nodes"]) {
        return;
    }
    let workers = Selection::of(&site.nodes.workers);
    for (at, selector) in site.nodes.gpu.iter().enumerate() {
        let Chosen::Name(name) = &selector.0 else { continue };
        let covered = workers.has_name(name) || !workers.categories.is_empty();
        if !covered {
            let message = format!("GPU node `{name}` is not among the workers");
            diagnostics.report(
                Finding::error(code::SITE_GPU_NOT_WORKER, format!("nodes.gpu[{at}]"), message)
                    .fix("add it to `nodes.workers`"),
            );
        }
    }
}

fn overrides(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let mut addresses = HashMap::new();
    for (name, over) in &site.nodes.overrides {
        let path = format!("nodes.overrides.{}", name.0);
        if let Some(address) = over.address
            && let Some(first) = addresses.insert(address.0, format!("{path}.address"))
        {
            let message = format!("address {} belongs to two nodes", address.0);
            let finding = Finding::error(code::SITE_DUPLICATE_ADDRESS, format!("{path}.address"), message);
            diagnostics.report_pair(finding.fix("give each node its own address"), &first);
        }
        labels::check(&path, over, diagnostics);
    }
}
