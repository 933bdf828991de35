//! Departments, projects and node pools of a simulated control plane.

use super::plane::Plane;
use super::reply::Reply;
use super::unit::Unit;
use serde_json::{Map, Value, json};

/// Entries on a page when nobody says how many.
const PAGE: usize = 50;

impl Plane {
    /// A page of departments or projects, of all clusters.
    pub(super) fn units(&self, kind: &'static str, offset: usize, limit: Option<usize>) -> Reply {
        let held = self.held();
        let all: Vec<Value> = held.units.iter().filter(|unit| unit.kind == kind).map(Unit::json).collect();
        let page: Vec<&Value> = all.iter().skip(offset).take(limit.unwrap_or(PAGE)).collect();
        let next = offset + page.len();
        let mut body = json!({ kind: page });
        if next < all.len() {
            body["next"] = Value::from(next);
        }
        Reply::json(200, &body)
    }

    /// Makes one; a used name is a conflict.
    pub(super) fn make_unit(&self, kind: &'static str, body: &[u8]) -> Reply {
        let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else {
            return Reply::refused(400, "request body has an error: not an object");
        };
        let wanted: &[&str] = if kind == "projects" {
            &["name", "clusterId", "resources", "parentId"]
        } else {
            &["name", "clusterId", "resources"]
        };
        if let Some(missing) = wanted.iter().find(|key| !fields.contains_key(**key)) {
            return Reply::refused(400, &format!("property \"{missing}\" is missing"));
        }
        let mut held = self.held();
        let unit = Unit { kind, id: format!("{}", 100 + held.units.len()), fields };
        let same = |other: &Unit| {
            other.kind == kind && ["name", "clusterId"].iter().all(|key| other.text(key) == unit.text(key))
        };
        if held.units.iter().any(same) {
            return Reply::refused(409, "Resource with this name already exists");
        }
        if !held.clusters.iter().any(|entry| entry.uuid == unit.text("clusterId")) {
            return Reply::refused(404, "cluster not found");
        }
        let answer = Reply::json(201, &unit.json());
        held.units.push(unit);
        answer
    }

    /// Changes shares of node pools: those that are named, as a whole each.
    pub(super) fn patch_resources(&self, kind: &'static str, id: &str, body: &[u8]) -> Reply {
        let Ok(Value::Array(shares)) = serde_json::from_slice::<Value>(body) else {
            return Reply::refused(400, "request body has an error: not a list");
        };
        let mut held = self.held();
        let Some(unit) = held.units.iter_mut().find(|unit| unit.kind == kind && unit.id == id) else {
            return Reply::refused(404, "not found");
        };
        let Some(Value::Array(resources)) = unit.fields.get_mut("resources") else {
            return Reply::refused(500, "it has no resources");
        };
        for share in shares {
            let pool = share.pointer("/nodePool/id").cloned();
            match resources.iter_mut().find(|there| there.pointer("/nodePool/id").cloned() == pool) {
                Some(there) => {
                    for (key, value) in share.as_object().into_iter().flatten() {
                        there[key] = value.clone();
                    }
                }
                None => resources.push(share),
            }
        }
        Reply::json(200, &json!(resources))
    }

    /// The pools of a cluster; of all clusters when none is named. Only `default` is there, and one that is nobody's.
    pub(super) fn pools(&self, uuid: Option<&str>) -> Reply {
        let held = self.held();
        let entries = held.clusters.iter().enumerate().filter(|(_, entry)| uuid.is_none_or(|uuid| entry.uuid == uuid));
        let pool = |(at, uuid): (usize, &str), name: &str| {
            let id = 2 * at + usize::from(name == "default");
            json!({"id": id.to_string(), "name": name, "clusterId": uuid, "phase": "Ready"})
        };
        let pools: Vec<Value> = entries
            .flat_map(|(at, entry)| ["dgx", "default"].map(|name| pool((at, entry.uuid.as_str()), name)))
            .collect();
        if uuid.is_some() { Reply::json(200, &pools.into()) } else { Reply::json(200, &json!({ "nodepools": pools })) }
    }

    /// Whether there is a project of this id in a cluster.
    pub(super) fn has_project(&self, id: &str, cluster: &str) -> bool {
        let is_it = |unit: &Unit| unit.kind == "projects" && unit.id == id && unit.text("clusterId") == cluster;
        self.held().units.iter().any(is_it)
    }

    /// Somebody changes what is known of one by hand.
    pub(super) fn change_unit(&self, name: &str, change: impl FnOnce(&mut Map<String, Value>)) {
        if let Some(unit) = self.held().units.iter_mut().find(|unit| unit.text("name") == name) {
            change(&mut unit.fields);
        }
    }

    /// As it is known.
    pub(super) fn unit(&self, name: &str) -> Option<Value> {
        self.held().units.iter().find(|unit| unit.text("name") == name).map(Unit::json)
    }
}
