//! Name and address of the node, names that it resolves, what answers to it.

use super::{Case, Judged, Rule};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::Preparation;
use plinth_model::{Domain, Finding};
use std::net::IpAddr;

pub(super) const RULES: &[Rule] = &[
    hostname,
    no_address,
    no_default_route,
    name_unresolved,
    name_differs,
    no_answer,
    no_nameserver,
    nameservers,
    resolver_loop,
    search_domains,
    proxies,
];

/// glibc asks no more than three (resolv.conf manual), and kubelet cuts a longer list.
const NAMESERVERS: usize = 3;
/// glibc before 2.26, still in many images, takes six search domains (resolv.conf manual).
const SEARCH_DOMAINS: usize = 6;

/// Kubespray names the machine after its name in the inventory; BCM names it back when it is re-imaged.
fn hostname(case: &Case<'_>) -> Option<Judged> {
    let short = case.facts.hostname.split('.').next().unwrap_or_default();
    (!short.is_empty() && !short.eq_ignore_ascii_case(case.node)).then(|| {
        let message = format!("it calls itself {}", case.facts.hostname);
        Finding::warning(code::NODE_HOSTNAME_DIFFERS, case.node, message)
            .fix(format!("look whether this is the right machine; then `hostnamectl set-hostname {}`", case.node))
            .into()
    })
}

/// Kubespray stops when the address that services bind to is not on the node.
fn no_address(case: &Case<'_>) -> Option<Judged> {
    let wanted = IpAddr::V4(case.expected.address);
    let there = case.facts.addresses.iter().any(|address| address.address == wanted);
    if there || case.facts.addresses.is_empty() {
        return None;
    }
    let four = case.facts.addresses.iter().filter(|address| address.address.is_ipv4());
    let mut finding = Finding::error(code::NODE_NO_ADDRESS, case.node, format!("its address {wanted} is on none of its interfaces"))
        .fix(format!("correct the node's interface in BCM, or write `nodes: {{overrides: {{{}: {{address: ADDRESS}}}}}}`; `ip -4 addr` shows what it has", case.node));
    finding.evidence = four.map(|a| format!("{} {}/{}", a.interface, a.address, a.prefix)).collect();
    Some(finding.into())
}

/// Kubernetes takes a node's own address and its way to services from it (Kubernetes documentation, "Installing kubeadm").
fn no_default_route(case: &Case<'_>) -> Option<Judged> {
    (case.facts.default_route.is_none() && !case.facts.addresses.is_empty()).then(|| {
        Finding::warning(code::NODE_NO_DEFAULT_ROUTE, case.node, "it has no default route")
            .fix("set a gateway for the production network in BCM; `ip route` then shows `default via`")
            .into()
    })
}

/// Names that a hosts entry can give are fixed so; the others need the DNS server.
fn name_unresolved(case: &Case<'_>) -> Option<Judged> {
    let told = |name: &&Domain| case.facts.names.get(name.as_str()).is_some_and(Vec::is_empty);
    let names: Vec<&Domain> = case.expected.names.keys().filter(told).collect();
    let list = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| {
        let finding = Finding::warning(code::NODE_NAME_UNRESOLVED, case.node, format!("it cannot resolve {list}"))
            .evidence(format!("name servers: {}", case.facts.nameservers.join(", ")))
            .fix("add the names to the DNS server that the nodes ask; `getent hosts NAME` then tells the address");
        with_hosts(case, finding, &names)
    })
}

fn name_differs(case: &Case<'_>) -> Option<Judged> {
    let wrong: Vec<(&Domain, String)> = case
        .expected
        .names
        .iter()
        .filter_map(|(name, wanted)| {
            let (wanted, told) = ((*wanted)?, case.facts.names.get(name.as_str())?);
            let right = told.is_empty() || told.contains(&IpAddr::V4(wanted));
            let told: Vec<String> = told.iter().map(ToString::to_string).collect();
            (!right).then(|| (name, format!("{name} is {}, not {wanted}", told.join(", "))))
        })
        .collect();
    let names: Vec<&Domain> = wrong.iter().map(|(name, _)| *name).collect();
    let told: Vec<&str> = wrong.iter().map(|(_, told)| told.as_str()).collect();
    (!wrong.is_empty()).then(|| {
        let finding = Finding::warning(
            code::NODE_NAME_DIFFERS,
            case.node,
            format!("it resolves names otherwise: {}", told.join("; ")),
        )
        .fix("correct the DNS server that the nodes ask, and their /etc/hosts; `getent hosts NAME` tells the address");
        with_hosts(case, finding, &names)
    })
}

fn with_hosts(case: &Case<'_>, finding: Finding, names: &[&Domain]) -> Judged {
    let entry = |name: &&Domain| Some(((*name).clone(), (*case.expected.names.get(*name)?)?));
    let hosts: IndexMap<_, _> = names.iter().filter_map(entry).collect();
    if hosts.is_empty() {
        return finding.into();
    }
    Judged::fixed_by(finding, Preparation { hosts, ..Preparation::default() })
}

/// Any HTTP status is an answer: registries say 401 to strangers. Behind a proxy a direct way need not be there.
fn no_answer(case: &Case<'_>) -> Option<Judged> {
    let silent: Vec<&str> =
        case.expected.urls.iter().filter(|url| case.facts.answers.get(*url) == Some(&0)).map(String::as_str).collect();
    (!silent.is_empty()).then(|| {
        Finding::warning(code::NODE_NO_ANSWER, case.node, format!("no answer from {}", silent.join(", ")))
            .fix("open the way from the node to there, or name a mirror under registries.mirrors; `curl -v URL` on the node tells what is missing")
            .into()
    })
}

/// Kubespray stops without one.
fn no_nameserver(case: &Case<'_>) -> Option<Judged> {
    case.facts.nameservers.is_empty().then(|| {
        Finding::error(code::NODE_NO_NAMESERVER, case.node, "its /etc/resolv.conf names no server; Kubespray stops there")
            .fix("set name servers in BCM (`cmsh -c \"partition; use base; set nameservers ADDRESS\"`), or write `nameserver ADDRESS` into /etc/resolv.conf")
            .into()
    })
}

fn nameservers(case: &Case<'_>) -> Option<Judged> {
    let all = &case.facts.nameservers;
    (all.len() > NAMESERVERS).then(|| {
        let message = format!("it has {} name servers; only the first {NAMESERVERS} are asked", all.len());
        Finding::warning(code::NODE_MANY_NAMESERVERS, case.node, message)
            .evidence(all.join(", "))
            .fix("shorten the list that /etc/resolv.conf is made from")
            .into()
    })
}

/// CoreDNS forwards to the node's servers; one on the loopback address is CoreDNS itself (CoreDNS documentation, plugin "loop").
/// Kubespray takes the list behind systemd-resolved where that runs.
fn resolver_loop(case: &Case<'_>) -> Option<Judged> {
    let loops = |server: &&String| server.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let found = case.facts.nameservers.iter().find(loops)?;
    let resolved = case.unit("systemd-resolved") == Some("active") && found == "127.0.0.53";
    let finding = if resolved {
        Finding::info(
            code::NODE_LOCAL_RESOLVER,
            case.node,
            "it asks systemd-resolved; Kubespray takes the servers behind it",
        )
    } else {
        let message = format!("its name server {found} is itself; CoreDNS would forward to itself and stop");
        Finding::warning(code::NODE_RESOLVER_LOOP, case.node, message)
            .fix("write the real servers into /etc/resolv.conf, or name servers under kubernetes.dns.servers")
    };
    Some(finding.into())
}

fn search_domains(case: &Case<'_>) -> Option<Judged> {
    let all = &case.facts.search;
    (all.len() > SEARCH_DOMAINS).then(|| {
        let message = format!(
            "it has {} search domains; older images take {SEARCH_DOMAINS}, and Kubernetes adds three",
            all.len()
        );
        Finding::warning(code::NODE_MANY_SEARCH_DOMAINS, case.node, message)
            .evidence(all.join(" "))
            .fix("shorten the line `search` that /etc/resolv.conf is made from")
            .into()
    })
}

fn proxies(case: &Case<'_>) -> Option<Judged> {
    let all = &case.facts.proxies;
    let mut finding =
        Finding::info(code::NODE_PROXY, case.node, "a proxy is set; pods, services and nodes must be excepted from it");
    finding.evidence = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (!all.is_empty()).then(|| finding.into())
}
