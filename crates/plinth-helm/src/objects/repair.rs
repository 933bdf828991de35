//! Putting objects right in helm's name, so that the next upgrade finds what it left.

use super::memory::Memory;
use super::wanted::definition;
use super::{Edited, Found, Looked, Missing, patch};
use crate::crds;
use crate::failure;
use crate::local::LocalHelm;
use plinth_model::amount;
use plinth_world::{ClientResult, Context};

/// Kinds that others need, before them; those that are asked about others, behind them.
const FIRST: [&str; 3] = ["Namespace", "ServiceAccount", "Secret"];
const LAST: [&str; 3] = ["APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// What putting right came to.
pub(crate) enum PutRight {
    /// In sentences; none where nothing was otherwise.
    Done(Vec<String>),
    /// Objects are gone with their kinds, which only the chart brings.
    NeedsChart,
}

impl LocalHelm {
    /// Makes the objects of a release what helm applied.
    pub(crate) async fn put_objects_right(&self, ctx: &Context, looked: &Looked<'_>) -> ClientResult<PutRight> {
        self.lists.wrote();
        let found = self.found(ctx, looked).await?;
        let count = found.missing.len() + found.edited.len();
        if count == 0 {
            return Ok(PutRight::Done(Vec::new()));
        }
        if found.missing.iter().any(|one| one.is_kindless && !has_own_definition(looked, one)) {
            return Ok(PutRight::NeedsChart);
        }
        ctx.progress(0, 0, format!("{} of {} put right", amount(count, "object"), looked.name.name));
        let put_right = self.put_found_right(ctx, looked, found).await;
        self.lists.wrote();
        put_right?;
        Ok(PutRight::Done(vec![format!("{} that somebody changed or removed put right", amount(count, "object"))]))
    }

    /// What was done is remembered also when the rest fails.
    async fn put_found_right(&self, ctx: &Context, looked: &Looked<'_>, found: Found) -> ClientResult<()> {
        let mut done = Vec::new();
        let ended = self.put_all_right(ctx, looked, found, &mut done).await;
        let mut memory = Memory::read(&self.state, &looked.name);
        memory.remember(done, ctx.clock().now());
        memory.keep(&self.state, &looked.name);
        ended
    }

    async fn put_all_right(
        &self,
        ctx: &Context,
        looked: &Looked<'_>,
        found: Found,
        done: &mut Vec<(String, String)>,
    ) -> ClientResult<()> {
        let Found { mut missing, edited, .. } = found;
        missing.sort_by_key(|one| order(&one.wanted.name.kind));
        let (definitions, missing): (Vec<Missing>, Vec<Missing>) =
            missing.into_iter().partition(|one| one.wanted.is_definition);
        self.define(ctx, looked, &definitions).await?;
        done.extend(definitions.iter().map(|one| (one.wanted.name.to_string(), String::new())));
        for Missing { wanted, .. } in missing {
            self.cluster.create(ctx, &wanted.name, &wanted.manifest).await?;
            done.push((wanted.name.to_string(), String::new()));
        }
        for Edited { name, live, edits, .. } in edited {
            let patch = patch(&edits, live.pointer("/metadata/resourceVersion"));
            self.cluster.change(ctx, &name, &patch, false).await?;
            done.extend(edits.into_iter().map(|edit| (name.to_string(), edit.field)));
        }
        Ok(())
    }

    /// Definitions are applied as plinth applies those beside a chart, and waited for: their objects come next.
    async fn define(&self, ctx: &Context, looked: &Looked<'_>, missing: &[Missing]) -> ClientResult<()> {
        let mut all = Vec::new();
        for one in missing {
            let whole = definition(&looked.there.manifest, &one.wanted.name.name)
                .map_err(|why| failure::unreadable_manifest(looked.doing, &looked.name, &why))?;
            all.extend(whole.map(|whole| super::applied(whole, &looked.name)));
        }
        if all.is_empty() { Ok(()) } else { crds::apply(ctx, &*self.cluster, &all, looked.doing).await }
    }
}

/// Whether the definition of its kind is among the release's own objects, and so is made first.
fn has_own_definition(looked: &Looked<'_>, one: &Missing) -> bool {
    let (group, kind) = (plinth_model::api_group::group_of(&one.wanted.name.api_version), &one.wanted.name.kind);
    let names = |object: &serde_json::Value| {
        object["spec"]["group"] == group && object["spec"]["names"]["kind"] == kind.as_str()
    };
    let definitions =
        crate::documents::parts(&looked.there.manifest).filter(|part| part.contains("CustomResourceDefinition"));
    definitions.filter_map(|part| crate::documents::opened(part).ok()).flatten().any(|object| names(&object))
}

fn order(kind: &str) -> usize {
    match (FIRST.iter().position(|first| *first == kind), LAST.iter().position(|last| *last == kind)) {
        (Some(first), _) => first,
        (None, Some(last)) => FIRST.len() + 1 + last,
        (None, None) => FIRST.len(),
    }
}
