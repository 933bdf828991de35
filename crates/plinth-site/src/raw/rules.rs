//! The rules of single texts: names, addresses, networks, versions, paths.

use super::text::{Refusal, Rule};
use crate::mask::login;
use ipnet::Ipv4Net;
use plinth_model::finding::code;
use plinth_model::text::is_hidden;
use plinth_model::{Domain, HostPath, NodeName, SiteName, TextError, Version, misread};
use std::net::Ipv4Addr;

/// RFC 1123 label.
const LABEL: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
const LABEL_FIX: &str = "use 1 to 63 lower-case letters, digits and dashes, not beginning or ending with a dash";

/// Reason and fix of an address that holds a login.
pub(crate) const LOGIN: &str = "an address in the site file must not hold a login";
pub(crate) const LOGIN_FIX: &str = "remove everything from the user's name to the `@`; a login has keys of its own, which say where its secret is found";

/// At most 80 characters of a text, for messages. A login in an address is hidden first.
pub(crate) fn short(text: &str) -> String {
    login::hidden_in_value(text).chars().take(80).collect()
}

/// The same as an item of a list in YAML: in quotes where a sign in it would mean something there.
pub(crate) fn quoted(text: &str) -> String {
    let text = short(text);
    let means = |c: char| "*&![]{}\"'%@`#?|>,:".contains(c) || c.is_whitespace();
    if text.is_empty() || text.contains(means) || text.starts_with('-') {
        serde_json::Value::from(text).to_string()
    } else {
        text
    }
}

impl Rule for SiteName {
    const WHAT: &'static str = "a site name";
    const EXAMPLE: &'static str = "basepod-a";
    const PATTERN: &'static str = LABEL;

    fn read(text: &str) -> Result<Self, Refusal> {
        Self::new(text).map_err(|error| {
            let why = if text.contains(['/', '\\']) {
                "it also names a folder, so it must not hold a slash"
            } else {
                error.rule
            };
            Refusal::new(format!("`{}` is not a site name: {why}", short(text)), LABEL_FIX).code(code::SITE_NAME)
        })
    }
}

impl Rule for NodeName {
    const WHAT: &'static str = "a node name";
    const EXAMPLE: &'static str = "dgx-01";
    const PATTERN: &'static str = LABEL;

    fn read(text: &str) -> Result<Self, Refusal> {
        Self::new(text).map_err(|error| Refusal::new(error.to_string(), node_name_fix(text)))
    }
}

impl Rule for Domain {
    const WHAT: &'static str = "a DNS host name in lower case";
    const EXAMPLE: &'static str = "runai.example.com";
    const PATTERN: &'static str = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$";

    fn read(text: &str) -> Result<Self, Refusal> {
        if text.contains('@') {
            return Err(Refusal::new(format!("what stands here is not a host name: {LOGIN}"), LOGIN_FIX)
                .code(code::SITE_LOGIN_IN_ADDRESS));
        }
        Self::new(text).map_err(|error| refusal(text, &error).code(code::SITE_DOMAIN))
    }
}

impl Rule for HostPath {
    const WHAT: &'static str = "an absolute path";
    const EXAMPLE: &'static str = "/local/containerd";
    const PATTERN: &'static str = r"^/.*[^/]$";

    fn read(text: &str) -> Result<Self, Refusal> {
        Self::new(text).map_err(|error| refusal(text, &error))
    }
}

fn refusal(text: &str, error: &TextError) -> Refusal {
    Refusal::new(format!("`{}` {}", short(text), error.happened), error.attempt)
}

/// What to write for a name that Kubernetes does not take. Upper case is usual in BCM, and the machine has to be renamed there.
fn node_name_fix(text: &str) -> String {
    let items = super::slips::items(text);
    if items.len() > 1 && items.iter().all(|item| NodeName::new(item).is_ok()) {
        return several_nodes(&items);
    }
    if let Some(names) = super::host_ranges::names_of_range(text) {
        return several_nodes(&names);
    }
    if text.parse::<Ipv4Addr>().is_ok() {
        return "write the machine's host name, as BCM or the machine itself has it; addresses of nodes stand beside their names"
            .to_owned();
    }
    if text.contains(['*', '?', '[', '{', '\\', '+']) {
        return "write exact names here; globs such as `dgx-*` are for the lists below `nodes`, and regular expressions are not known"
            .to_owned();
    }
    // The first part of a name with a domain is the name of the machine.
    let plain = text.split('.').next().unwrap_or(text).to_lowercase().replace('_', "-");
    if plain == text || text.contains("..") || NodeName::new(&plain).is_err() || misread(&plain).is_some() {
        return LABEL_FIX.to_owned();
    }
    format!(
        "write `{plain}`; if the machine itself has another name, such as one with upper case, `_` or dots, rename it, in BCM where BCM names it"
    )
}

fn several_nodes(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    format!("these are several nodes: write `[{}]` in a list, or an entry for each", names.join(", "))
}

/// An address or a range of IPv6, alone or as one of several; what is refused then is no slip.
fn ipv6(text: &str) -> Option<Refusal> {
    let is_v6 = |part: &str| is_ipv6(part.trim().split(['/', '%']).next().unwrap_or_default().trim_matches(['[', ']']));
    let message = format!(
        "`{}` is IPv6: nodes, pods, services and shared addresses are IPv4 in this release, since what is written for \
         Kubespray, its certificates and the checks name one IPv4 address for each node",
        short(text)
    );
    let fix = "write the IPv4 address or range; nodes may have IPv6 addresses besides, which are left alone";
    text.split([',', '-']).any(is_v6).then(|| Refusal::new(message, fix).code(code::SITE_IPV6))
}

/// The first of these that knows why, else the last.
fn refused(text: &str, message: String, fix: impl Into<String>) -> Refusal {
    ipv6(text).unwrap_or_else(|| Refusal::new(message, fix))
}

impl Rule for Version {
    const WHAT: &'static str = "a version";
    const EXAMPLE: &'static str = "v1.31.9";
    const PATTERN: &'static str = r"^v?[0-9]+(\.[0-9]+){0,2}([-+][0-9A-Za-z.+-]+)?$";

    fn read(text: &str) -> Result<Self, Refusal> {
        text.parse().map_err(|_| {
            Refusal::new(format!("`{}` is not a version", short(text)), "write it like `v1.31.9` or `\"2.21\"`")
        })
    }
}

impl Rule for Ipv4Addr {
    const WHAT: &'static str = "an IPv4 address";
    const EXAMPLE: &'static str = "192.0.2.10";
    const PATTERN: &'static str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$";

    fn read(text: &str) -> Result<Self, Refusal> {
        let address: Self = text.parse().map_err(|_| {
            let fix = match text.split_once('/') {
                Some((address, _)) if address.parse::<Self>().is_ok() => {
                    format!("write `{address}`, without the length")
                }
                _ => "write it like `192.0.2.10`: four numbers without leading zeros, no name".to_owned(),
            };
            refused(text, format!("`{}` is not an IPv4 address", short(text)), fix)
        })?;
        if address.is_unspecified() || address.is_multicast() || address.is_broadcast() || address.is_loopback() {
            return Err(Refusal::new(
                format!("`{address}` cannot be the address of a machine"),
                "name the machine's own address",
            ));
        }
        Ok(address)
    }
}

impl Rule for Ipv4Net {
    const WHAT: &'static str = "a network such as 192.0.2.0/24";
    const EXAMPLE: &'static str = "192.0.2.0/24";
    const PATTERN: &'static str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$";

    fn read(text: &str) -> Result<Self, Refusal> {
        let net = network(text).ok_or_else(|| {
            let message = format!("`{}` is not an IPv4 network", short(text));
            let fix = with_mask(text).map_or_else(
                || "write it like `192.0.2.0/24`: numbers without leading zeros".to_owned(),
                |net| format!("write its length instead of a mask: `{net}`"),
            );
            refused(text, message, fix)
        })?;
        if net.network() == net.addr() {
            return Ok(net);
        }
        Err(Refusal::new(
            format!("`{net}` is an address in a network, not a network"),
            format!("write `{}`", net.trunc()),
        )
        .code(code::SITE_NOT_A_NETWORK))
    }
}

/// A network as addresses are read: numbers without leading zeros, which other programs read as octal ones.
pub(crate) fn network(text: &str) -> Option<Ipv4Net> {
    let (address, length) = text.split_once('/')?;
    let is_plain = length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    Ipv4Net::new(address.parse().ok()?, length.parse().ok().filter(|_| is_plain)?).ok()
}

/// `192.0.2.0/255.255.255.0`.
fn with_mask(text: &str) -> Option<Ipv4Net> {
    let (address, mask) = text.split_once('/')?;
    Ipv4Net::with_netmask(address.parse().ok()?, mask.parse().ok()?).ok().map(|net| net.trunc())
}

/// Declares a text type that keeps its text.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $example:literal, $pattern:expr, $read:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub(crate) struct $name(pub(crate) String);

        impl Rule for $name {
            const WHAT: &'static str = $what;
            const EXAMPLE: &'static str = $example;
            const PATTERN: &'static str = $pattern;

            fn read(text: &str) -> Result<Self, Refusal> {
                let check: fn(&str) -> Result<(), Refusal> = $read;
                check(text).map(|()| Self(text.to_owned()))
            }
        }
    };
}
pub(super) use text_type;

text_type!(
    /// An RFC 1123 label.
    Label, "a name", "gpu-operator", LABEL,
    |text| refuse_unless(NodeName::new(text).is_ok(), text, "a name", LABEL_FIX)
);
text_type!(
    /// `https://host[:port]` without a path.
    Endpoint, "an https address without a path", "https://bcm-head-01:8081", r"^https://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$",
    |text| {
        let host = text.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        refuse_address_unless(host.is_some_and(is_host_port), text, "an https address without a path",
            "write it like `https://bcm-head-01:8081` or `https://[fd00::1]:8081`; BCM answers on port 8081, and only over TLS")
    }
);
text_type!(
    /// A name or address that a certificate can carry.
    ExtraName, "a DNS name or an address", "api.example.com", r"^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$",
    |text| refuse_address_unless(is_host(text) || is_ipv6(text), text, "a DNS name or an address", "write it without scheme, port or path")
);
text_type!(
    /// The id of a git object.
    GitId, "a git id of 40 digits", "45140b558266014296ddc6075b0518662a4d4cbe", "^[0-9a-f]{40}$",
    |text| {
        let is_id = text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        refuse_unless(is_id, text, "a git id of 40 digits", "copy it from `git rev-parse HEAD HEAD^{tree}`")
    }
);
text_type!(
    /// An e-mail address.
    Email, "an e-mail address", "admin@example.com", r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    |text| refuse_unless(is_email(text), text, "an e-mail address", "write it like `admin@example.com`")
);
text_type!(
    /// A file beside the site file, or anywhere.
    FilePath, "a file name", "bcm-ca.pem", r"^[^\n]+$",
    |text| check_file(text)
);
text_type!(
    /// A POSIX user name.
    UserName, "a user name", "ubuntu", "^[a-z_][a-z0-9_.-]{0,31}$",
    |text| refuse_unless(is_user_name(text), text, "a user name",
        "use at most 32 lower-case letters, digits, `_`, `-` or `.`, beginning with a letter or `_`")
);
text_type!(
    /// A mirror of charts and images, without scheme.
    MirrorHost, "a mirror host", "mirror.example.com/runai", r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^\s]*)?$",
    |text| refuse_address_unless(text.split('/').next().is_some_and(is_host_port) && !text.contains(char::is_whitespace), text,
        "a mirror host", "write it without scheme, like `mirror.example.com/runai`")
);
text_type!(
    /// Addresses a load balancer may give out.
    AddressRange, "a network or a range of addresses", "192.0.2.200-192.0.2.210",
    r"^[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2}|-[0-9]{1,3}(\.[0-9]{1,3}){3})?$",
    |text| match range_of(text) {
        Some(_) => Ok(()),
        None => Err(refused(text, format!("`{}` is not a network or a range of addresses", short(text)), range_fix(text))),
    }
);
text_type!(
    /// A network interface whose name can be part of a resource's name.
    NetworkInterface, "a network interface", "ibp24s0", "^[a-z][a-zA-Z0-9]{0,14}$",
    |text| refuse_unless(is_interface(text), text, "a network interface",
        "write its name as `ip link` shows it: at most 15 letters and digits, the first a small letter")
);
fn is_interface(text: &str) -> bool {
    // Capital letters stand for PCI domains: `ibP2p3s0` (systemd.net-naming-scheme).
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.len() <= 15 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(plain)
}

pub(super) fn refuse_unless(good: bool, text: &str, what: &str, fix: &str) -> Result<(), Refusal> {
    if good { Ok(()) } else { Err(Refusal::new(format!("`{}` is not {what}", short(text)), fix)) }
}

/// As [`refuse_unless`], for addresses: one with a login in it is refused without being repeated.
pub(super) fn refuse_address_unless(good: bool, text: &str, what: &str, fix: &str) -> Result<(), Refusal> {
    if !good && text.contains('@') {
        return Err(Refusal::new(format!("what stands here is not {what}: {LOGIN}"), LOGIN_FIX)
            .code(code::SITE_LOGIN_IN_ADDRESS));
    }
    refuse_unless(good, text, what, fix)
}

/// First and last address of a network, an address or `first-last`.
pub(crate) fn range_of(text: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        return (first <= last).then_some((first, last));
    }
    if let Ok(address) = text.parse() {
        return Some((address, address));
    }
    let net = network(text)?;
    (net.addr() == net.network()).then(|| (net.network(), net.broadcast()))
}

/// A range whose second end is written short, or whose ends stand the wrong way round.
fn range_fix(text: &str) -> String {
    let meant = text.split_once('-').and_then(|(first, last)| {
        let first: Ipv4Addr = first.trim().parse().ok()?;
        let last = last.trim();
        let short = |last: &str| {
            let [a, b, c, _] = first.octets();
            Some(Ipv4Addr::new(a, b, c, last.parse().ok()?))
        };
        let last: Ipv4Addr = last.parse().ok().or_else(|| short(last))?;
        Some(format!("write `{}-{}`", first.min(last), first.max(last)))
    });
    meant.unwrap_or_else(|| "write `192.0.2.200-192.0.2.210`, lower address first, or `192.0.2.128/26`".to_owned())
}

/// `~` is the home of whoever runs plinth; that of somebody else is not looked up.
pub(super) fn check_file(text: &str) -> Result<(), Refusal> {
    if text.starts_with('~') && text != "~" && !text.starts_with("~/") {
        let fix = "write the whole name of the file, or `~/...` for your own home folder";
        return Err(Refusal::new(
            format!("`{}` starts in the home folder of another user, which is not looked up", short(text)),
            fix,
        ));
    }
    refuse_unless(
        !text.trim().is_empty() && text != "~" && !text.chars().any(|c| c.is_control() || is_hidden(c)),
        text,
        "a file name",
        "name a file; a relative name starts at the folder of the site file",
    )
}

pub(super) fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A host with or without a port; an IPv6 address stands in brackets.
pub(super) fn is_host_port(text: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, port)| {
            is_ipv6(address) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        });
    }
    match text.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(text),
    }
}

/// Without a zone: `fe80::1%eth0` means something on one machine only.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.split_once('@') else { return false };
    !user.is_empty() && !text.contains(char::is_whitespace) && domain.contains('.') && is_host(domain)
}

fn is_user_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 32
        && bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::registry_rules::{MirrorEndpoint, RegistryHost};
    use super::*;

    fn fix<T: Rule>(text: &str) -> String {
        T::read(text).map(|_| ()).unwrap_err().fix
    }

    #[test]
    fn an_address_in_a_network_is_refused_with_the_network() {
        assert_eq!(fix::<Ipv4Net>("10.0.0.1/24"), "write `10.0.0.0/24`");
        assert!(Ipv4Net::read("10.0.0.0/24").is_ok());
        for bad in ["10.0.0.0/33", "172.029.0.0/16", "10.0.0.0/08", "10.0.0.0/+8", "010.0.0.0/8"] {
            assert!(Ipv4Net::read(bad).is_err(), "{bad}");
        }
        assert_eq!(range_of("10.0.0.010-10.0.0.12"), None);
        assert_eq!(range_of("010.0.0.0/24"), None);
    }

    #[test]
    fn a_site_name_with_a_slash_says_why() {
        let refusal = SiteName::read("a/b").unwrap_err();
        assert_eq!(refusal.code, "site.name");
        assert!(refusal.message.contains("slash"), "{}", refusal.message);
    }

    #[test]
    fn domains_are_names_in_lower_case_without_scheme_or_port() {
        assert!(Domain::read("bcm-head-01.eth.cluster").is_ok());
        for bad in ["https://a.b", "a.b:443", "10.0.0.1", "A.b", "a..b", "-a.b", "a_b.c", "", "a.b/"] {
            assert_eq!(Domain::read(bad).map(|_| ()).unwrap_err().code, "site.domain", "{bad}");
        }
    }

    #[test]
    fn every_example_obeys_its_own_rule() {
        fn holds<T: Rule>() {
            assert!(T::read(T::EXAMPLE).is_ok(), "{}", T::WHAT);
        }
        holds::<SiteName>();
        holds::<NodeName>();
        holds::<Version>();
        holds::<Ipv4Addr>();
        holds::<Ipv4Net>();
        holds::<Label>();
        holds::<Endpoint>();
        holds::<Domain>();
        holds::<ExtraName>();
        holds::<Email>();
        holds::<HostPath>();
        holds::<FilePath>();
        holds::<UserName>();
        holds::<MirrorHost>();
        holds::<AddressRange>();
    }

    #[test]
    fn addresses_of_version_6_stand_in_brackets_where_a_port_may_follow() {
        for good in ["https://[::1]:8081", "https://[fd00::1]", "https://[2001:db8::192.0.2.1]:443/"] {
            assert!(Endpoint::read(good).is_ok(), "{good}");
        }
        for bad in [
            "https://::1",
            "https://fd00::1:8081",
            "https://[fe80::1%eth0]:8081",
            "https://[::1]8081",
            "https://[dgx-01]:8081",
            "https://[::1]:0",
            "https://[::1",
        ] {
            assert!(Endpoint::read(bad).is_err(), "{bad}");
        }
        assert!(
            RegistryHost::read("[fd00::5]:5000").is_ok() && MirrorEndpoint::read("http://[fd00::5]:5000/v2").is_ok()
        );
        assert!(MirrorHost::read("[fd00::5]:5000/runai").is_ok() && ExtraName::read("fd00::7").is_ok());
        assert!(ExtraName::read("[fd00::7]").is_err() && ExtraName::read("a:b").is_err());
    }

    #[test]
    fn texts_that_break_a_rule_are_refused() {
        assert!(Endpoint::read("http://bcm:8081").is_err());
        assert!(Endpoint::read("https://bcm:8081/json").is_err());
        assert!(Endpoint::read("https://bcm:99999").is_err());
        assert!(Email::read("admin@localhost").is_err());
        assert!(HostPath::read("/").is_err());
        assert!(HostPath::read("/a/../b").is_err());
        assert!(AddressRange::read("10.0.0.9-10.0.0.1").is_err());
        assert!(AddressRange::read("10.0.0.1/24").is_err());
        assert!(Ipv4Addr::read("0.0.0.0").is_err());
        assert!(UserName::read("0day").is_err());
    }
}
