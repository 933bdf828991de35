//! What the streams of a namespace said so far, and what of it a person should read.

use super::pod::{Rank, Waiting, failed, running, short, waiting};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event as Told, Pod};
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::Event;
use std::collections::{BTreeMap, BTreeSet};

/// Annotation of what a chart lets helm run before or after its objects.
const HOOK: &str = "helm.sh/hook";
/// Most pods, and Jobs, that are remembered. What waits behind so many others is not read by anybody.
const MOST: usize = 1000;
/// How old a warning may be: it is told again while its reason lasts.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// Clocks of two machines.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(30);

/// A hook that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hook {
    /// Its Job, or the pod itself.
    pub(super) name: String,
    pub(super) pod: String,
    pub(super) container: String,
}

/// What is remembered of a pod.
#[derive(Debug, PartialEq, Eq)]
struct PodSeen {
    waiting: Option<Waiting>,
    /// The Job that made it, or its own name when it is a hook itself.
    job: Option<String>,
    is_hook: bool,
    running: Option<String>,
    /// Its container that ended with an error; none in a pod from before.
    failed: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Warning {
    at: Timestamp,
    text: String,
}

/// All that was seen.
pub(super) struct Seen {
    since: Timestamp,
    pods: BTreeMap<String, PodSeen>,
    hooks: BTreeSet<String>,
    /// Images that are pulled, by the names of pods.
    pulls: BTreeMap<String, String>,
    warning: Option<Warning>,
}

fn job_of(pod: &Pod) -> Option<String> {
    let owners = pod.metadata.owner_references.iter().flatten();
    owners.into_iter().find(|owner| owner.kind == "Job").map(|owner| owner.name.clone())
}

/// The image in `Pulling image "r.example/a:1"`.
fn pulled(message: &str) -> Option<String> {
    message.split('"').nth(1).filter(|image| !image.is_empty()).map(str::to_owned)
}

fn time_of(told: &Told) -> Option<Timestamp> {
    let last = told.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = last.or(told.last_timestamp.as_ref().map(|time| time.0)).or(told.event_time.as_ref().map(|time| time.0));
    last.or(told.metadata.creation_timestamp.as_ref().map(|time| time.0))
}

impl Seen {
    /// Events from before do not count.
    pub(super) fn since(now: Timestamp) -> Self {
        let since = now.checked_sub(SAME_MOMENT).unwrap_or(Timestamp::MIN);
        Self { since, pods: BTreeMap::new(), hooks: BTreeSet::new(), pulls: BTreeMap::new(), warning: None }
    }

    /// Whether it says something new; the same of the others.
    pub(super) fn pod(&mut self, event: Event<Pod>) -> bool {
        match event {
            Event::Apply(pod) => self.pod_is(&pod),
            Event::InitApply(pod) => {
                self.pod_is(&pod);
                false
            }
            Event::Delete(pod) => {
                let name = pod.metadata.name.unwrap_or_default();
                self.pulls.remove(&name);
                self.pods.remove(&name).is_some()
            }
            // The list that follows is whole.
            Event::Init => {
                self.pods.clear();
                false
            }
            Event::InitDone => !self.pods.is_empty(),
        }
    }

    fn pod_is(&mut self, pod: &Pod) -> bool {
        let Some(name) = pod.metadata.name.clone() else { return false };
        let own = pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(HOOK));
        let is_new = pod.metadata.creation_timestamp.as_ref().is_some_and(|made| made.0 >= self.since);
        let now = PodSeen {
            waiting: waiting(pod),
            job: job_of(pod).or_else(|| own.then(|| name.clone())),
            is_hook: own,
            running: running(pod).map(str::to_owned),
            failed: failed(pod).filter(|_| is_new).map(str::to_owned),
        };
        if now.waiting.as_ref().is_none_or(|waiting| waiting.rank != Rank::Starting) {
            self.pulls.remove(&name);
        }
        let news = self.pods.get(&name) != Some(&now);
        if self.pods.len() < MOST || self.pods.contains_key(&name) {
            self.pods.insert(name, now);
        }
        news
    }

    pub(super) fn job(&mut self, event: Event<PartialObjectMeta<Job>>) -> bool {
        let (job, there) = match event {
            Event::Apply(job) | Event::InitApply(job) => (job, true),
            Event::Delete(job) => (job, false),
            Event::Init | Event::InitDone => return false,
        };
        let Some(name) = job.metadata.name else { return false };
        let hook = job.metadata.annotations.is_some_and(|all| all.contains_key(HOOK));
        if there && hook && self.hooks.len() < MOST {
            self.hooks.insert(name);
        } else if !there {
            self.hooks.remove(&name);
        }
        hook
    }

    pub(super) fn told(&mut self, event: Event<Told>) -> bool {
        let (Event::Apply(told) | Event::InitApply(told)) = event else { return false };
        let Some(at) = time_of(&told).filter(|at| *at >= self.since) else { return false };
        let (object, reason) = (&told.involved_object, told.reason.as_deref().unwrap_or_default());
        let (kind, name) = (object.kind.as_deref().unwrap_or_default(), object.name.clone().unwrap_or_default());
        let message = told.message.as_deref().unwrap_or_default();
        if kind == "Pod" && reason == "Pulling" {
            let image = pulled(message).filter(|_| self.pulls.len() < MOST);
            return image.is_some_and(|image| self.pulls.insert(name, image.clone()).as_ref() != Some(&image));
        }
        if kind == "Pod" && reason == "Pulled" {
            return self.pulls.remove(&name).is_some();
        }
        if told.type_.as_deref() != Some("Warning") || self.warning.as_ref().is_some_and(|known| known.at > at) {
            return false;
        }
        let text = format!("Warning {reason} of {kind} {name}: {}", short(message));
        let news = self.warning.as_ref().is_none_or(|known| known.text != text);
        self.warning = Some(Warning { at, text });
        news
    }

    fn is_hook(&self, pod: &PodSeen) -> bool {
        pod.is_hook || pod.job.as_ref().is_some_and(|job| self.hooks.contains(job))
    }

    /// One whose program runs.
    pub(super) fn running_hook(&self) -> Option<Hook> {
        self.pods.iter().find_map(|(name, pod)| {
            let container = pod.running.clone().filter(|_| self.is_hook(pod))?;
            Some(Hook { name: pod.job.clone()?, pod: name.clone(), container })
        })
    }

    /// Those whose program ended with an error.
    pub(super) fn failed_hooks(&self) -> Vec<Hook> {
        let all = self.pods.iter().filter(|(_, pod)| self.is_hook(pod));
        let hook = |(name, pod): (&String, &PodSeen)| {
            Some(Hook { name: pod.job.clone()?, pod: name.clone(), container: pod.failed.clone()? })
        };
        all.filter_map(hook).collect()
    }

    /// What is waited for, the most telling first: a hook with its last line, the pod that tells most, the last warning.
    pub(super) fn lines(&self, now: Timestamp, hook: Option<(&Hook, Option<&str>)>) -> Vec<String> {
        let hook_says = hook.map(|(hook, line)| match line {
            Some(line) => format!("hook {}: {}", hook.name, short(line)),
            None => format!("hook {} runs", hook.name),
        });
        let skipped = hook.map(|(hook, _)| hook.pod.as_str());
        let others = self.pods.iter().filter(|(name, _)| Some(name.as_str()) != skipped);
        let mut waiting: Vec<(&String, &Waiting)> =
            others.filter_map(|(name, pod)| Some((name, pod.waiting.as_ref()?))).collect();
        // Of two that are on their way, the one that pulls says more.
        waiting.sort_by_key(|(name, waiting)| (waiting.rank, !self.pulls.contains_key(*name)));
        let more = waiting.len().saturating_sub(1);
        let pod = waiting.first().map(|(name, waiting)| {
            let why = match self.pulls.get(*name).filter(|_| waiting.rank == Rank::Starting) {
                Some(image) => format!("pulls image {image}"),
                None => waiting.why.clone(),
            };
            let rest = if more == 0 { String::new() } else { format!(" (and {more} more)") };
            format!("pod {name} {why}{rest}")
        });
        let fresh = |warning: &&Warning| now.duration_since(warning.at) <= FRESH;
        let warning = self.warning.as_ref().filter(fresh).map(|warning| warning.text.clone());
        hook_says.into_iter().chain(pod).chain(warning).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(name: &str, owner: &str, status: Value) -> Pod {
        let owners = if owner.is_empty() {
            json!([])
        } else {
            json!([{"apiVersion": "batch/v1", "kind": "Job", "name": owner, "uid": "u"}])
        };
        let metadata = json!({"name": name, "ownerReferences": owners});
        serde_json::from_value(json!({"metadata": metadata, "spec": {"containers": [{"name": "c"}]}, "status": status}))
            .unwrap()
    }

    fn container(state: Value, ready: bool) -> Value {
        json!({"containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": ready, "restartCount": 0, "state": state}]})
    }

    fn job(name: &str, annotations: Value) -> PartialObjectMeta<Job> {
        serde_json::from_value(json!({"metadata": {"name": name, "annotations": annotations}})).unwrap()
    }

    fn told(kind: &str, reason: &str, object: &str, message: &str, at: Timestamp) -> Event<Told> {
        let value = json!({"metadata": {"name": "e"}, "type": kind, "reason": reason, "message": message,
            "involvedObject": {"kind": "Pod", "name": object}, "lastTimestamp": at.to_string()});
        Event::Apply(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn the_most_telling_comes_first() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let mut seen = Seen::since(now);
        let starts = || container(json!({"waiting": {"reason": "ContainerCreating"}}), false);
        assert!(!seen.pod(Event::Init) && !seen.pod(Event::InitApply(pod("a", "", starts()))));
        assert!(seen.pod(Event::InitDone), "what is there is looked at");
        assert!(seen.pod(Event::Apply(pod("b", "", starts()))) && !seen.pod(Event::Apply(pod("b", "", starts()))));
        assert_eq!(seen.lines(now, None), ["pod a is being started (and 1 more)"]);
        assert!(seen.told(told("Normal", "Pulling", "b", "Pulling image \"r.example/b:1\"", now)));
        assert_eq!(seen.lines(now, None), ["pod b pulls image r.example/b:1 (and 1 more)"]);
        assert!(seen.pod(Event::Apply(pod("b", "", container(json!({"running": {}}), true)))));
        assert!(
            !seen.told(told("Warning", "Old", "a", "before", now - SignedDuration::from_mins(9))),
            "of another time"
        );
        assert!(seen.told(told("Warning", "FailedMount", "a", "no volume\nmore", now)));
        let want = ["pod a is being started", "Warning FailedMount of Pod a: no volume"];
        assert_eq!(seen.lines(now, None), want);
        assert_eq!(seen.lines(now + SignedDuration::from_mins(6), None), want[..1]);
        assert!(seen.pod(Event::Delete(pod("a", "", starts()))));
        assert_eq!(seen.lines(now + SignedDuration::from_mins(6), None), [""; 0]);
    }

    #[test]
    fn a_hook_is_told_by_its_job() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let mut seen = Seen::since(now);
        let runs = container(json!({"running": {}}), false);
        seen.pod(Event::Apply(pod("h-1", "h", runs.clone())));
        seen.pod(Event::Apply(pod("x-1", "x", runs)));
        seen.job(Event::Apply(job("x", json!({}))));
        assert_eq!(seen.running_hook(), None);
        assert!(seen.job(Event::InitApply(job("h", json!({"helm.sh/hook": "pre-install"})))));
        let hook = seen.running_hook().unwrap();
        assert_eq!(hook, Hook { name: "h".into(), pod: "h-1".into(), container: "c".into() });
        let lines = seen.lines(now, Some((&hook, Some("waiting for the database"))));
        assert_eq!(lines, ["hook h: waiting for the database", "pod x-1 runs, and container c is not ready"]);
        assert_eq!(seen.lines(now, Some((&hook, None)))[0], "hook h runs");
        seen.job(Event::Delete(job("h", json!({}))));
        assert_eq!(seen.running_hook(), None);
    }

    #[test]
    fn a_hook_that_failed_is_known_with_its_container_and_one_from_before_is_not() {
        let mut seen = Seen::since("2026-11-30T12:00:00Z".parse().unwrap());
        seen.job(Event::Apply(job("h", json!({"helm.sh/hook": "pre-install"}))));
        let ended = |name: &str, made: &str, code: i32| {
            let mut pod = pod(name, "h", container(json!({"terminated": {"exitCode": code}}), false));
            pod.metadata.creation_timestamp = Some(serde_json::from_value(json!(made)).unwrap());
            pod
        };
        seen.pod(Event::InitApply(ended("h-0", "2026-11-30T11:00:00Z", 1)));
        seen.pod(Event::Apply(ended("h-1", "2026-11-30T12:00:05Z", 1)));
        seen.pod(Event::Apply(ended("h-2", "2026-11-30T12:00:09Z", 0)));
        assert_eq!(seen.failed_hooks(), [Hook { name: "h".into(), pod: "h-1".into(), container: "c".into() }]);
        seen.pod(Event::Delete(ended("h-1", "2026-11-30T12:00:05Z", 1)));
        assert_eq!(seen.failed_hooks(), []);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Seen::since(Timestamp::UNIX_EPOCH);
        for number in 0..MOST + 10 {
            seen.pod(Event::InitApply(pod(&format!("p{number}"), "", json!({"phase": "Pending"}))));
        }
        assert_eq!(seen.pods.len(), MOST);
    }
}
