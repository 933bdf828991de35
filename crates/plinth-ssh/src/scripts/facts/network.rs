//! Addresses, routes, ports, names and what answers.

use crate::frame::Frames;
use plinth_model::facts::{Address, Asked, NodeFacts, Route};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

pub(super) fn read(frames: &Frames, asked: &Asked, facts: &mut NodeFacts) {
    facts.addresses = frames.all("address").into_iter().filter_map(address).collect();
    facts.default_route = default_route(frames);
    facts.listening = listening(frames);
    facts.nameservers =
        resolver(frames, &["nameserver"]).into_iter().filter_map(|line| line.into_iter().next()).collect();
    // Of several lines the last one counts.
    facts.search = resolver(frames, &["search", "domain"]).pop().unwrap_or_default();
    facts.names = names(frames, asked);
    facts.answers = answers(frames, asked);
}

/// `4: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\ …`, as `ip -o addr` prints it.
fn address(line: &str) -> Option<Address> {
    let mut words = line.split_whitespace().skip(1);
    let interface = words.next()?.trim_end_matches(':').split('@').next()?.to_owned();
    words.find(|word| matches!(*word, "inet" | "inet6"))?;
    let range = words.next()?;
    // A point-to-point address has no prefix of its own.
    let (address, prefix) = range.split_once('/').unwrap_or((range, ""));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.parse().unwrap_or(whole);
    (interface != "lo" && !address.is_loopback()).then_some(Address { interface, address, prefix })
}

/// The default route with the least metric: columns of /proc/net/route are interface, destination, gateway, flags, references,
/// use, metric, mask; addresses are in the byte order of the machine, which is little-endian on all that are supported.
fn default_route(frames: &Frames) -> Option<Route> {
    let routes = frames.all("route").into_iter().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [interface, "00000000", gateway, _, _, _, metric, "00000000", ..] = columns.as_slice() else { return None };
        let gateway = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.swap_bytes());
        let via = (!gateway.is_unspecified()).then_some(IpAddr::V4(gateway));
        Some((metric.parse::<u32>().ok()?, Route { interface: (*interface).to_owned(), via }))
    });
    routes.min_by_key(|(metric, _)| *metric).map(|(_, route)| route)
}

fn listening(frames: &Frames) -> BTreeMap<u16, String> {
    // Without awk on the node, whole lines come; those have the address in the second column.
    let ports = frames.all("tcp").into_iter().filter_map(|line| port(line.rsplit(' ').next()?));
    let mut found: BTreeMap<u16, String> = ports.map(|port| (port, String::new())).collect();
    for (port, process) in frames.all("socket").into_iter().filter_map(socket) {
        found.entry(port).and_modify(|name| name.clone_from(&process)).or_insert(process);
    }
    found
}

/// `0100007F:1F90`.
fn port(local: &str) -> Option<u16> {
    u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()
}

/// `LISTEN 0 4096 *:6443 *:* users:(("kube-apiserver",pid=1,fd=3))`, as `ss -Hltnp` prints it.
fn socket(line: &str) -> Option<(u16, String)> {
    let port = line.split_whitespace().nth(3)?.rsplit_once(':')?.1.parse().ok()?;
    let process = line.split_once("((\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    Some((port, process.to_owned()))
}

/// The words behind a keyword of resolv.conf, line by line.
fn resolver(frames: &Frames, keywords: &[&str]) -> Vec<Vec<String>> {
    let lines = frames.all("resolv").into_iter().filter_map(|line| {
        let mut words = line.split_whitespace();
        keywords.contains(&words.next()?).then(|| words.map(str::to_owned).collect())
    });
    lines.collect()
}

/// `name 10.0.0.1 10.0.0.1 10.0.0.2`.
fn names(frames: &Frames, asked: &Asked) -> BTreeMap<String, Vec<IpAddr>> {
    let told = frames.all("name").into_iter().filter_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next().filter(|name| asked.names.iter().any(|asked| asked == name))?;
        let addresses: BTreeSet<IpAddr> = words.filter_map(|word| word.parse().ok()).collect();
        Some((name.to_owned(), addresses.into_iter().collect()))
    });
    told.collect()
}

/// `200 https://registry.example.com/v2/`.
fn answers(frames: &Frames, asked: &Asked) -> BTreeMap<String, u16> {
    let told = frames.all("url").into_iter().filter_map(|line| {
        let (status, url) = line.split_once(' ')?;
        asked.urls.iter().any(|asked| asked == url).then(|| (url.to_owned(), status.parse().unwrap_or_default()))
    });
    told.collect()
}
