//! Site files to start from. What `init` writes is itself a valid site file.

use plinth_model::NodeName;
use plinth_model::inventory::{InterfaceKind, Inventory, InventoryNode, Network, NodeKind};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What is known before a site file is written. Everything but the name may be left at its default.
#[derive(Clone, Debug)]
pub struct InitAnswers {
    /// Name of the site; an RFC 1123 label.
    pub name: String,
    /// BCM's address; none: an inventory in the file itself.
    pub endpoint: Option<String>,
    /// Host name of Run:ai; none: a made-up one that must be changed.
    pub domain: Option<String>,
    /// First administrator's e-mail; none: a made-up one that must be changed.
    pub email: Option<String>,
}

impl InitAnswers {
    /// Only the name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), endpoint: Some("https://bcm-head-01:8081".to_owned()), domain: None, email: None }
    }
}

/// What differs between a made-up site and one read from an inventory. Texts are YAML.
struct Parts {
    inventory: String,
    production: String,
    forbidden: String,
    control_plane: String,
    workers: String,
    gpu: String,
    notes: String,
}

/// A commented site file with made-up nodes.
#[must_use]
pub fn init(answers: &InitAnswers) -> String {
    let parts = Parts {
        inventory: inventory_section(answers),
        production: "192.0.2.0/24            # TODO the network for SSH and Kubernetes".to_owned(),
        forbidden: "[198.51.100.0/24]        # TODO the out-of-band network; its addresses are never used".to_owned(),
        control_plane: "[cpu-01, cpu-02, cpu-03] # TODO an odd number; the first one is initialised first".to_owned(),
        workers: "[dgx-01, dgx-02]              # TODO names, globs, or {category: dgx-h100}".to_owned(),
        gpu: "[dgx-*]".to_owned(),
        notes: String::new(),
    };
    compose(answers, &parts)
}

/// A commented site file for the nodes of an inventory. Roles are guessed from categories and names, and marked as guesses;
/// the production network is marked where more than one could be meant.
#[must_use]
pub fn from_inventory(inventory: &Inventory, answers: &InitAnswers) -> String {
    let (gpu, rest): (Vec<&InventoryNode>, Vec<&InventoryNode>) =
        machines(inventory).partition(|node| looks_like_gpu(node));
    let (production, forbidden) = networks(inventory);
    let control = control_plane(&rest);
    let spare: Vec<&str> = rest.iter().map(|node| node.name.as_str()).filter(|name| !control.contains(name)).collect();
    let gpu: Vec<&str> = gpu.iter().map(|node| node.name.as_str()).collect();
    let parts = Parts {
        inventory: inventory_section(answers),
        production,
        forbidden,
        control_plane: format!("{} # TODO guessed from names and categories", list_or(&control, "cpu-01")),
        workers: format!("{} # TODO guessed from names and categories", list_or(&gpu, "dgx-01")),
        gpu: list_or(&gpu, "dgx-01"),
        notes: notes(inventory, &spare),
    };
    compose(answers, &parts)
}

fn inventory_section(answers: &InitAnswers) -> String {
    match &answers.endpoint {
        Some(endpoint) => format!(
            "  bcm:\n    endpoint: \"{endpoint}\"\n    username: {{env: BCM_USERNAME}}\n    password: {{env: BCM_PASSWORD}}\n    \
             tls: {{caFile: bcm-ca.pem}}             # authority of the head node; remove it to use the system's"
        ),
        None => "  static:                                # TODO every node with its production address\n    \
                 - {name: cpu-01, address: 192.0.2.11}\n    - {name: cpu-02, address: 192.0.2.12}\n    \
                 - {name: cpu-03, address: 192.0.2.13}\n    - {name: dgx-01, address: 192.0.2.21}\n    \
                 - {name: dgx-02, address: 192.0.2.22}"
            .to_owned(),
    }
}

fn compose(answers: &InitAnswers, parts: &Parts) -> String {
    let domain = answers.domain.as_deref().unwrap_or("runai.example.com");
    let email = answers.email.as_deref().unwrap_or("admin@example.com");
    let Parts { inventory, production, forbidden, control_plane, workers, gpu, notes } = parts;
    format!(
        "# Site file of plinth. `plinth validate` checks it, `plinth rehearse` plays it through without touching anything.
# Secrets are never written here: say where each is found, by {{env: NAME}}, {{file: PATH}} or {{exec: [PROGRAM, ARGUMENT]}}.
{notes}apiVersion: plinth/v1
kind: Site
metadata: {{name: {name}}}

inventory:
{inventory}

networks:
  production: {production}
  forbidden: {forbidden}

nodes:
  controlPlane: {control_plane}
  workers: {workers}
  gpu: {gpu}
  # overrides:                           # what is special about one node
  #   dgx-01: {{labels: {{rack: a1}}, storage: /raid/containerd}}

access:
  bootstrap:                             # first contact; a user who may become root
    user: ubuntu
    password: {{env: BOOTSTRAP_PASSWORD}}  # or key: {{file: PATH}}, or agent: true
  account: {{name: plinth, uid: 60000, gid: 60000}}

kubernetes:
  version: v1.31.9
  network: {{plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}}

# registries:
#   mirrors: [{{registry: docker.io, endpoints: [\"https://mirror.example.com\"]}}]

platform:
  ingress: {{http: 30080, https: 30443}}
  # components: {{metrics-server: {{enabled: false}}}}   # everything is on unless switched off

runai:                                   # remove this section for a platform without Run:ai
  version: \"2.21\"
  domain: {domain}
  registry: {{token: {{env: RUNAI_REGISTRY_TOKEN}}}}
  admin: {{email: {email}, password: {{env: RUNAI_ADMIN_PASSWORD}}}}
",
        name = answers.name,
    )
}

/// Machines that can be targets: physical, no templates, with names that Kubernetes takes.
fn machines(inventory: &Inventory) -> impl Iterator<Item = &InventoryNode> {
    let usable =
        |node: &&InventoryNode| node.kind == NodeKind::Physical && !node.template && NodeName::new(&node.name).is_ok();
    inventory.nodes.iter().filter(usable)
}

/// Words in names and categories that speak of GPUs.
const GPU_WORDS: [&str; 9] = ["dgx", "hgx", "gpu", "a100", "h100", "h200", "b200", "gb200", "b300"];

fn looks_like_gpu(node: &InventoryNode) -> bool {
    let text = format!("{} {}", node.name, node.category.as_deref().unwrap_or_default()).to_lowercase();
    GPU_WORDS.iter().any(|word| text.contains(word))
}

/// Three nodes without GPUs, or one where there are fewer.
fn control_plane<'a>(candidates: &[&'a InventoryNode]) -> Vec<&'a str> {
    let count = if candidates.len() >= 3 { 3 } else { 1 };
    candidates.iter().take(count).map(|node| node.name.as_str()).collect()
}

fn list_or(names: &[&str], instead: &str) -> String {
    if names.is_empty() { format!("[{instead}]") } else { format!("[{}]", names.join(", ")) }
}

/// The production network and forbidden ones: where machines have their own interfaces, and where only their baseboard
/// management controllers have.
fn networks(inventory: &Inventory) -> (String, String) {
    let used = |own: bool| -> BTreeSet<&str> {
        let interfaces = machines(inventory).flat_map(|node| &node.interfaces);
        let wanted = interfaces.filter(|interface| (interface.kind != InterfaceKind::Bmc) == own);
        wanted.filter_map(|interface| interface.network.as_deref()).collect()
    };
    let (own, management) = (used(true), used(false));
    let with_range = |names: &dyn Fn(&str) -> bool| -> Vec<&Network> {
        inventory.networks.iter().filter(|network| network.cidr.is_some() && names(&network.name)).collect()
    };
    let candidates = with_range(&|name| own.contains(name) && !management.contains(name));
    let forbidden = with_range(&|name| management.contains(name) && !own.contains(name));
    let ranges: Vec<String> =
        forbidden.iter().filter_map(|network| network.cidr).map(|cidr| cidr.to_string()).collect();
    (
        production(&candidates),
        format!("[{}] # networks in which only management controllers have addresses", ranges.join(", ")),
    )
}

fn production(candidates: &[&Network]) -> String {
    let shown = |network: &Network| network.cidr.map_or_else(|| network.name.clone(), |cidr| cidr.to_string());
    match candidates {
        [] => "192.0.2.0/24 # TODO none was found: the network for SSH and Kubernetes".to_owned(),
        [only] => format!("{} # {}", shown(only), comment(&only.name)),
        [first, others @ ..] => {
            let others: Vec<String> = others.iter().map(|n| format!("{} ({})", shown(n), comment(&n.name))).collect();
            format!("{} # TODO ambiguous: {}, or {}", shown(first), comment(&first.name), others.join(", "))
        }
    }
}

/// A text of the inventory, safe within a comment.
fn comment(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn notes(inventory: &Inventory, spare: &[&str]) -> String {
    let mut text =
        format!("# Nodes and networks are from {}; look at every line marked TODO.\n", comment(&inventory.source));
    if !spare.is_empty() {
        let _ = writeln!(text, "# Nodes without a guessed role: {}", spare.join(", "));
    }
    text
}
