//! `adapters.yaml`: InfiniBand adapters of known machines, and what a site makes of them.

use crate::Facts;
use indexmap::IndexMap;
use ipnet::Ipv4Net;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::nearest::nearest;
use serde::Deserialize;
use serde_json::{Value, json};

/// InfiniBand adapters by model of machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapters {
    pub(crate) schema: u32,
    /// By model, as the site file names it.
    pub models: IndexMap<String, Model>,
    /// Models whose adapters no document names, each with what is known instead.
    pub(crate) unnamed: IndexMap<String, String>,
}

/// One model of machine: which of its adapters are for pods, and which document says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Interfaces of the network between GPUs, as the system of the machine names them.
    pub interfaces: Vec<String>,
    /// Title of the document.
    pub source: String,
}

/// What the site file says of InfiniBand, as facts.
struct Wanted<'a> {
    model: Option<&'a str>,
    interfaces: Vec<&'a str>,
    addresses: Ipv4Net,
    functions: u64,
    /// Addresses of a node in each part of the network.
    block: u64,
    nodes: u64,
}

/// Fact `infiniband.blockSize`: addresses that each GPU node gets in the pool of an adapter; null when the site wants none. One more
/// than a node has functions: the gateway is counted into the first node's block and given to no pod, and a block of one address is
/// refused (NVIDIA k8s-ipam: allocation and validation of an `IPPool`).
pub(crate) fn block_size(facts: &Facts) -> Value {
    json!(Wanted::of(facts).map(|wanted| wanted.block))
}

impl Adapters {
    /// Fact `infiniband.adapters`: `interface`, `name` (for objects), `subnet` and `gateway` of each; empty when the site wants none, or when what it wants
    /// cannot be made, which findings say.
    pub(crate) fn of_site(&self, facts: &Facts) -> (Value, Vec<Finding>) {
        let made = Wanted::of(facts).map_or_else(|| Ok(Vec::new()), |wanted| self.of_wanted(&wanted));
        match made {
            Ok(adapters) => (Value::Array(adapters), Vec::new()),
            Err(finding) => (json!([]), vec![*finding]),
        }
    }

    fn of_wanted(&self, wanted: &Wanted<'_>) -> Result<Vec<Value>, Box<Finding>> {
        let interfaces: Vec<&str> = match wanted.model {
            None => wanted.interfaces.clone(),
            Some(name) => self.model(name)?.interfaces.iter().map(String::as_str).collect(),
        };
        let subnets = subnets(wanted, interfaces.len()).ok_or_else(|| Box::new(too_small(wanted, interfaces.len())))?;
        let adapter = |(interface, subnet): (&&str, Ipv4Net)| {
            let gateway = subnet.hosts().next().map(|host| host.to_string());
            // Names of objects are in small letters; `ibP2p3s0` is an interface all the same.
            json!({"interface": interface, "name": interface.to_lowercase(), "subnet": subnet.to_string(), "gateway": gateway})
        };
        Ok(interfaces.iter().zip(subnets).map(adapter).collect())
    }

    /// Interfaces that the site or its model names, and no others.
    pub(crate) fn named(&self, facts: &Facts) -> Vec<String> {
        let Some(wanted) = Wanted::of(facts) else { return Vec::new() };
        let of_model = wanted.model.and_then(|name| self.models.get(name)).map(|model| model.interfaces.clone());
        of_model.unwrap_or_else(|| wanted.interfaces.iter().map(|name| (*name).to_owned()).collect())
    }

    fn model(&self, name: &str) -> Result<&Model, Box<Finding>> {
        self.models.get(name).ok_or_else(|| {
            if let Some(known) = self.unnamed.get(name) {
                return Box::new(unnamed(name, known));
            }
            let known = self.models.keys().map(String::as_str);
            let fix = match nearest(name, known.clone()) {
                Some(meant) => format!("write `{meant}`, or name the interfaces: `interfaces: [ibp24s0, ..]`"),
                None => format!(
                    "name the interfaces: `interfaces: [ibp24s0, ..]`; known models: {}",
                    known.collect::<Vec<_>>().join(", ")
                ),
            };
            let text = format!("the InfiniBand adapters of `{name}` are not known");
            Box::new(Finding::error(code::PLATFORM_INFINIBAND, "platform.infiniband.model", text).fix(fix))
        })
    }
}

impl<'a> Wanted<'a> {
    fn of(facts: &'a Facts) -> Option<Self> {
        let text = |name: &str| facts.get(name).and_then(Value::as_str);
        let interfaces = facts.get("infiniband.interfaces").and_then(Value::as_array);
        let functions = facts.get("infiniband.virtualFunctions").and_then(Value::as_u64)?;
        Some(Self {
            model: text("infiniband.model"),
            interfaces: interfaces.into_iter().flatten().filter_map(Value::as_str).collect(),
            addresses: text("infiniband.addresses")?.parse().ok()?,
            functions,
            block: functions.saturating_add(1),
            nodes: facts.get("nodes.gpuCount").and_then(Value::as_u64).unwrap_or(0),
        })
    }
}

/// The network in as many equal parts as there are adapters; none where a part has no room for every GPU node's block.
fn subnets(wanted: &Wanted<'_>, adapters: usize) -> Option<Vec<Ipv4Net>> {
    let bits = adapters.max(1).next_power_of_two().trailing_zeros();
    let prefix = wanted.addresses.prefix_len().checked_add(u8::try_from(bits).ok()?)?;
    let host_bits = 32_u8.checked_sub(prefix)?;
    // Whole blocks, one of them for a node that comes while another's is not free yet; the first and the last address are nobody's.
    let needed = wanted.block.checked_mul(wanted.nodes + 1)? + 2;
    let fits = 1_u64.checked_shl(u32::from(host_bits)).is_some_and(|room| room >= needed);
    fits.then(|| wanted.addresses.subnets(prefix).ok().map(Iterator::collect)).flatten()
}

/// A model that exists, so that another one is not meant: its adapters have other names.
fn unnamed(name: &str, known: &str) -> Finding {
    let text = format!("no source names the InfiniBand adapters of a {name}");
    Finding::error(code::PLATFORM_INFINIBAND, "platform.infiniband.model", text).evidence(known).fix(
        "leave `model` out: what all GPU nodes have is taken once `plinth preflight` has looked; or name the interfaces: `interfaces: [ibp24s0, ..]`",
    )
}

fn too_small(wanted: &Wanted<'_>, adapters: usize) -> Finding {
    let Wanted { addresses, functions, nodes, .. } = wanted;
    let text =
        format!("{addresses} is too small for {adapters} adapters with {functions} functions each on {nodes} nodes");
    Finding::error(code::PLATFORM_INFINIBAND, "platform.infiniband.addresses", text)
        .fix("give a larger network that nothing else uses, such as a /16")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Adapters;
    use crate::{Catalog, Facts};
    use plinth_model::Finding;
    use serde_json::{Value, json};

    fn of(changes: &Value) -> (Value, Vec<Finding>) {
        let mut facts: Facts = [
            ("infiniband.model", json!("dgx-h100")),
            ("infiniband.interfaces", json!([])),
            ("infiniband.addresses", json!("192.168.0.0/16")),
            ("infiniband.virtualFunctions", json!(8)),
            ("nodes.gpuCount", json!(31)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        facts.extend(changes.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())));
        let adapters: Adapters = Catalog::embedded().unwrap().adapters;
        adapters.of_site(&facts)
    }

    #[test]
    fn each_adapter_has_a_part_of_the_network() {
        let (adapters, findings) = of(&json!({}));
        assert_eq!(findings, []);
        assert_eq!(adapters.as_array().unwrap().len(), 8);
        assert_eq!(
            adapters[1],
            json!({"interface": "ibp64s0", "name": "ibp64s0", "subnet": "192.168.32.0/19", "gateway": "192.168.32.1"})
        );
        let (three, _) = of(&json!({"infiniband.model": null, "infiniband.interfaces": ["ib0", "ib1", "ib2"]}));
        assert_eq!(three[2]["subnet"], json!("192.168.128.0/18"));
    }

    #[test]
    fn what_cannot_be_made_is_said() {
        assert_eq!(of(&json!({"infiniband.addresses": null})), (json!([]), vec![]));
        let (none, unknown) = of(&json!({"infiniband.model": "dgx-h10"}));
        assert_eq!(none, json!([]));
        assert!(unknown[0].is_error() && unknown[0].fix.contains("`dgx-h100`"), "{unknown:?}");
        // Two letters from a dgx-gb200, which is another machine with four adapters.
        let (none, unnamed) = of(&json!({"infiniband.model": "dgx-b200"}));
        assert_eq!(none, json!([]));
        assert!(unnamed[0].is_error() && unnamed[0].fix.starts_with("leave `model` out"), "{unnamed:?}");
        assert!(unnamed[0].evidence[0].contains("eight ConnectX-7"), "{unnamed:?}");
        // 32 blocks of 9 are 288: more than a /24, and they fit into a /23.
        let small = of(&json!({"infiniband.addresses": "192.168.0.0/21"})).1;
        assert!(small[0].message.contains("too small for 8 adapters"), "{small:?}");
        assert_eq!(of(&json!({"infiniband.addresses": "192.168.0.0/20"})).1, []);
        assert_eq!(of(&json!({"infiniband.addresses": "192.168.0.0/31"})).1.len(), 1);
    }

    /// 7 functions on 31 nodes need 8 * 32 + 2 addresses, two more than a /24 has.
    #[test]
    fn the_gateway_takes_none_of_a_nodes_addresses() {
        let seven = |network: &str| {
            of(&json!({"infiniband.addresses": network, "infiniband.virtualFunctions": 7, "infiniband.model": null,
                "infiniband.interfaces": ["ib0"]}))
            .1
        };
        assert_eq!(seven("192.168.0.0/24").len(), 1);
        assert_eq!(seven("192.168.0.0/23"), []);
    }
}
