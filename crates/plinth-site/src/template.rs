//! Site files to start from. What `init` writes is itself a valid site file.

mod guess;

use guess::Guess;
use plinth_model::inventory::{Inventory, Network};
use std::fmt::Write as _;

/// What is known before a site file is written. Everything but the name may be left at its default.
#[derive(Clone, Debug)]
pub struct InitAnswers {
    /// Name of the site; an RFC 1123 label.
    pub name: String,
    /// BCM's address; none: an inventory in the file itself.
    pub endpoint: Option<String>,
    /// PEM file with the authority of BCM's certificate; none: the system's authorities.
    pub ca_file: Option<String>,
    /// Any certificate of BCM is accepted. Not looked at when there is a `ca_file`.
    pub insecure: bool,
    /// Host name of Run:ai; none: a made-up one that must be changed.
    pub domain: Option<String>,
    /// First administrator's e-mail; none: a made-up one that must be changed.
    pub email: Option<String>,
}

impl InitAnswers {
    /// Only the name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            endpoint: Some("https://bcm-head-01:8081".to_owned()),
            ca_file: None,
            insecure: false,
            domain: None,
            email: None,
        }
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
    let guess = Guess::of(inventory);
    let (gpu, gpu_note) = match guess.gpu.as_slice() {
        [] => ("[]".to_owned(), "TODO NO GPU NODE COULD BE GUESSED: name the workers that have GPUs"),
        names => (list(names), GUESSED),
    };
    let parts = Parts {
        inventory: inventory_section(answers),
        production: production(&guess.production),
        forbidden: forbidden(&guess.forbidden),
        control_plane: control_plane(&guess),
        workers: workers(&guess),
        gpu: format!("{gpu} # {gpu_note}"),
        notes: notes(inventory, &guess),
    };
    compose(answers, &parts)
}

const GUESSED: &str = "TODO guessed from names and categories";

fn control_plane(guess: &Guess<'_>) -> String {
    match (guess.control_plane.as_slice(), guess.any) {
        ([], Some(name)) => {
            format!("[{name}] # TODO NO CONTROL PLANE COULD BE GUESSED: this is only the first node of the inventory")
        }
        ([], None) => {
            "[name-a-node-here] # TODO THERE IS NO SUCH NODE: the inventory lists none that can be used".to_owned()
        }
        (names, _) => format!("{} # {GUESSED}", list(names)),
    }
}

fn workers(guess: &Guess<'_>) -> String {
    match (guess.gpu.as_slice(), guess.spare.first()) {
        ([], Some(name)) => {
            format!("[{name}] # TODO NO WORKER COULD BE GUESSED: this is only a node without another role")
        }
        ([], None) => "[] # TODO NO WORKER COULD BE GUESSED: name the nodes that run the work".to_owned(),
        (names, _) => format!("{} # {GUESSED}", list(names)),
    }
}

fn list(names: &[&str]) -> String {
    format!("[{}]", names.join(", "))
}

fn forbidden(networks: &[&Network]) -> String {
    let ranges: Vec<String> = networks.iter().filter_map(|network| network.cidr).map(|cidr| cidr.to_string()).collect();
    format!("[{}] # networks in which management controllers have addresses", ranges.join(", "))
}

fn inventory_section(answers: &InitAnswers) -> String {
    match &answers.endpoint {
        Some(endpoint) => format!(
            "  bcm:\n    endpoint: {}\n    username: {{env: BCM_USERNAME}}\n    password: {{env: BCM_PASSWORD}}\n    {}",
            quoted(endpoint),
            tls(answers)
        ),
        None => "  static:                                # TODO every node with its production address\n    \
                 - {name: cpu-01, address: 192.0.2.11}\n    - {name: cpu-02, address: 192.0.2.12}\n    \
                 - {name: cpu-03, address: 192.0.2.13}\n    - {name: dgx-01, address: 192.0.2.21}\n    \
                 - {name: dgx-02, address: 192.0.2.22}"
            .to_owned(),
    }
}

/// Whom to trust; a comment when it is the system's authorities.
fn tls(answers: &InitAnswers) -> String {
    match (&answers.ca_file, answers.insecure) {
        (Some(file), _) => format!("tls: {{caFile: {}}}  # authority of the head node", quoted(file)),
        (None, true) => {
            "tls: {insecure: true}    # TODO any certificate is accepted: name the authority by caFile".to_owned()
        }
        (None, false) => {
            "# tls: {caFile: FILE}    # authority of the head node, if it is none of the system's".to_owned()
        }
    }
}

/// A text in double quotes; YAML reads those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
    let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(80).collect();
    plinth_model::text::visible(&line).into_owned()
}

/// Where everything is from, and why nodes were left out.
fn notes(inventory: &Inventory, guess: &Guess<'_>) -> String {
    let mut text =
        format!("# Nodes and networks are from {}; look at every line marked TODO.\n", comment(&inventory.source));
    if !guess.spare.is_empty() {
        let _ = writeln!(text, "# Nodes without a guessed role: {}", guess.spare.join(", "));
    }
    for (reason, names) in &guess.left_out {
        let names: Vec<String> = names.iter().map(|name| comment(name)).collect();
        let _ = writeln!(text, "# Left out, {reason}: {}", names.join(", "));
    }
    text
}
