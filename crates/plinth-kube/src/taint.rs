//! Taints of a node. They are one list without owners: it is read, changed and written back only if nobody changed it meanwhile. Which of
//! them are ours stands in an annotation of the node, written together with them.

use crate::api::{Call, OWNER};
use crate::failure::{Cause, Failure};
use k8s_openapi::api::core::v1::{Node, Taint};
use kube::api::{Api, Patch, PatchParams};
use plinth_model::NodeName;
use plinth_world::ClientResult;
use plinth_world::kube::taint_name;
use serde_json::json;
use std::collections::BTreeSet;

/// Names of the taints that plinth set, `key:Effect`, with commas in between.
const MARK: &str = "plinth.dev/managed-taints";

/// Sets the wanted taints, and takes away our own that are not among them.
pub(super) async fn set(call: &Call<'_>, node: &NodeName, wanted: &[String]) -> ClientResult<()> {
    call.change(|| attempt(call, node, wanted)).await
}

async fn attempt(call: &Call<'_>, node: &NodeName, wanted: &[String]) -> Result<(), Failure> {
    let nodes = Api::<Node>::all(call.client());
    let found = call.patiently(|| nodes.get_opt(node.as_str())).await?;
    let found = found.ok_or_else(|| Failure::new(Cause::NotFound, format!("Kubernetes does not know node {node}")))?;
    let before = own(&found);
    let present = found.spec.and_then(|spec| spec.taints).unwrap_or_default();
    let (taints, ours) = with(&present, &before, wanted);
    if taints == present && ours == before {
        return Ok(());
    }
    let mark = (!ours.is_empty()).then(|| ours.into_iter().collect::<Vec<_>>().join(","));
    let patch = json!({
        "metadata": {"resourceVersion": found.metadata.resource_version, "annotations": {MARK: mark}},
        "spec": {"taints": taints},
    });
    let params = PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() };
    let patch = Patch::Merge(&patch);
    call.attempt(|| nodes.patch(node.as_str(), &params, &patch)).await.map(drop)
}

/// Names of the taints that we set.
pub(super) fn own(node: &Node) -> BTreeSet<String> {
    let mark = node.metadata.annotations.as_ref().and_then(|all| all.get(MARK));
    mark.into_iter().flat_map(|mark| mark.split(',')).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The list with the wanted taints in it and without ours that are not wanted, and which are ours then. One that somebody else set, and
/// that we want too, stays theirs.
fn with(present: &[Taint], own: &BTreeSet<String>, wanted: &[String]) -> (Vec<Taint>, BTreeSet<String>) {
    let names: BTreeSet<String> = wanted.iter().map(|taint| taint_name(taint)).collect();
    let stays = |known: &&Taint| names.contains(&name(known)) || !own.contains(&name(known));
    let mut taints: Vec<Taint> = present.iter().filter(stays).cloned().collect();
    let mut ours: BTreeSet<String> = own.intersection(&names).cloned().collect();
    for taint in wanted.iter().map(|text| parse(text)) {
        taints.retain(|known| name(known) != name(&taint) || value(known) == value(&taint));
        if !taints.iter().any(|known| name(known) == name(&taint)) {
            ours.insert(name(&taint));
            taints.push(taint);
        }
    }
    (taints, ours)
}

/// `key=value:Effect` or `key:Effect`.
fn parse(text: &str) -> Taint {
    let (name, effect) = text.rsplit_once(':').unwrap_or((text, ""));
    let (key, value) = name.split_once('=').map_or((name, None), |(key, value)| (key, Some(value)));
    let value = value.filter(|value| !value.is_empty()).map(str::to_owned);
    Taint { key: key.to_owned(), effect: effect.to_owned(), value, time_added: None }
}

fn value(taint: &Taint) -> &str {
    taint.value.as_deref().unwrap_or_default()
}

fn name(taint: &Taint) -> String {
    taint_name(&text(taint))
}

/// `key=value:Effect`, or `key:Effect` without a value.
pub(super) fn text(taint: &Taint) -> String {
    let equals = if value(taint).is_empty() { "" } else { "=" };
    format!("{}{equals}{}:{}", taint.key, value(taint), taint.effect)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn after(own: &[&str], wanted: &[&str]) -> (Vec<String>, Vec<String>) {
        let present: Vec<Taint> = ["a=1:NoSchedule", "b:NoExecute"].iter().map(|t| parse(t)).collect();
        let own = own.iter().map(|name| (*name).to_owned()).collect();
        let wanted: Vec<String> = wanted.iter().map(|t| (*t).to_owned()).collect();
        let (taints, ours) = with(&present, &own, &wanted);
        (taints.iter().map(text).collect(), ours.into_iter().collect())
    }

    #[test]
    fn wanted_taints_come_into_the_list_and_others_stay() {
        let list = |own: &[&str], wanted: &[&str]| after(own, wanted).0;
        assert_eq!(list(&[], &[]), ["a=1:NoSchedule", "b:NoExecute"]);
        assert_eq!(list(&[], &["a=1:NoSchedule", "b=:NoExecute"]), ["a=1:NoSchedule", "b:NoExecute"]);
        assert_eq!(list(&[], &["a=2:NoSchedule"]), ["b:NoExecute", "a=2:NoSchedule"]);
        assert_eq!(list(&[], &["a=1:NoExecute"]), ["a=1:NoSchedule", "b:NoExecute", "a=1:NoExecute"]);
        assert_eq!(parse("nvidia.com/gpu:NoSchedule").key, "nvidia.com/gpu");
    }

    #[test]
    fn a_dropped_taint_goes_when_it_is_ours_and_stays_when_it_is_not() {
        let words = |taints: &[&str], ours: &[&str]| {
            let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
            (texts(taints), texts(ours))
        };
        assert_eq!(after(&["a:NoSchedule"], &[]), words(&["b:NoExecute"], &[]));
        assert_eq!(
            after(&["a:NoSchedule"], &["a=1:NoSchedule"]),
            words(&["a=1:NoSchedule", "b:NoExecute"], &["a:NoSchedule"])
        );
        assert_eq!(after(&[], &["a=1:NoSchedule"]).1, Vec::<String>::new(), "somebody else had set it");
        assert_eq!(after(&[], &["c:NoSchedule"]).1, ["c:NoSchedule"]);
        assert_eq!(after(&["gone:NoSchedule"], &[]), words(&["a=1:NoSchedule", "b:NoExecute"], &[]), "the mark goes");
    }
}
