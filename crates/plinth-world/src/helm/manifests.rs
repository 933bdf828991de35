//! What a chart would bring, rendered by helm on this machine before anything of it is in a cluster.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::Version;
use plinth_model::steps::Release;
use serde_json::Value;

/// How manifests are rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The Kubernetes that they are for.
    pub kubernetes: Option<Version>,
    /// Kinds beside Kubernetes' own that are served by then, `monitoring.coreos.com/v1/ServiceMonitor`: charts ask for them.
    pub kinds: Vec<String>,
    /// Whether a package that is not here yet is fetched. helm itself never is.
    pub may_fetch: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered {
    /// The manifests. Where a value is a secret, something else stands in them.
    Manifests {
        /// Objects of templates and hooks, without tests.
        objects: Vec<Value>,
        /// Definitions of kinds that the package brings beside its templates.
        definitions: Vec<Value>,
    },
    /// helm or the chart refuses.
    Refused {
        /// The chart's own schema of its values does: the same would happen in a run.
        by_schema: bool,
        /// What was said, shortened and without secrets.
        lines: Vec<String>,
    },
    /// It was not tried: the end of the sentence `not rendered, since ...`.
    NotHere(String),
}

/// The values that a chart has where nobody gives any, with those of its sub-charts under their keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartDefaults {
    /// As `values.yaml` has them.
    pub values: Value,
    /// Keys of sub-charts that the package does not hold, as dotted paths: nobody can say what is below them.
    pub open: Vec<String>,
}

/// Renders manifests. It needs no cluster and none of the site's secrets, so it is no part of the Helm client.
#[async_trait]
pub trait ManifestRenderer: Send + Sync {
    /// What the release would bring. Nothing is changed; the same question is worked out once.
    async fn render(&self, ctx: &Context, release: &Release, how: &Rendering) -> ClientResult<Rendered>;
    /// What the chart has by default, which needs no helm; none: its package is not here, and is fetched only if `may_fetch` says so.
    async fn defaults(&self, ctx: &Context, release: &Release, may_fetch: bool) -> ClientResult<Option<ChartDefaults>>;
}
