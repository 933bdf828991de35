//! Objects of a release that somebody changed or removed behind our back: found by what helm keeps of the release and by who set which field,
//! and put right field by field in helm's name. helm itself is not asked: an upgrade renders the chart anew, runs its hooks, and leaves objects
//! of further kinds as they are, since it merges only what changed between two manifests into those.
//!
//! Not covered: objects of hooks, objects without a name of their own, what somebody added beside what the manifest sets, and Jobs that are
//! gone, since they are cleaned up when they have ended.

mod compare;
mod lists;
mod memory;
mod owners;
mod repair;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod wanted;

pub(crate) use lists::Lists;
pub(crate) use repair::PutRight;
pub(crate) use wanted::applied;

use crate::local::LocalHelm;
use crate::payload::Payload;
use compare::Edit;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use lists::{Kind, Listed};
use memory::{Memory, settles};
use owners::Setter;
use plinth_model::api_group::{group_of, is_own};
use plinth_model::finding::code;
use plinth_model::{ObjectName, ReleaseName};
use plinth_world::helm::{Drift, Part};
use plinth_world::{Cause, ClientError, ClientResult, Context};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use wanted::{Wanted, wanted};

/// Questions about single objects at the same time.
const AT_ONCE: usize = 8;
/// Lines at most; the others are counted.
const LINES: usize = 40;
/// With what people change objects by hand. A controller that sets fields right behind an installation belongs to it; a person does not.
const BY_HAND: [&str; 8] =
    ["kubectl", "k9s", "Lens", "node-fetch", "curl", "OpenAPI-Generator", "dashboard", "Mozilla"];

/// A release of which objects are looked at.
pub(crate) struct Looked<'a> {
    pub(crate) name: ReleaseName,
    pub(crate) there: &'a Payload,
    /// When helm wrote down that it is deployed, by the API server's clock.
    pub(crate) settled: Option<Timestamp>,
    pub(crate) doing: &'a str,
}

/// An object that is not there.
struct Missing {
    wanted: Wanted,
    /// Nor is its kind.
    is_kindless: bool,
}

/// An object with fields that are otherwise.
struct Edited {
    name: ObjectName,
    manifest: Value,
    live: Value,
    edits: Vec<Edit>,
}

/// What is otherwise.
#[derive(Default)]
struct Found {
    missing: Vec<Missing>,
    edited: Vec<Edited>,
    left: Vec<String>,
    unseen: BTreeSet<String>,
}

impl Found {
    fn drift(&self) -> Drift {
        let gone = |one: &Missing| match one.is_kindless {
            true => format!("+ {}, which is gone with its kind", one.wanted.name),
            false => format!("+ {}, which somebody removed", one.wanted.name),
        };
        let fields = |one: &Edited| one.edits.iter().map(|edit| edit.line(&one.name.to_string())).collect::<Vec<_>>();
        let lines = self.missing.iter().map(gone).chain(self.edited.iter().flat_map(fields)).collect();
        Drift { lines: bounded(lines), left: bounded(self.left.clone()), unseen: self.unseen.iter().cloned().collect() }
    }

    /// Keeps it when it differs: what is on its way out is looked at when it is gone.
    fn compare(&mut self, wanted: Wanted, live: &Value) {
        if wanted.is_definition || live.pointer("/metadata/deletionTimestamp").is_some() {
            return;
        }
        let edits = compare::edits(&wanted.manifest, live);
        if !edits.is_empty() {
            let namespace = live.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
            let name = ObjectName { namespace: namespace.to_owned(), ..wanted.name };
            self.edited.push(Edited { name, manifest: wanted.manifest, live: live.clone(), edits });
        }
    }
}

fn bounded(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(LINES);
    if more > 0 {
        lines.truncate(LINES);
        lines.push(format!("~ and {more} more"));
    }
    lines
}

impl LocalHelm {
    /// What somebody changed or removed.
    pub(crate) async fn changed_objects(&self, ctx: &Context, looked: &Looked<'_>) -> ClientResult<Drift> {
        let mut drift = self.found(ctx, looked).await?.drift();
        for lines in [&mut drift.lines, &mut drift.left, &mut drift.unseen] {
            lines.iter_mut().for_each(|line| *line = self.secrets.redact(line));
        }
        Ok(drift)
    }

    async fn found(&self, ctx: &Context, looked: &Looked<'_>) -> ClientResult<Found> {
        let (mut found, mut suspects) = (Found::default(), Vec::new());
        let all = match manifest(looked).await {
            Ok(all) => all,
            Err(why) => {
                found.unseen.insert(format!("all: what helm keeps of its objects cannot be read: {why}"));
                return Ok(found);
            }
        };
        let lists = self.listed(ctx, &all, &mut found).await?;
        for one in all {
            match lists.get(&kind_of(&one)).map(|list| &**list) {
                Some(Listed::There(objects)) => match there(objects, &one, &looked.name) {
                    Some(live) => found.compare(one, live),
                    None => suspects.push(one),
                },
                Some(Listed::NoKind) => found.missing.push(Missing { wanted: one, is_kindless: true }),
                Some(Listed::Forbidden(why)) => drop(found.unseen.insert(format!("{}: {why}", one.name.kind))),
                None => {}
            }
        }
        drop(lists);
        self.look_for(ctx, suspects, &mut found).await?;
        self.judge(ctx, looked, &mut found);
        self.confirm(ctx, &mut found).await;
        Ok(found)
    }

    /// What is there of the kinds of these objects. A kind that cannot be listed is told, unless none can.
    async fn listed(
        &self,
        ctx: &Context,
        all: &[Wanted],
        found: &mut Found,
    ) -> ClientResult<HashMap<Kind, Arc<Listed>>> {
        let kinds: BTreeSet<Kind> = all.iter().map(kind_of).collect();
        let list = |kind: Kind| async { (self.lists.of(ctx, &*self.cluster, &kind).await, kind) };
        let (mut lists, mut failed) = (HashMap::new(), None);
        for (listed, kind) in futures::future::join_all(kinds.into_iter().map(list)).await {
            match listed {
                Ok(listed) => drop(lists.insert(kind, listed)),
                Err(error) => {
                    found.unseen.insert(format!("{}: {}", kind.1, error.happened));
                    failed = Some(error);
                }
            }
        }
        if let Some(error) = failed.filter(|_| lists.is_empty()) { Err(error) } else { Ok(lists) }
    }

    /// What is not among those with helm's label may only have lost it.
    async fn look_for(&self, ctx: &Context, suspects: Vec<Wanted>, found: &mut Found) -> ClientResult<()> {
        let suspects = suspects.into_iter().filter(|one| one.name.kind != "Job");
        let look = |one: Wanted| async {
            match self.cluster.live(ctx, &one.name).await {
                Ok(live) => Ok((one, Ok(live))),
                Err(error) if error.cause == Cause::Refused => Ok((one, Err(error.happened))),
                Err(error) => Err(error),
            }
        };
        let looked: Vec<_> = stream::iter(suspects).map(look).buffered(AT_ONCE).try_collect().await?;
        for (one, live) in looked {
            match live {
                Ok(Some(live)) => found.compare(one, &live),
                Ok(None) => found.missing.push(Missing { wanted: one, is_kindless: false }),
                Err(why) => drop(found.unseen.insert(format!("{}: {why}", one.name.kind))),
            }
        }
        Ok(())
    }

    /// Takes out what belongs to the release although helm did not write it, and what was put right in vain.
    fn judge(&self, ctx: &Context, looked: &Looked<'_>, found: &mut Found) {
        let (memory, now) = (Memory::read(&self.state, &looked.name), ctx.clock().now());
        let left = &mut found.left;
        found.missing.retain(|one| {
            let object = one.wanted.name.to_string();
            let again = memory.is_fresh(&object, "", now);
            if again {
                left.push(format!("{object} is gone again right after it was made again"));
            }
            !again
        });
        for Edited { name, manifest, edits, .. } in &mut found.edited {
            let object = name.to_string();
            let is_built_in = manifest["apiVersion"].as_str().is_some_and(|version| is_own(group_of(version)));
            edits.retain(|edit| {
                let when = edit.by.as_ref().map_or(Some(now), |setter| setter.when);
                if let Some(setter) = &edit.by
                    && belongs(setter, is_built_in, looked.settled)
                {
                    return false;
                }
                let again = when.is_some_and(|when| memory.is_fresh(&object, &edit.field, when));
                if again {
                    left.push(format!("{}, again right after it was put right", edit.line(&object)));
                }
                !again
            });
        }
        found.edited.retain(|one| !one.edits.is_empty());
    }

    /// Asks the API server what it would make of the repair, without keeping it: a field that it does not know is never there, and some it
    /// lets nobody change.
    async fn confirm(&self, ctx: &Context, found: &mut Found) {
        let ask = |one: Edited| async {
            let patch = patch(&one.edits, None);
            let after = self.cluster.change(ctx, &one.name, &patch, true).await;
            confirmed(one, after)
        };
        let edited = std::mem::take(&mut found.edited);
        let confirmed: Vec<_> = stream::iter(edited).map(ask).buffered(AT_ONCE).collect().await;
        for (one, left) in confirmed {
            found.left.extend(left);
            found.edited.extend((!one.edits.is_empty()).then_some(one));
        }
    }
}

/// Reading it takes a while where it is large, and releases are many.
async fn manifest(looked: &Looked<'_>) -> Result<Vec<Wanted>, String> {
    let (manifest, name) = (looked.there.manifest.clone(), looked.name.clone());
    let read = tokio::task::spawn_blocking(move || wanted(&manifest, &name)).await;
    read.unwrap_or_else(|_| Err("its reader stopped".to_owned()))
}

/// Definitions are large, and only whether they are there is asked.
fn kind_of(one: &Wanted) -> Kind {
    let part = if one.is_definition { Part::Metadata } else { Part::Whole };
    (one.name.api_version.clone(), one.name.kind.clone(), part)
}

/// The live object. Whether a further kind has namespaces is known by its objects.
fn there<'a>(objects: &'a HashMap<(String, String), Value>, one: &Wanted, release: &ReleaseName) -> Option<&'a Value> {
    let ObjectName { namespace, name, .. } = &one.name;
    let at = |namespace: &str| objects.get(&(namespace.to_owned(), name.clone()));
    match namespace.as_str() {
        "" => at("").or_else(|| at(&release.namespace)),
        namespace => at(namespace).or_else(|| at("")),
    }
}

/// Whether a field was set by what the release itself brings. helm sets back all fields of built-in kinds and writes down that it is done
/// behind its hooks: what is older was set by one of those. Controllers go to work right after that.
fn belongs(setter: &Setter, is_built_in: bool, settled: Option<Timestamp>) -> bool {
    let (Some(when), Some(settled)) = (setter.when, settled) else { return false };
    let by_hand = BY_HAND.iter().any(|program| setter.name.starts_with(program));
    (is_built_in && when <= settled) || (!by_hand && when.duration_since(settled) <= settles())
}

/// A JSON patch that sets fields back; of an object in this very state, where one is given.
fn patch(edits: &[Edit], state: Option<&Value>) -> Value {
    let is_it = state.map(|state| json!({"op": "replace", "path": "/metadata/resourceVersion", "value": state}));
    is_it.into_iter().chain(edits.iter().map(Edit::operation)).collect()
}

/// The edits that a repair would put right, and what is to be said of others.
fn confirmed(one: Edited, after: ClientResult<Value>) -> (Edited, Vec<String>) {
    let object = one.name.to_string();
    let Edited { name, manifest, live, edits } = one;
    let mut left = Vec::new();
    let edits = match after {
        Ok(after) => {
            let still: BTreeSet<String> =
                compare::edits(&manifest, &after).into_iter().map(|edit| edit.field).collect();
            let is_put_right = |edit: &Edit| match &edit.there {
                None => !still.contains(&edit.field),
                Some(there) => after.pointer(&edit.pointer) != Some(there),
            };
            let (right, not): (Vec<Edit>, Vec<Edit>) = edits.into_iter().partition(is_put_right);
            let others = not.iter().filter(|edit| edit.there.is_some());
            left.extend(others.map(|edit| format!("{}, and again whenever it is changed", edit.line(&object))));
            right
        }
        Err(error) => {
            // What is not there may be nothing that the API server keeps.
            let set: Vec<Edit> = edits.into_iter().filter(|edit| edit.there.is_some()).collect();
            let refused = error.cause == Cause::Refused && !is_forbidden(&error);
            if !refused {
                return (Edited { name, manifest, live, edits: set }, left);
            }
            left.extend(
                set.iter().map(|edit| format!("{}, and cannot be set back: {}", edit.line(&object), error.happened)),
            );
            Vec::new()
        }
    };
    (Edited { name, manifest, live, edits }, left)
}

fn is_forbidden(error: &ClientError) -> bool {
    error.finding.as_ref().is_some_and(|finding| finding.code == code::KUBERNETES_FORBIDDEN)
}
