//! What comes up in a namespace, seen as it changes: workloads and objects that prove health, pods, Jobs of hooks, Events. What breaks
//! off is begun again by itself; nothing is lost by it, since whoever waits looks again in time as well.

mod pod;
mod seen;

use crate::api::KubeApi;
use crate::health::kind_of;
use async_trait::async_trait;
use futures::future::{Either, select};
use futures::stream::{BoxStream, SelectAll, StreamExt as _};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event as Told, Pod};
use kube::api::{Api, DynamicObject, LogParams, PartialObjectMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{Config, Event, watch_object, watcher};
use kube::{Client, Resource};
use plinth_model::steps::Health;
use plinth_world::kube::{KubeWatch, Unwatched, Watch};
use plinth_world::secrets::Secrets;
use plinth_world::{Context, deadlines};
use seen::{Hook, Seen};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Longest line that is told, characters.
const LINE: usize = 240;
/// Objects in one answer to a list.
const PAGE: u32 = 500;
/// Most of a log that is read for its last line, bytes.
const LOG: i64 = 4096;

/// What a stream says.
enum Change {
    /// Something that proves health changed.
    Health,
    Pod(Box<Event<Pod>>),
    Job(Box<Event<PartialObjectMeta<Job>>>),
    Told(Box<Event<Told>>),
    /// It broke off, and is begun again.
    Broken,
}

/// The streams of one namespace, and what they said so far.
struct NamespaceWatch {
    client: Client,
    namespace: String,
    secrets: Arc<dyn Secrets>,
    streams: SelectAll<BoxStream<'static, Change>>,
    seen: Seen,
}

#[async_trait]
impl KubeWatch for KubeApi {
    async fn watch(&self, ctx: &Context, namespace: &str, health: &[Health]) -> Box<dyn Watch> {
        let Ok(call) = self.call(ctx, format!("watching {namespace}")).await else { return Box::new(Unwatched) };
        let client = call.client();
        let mut streams = SelectAll::new();
        streams.push(all(Api::namespaced(client.clone(), namespace), |event| Change::Pod(Box::new(event))));
        streams.push(all(Api::namespaced(client.clone(), namespace), |event| Change::Job(Box::new(event))));
        streams.push(all(Api::namespaced(client.clone(), namespace), |event| Change::Told(Box::new(event))));
        for proof in health {
            let stream = match proof {
                Health::Workload { kind, name } => workload(&client, namespace, kind, name),
                Health::Field { resource, name, namespace, .. }
                | Health::Condition { resource, name, namespace, .. } => {
                    let kind = kind_of(&call, resource).await.ok().flatten();
                    kind.map(|kind| {
                        let client = client.clone();
                        let api: Api<DynamicObject> = match namespace.as_str() {
                            "" => Api::all_with(client, &kind),
                            namespace => Api::namespaced_with(client, namespace, &kind),
                        };
                        one(api, name)
                    })
                }
                // Nodes say something of themselves all the time; they are asked now and then.
                Health::Allocatable { .. } => None,
            };
            streams.extend(stream);
        }
        let seen = Seen::since(ctx.clock().now());
        let secrets = Arc::clone(&self.secrets);
        Box::new(NamespaceWatch { client, namespace: namespace.to_owned(), secrets, streams, seen })
    }
}

fn workload(client: &Client, namespace: &str, kind: &str, name: &str) -> Option<BoxStream<'static, Change>> {
    let client = client.clone();
    match kind {
        "Deployment" => Some(one(Api::<Deployment>::namespaced(client, namespace), name)),
        "DaemonSet" => Some(one(Api::<DaemonSet>::namespaced(client, namespace), name)),
        "StatefulSet" => Some(one(Api::<StatefulSet>::namespaced(client, namespace), name)),
        _ => None,
    }
}

fn one<K>(api: Api<K>, name: &str) -> BoxStream<'static, Change>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let stream = watch_object(api, name).default_backoff();
    stream.map(|said| said.map_or(Change::Broken, |_| Change::Health)).boxed()
}

fn all<K>(api: Api<K>, change: fn(Event<K>) -> Change) -> BoxStream<'static, Change>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let stream = watcher(api, Config::default().page_size(PAGE)).default_backoff();
    stream.map(move |said| said.map_or(Change::Broken, change)).boxed()
}

impl NamespaceWatch {
    /// Whether somebody who waits would want to look.
    fn take(&mut self, change: Change) -> bool {
        match change {
            Change::Health => true,
            Change::Broken => false,
            Change::Pod(event) => self.seen.pod(*event),
            Change::Job(event) => self.seen.job(*event),
            Change::Told(event) => self.seen.told(*event),
        }
    }

    /// The last line that a hook wrote.
    async fn last_line(&mut self, hook: &Hook) -> Option<String> {
        let pods = Api::<Pod>::namespaced(self.client.clone(), &self.namespace);
        let params = LogParams {
            container: Some(hook.container.clone()),
            tail_lines: Some(1),
            limit_bytes: Some(LOG),
            ..LogParams::default()
        };
        let text = timeout(deadlines::KUBE_LOG_LINE, pods.logs(&hook.pod, &params)).await.ok()?.ok()?;
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Some(self.secrets.redact(line))
    }
}

#[async_trait]
impl Watch for NamespaceWatch {
    async fn changed(&mut self, ctx: &Context, most: Duration) -> Vec<String> {
        let clock = ctx.clock();
        let mut until = clock.elapsed() + most;
        let mut changed = false;
        while let Some(left) = until.checked_sub(clock.elapsed()).filter(|left| !left.is_zero()) {
            let Either::Left((Some(change), _)) = select(self.streams.next(), clock.sleep(left)).await else { break };
            if self.take(change) && !changed {
                // What belongs together comes at once.
                changed = true;
                until = until.min(clock.elapsed() + deadlines::KUBE_WATCH_SETTLES);
            }
        }
        let hook = match self.seen.running_hook() {
            Some(hook) => Some((self.last_line(&hook).await, hook)),
            None => None,
        };
        let lines = self.seen.lines(ctx.clock().now(), hook.as_ref().map(|(line, hook)| (hook, line.as_deref())));
        lines.iter().map(|line| self.secrets.redact(line).chars().take(LINE).collect()).collect()
    }

    async fn failed_hooks(&mut self, ctx: &Context) -> Vec<String> {
        // Whoever asks may have heard of the end before this did.
        let _what_is_waited_for = self.changed(ctx, deadlines::KUBE_WATCH_SETTLES).await;
        let mut lines = Vec::new();
        for hook in self.seen.failed_hooks() {
            let line = self.last_line(&hook).await.unwrap_or_else(|| "nothing, or its log is gone".to_owned());
            lines.push(format!("hook {} said last: {line}", hook.name).chars().take(LINE).collect());
        }
        lines
    }
}
