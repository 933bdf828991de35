//! Which node does what.

use super::node_rules::{NodeGlob, is_glob};
use super::rules::{quoted, short};
use super::text::{Rule, Text};
use crate::decode::refusal_text;
use crate::desired::Selector as Chosen;
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::{HostPath, NodeName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

/// Which node does what. A selector is a name, a glob (`dgx-*`), or `{category: NAME}`; one that matches nothing is an error.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Nodes {
    /// Control plane; the first one is initialised first.
    #[schemars(length(min = 1))]
    pub(crate) control_plane: Vec<Selector>,
    /// Workers.
    #[serde(default)]
    pub(crate) workers: Vec<Selector>,
    /// etcd members, an odd number; the control plane when absent.
    #[serde(default)]
    pub(crate) etcd: Option<Vec<Selector>>,
    /// Nodes with GPUs, among the workers.
    #[serde(default)]
    pub(crate) gpu: Vec<Selector>,
    /// Nodes that carry Run:ai's system services; the control plane when absent.
    #[serde(default)]
    pub(crate) system: Vec<Selector>,
    /// Nodes that are left alone, whatever the lists above select: a machine in repair, or one that is somebody else's. Each must match
    /// a node that would be selected otherwise.
    #[serde(default)]
    pub(crate) exclude: Vec<Selector>,
    /// What is special about single nodes, by name.
    #[serde(default)]
    pub(crate) overrides: IndexMap<Text<NodeName>, Override>,
}

/// What is special about one node.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "NodeOverride")]
pub(crate) struct Override {
    /// Production address, when the inventory does not know it.
    #[serde(default)]
    pub(crate) address: Option<Text<Ipv4Addr>>,
    /// Kubernetes labels.
    #[serde(default)]
    pub(crate) labels: IndexMap<String, String>,
    /// Kubernetes taints: `key=value:Effect` or `key:Effect`.
    #[serde(default)]
    pub(crate) taints: Vec<String>,
    /// Folder for container images; decides beforehand whether they move.
    #[serde(default)]
    pub(crate) storage: Option<Text<HostPath>>,
}

/// Selects nodes of the inventory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selector(pub(crate) Chosen);

struct SelectorVisitor;

impl<'de> Visitor<'de> for SelectorVisitor {
    type Value = Selector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node name, a glob, or a category such as `{category: dgx-h100}`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Selector, E> {
        if text.starts_with('!') {
            return Err(negated(text));
        }
        NodeGlob::meant(text).map_err(|r| E::custom(refusal_text(r.code, &r.message, &r.fix)))?;
        let chosen = if is_glob(text) { Chosen::Glob } else { Chosen::Name };
        Ok(Selector(chosen(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Selector, A::Error> {
        let mut category: Option<String> = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "category" {
                category = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
                return Err(wrong("a selector has no other key than `category`"));
            }
        }
        match category {
            Some(name) if !name.trim().is_empty() => Ok(Selector(Chosen::Category(name))),
            _ => Err(wrong("the category is not named")),
        }
    }
}

/// Other programs leave a node out like this; here that is a list of its own, which holds for every role and needs no quotes.
fn negated<E: Error>(text: &str) -> E {
    let name = text.trim_start_matches('!').trim();
    let message = format!("`{}` would leave nodes out, and stands in a list of nodes that are taken", short(text));
    E::custom(refusal_text(
        code::SITE_SELECTOR,
        &message,
        &format!("write `exclude: [{}]` below `nodes`", quoted(name)),
    ))
}

fn wrong<E: Error>(message: &str) -> E {
    E::custom(refusal_text(
        code::SITE_SELECTOR,
        message,
        "write a node name, a glob such as `dgx-*`, or `{category: dgx-h100}`",
    ))
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SelectorVisitor)
    }
}

impl JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Selector")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Selects nodes of the inventory: a name, a glob, or all physical nodes of a category.",
            "oneOf": [
                {"type": "string", "pattern": NodeGlob::PATTERN, "examples": [NodeName::EXAMPLE, "dgx-*"]},
                {"type": "object", "properties": {"category": {"type": "string", "minLength": 1, "pattern": "\\S"}},
                 "required": ["category"], "additionalProperties": false}
            ]
        })
    }
}
