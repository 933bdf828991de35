//! Objects that helm made, as they are in the cluster.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::ObjectName;
use serde_json::Value;

/// What was found of the objects of a release beside its chart, version and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// What somebody changed or removed, one line each, and what puts it right: `~ Deployment a/b: spec.replicas 2 → 1, set by ..`, `+ Service a/b, ..`.
    pub lines: Vec<String>,
    /// What is otherwise and stays so: something else sets it again, or the API server does not let it be changed; one line each.
    pub left: Vec<String>,
    /// Kinds that could not be compared, each with why.
    pub unseen: Vec<String>,
}

/// What is listed of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All but the status.
    Whole,
    /// Names and metadata.
    Metadata,
}

/// Objects of one kind that helm made, of whatever release.
#[derive(Clone, Debug)]
pub enum Made {
    /// These, with who set which of their fields (`metadata.managedFields`).
    There(Vec<Value>),
    /// The API server does not know the kind.
    NoKind,
    /// We may not list them; why.
    Forbidden(String),
}

/// Objects that helm made: looked at, and put right in its name, so that it stays the owner of their fields.
#[async_trait]
pub trait HelmObjects: Send + Sync {
    /// All of a kind (`apiVersion`, `kind`) that carry helm's label, in all namespaces.
    async fn made(&self, ctx: &Context, api_version: &str, kind: &str, part: Part) -> ClientResult<Made>;
    /// One, whatever labels it carries. None: it is not there, or its kind is not known. A namespace counts for kinds that have one only.
    async fn live(&self, ctx: &Context, object: &ObjectName) -> ClientResult<Option<Value>>;
    /// Changes one by a JSON patch (RFC 6902), and answers what it is then. With `dry`, nothing is kept: it is what it would be.
    async fn change(&self, ctx: &Context, object: &ObjectName, patch: &Value, dry: bool) -> ClientResult<Value>;
    /// Makes one that is not there, and answers what it is then.
    async fn create(&self, ctx: &Context, object: &ObjectName, manifest: &Value) -> ClientResult<Value>;
}
