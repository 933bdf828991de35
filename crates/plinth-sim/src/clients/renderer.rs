//! Manifests of a rehearsal.

use async_trait::async_trait;
use plinth_model::steps::{Health, Release};
use plinth_world::helm::{ChartDefaults, ManifestRenderer, Rendered, Rendering};
use plinth_world::{ClientResult, Context};
use serde_json::{Value, json};

/// Knows as much of a chart as its component says: the workloads that prove its health, so hardened that no namespace refuses them.
/// Images, ports and kinds of real charts are not among it.
#[derive(Clone, Copy, Debug)]
pub struct SimRenderer;

#[async_trait]
impl ManifestRenderer for SimRenderer {
    async fn render(&self, _: &Context, release: &Release, _: &Rendering) -> ClientResult<Rendered> {
        let objects = release.health.iter().filter_map(|health| workload(release, health)).collect();
        Ok(Rendered::Manifests { objects, definitions: Vec::new() })
    }

    /// There are no packages in a rehearsal.
    async fn defaults(&self, _: &Context, _: &Release, _: bool) -> ClientResult<Option<ChartDefaults>> {
        Ok(None)
    }
}

/// The manifest of a workload; none: it is no workload.
fn workload(release: &Release, health: &Health) -> Option<Value> {
    let Health::Workload { kind, name } = health else { return None };
    let container = json!({
        "name": "main",
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
    });
    let pod = json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    });
    Some(json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "namespace": release.namespace},
        "spec": {"template": {"spec": pod}},
    }))
}
