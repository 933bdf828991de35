//! Services, containers, leftovers of earlier installations, the login.

use crate::frame::Frames;
use plinth_model::facts::{Containerd, NodeFacts};
use std::collections::{BTreeMap, BTreeSet};

/// Where containerd keeps its data unless it is told otherwise (containerd documentation, "Base configuration").
const CONTAINERD_ROOT: &str = "/var/lib/containerd";
/// Where BCM keeps containerd's configuration.
const BCM_CONFIG: &str = "/cm/local/apps/containerd/";
/// Where BCM installs programs on nodes.
const BCM_PROGRAMS: &str = "/cm/local/apps/";
/// Namespace of Docker's containers in containerd.
const DOCKER: &str = "/moby/";
/// Time services, each with the units that run it.
const TIME_SERVICES: [(&str, &[&str]); 3] = [
    ("chrony", &["chrony", "chronyd"]),
    ("ntpd", &["ntpd", "ntp", "ntpsec"]),
    ("systemd-timesyncd", &["systemd-timesyncd"]),
];

pub(super) fn read(frames: &Frames, facts: &mut NodeFacts) {
    let units = units(frames);
    facts.services = units.iter().map(|(name, unit)| (name.clone(), unit.state.clone())).collect();
    let active = |name: &&str| units.get(*name).is_some_and(|unit| unit.state == "active");
    let runs = TIME_SERVICES.iter().find(|(_, names)| names.iter().any(&active));
    facts.time_service = runs.map(|(name, _)| (*name).to_owned());
    facts.time_synchronised =
        frames.get("time").and_then(|line| line.strip_prefix("NTPSynchronized=")).map(|v| v == "yes");
    facts.containerd = containerd(frames);
    facts.obstacles = obstacles(frames, units.get("kubelet"));
    facts.proxies = proxies_of(frames);
    facts.package_manager = package_manager(frames);
    facts.pythons = pythons(frames);
    facts.root = frames.get("root").unwrap_or_default().to_owned();
}

#[derive(Debug, Default)]
struct Unit {
    state: String,
    start: String,
}

/// Blocks of `systemctl show`, each led by no particular property and parted by empty lines. Units that are not installed are
/// left out.
fn units(frames: &Frames) -> BTreeMap<String, Unit> {
    let lines = frames.all("service");
    let blocks = lines.split(|line| line.trim().is_empty());
    let unit = |block: &[&str]| {
        let property = |name: &str| block.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let id = property("Id").filter(|_| property("LoadState") == Some("loaded"))?;
        let unit = Unit {
            state: property("ActiveState")?.to_owned(),
            start: property("ExecStart").unwrap_or_default().to_owned(),
        };
        Some((id.trim_end_matches(".service").to_owned(), unit))
    };
    blocks.filter_map(unit).collect()
}

fn containerd(frames: &Frames) -> Option<Containerd> {
    let version = frames.get("containerd.version").map(|line| {
        let is_version = |word: &&str| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
        line.split_whitespace().find(is_version).unwrap_or_default().trim_start_matches('v').to_owned()
    })?;
    let tasks: BTreeSet<&str> =
        frames.all("task").into_iter().filter(|task| task.starts_with("/run/containerd/")).collect();
    Some(Containerd {
        version,
        root: configured_root(frames).unwrap_or_else(|| CONTAINERD_ROOT.to_owned()),
        data_mib: frames.number::<u64>("images.size").map(|kib| kib / 1024),
        running: u32::try_from(tasks.len()).unwrap_or(u32::MAX),
    })
}

/// The directory that containerd was told to use: by its unit, or by the configuration that its unit names.
pub(super) fn configured_root(frames: &Frames) -> Option<String> {
    let units = units(frames);
    let start = units.get("containerd").map(|unit| unit.start.as_str()).unwrap_or_default();
    let (usual, bcm) = (frames.all("containerd.config"), frames.all("containerd.config.cm"));
    let is_bcm = start.contains(BCM_CONFIG) || usual.is_empty();
    option(start, "--root").or_else(|| top_level_root(if is_bcm { &bcm } else { &usual }))
}

/// `--root DIR` or `--root=DIR` in a command line.
fn option(command: &str, name: &str) -> Option<String> {
    let mut words = command.split_whitespace();
    let found = words.find_map(|word| match word.strip_prefix(name)? {
        "" => Some(None),
        rest => rest.strip_prefix('=').map(Some),
    })?;
    found.or_else(|| words.next()).map(str::to_owned)
}

/// `root = "DIR"` before the first table: plugins have settings of that name too.
fn top_level_root(lines: &[&str]) -> Option<String> {
    let mut top = lines.iter().map(|line| line.trim()).take_while(|line| !line.starts_with('['));
    let value = top.find_map(|line| line.strip_prefix("root")?.trim_start().strip_prefix('='))?;
    let value = value.trim().trim_start_matches(['"', '\'']).split(['"', '\'']).next()?;
    Some(value.to_owned()).filter(|value| !value.is_empty())
}

fn obstacles(frames: &Frames, kubelet: Option<&Unit>) -> Vec<String> {
    // Podman brings a network of its own, which sorts behind those of Kubernetes.
    let files = frames.all("obstacle").into_iter().filter(|path| !path.contains("podman"));
    let mut found: Vec<String> = files.map(str::to_owned).collect();
    if let Some(kubelet) = kubelet.filter(|unit| unit.state == "active") {
        let whose = if kubelet.start.contains(BCM_PROGRAMS) { " for BCM's own Kubernetes" } else { "" };
        found.push(format!("kubelet runs{whose}"));
    }
    let docker: BTreeSet<&str> = frames.all("task").into_iter().filter(|task| task.contains(DOCKER)).collect();
    match docker.len() {
        0 => {}
        1 => found.push("docker: 1 container runs".to_owned()),
        several => found.push(format!("docker: {several} containers run")),
    }
    found
}

pub(super) fn proxies_of(frames: &Frames) -> BTreeMap<String, String> {
    frames.all("proxy").into_iter().flat_map(proxies).collect()
}

/// Settings in one line of any of the files: `NAME_proxy=…` in shells and units, `Acquire::http::Proxy "…";` of apt, `proxy=…` of
/// dnf. Credentials were cut out on the node, and are again here.
fn proxies(line: &str) -> Vec<(String, String)> {
    let line = authority_cut(line.trim());
    let line = line.as_str();
    let is_apt =
        |name: &str| name.contains("::") && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-'));
    let one = |name: &str, value: &str| vec![(name.to_owned(), without_credentials(value))];
    let mut found = match line.split_once(char::is_whitespace) {
        Some((name, value)) if is_apt(name) => one(name, value),
        _ => match line.split_once('=') {
            Some((name, value)) if name.trim_end() == "proxy" => one("proxy", value),
            _ => line.match_indices('=').filter_map(|(at, _)| assigned(line, at)).collect(),
        },
    };
    found.retain(|(_, value)| !value.is_empty());
    found
}

/// Without all between the first `//` and the last `@`, before anything is taken apart: a password may hold blanks and quotes.
fn authority_cut(line: &str) -> String {
    match (line.find("//"), line.rfind('@')) {
        (Some(from), Some(to)) if from < to => format!("{}//{}", &line[..from], &line[to + 1..]),
        _ => line.to_owned(),
    }
}

/// The setting whose `=` is here. Its value ends at the quote that it, or the whole assignment, began with, else at a blank.
fn assigned(line: &str, at: usize) -> Option<(String, String)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = line[..at].trim_end_matches(is_name);
    let name = &line[before.len()..at];
    let rest = &line[at + 1..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let quote_before = before.chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let value = match (quote, quote_before) {
        (Some(quote), _) => rest[1..].split(quote).next(),
        (None, Some(quote)) => rest.split(quote).next(),
        (None, None) => rest.split_whitespace().next(),
    };
    name.to_ascii_lowercase()
        .ends_with("_proxy")
        .then(|| (name.to_owned(), without_credentials(value.unwrap_or_default())))
}

fn without_credentials(value: &str) -> String {
    let value = value.trim_matches(['"', '\'', ';', ' ']);
    match (value.split_once("://"), value.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, address))) => format!("{scheme}://{address}"),
        (None, Some((_, address))) => address.to_owned(),
        (_, None) => value.to_owned(),
    }
}

/// dnf before yum, which is the same under its old name.
fn package_manager(frames: &Frames) -> Option<String> {
    let present = frames.all("package");
    let order = [("apt-get", "apt"), ("dnf", "dnf"), ("yum", "yum"), ("zypper", "zypper")];
    order.iter().find(|(program, _)| present.contains(program)).map(|(_, name)| (*name).to_owned())
}

/// `3.11` of file names, `Python 3.11.7` of the program.
fn pythons(frames: &Frames) -> Vec<String> {
    let number = |text: &str| text.split('.').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<u32>>>();
    let versions = frames.all("python").into_iter().filter_map(|line| line.split_whitespace().next_back());
    let sorted: BTreeSet<(Vec<u32>, &str)> = versions.filter_map(|text| Some((number(text)?, text))).collect();
    sorted.into_iter().rev().map(|(_, text)| text.to_owned()).collect()
}
