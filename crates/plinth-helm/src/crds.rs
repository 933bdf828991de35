//! Definitions of kinds (custom resource definitions) around an upgrade. helm makes those in `crds/` once and never changes them, and it
//! removes one that was a template of the installed chart and is none of the new one, with every object of the kind.

use crate::documents::{opened, parts};
use crate::failure::{self, CLIENT};
use crate::local::HelmCluster;
use plinth_model::ReleaseName;
use plinth_model::steps::Health;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use serde_json::Value;
use std::collections::BTreeSet;

const KIND: &str = "CustomResourceDefinition";
const RESOURCE: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// With the value `keep`, helm removes an object neither on upgrade nor on uninstall.
const POLICY: &str = "helm.sh/resource-policy";
const KEEP: &str = "keep";

/// Definitions that the package brings beside its templates and that are among the templates of `installed`, the manifest that helm
/// compares with: this upgrade would remove them. Those that helm was told to keep are answered, the others are refused.
///
/// # Errors
/// When one is there that helm would remove.
pub(super) async fn moved(
    ctx: &Context,
    cluster: &dyn HelmCluster,
    release: &ReleaseName,
    installed: &str,
    package: &[Value],
    doing: &str,
) -> ClientResult<Vec<Value>> {
    let templates = of_manifest(installed).map_err(|why| failure::unreadable_manifest(doing, release, &why))?;
    let moved: Vec<&Value> = package.iter().filter(|one| templates.contains(name(one))).collect();
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for one in moved {
        // helm reads it from the object itself, whoever wrote it there.
        match cluster.definition_annotation(ctx, name(one), POLICY).await? {
            Some(policy) if policy == KEEP => kept.push(one.clone()),
            Some(_) => lost.push(name(one).to_owned()),
            // It is not there, so nothing is lost.
            None => {}
        }
    }
    if lost.is_empty() { Ok(kept) } else { Err(failure::definitions_would_go(doing, release, &lost)) }
}

/// Refuses a change from the one manifest to the other when it would remove definitions.
///
/// # Errors
/// When one is there that helm would remove, or a manifest cannot be read.
pub(super) async fn none_goes(
    ctx: &Context,
    cluster: &dyn HelmCluster,
    release: &ReleaseName,
    (from, to): (&str, &str),
    doing: &str,
) -> ClientResult<()> {
    let read = |manifest| of_manifest(manifest).map_err(|why| failure::unreadable_manifest(doing, release, &why));
    let (from, to) = (read(from)?, read(to)?);
    let mut lost = Vec::new();
    for name in from.difference(&to) {
        let policy = cluster.definition_annotation(ctx, name, POLICY).await?;
        lost.extend(policy.filter(|policy| policy != KEEP).map(|_| name.clone()));
    }
    if lost.is_empty() { Ok(()) } else { Err(failure::definitions_would_go(doing, release, &lost)) }
}

/// Applies definitions and waits until they are served.
pub(super) async fn apply(ctx: &Context, cluster: &dyn HelmCluster, all: &[Value], doing: &str) -> ClientResult<()> {
    let mut wanted: Vec<&Value> = all.iter().filter(|one| one["kind"] == KIND).collect();
    cluster.apply(ctx, all).await?;
    let until = ctx.clock().elapsed() + deadlines::HELM_CRDS_SERVED;
    while let Some(one) = wanted.pop() {
        let health = Health::Condition {
            resource: RESOURCE.to_owned(),
            name: name(one).to_owned(),
            namespace: String::new(),
            condition: "Established".to_owned(),
        };
        let state = cluster.health(ctx, "", &health).await?;
        if state.holds {
            continue;
        }
        if ctx.clock().elapsed() >= until {
            let happened = format!("definition {} was applied and is not served: {}", name(one), state.seen);
            return Err(ClientError::new(CLIENT, doing)
                .happened(happened)
                .attempt("look at its status, then run again"));
        }
        wanted.push(one);
        ctx.clock().sleep(deadlines::HELM_POLL).await;
    }
    Ok(())
}

fn name(definition: &Value) -> &str {
    definition.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// Names of the definitions in a release's manifest. What they say of being kept does not count: helm asks the object that is there.
///
/// # Errors
/// When a part that may be a definition cannot be read: it may be one that is lost.
fn of_manifest(manifest: &str) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for part in parts(manifest).filter(|part| part.contains(KIND)) {
        let all = opened(part)?;
        names.extend(all.iter().filter(|one| one["kind"] == KIND).map(|one| name(one).to_owned()));
    }
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn definitions_among_templates_are_found() {
        let manifest = "---\n# Source: a/templates/x.yaml\nkind: CustomResourceDefinition\nmetadata:\n  name: a.example.com\n---\n\
            kind: ConfigMap\nmetadata: {name: CustomResourceDefinition}\n---\n\
            kind: CustomResourceDefinition\nmetadata: {name: b.example.com, annotations: {helm.sh/resource-policy: keep}}\n\
            ---\nkind: List\nitems:\n  - kind: CustomResourceDefinition\n    metadata:\n      name: c.example.com\n";
        let names: Vec<String> = of_manifest(manifest).unwrap().into_iter().collect();
        assert_eq!(names, ["a.example.com", "b.example.com", "c.example.com"]);
        let broken = format!("{manifest}---\nkind: CustomResourceDefinition\nmetadata: {{{{ x\n");
        assert!(of_manifest(&broken).is_err(), "it may be one that is lost");
        assert!(of_manifest(&broken.replace(KIND, "ConfigMap")).unwrap().is_empty());
    }
}
