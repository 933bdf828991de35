//! Site files to start from. What `init` writes is itself a valid site file.

mod guess;

use guess::Guess;
use ipnet::Ipv4Net;
use plinth_model::inventory::{Inventory, Network};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// Name of the file with the schema that [`init`] and [`from_inventory`] name for editors; it stands beside the site file.
pub const SCHEMA_FILE: &str = "plinth.schema.json";

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
    /// Nodes of the inventory that must have no role, with the reason.
    pub refused: BTreeMap<String, String>,
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
            refused: BTreeMap::new(),
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
    ranges: (Ipv4Net, Ipv4Net),
    platform: String,
    runai: String,
}

/// Ranges for pods and for services, the usual ones first.
const PODS: [Ipv4Net; 3] = [range([172, 29, 0, 0], 16), range([172, 28, 0, 0], 16), range([100, 96, 0, 0], 16)];
const SERVICES: [Ipv4Net; 3] = [range([10, 150, 0, 0], 16), range([172, 30, 0, 0], 16), range([100, 97, 0, 0], 16)];

const fn range(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]), prefix)
}

/// A commented site file with made-up nodes. What has to be filled in is marked TODO, and refused until it is.
#[must_use]
pub fn init(answers: &InitAnswers) -> String {
    let parts = Parts {
        inventory: inventory_section(answers, true),
        production: "192.0.2.0/24               # TODO the network for SSH and Kubernetes".to_owned(),
        forbidden: "[198.51.100.0/24]           # TODO the out-of-band network; its addresses are never used".to_owned(),
        control_plane: "[cpu-01, cpu-02, cpu-03] # TODO an odd number; the first one is initialised first".to_owned(),
        workers: "[dgx-01, dgx-02]              # TODO names, globs such as \"dgx-*\", or {category: dgx-h100}".to_owned(),
        gpu: "[\"*\"]                           # of the workers: here all of them".to_owned(),
        notes: String::new(),
        ranges: (PODS[0], SERVICES[0]),
        platform: "  loadBalancer: {addresses: [192.0.2.200-192.0.2.209]} # TODO free addresses of the production network; Run:ai is \
                   then reached on port 443"
            .to_owned(),
        runai: RUNAI.to_owned(),
    };
    compose(answers, &parts)
}

const RUNAI: &str = "runai:                                   # remove this section for a platform without Run:ai
  version: \"2.24\"
  domain: runai.example.com              # TODO the name at which people reach Run:ai; it needs a DNS entry
  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}
  admin: {email: admin@example.com, password: {env: RUNAI_ADMIN_PASSWORD}} # TODO the first administrator
";

/// A commented site file for the nodes of an inventory. Roles are guessed from categories and names, and said to be guesses; TODO
/// marks only what could not be guessed at all.
#[must_use]
pub fn from_inventory(inventory: &Inventory, answers: &InitAnswers) -> String {
    let guess = Guess::of(inventory, &answers.refused);
    let gpu = match guess.gpu.as_slice() {
        [] => "[] # NO GPU NODE COULD BE GUESSED: name the workers that have GPUs".to_owned(),
        _ => "[\"*\"] # of the workers: all of them".to_owned(),
    };
    let parts = Parts {
        inventory: inventory_section(answers, false),
        production: production(&guess.production),
        forbidden: forbidden(&guess.forbidden),
        control_plane: control_plane(&guess),
        workers: workers(inventory, &guess),
        gpu,
        notes: notes(inventory, &guess),
        ranges: (
            guess::free_range(inventory, &PODS).unwrap_or(PODS[0]),
            guess::free_range(inventory, &SERVICES).unwrap_or(SERVICES[0]),
        ),
        platform: "  # loadBalancer: {addresses: [FIRST-LAST]}   # free addresses of the production network; Run:ai is then reached \
                   on port 443"
            .to_owned(),
        runai: format!("# Fill this in and remove the marks to install Run:ai.\n{}", commented(RUNAI)),
    };
    compose(answers, &parts)
}

fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {}\n", line.replace("# TODO ", "# "))).collect()
}

const GUESSED: &str = "guessed from names and categories; look it through";

fn control_plane(guess: &Guess<'_>) -> String {
    match (guess.control_plane.as_slice(), guess.any) {
        ([], Some(name)) => {
            format!("[{name}] # TODO NO CONTROL PLANE COULD BE GUESSED: this is only the first node of the inventory")
        }
        ([], None) => {
            "[name-a-node-here] # TODO THERE IS NO SUCH NODE: the inventory lists none that can be used".to_owned()
        }
        (names, _) => {
            let of = names.len() + guess.spare.len();
            let first = if guess.spare.is_empty() {
                String::new()
            } else {
                format!("the first {} of {of} without GPUs; ", names.len())
            };
            format!("{} # {first}{GUESSED}", list(names))
        }
    }
}

fn workers(inventory: &Inventory, guess: &Guess<'_>) -> String {
    match (guess.gpu.as_slice(), guess.spare.first()) {
        ([], Some(name)) => {
            format!("[{name}] # TODO NO WORKER COULD BE GUESSED: this is only a node without another role")
        }
        ([], None) => "[] # TODO NO WORKER COULD BE GUESSED: name the nodes that run the work".to_owned(),
        (names, _) => {
            let selectors = guess::selectors(inventory, names);
            let count = if selectors.len() == names.len() {
                String::new()
            } else {
                format!("{}, ", plinth_model::amount(names.len(), "node"))
            };
            wrapped(&selectors, &format!("{count}{GUESSED}"))
        }
    }
}

/// Most characters of a list on one line.
const WIDE: usize = 70;

/// A list on one line, or with one line for a few of its items each.
fn wrapped(items: &[String], comment: &str) -> String {
    let line = items.join(", ");
    if line.len() <= WIDE {
        return format!("[{line}] # {comment}");
    }
    let mut lines = vec![String::new()];
    for item in items {
        if lines.last().is_some_and(|last| last.len() + item.len() > WIDE) {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            last.push_str(item);
            last.push_str(", ");
        }
    }
    let body: Vec<String> = lines.iter().map(|line| format!("    {}", line.trim_end())).collect();
    format!("[ # {comment}\n{}\n  ]", body.join("\n").trim_end_matches(','))
}

fn list(names: &[&str]) -> String {
    format!("[{}]", names.join(", "))
}

fn forbidden(networks: &[&Network]) -> String {
    let ranges: Vec<String> = networks.iter().filter_map(|network| network.cidr).map(|cidr| cidr.to_string()).collect();
    format!("[{}] # networks in which management controllers have addresses", ranges.join(", "))
}

/// `made_up`: nobody has said yet where BCM is.
fn inventory_section(answers: &InitAnswers, made_up: bool) -> String {
    match &answers.endpoint {
        Some(endpoint) => format!(
            "  bcm:\n    endpoint: {}{}\n    username: {{env: BCM_USERNAME}}\n    password: {{env: BCM_PASSWORD}}\n    {}",
            quoted(endpoint),
            if made_up { "  # TODO BCM's head node" } else { "" },
            tls(answers)
        ),
        None => {
            "  static:\n    - {name: cpu-01, address: 192.0.2.11} # TODO every node with its production address\n    \
                 - {name: cpu-02, address: 192.0.2.12}\n    - {name: cpu-03, address: 192.0.2.13}\n    \
                 - {name: dgx-01, address: 192.0.2.21}\n    - {name: dgx-02, address: 192.0.2.22}"
                .to_owned()
        }
    }
}

/// Whom to trust; a comment when it is the system's authorities.
fn tls(answers: &InitAnswers) -> String {
    match (&answers.ca_file, answers.insecure) {
        (Some(file), _) => format!("tls: {{caFile: {}}}  # authority of the head node", quoted(file)),
        (None, true) => {
            "tls: {insecure: true}    # any certificate is accepted: better name the authority by caFile".to_owned()
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
    let Parts { inventory, production, forbidden, control_plane, workers, gpu, notes, ranges, platform, runai } = parts;
    let (pods, services) = ranges;
    format!(
        "# yaml-language-server: $schema={SCHEMA_FILE}
# Site file of plinth. `plinth validate` checks it, `plinth rehearse` plays it through without touching anything.
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
  version: {KUBERNETES}
  network: {{plugin: calico, pods: {pods}, services: {services}}}

# registries:
#   mirrors: [{{registry: docker.io, endpoints: [\"https://mirror.example.com\"]}}]

platform:
  ingress: {{http: 30080, https: 30443}}
{platform}
  # components: {{metrics-server: {{enabled: false}}}}   # everything is on unless switched off

{runai}",
        name = answers.name,
    )
}

/// The newest line that Run:ai of this template takes (catalog, `runai.kubernetes`), maintained until February 2027 (kubernetes.io,
/// "Releases"). Kubespray v2.31.0 installs it.
const KUBERNETES: &str = "v1.35.4";

fn production(candidates: &[&Network]) -> String {
    let shown = |network: &Network| network.cidr.map_or_else(|| network.name.clone(), |cidr| cidr.to_string());
    match candidates {
        [] => "192.0.2.0/24 # TODO none was found: the network for SSH and Kubernetes".to_owned(),
        [only] => format!("{} # {}", shown(only), comment(&only.name)),
        [first, others @ ..] => {
            let others: Vec<String> = others.iter().map(|n| format!("{} ({})", shown(n), comment(&n.name))).collect();
            format!(
                "{} # {}: most machines can be reached there; or {}",
                shown(first),
                comment(&first.name),
                others.join(", ")
            )
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
    let mut text = format!("# Nodes and networks are from {}; roles are guessed.\n", comment(&inventory.source));
    if !guess.spare.is_empty() {
        let _ = writeln!(text, "# Left out, more than the control plane needs: {}", guess.spare.join(", "));
    }
    for (reason, names) in &guess.left_out {
        let names: Vec<String> = names.iter().map(|name| comment(name)).collect();
        let _ = writeln!(text, "# Left out, {reason}: {}", names.join(", "));
    }
    text
}
