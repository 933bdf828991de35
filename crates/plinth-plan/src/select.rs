//! Which nodes the site's selectors mean. A selector that matches nothing is an error, never an empty list.

use crate::names::as_label;
use globset::GlobBuilder;
use plinth_model::finding::code;
use plinth_model::inventory::{InventoryNode, NodeKind};
use plinth_model::nearest::nearest_few;
use plinth_model::{Finding, NodeName, amount};
use plinth_site::desired::{Nodes, Selector};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Who does what: positions in the list of nodes, in the order of the site file, each once. Nodes that a glob or a category
/// adds come in the order of their names, so the order in which the inventory lists them never matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Control plane; the first one is initialised first.
    pub control_plane: Vec<usize>,
    /// Where pods run.
    pub workers: Vec<usize>,
    /// Members of etcd; the control plane where the site names none.
    pub etcd: Vec<usize>,
    /// Nodes with GPUs.
    pub gpu: Vec<usize>,
    /// Nodes for Run:ai's system services.
    pub system: Vec<usize>,
}

impl Members {
    /// Every node of the cluster once: control plane, then further etcd members, then workers.
    #[must_use]
    pub fn all(&self, nodes: usize) -> Vec<usize> {
        let mut seen = vec![false; nodes];
        let groups = [&self.control_plane, &self.etcd, &self.workers];
        groups.into_iter().flatten().copied().filter(|&i| !std::mem::replace(&mut seen[i], true)).collect()
    }
}

/// Whether plinth may ever touch this machine.
#[must_use]
pub(crate) fn is_target(node: &InventoryNode) -> bool {
    node.kind == NodeKind::Physical && !node.template
}

/// Resolves all selectors and checks the counts.
pub(crate) fn members(wanted: &Nodes, nodes: &[&InventoryNode]) -> (Members, Vec<Finding>) {
    let mut choice = Selection::new(nodes);
    choice.exclude(&wanted.exclude);
    let control_plane = choice.pick("nodes.controlPlane", &wanted.control_plane);
    let workers = choice.pick("nodes.workers", &wanted.workers);
    let etcd = wanted.etcd.as_ref().map_or_else(|| control_plane.clone(), |s| choice.pick("nodes.etcd", s));
    let both: Vec<usize> = control_plane.iter().chain(&workers).copied().collect();
    let gpu = choice.pick_among("nodes.gpu", &wanted.gpu, &workers, "a worker");
    let system = match wanted.system.as_slice() {
        [] => control_plane.clone(),
        selectors => choice.pick_among("nodes.system", selectors, &both, "in the cluster"),
    };
    let members = Members { control_plane, workers, etcd, gpu, system };
    choice.check_excludes(wanted);
    choice.check_counts(wanted, &members);
    choice.check_overrides(wanted, &members);
    (members, choice.findings)
}

/// Nodes by name and category, and what was wrong so far.
struct Selection<'a> {
    nodes: &'a [&'a InventoryNode],
    by_name: HashMap<&'a str, usize>,
    /// By their names in lower case: machines whose names differ in case only stand together.
    by_lower_name: HashMap<String, Vec<usize>>,
    by_category: HashMap<&'a str, Vec<usize>>,
    /// Nodes that each selector of `nodes.exclude` matches.
    excluded: Vec<Vec<usize>>,
    is_excluded: Vec<bool>,
    /// Nodes that were selected and left out, since they are excluded.
    is_left_out: Vec<bool>,
    findings: Vec<Finding>,
    /// Machines that were named as left out.
    left_out: HashSet<usize>,
}

impl<'a> Selection<'a> {
    fn new(nodes: &'a [&'a InventoryNode]) -> Self {
        let mut choice = Self {
            nodes,
            by_name: HashMap::new(),
            by_lower_name: HashMap::new(),
            by_category: HashMap::new(),
            excluded: Vec::new(),
            is_excluded: vec![false; nodes.len()],
            is_left_out: vec![false; nodes.len()],
            findings: Vec::new(),
            left_out: HashSet::new(),
        };
        for (i, node) in nodes.iter().enumerate() {
            if choice.by_name.insert(&node.name, i).is_some() {
                choice.findings.push(twice_listed(&node.name));
            }
            choice.by_lower_name.entry(node.name.to_ascii_lowercase()).or_default().push(i);
            if let Some(category) = &node.category {
                choice.by_category.entry(category).or_default().push(i);
            }
        }
        choice
    }

    /// Leaves out of everything that follows what these selectors mean.
    fn exclude(&mut self, selectors: &[Selector]) {
        let found: Vec<Vec<usize>> = selectors
            .iter()
            .enumerate()
            .map(|(i, one)| self.named_by_exclude(&format!("nodes.exclude[{i}]"), one))
            .collect();
        found.iter().flatten().for_each(|&i| self.is_excluded[i] = true);
        self.excluded = found;
    }

    /// Machines of any kind: one that is no target may be excluded too, so that nothing is said of it any more.
    fn named_by_exclude(&mut self, subject: &str, selector: &Selector) -> Vec<usize> {
        let found = self.all_matches(subject, selector);
        if found.is_empty() {
            self.findings.push(self.no_match(subject, selector, None));
        }
        found
    }

    /// An exclude that takes nothing away is a slip as often as not.
    fn check_excludes(&mut self, wanted: &Nodes) {
        for (i, (selector, found)) in wanted.exclude.iter().zip(std::mem::take(&mut self.excluded)).enumerate() {
            if !found.is_empty() && !found.iter().any(|&node| self.is_left_out[node]) {
                let text = format!("{} takes nothing away: no other list selects what it matches", shown(selector));
                self.findings.push(
                    Finding::warning(code::NODES_EXCLUDE_UNUSED, format!("nodes.exclude[{i}]"), text)
                        .evidence(format!("matches {}", self.names(&found)))
                        .fix("remove it, or correct it"),
                );
            }
        }
    }

    /// What is not excluded of it. A node that is remembers that it would have been taken.
    fn without_excluded(&mut self, found: Vec<usize>) -> Vec<usize> {
        let (out, kept): (Vec<usize>, Vec<usize>) = found.into_iter().partition(|&i| self.is_excluded[i]);
        out.into_iter().for_each(|i| self.is_left_out[i] = true);
        kept
    }

    /// Nodes that the selectors mean, each once.
    fn pick(&mut self, path: &str, selectors: &[Selector]) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut picked = Vec::new();
        for (i, selector) in selectors.iter().enumerate() {
            let subject = format!("{path}[{i}]");
            let found = self.matches(&subject, selector);
            if !found.is_empty() {
                self.name_left_out(&subject, selector);
            }
            let found = self.without_excluded(found);
            picked.extend(found.into_iter().filter(|&n| !std::mem::replace(&mut seen[n], true)));
        }
        self.name_other_case(path, selectors, &seen, None);
        picked
    }

    /// Names the machines that a list selects but for the case of their letters, so that none is missing without a word. A selector that
    /// selects nothing is an error, and names them there. `scope`: those that may be meant.
    fn name_other_case(&mut self, path: &str, selectors: &[Selector], taken: &[bool], scope: Option<&[bool]>) {
        let mut told = vec![false; self.nodes.len()];
        for (i, selector) in selectors.iter().enumerate() {
            if self.all_matches_quietly(selector, Case::Exact).is_empty() {
                continue;
            }
            let mut alike = self.all_matches_quietly(selector, Case::Any);
            alike.retain(|&n| {
                let may_be_meant = is_target(self.nodes[n]) && scope.is_none_or(|scope| scope[n]);
                may_be_meant && !taken[n] && !self.is_excluded[n] && !std::mem::replace(&mut told[n], true)
            });
            if !alike.is_empty() {
                self.findings.push(self.other_case(&format!("{path}[{i}]"), selector, &alike));
            }
        }
    }

    fn other_case(&self, subject: &str, selector: &Selector, alike: &[usize]) -> Finding {
        let (names, it) = (self.names(alike), if alike.len() == 1 { "it differs" } else { "they differ" });
        let text = format!("{} leaves out {names}: {it} in upper and lower case only", shown(selector));
        let fix = match selector {
            Selector::Category(_) => {
                let known = alike.iter().filter_map(|&n| self.nodes[n].category.as_deref());
                let categories: BTreeSet<String> = known.map(|name| format!("`{{category: {name}}}`")).collect();
                let categories = categories.into_iter().collect::<Vec<_>>().join(", ");
                format!("write {categories} too if they belong to the cluster; else name them under `nodes.exclude`")
            }
            Selector::Name(_) | Selector::Glob(_) => {
                let wanted = alike.iter().map(|&n| format!("`{}`", as_label(&self.nodes[n].name)));
                let wanted = wanted.collect::<Vec<_>>().join(", ");
                format!(
                    "rename in BCM what belongs to the cluster, to {wanted}, since names of nodes are in lower case in Kubernetes; what does not may stay so"
                )
            }
        };
        Finding::warning(code::NODES_OTHER_CASE, subject, text).fix(fix)
    }

    /// The same, kept to some nodes: a glob may reach further, a name may not.
    fn pick_among(&mut self, path: &str, selectors: &[Selector], scope: &[usize], what: &str) -> Vec<usize> {
        let mut allowed = vec![false; self.nodes.len()];
        scope.iter().for_each(|&i| allowed[i] = true);
        let mut seen = vec![false; self.nodes.len()];
        let mut picked = Vec::new();
        for (i, selector) in selectors.iter().enumerate() {
            let subject = format!("{path}[{i}]");
            let found = self.matches(&subject, selector);
            let found = self.without_excluded(found);
            let kept: Vec<usize> = found.iter().copied().filter(|&n| allowed[n]).collect();
            if kept.is_empty() && !found.is_empty() {
                self.findings.push(self.outside(&subject, selector, &found, what));
            }
            picked.extend(kept.into_iter().filter(|&n| !std::mem::replace(&mut seen[n], true)));
        }
        self.name_other_case(path, selectors, &seen, Some(&allowed));
        picked
    }

    fn matches(&mut self, subject: &str, selector: &Selector) -> Vec<usize> {
        let found = self.all_matches(subject, selector);
        let targets: Vec<usize> = found.iter().copied().filter(|&i| is_target(self.nodes[i])).collect();
        if targets.is_empty() {
            self.findings.push(self.no_match(subject, selector, found.first().map(|&i| self.nodes[i])));
        }
        targets
    }

    /// What it matches, whatever kind of machine that is.
    fn all_matches(&mut self, subject: &str, selector: &Selector) -> Vec<usize> {
        if let Selector::Glob(glob) = selector
            && let Err(error) = matcher(glob, Case::Exact)
        {
            self.findings.push(
                Finding::error(code::NODES_BAD_GLOB, subject, format!("`{glob}` is not a glob: {}", error.kind()))
                    .fix("write a name, or a glob such as `dgx-*`"),
            );
        }
        self.all_matches_quietly(selector, Case::Exact)
    }

    /// The same; a glob that is none matches nothing.
    fn all_matches_quietly(&self, selector: &Selector, case: Case) -> Vec<usize> {
        match (selector, case) {
            (Selector::Name(name), Case::Exact) => self.by_name.get(name.as_str()).copied().into_iter().collect(),
            (Selector::Name(name), Case::Any) => {
                self.by_lower_name.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default()
            }
            (Selector::Glob(glob), case) => match matcher(glob, case) {
                Ok(matcher) => (0..self.nodes.len()).filter(|&i| matcher.is_match(&self.nodes[i].name)).collect(),
                Err(_) => Vec::new(),
            },
            (Selector::Category(name), Case::Exact) => self.by_category.get(name.as_str()).cloned().unwrap_or_default(),
            (Selector::Category(name), Case::Any) => {
                let categories = self.by_category.iter().filter(|(known, _)| name.eq_ignore_ascii_case(known));
                let mut found: Vec<usize> = categories.flat_map(|(_, nodes)| nodes).copied().collect();
                found.sort_unstable();
                found
            }
        }
    }

    /// Names the machines that a selector matches and that are never touched, so that none is missing without a word.
    fn name_left_out(&mut self, subject: &str, selector: &Selector) {
        let found = self.all_matches(subject, selector);
        let found = self.without_excluded(found);
        let others: Vec<usize> =
            found.into_iter().filter(|&i| !is_target(self.nodes[i]) && self.left_out.insert(i)).collect();
        let (machines, rest): (Vec<usize>, Vec<usize>) =
            others.into_iter().partition(|&i| is_other_machine(self.nodes[i]));
        let text = |nodes: &[usize]| {
            format!("{} also matches {}, left out: only physical nodes are used", shown(selector), self.kinds(nodes))
        };
        let warning = (!machines.is_empty()).then(|| {
            Finding::warning(code::NODES_LEFT_OUT, subject, text(&machines))
                .fix("make them physical nodes in BCM if they belong to the cluster; else narrow the selector")
        });
        let info = (!rest.is_empty()).then(|| Finding::info(code::NODES_LEFT_OUT, subject, text(&rest)));
        self.findings.extend(warning.into_iter().chain(info));
    }

    /// `lite-1 (LiteNode), tpl (template)`.
    fn kinds(&self, nodes: &[usize]) -> String {
        let one = |&i: &usize| {
            let node = self.nodes[i];
            format!("{} ({})", node.name, if node.template { "template" } else { node.kind.as_str() })
        };
        nodes.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn no_match(&self, subject: &str, selector: &Selector, seen: Option<&InventoryNode>) -> Finding {
        let text = shown(selector);
        if let Some(node) = seen {
            let kind = if node.template { "a template" } else { node.kind.as_str() };
            return Finding::error(
                code::NODES_NOT_A_TARGET,
                subject,
                format!("{text} means {}, which is {kind}", node.name),
            )
            .evidence(format!("{}: type {}", node.name, node.kind.as_str()))
            .fix("name physical nodes only; head nodes and templates are never touched");
        }
        let near = self.alike(selector);
        let (good, bad): (Vec<&str>, Vec<&str>) =
            near.into_iter().partition(|name| matches!(selector, Selector::Category(_)) || NodeName::new(name).is_ok());
        let fix = match (good.first(), bad.first()) {
            // The machine that is meant, under a name that the site file cannot hold.
            (_, Some(name)) if as_label(name) == as_label(selector_text(selector)) => rename(name),
            (Some(_), _) => format!("did you mean {}?", good.join(", ")),
            (None, Some(name)) => rename(name),
            (None, None) => "run `plinth discover` to see what the inventory lists".to_owned(),
        };
        Finding::error(code::NODES_NO_MATCH, subject, format!("{text} matches no node of the inventory"))
            .evidence(format!("listed: {}", amount(self.nodes.iter().filter(|n| is_target(n)).count(), "node")))
            .fix(fix)
    }

    fn alike(&self, selector: &Selector) -> Vec<&'a str> {
        let targets = self.nodes.iter().filter(|n| is_target(n));
        match selector {
            Selector::Name(name) => nearest_few(name, targets.map(|n| n.name.as_str())),
            Selector::Glob(glob) => nearest_few(glob, targets.map(|n| n.name.as_str())),
            Selector::Category(name) => {
                let mut names: Vec<&str> = self.by_category.keys().copied().collect();
                names.sort_unstable();
                nearest_few(name, names)
            }
        }
    }

    fn outside(&self, subject: &str, selector: &Selector, found: &[usize], what: &str) -> Finding {
        let names: Vec<&str> = found.iter().take(8).map(|&i| self.nodes[i].name.as_str()).collect();
        Finding::error(
            code::NODES_NO_MATCH,
            subject,
            format!("{} matches nodes, but none of them is {what}", shown(selector)),
        )
        .evidence(format!("matches {}", names.join(", ")))
        .fix("add the nodes to nodes.workers, or take the selector away")
    }

    fn check_counts(&mut self, wanted: &Nodes, members: &Members) {
        if members.control_plane.is_empty() {
            let text = "no node is left for the control plane";
            self.findings.push(
                Finding::error(code::NODES_NO_CONTROL_PLANE, "nodes.controlPlane", text).fix("name at least one node"),
            );
        }
        if members.workers.is_empty() {
            let finding = Finding::error(code::NODES_NO_WORKERS, "nodes.workers", "no node is left as a worker");
            self.findings.push(finding.fix("name at least one node"));
        }
        let etcd = members.etcd.len();
        if etcd > 0 && etcd.is_multiple_of(2) {
            let path = if wanted.etcd.is_some() { "nodes.etcd" } else { "nodes.controlPlane" };
            let text = format!("etcd would have {etcd} members; only odd numbers keep a majority when one fails");
            self.findings.push(
                Finding::error(code::SITE_EVEN_ETCD, path, text)
                    .evidence(self.names(&members.etcd))
                    .fix("select one node more or one less"),
            );
        }
        self.check_two_roles(members);
    }

    fn check_two_roles(&mut self, members: &Members) {
        let mut worker = vec![false; self.nodes.len()];
        members.workers.iter().for_each(|&i| worker[i] = true);
        let both: Vec<usize> = members.control_plane.iter().copied().filter(|&i| worker[i]).collect();
        if !both.is_empty() {
            let text = format!(
                "{} {} both control plane and worker",
                amount(both.len(), "node"),
                if both.len() == 1 { "is" } else { "are" }
            );
            self.findings.push(
                Finding::error(code::NODES_TWO_ROLES, "nodes", text)
                    .evidence(self.names(&both))
                    .fix("keep each node in one of nodes.controlPlane and nodes.workers"),
            );
        }
    }

    fn check_overrides(&mut self, wanted: &Nodes, members: &Members) {
        let mut member = vec![false; self.nodes.len()];
        members.all(self.nodes.len()).into_iter().for_each(|i| member[i] = true);
        for name in wanted.overrides.keys() {
            let subject = format!("nodes.overrides.{name}");
            match self.by_name.get(name.as_str()) {
                None => self.findings.push(self.no_match(&subject, &Selector::Name(name.to_string()), None)),
                Some(&i) if !member[i] => self.findings.push(
                    Finding::warning(code::NODES_OVERRIDE_UNUSED, subject, format!("{name} is not in the cluster"))
                        .fix("select the node, or take its override away"),
                ),
                Some(_) => {}
            }
        }
    }

    fn names(&self, nodes: &[usize]) -> String {
        nodes.iter().map(|&i| self.nodes[i].name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Whether upper and lower case are different letters.
#[derive(Clone, Copy)]
enum Case {
    Exact,
    Any,
}

fn matcher(glob: &str, case: Case) -> Result<globset::GlobMatcher, globset::Error> {
    Ok(GlobBuilder::new(glob).case_insensitive(matches!(case, Case::Any)).build()?.compile_matcher())
}

/// Whether the site's lists may mean a machine of this name; a category may mean any.
#[must_use]
pub fn may_mean(wanted: &Nodes, name: &str) -> bool {
    let means = |selector: &Selector| match selector {
        Selector::Name(known) => known == name,
        Selector::Glob(glob) => matcher(glob, Case::Exact).is_ok_and(|glob| glob.is_match(name)),
        Selector::Category(_) => true,
    };
    let lists = [&wanted.control_plane, &wanted.workers, &wanted.exclude];
    lists.into_iter().flatten().chain(wanted.etcd.iter().flatten()).any(means)
}

/// Machines that BCM manages in other ways; beside them there are head nodes, templates, switches and the like.
fn is_other_machine(node: &InventoryNode) -> bool {
    !node.template && matches!(&node.kind, NodeKind::Other(kind) if kind.to_lowercase().contains("node"))
}

fn selector_text(selector: &Selector) -> &str {
    match selector {
        Selector::Name(text) | Selector::Glob(text) | Selector::Category(text) => text,
    }
}

/// What to do about a machine that is meant, but whose name cannot stand in the site file.
fn rename(name: &str) -> String {
    let wanted = as_label(name);
    format!(
        "BCM has `{name}`, which cannot be the name of a node in Kubernetes: rename it in BCM, for example to `{wanted}`, and write that name"
    )
}

fn twice_listed(name: &str) -> Finding {
    Finding::error(code::NODES_LISTED_TWICE, name, format!("the inventory lists two machines called {name}"))
        .fix("give each machine its own hostname")
}

fn shown(selector: &Selector) -> String {
    match selector {
        Selector::Name(text) | Selector::Glob(text) => format!("`{text}`"),
        Selector::Category(text) => format!("category `{text}`"),
    }
}
