//! Departments and projects, and their quota of GPUs in the node pool `default`.
//!
//! Source: API descriptions in the vendor's client, 2.18 to 2.24. The interface answers 409 for a name that is used, so making one again
//! does no harm; the part of the quota that is changed is sent with everything that was read of it, so nothing else moves.

use crate::failure::{Cause, Failure};
use crate::link::Body;
use crate::session::Session;
use plinth_model::steps::{OrgUnit, RunaiTarget};
use plinth_world::Context;
use plinth_world::runai::{RunaiOrgUnit, RunaiProject};
use reqwest::Method;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// The node pool that Run:ai makes itself, and to which every node belongs that no other pool takes.
const POOL: &str = "default";
/// Most pages that are read.
const PAGES_MAX: usize = 100;
/// Entries on a page: the most that may be asked for.
const PAGE: usize = 500;

/// A page of departments or of projects.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "departments", alias = "projects")]
    units: Vec<Unit>,
    /// `offset` of the next page.
    #[serde(default)]
    next: Option<u64>,
}

/// A department or a project.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unit {
    #[serde(deserialize_with = "id")]
    id: String,
    name: String,
    cluster_id: String,
    #[serde(default)]
    parent_id: Option<Value>,
    #[serde(default)]
    resources: Vec<Value>,
}

impl Unit {
    fn share(&self, pool: &str) -> Option<&Value> {
        self.resources.iter().find(|share| share.pointer("/nodePool/id").and_then(as_id).as_deref() == Some(pool))
    }

    fn gpus(&self, pool: &str) -> Option<f64> {
        self.share(pool)?.pointer("/gpu/deserved")?.as_f64()
    }
}

/// Node pools: a bare list, or one with a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Pools {
    Bare(Vec<Pool>),
    Named { nodepools: Vec<Pool> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pool {
    #[serde(deserialize_with = "id")]
    id: String,
    name: String,
    #[serde(default)]
    cluster_id: Option<String>,
}

/// An id is a text, or a number in older releases.
fn as_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// It becomes part of a path, so it holds nothing that means something there.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = as_id(&Value::deserialize(deserializer)?);
    let fits = |text: &String| {
        !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.filter(fits).ok_or_else(|| serde::de::Error::custom("an id is letters, digits and dashes"))
}

/// Calls about the departments and projects of one cluster.
pub(crate) struct OrgUnits<'a> {
    pub(crate) session: &'a Session,
    pub(crate) ctx: &'a Context,
    pub(crate) target: &'a RunaiTarget,
    pub(crate) uuid: &'a str,
}

impl OrgUnits<'_> {
    /// The one of exactly this name.
    pub(crate) async fn find(&self, unit: &OrgUnit) -> Result<Option<RunaiOrgUnit>, Failure> {
        match self.named(self.place(unit), &unit.name).await? {
            None => Ok(None),
            Some(found) => self.seen(unit, &found).await.map(Some),
        }
    }

    /// All projects of the cluster, by name.
    pub(crate) async fn projects(&self) -> Result<Vec<RunaiProject>, Failure> {
        let all = self.all(&self.target.api.projects).await?.into_iter();
        let mut all: Vec<RunaiProject> =
            all.map(|unit| RunaiProject { id: unit.id, name: self.session.link.quote(&unit.name) }).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Makes it; one that somebody made in between is answered as it is.
    pub(crate) async fn make(&self, unit: &OrgUnit) -> Result<RunaiOrgUnit, Failure> {
        let pool = self.pool().await?;
        let mut body = json!({
            "name": unit.name,
            "clusterId": self.uuid,
            "resources": [{"nodePool": {"id": pool}, "gpu": {"deserved": unit.gpus}}],
        });
        if let Some(department) = &unit.department {
            body["parentId"] = Value::from(self.department(department).await?);
        }
        let body = Body::Json(body.to_string());
        let once = || async { self.session.call(self.ctx, Method::POST, self.place(unit), &body).await.map(drop) };
        let refused = match self.session.patiently(self.ctx, once).await {
            Ok(()) => None,
            Err(failure) if failure.cause == Cause::Conflict => Some(failure),
            Err(failure) => return Err(failure),
        };
        let lost = || Failure::new(Cause::BadAnswer, format!("{} was made, and is not in the list", unit.title()));
        // Somebody made it in between, or the name is taken elsewhere: then the server's own words count.
        let why = || refused.map_or_else(lost, |failure| Failure { cause: Cause::Rejected, ..failure });
        self.find(unit).await?.ok_or_else(why)
    }

    /// Sets the quota of GPUs, and sends the rest of the share of GPUs as it was read.
    pub(crate) async fn set_quota(&self, unit: &OrgUnit) -> Result<(), Failure> {
        let pool = self.pool().await?;
        let found = self.named(self.place(unit), &unit.name).await?;
        let found = found.ok_or_else(|| Failure::new(Cause::NotFound, format!("there is no {}", unit.title())))?;
        let mut gpu = found.share(&pool).and_then(|share| share.get("gpu")).cloned();
        let gpu = gpu.get_or_insert_with(|| json!({}));
        if !gpu.is_object() {
            *gpu = json!({});
        }
        gpu["deserved"] = Value::from(unit.gpus);
        let body = Body::Json(json!([{"nodePool": {"id": pool}, "gpu": gpu}]).to_string());
        let path = format!("{}/{}/resources", self.place(unit), found.id);
        let once = || async { self.session.call(self.ctx, Method::PATCH, &path, &body).await.map(drop) };
        self.session.patiently(self.ctx, once).await
    }

    const fn place(&self, unit: &OrgUnit) -> &str {
        if unit.department.is_some() { self.target.api.projects.as_str() } else { self.target.api.departments.as_str() }
    }

    async fn seen(&self, unit: &OrgUnit, found: &Unit) -> Result<RunaiOrgUnit, Failure> {
        let department = match (&unit.department, found.parent_id.as_ref().and_then(as_id)) {
            (Some(_), Some(parent)) => {
                let departments = self.all(&self.target.api.departments).await?;
                let named = departments.into_iter().find(|department| department.id == parent);
                named.map(|department| self.session.link.quote(&department.name))
            }
            _ => None,
        };
        let gpus = found.gpus(&self.pool().await?);
        Ok(RunaiOrgUnit { id: found.id.clone(), department, gpus })
    }

    async fn department(&self, name: &str) -> Result<String, Failure> {
        let found = self.named(&self.target.api.departments, name).await?;
        let found = found.ok_or_else(|| Failure::new(Cause::NotFound, format!("there is no department {name}")))?;
        Ok(found.id)
    }

    async fn named(&self, place: &str, name: &str) -> Result<Option<Unit>, Failure> {
        Ok(self.all(place).await?.into_iter().find(|unit| unit.name == name))
    }

    /// All of this cluster, page by page.
    async fn all(&self, place: &str) -> Result<Vec<Unit>, Failure> {
        let (mut all, mut offset) = (Vec::new(), 0);
        for _ in 0..PAGES_MAX {
            let page: Page = self.session.read(self.ctx, &format!("{place}?limit={PAGE}&offset={offset}")).await?;
            all.extend(page.units.into_iter().filter(|unit| unit.cluster_id == self.uuid));
            match page.next {
                Some(next) if next > offset => offset = next,
                _ => return Ok(all),
            }
        }
        Err(Failure::new(Cause::BadAnswer, format!("the list does not end after {PAGES_MAX} pages")))
    }

    /// Id of the default node pool of this cluster. It is made a moment after the cluster.
    async fn pool(&self) -> Result<String, Failure> {
        let path = self.target.api.node_pools.replace("{uuid}", self.uuid);
        let pools = match self.session.read(self.ctx, &path).await? {
            Pools::Bare(pools) | Pools::Named { nodepools: pools } => pools,
        };
        let ours = |pool: &Pool| pool.name == POOL && pool.cluster_id.as_deref().is_none_or(|id| id == self.uuid);
        let none = || Failure::new(Cause::Unfinished, format!("the cluster has no node pool `{POOL}` yet"));
        pools.into_iter().find(ours).map(|pool| pool.id).ok_or_else(none)
    }
}
