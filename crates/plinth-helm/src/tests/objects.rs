//! Objects that somebody changed, with a cluster in memory.

use super::*;
use plinth_model::finding::code;
use plinth_model::{Finding, amount};
use plinth_world::Cause;
use plinth_world::helm::{Drift, HelmObjects, Made, Part};

/// Objects that are there, and what is done with them.
#[derive(Default)]
pub(super) struct Live {
    objects: Mutex<Vec<Value>>,
    /// Kinds that may not be listed, and those that nobody knows.
    forbidden: Mutex<Vec<String>>,
    unknown: Mutex<Vec<String>>,
    /// Lists, looks, changes, in this order.
    asked: Mutex<Vec<String>>,
    /// What every change is refused with.
    refuses: Mutex<Option<ClientError>>,
}

impl Live {
    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }

    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }
}

fn is_it(object: &Value, name: &ObjectName) -> bool {
    ObjectName::of(object).as_ref() == Some(name)
}

/// As a JSON patch that sets and adds does; afterwards everything is helm's.
fn patched(mut object: Value, patch: &Value) -> Value {
    for step in patch.as_array().unwrap() {
        let (path, value) = (step["path"].as_str().unwrap(), &step["value"]);
        let (parent, key) = path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        match object.pointer_mut(parent).unwrap() {
            Value::Array(items) if key == "-" => items.push(value.clone()),
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[&*key] = value.clone(),
        }
    }
    object["metadata"]["managedFields"] = json!([]);
    object
}

#[async_trait]
impl HelmObjects for Cluster {
    async fn made(&self, _: &Context, _: &str, kind: &str, part: Part) -> ClientResult<Made> {
        self.live.note(format!("list {kind} {part:?}"));
        tokio::task::yield_now().await;
        if self.live.forbidden.lock().unwrap().iter().any(|name| name == kind) {
            return Ok(Made::Forbidden("you may not".to_owned()));
        }
        if self.live.unknown.lock().unwrap().iter().any(|name| name == kind) {
            return Ok(Made::NoKind);
        }
        let marked = |object: &&Value| {
            object["kind"] == kind && object["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
        };
        Ok(Made::There(self.live.objects.lock().unwrap().iter().filter(marked).cloned().collect()))
    }

    async fn live(&self, _: &Context, object: &ObjectName) -> ClientResult<Option<Value>> {
        self.live.note(format!("look {object}"));
        Ok(self.live.objects.lock().unwrap().iter().find(|one| is_it(one, object)).cloned())
    }

    async fn change(&self, _: &Context, object: &ObjectName, patch: &Value, dry: bool) -> ClientResult<Value> {
        self.live.note(format!("{} {object}", if dry { "try" } else { "change" }));
        if let Some(error) = self.live.refuses.lock().unwrap().clone() {
            return Err(error);
        }
        let mut objects = self.live.objects.lock().unwrap();
        let there = objects.iter_mut().find(|one| is_it(one, object)).unwrap();
        let after = patched(there.clone(), patch);
        if !dry {
            *there = after.clone();
        }
        Ok(after)
    }

    async fn create(&self, _: &Context, object: &ObjectName, manifest: &Value) -> ClientResult<Value> {
        self.live.note(format!("create {object}"));
        self.live.objects.lock().unwrap().push(manifest.clone());
        Ok(manifest.clone())
    }
}

const MANIFEST: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {color: blue}\n---\n\
    apiVersion: v1\nkind: Service\nmetadata: {name: two}\nspec: {type: ClusterIP}\n---\n\
    apiVersion: batch/v1\nkind: Job\nmetadata: {name: three}\nspec: {}\n";

/// An object as helm left it, with `edited` in place of what it was, set by `manager` so many seconds after that.
fn object(kind: &str, name: &str, field: (&str, Value), manager: &str, later: i64) -> Value {
    let when = (Timestamp::now() - SignedDuration::from_mins(90) + SignedDuration::from_secs(later)).to_string();
    let (place, value) = field;
    let (outer, inner) = place.split_once('.').unwrap();
    let owned = json!({format!("f:{outer}"): {format!("f:{inner}"): {}}});
    json!({"apiVersion": "v1", "kind": kind, outer: {inner: value}, "metadata": {"name": name, "namespace": "n",
        "labels": {"app.kubernetes.io/managed-by": "Helm"}, "resourceVersion": "5",
        "annotations": {"meta.helm.sh/release-name": "a", "meta.helm.sh/release-namespace": "n"},
        "managedFields": [{"manager": manager, "operation": "Update", "time": when, "fieldsV1": owned}]}})
}

/// A release that is deployed for 90 minutes, and one of its settings with this color.
fn bench(color: &str, manager: &str, later: i64) -> Bench {
    let bench = Bench::new("v3.18.6", "exit 0");
    bench.cluster.add(1, "deployed", 90, payload("a", "1.2.3", &wanted(), MANIFEST));
    let settings = object("ConfigMap", "one", ("data.color", color.into()), manager, later);
    let service = object("Service", "two", ("spec.type", "ClusterIP".into()), "helm", 0);
    *bench.cluster.live.objects.lock().unwrap() = vec![settings, service];
    bench
}

async fn drift(bench: &Bench) -> Drift {
    bench.client().drift(&bench.ctx, &release()).await.unwrap()
}

const HOUR: i64 = 3600;

#[tokio::test]
async fn what_counts_is_what_others_set_later_by_hand_or_much_later() {
    for (color, manager, later, told) in [
        ("blue", "kubectl-edit", HOUR, false),
        ("BLUE", "helm", HOUR, false),
        ("BLUE", "helm3", HOUR, false),
        ("BLUE", "plinth", HOUR, false),
        ("BLUE", "kube-controller-manager", HOUR, false),
        ("red", "kubectl-edit", HOUR, true),
        ("red", "kubectl-edit", 60, true),
        // By a hook of the release.
        ("red", "kubectl-edit", -60, false),
        // By what the release brings.
        ("red", "operator", 60, false),
        ("red", "operator", HOUR, true),
    ] {
        let drift = drift(&bench(color, manager, later)).await;
        assert_eq!(drift.lines.len(), usize::from(told), "{color} {manager} {later}: {drift:?}");
        assert_eq!((drift.left, drift.unseen), (Vec::new(), Vec::new()));
    }
}

#[tokio::test]
async fn one_list_of_a_kind_answers_all_who_look_at_the_same_time() {
    let bench = bench("red", "kubectl-edit", HOUR);
    let (client, release) = (bench.client(), release());
    let look = || async { client.drift(&bench.ctx, &release).await.unwrap().lines.len() };
    assert_eq!(tokio::join!(look(), look(), look()), (1, 1, 1));
    let lists = ["list ConfigMap Whole", "list Job Whole", "list Service Whole"];
    let tried = ["try ConfigMap n/one"; 3];
    assert_eq!(bench.cluster.live.asked(), [&lists[..], &tried].concat(), "nothing is asked a second time");
    client.upgrade(&bench.ctx, &release).await.unwrap();
    assert_eq!(look().await, 0, "who has just put it right sees it");
}

#[tokio::test]
async fn objects_are_put_right_without_helm_and_jobs_that_are_gone_are_not_missed() {
    let bench = bench("red", "kubectl-edit", HOUR);
    bench.cluster.live.objects.lock().unwrap().pop();
    let client = bench.client();
    let lines = client.drift(&bench.ctx, &release()).await.unwrap().lines;
    assert_eq!(lines[0], "+ Service n/two, which somebody removed");
    assert!(
        lines[1].starts_with("~ ConfigMap n/one: data.color \"red\" → \"blue\", set by kubectl-edit at 20"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);
    let said = client.upgrade(&bench.ctx, &release()).await.unwrap();
    assert_eq!(said, [format!("{} that somebody changed or removed put right", amount(2, "object"))]);
    assert!(
        bench.cluster.live.asked().ends_with(&["try ConfigMap n/one".to_owned(), "try ConfigMap n/one".to_owned()])
    );
    assert_eq!((bench.seen().as_str(), bench.cluster.revisions()), ("", vec![1]), "helm was not run");
    assert_eq!(drift(&bench).await, Drift::default());
    // The same again, and at once: something sets it.
    let again = object("ConfigMap", "one", ("data.color", "red".into()), "operator", 90 * 60);
    *bench.cluster.live.objects.lock().unwrap() = vec![again];
    let drift = drift(&bench).await;
    assert_eq!((drift.lines.len(), drift.left.len()), (0, 2), "{drift:?}");
    assert_eq!(drift.left[0], "Service n/two is gone again right after it was made again");
    assert!(drift.left[1].ends_with(", again right after it was put right"), "{drift:?}");
}

#[tokio::test]
async fn what_may_not_be_listed_or_changed_is_told_and_no_failure() {
    let bench = bench("red", "kubectl-edit", HOUR);
    bench.cluster.live.forbidden.lock().unwrap().push("Service".to_owned());
    let seen = drift(&bench).await;
    assert_eq!((seen.lines.len(), seen.unseen), (1, vec!["Service: you may not".to_owned()]));
    let refusal = || ClientError::new("kube", "changing").happened("it is immutable").because(Cause::Refused);
    *bench.cluster.live.refuses.lock().unwrap() = Some(refusal());
    let seen = drift(&bench).await;
    assert_eq!(seen.lines, Vec::<String>::new());
    assert!(seen.left[0].ends_with(", and cannot be set back: it is immutable"), "{seen:?}");
    // Whoever may only read still sees it.
    let reader = Finding::error(code::KUBERNETES_FORBIDDEN, "server", "you may not");
    *bench.cluster.live.refuses.lock().unwrap() = Some(refusal().finding(reader));
    assert_eq!(drift(&bench).await.lines.len(), 1);
}

#[tokio::test]
async fn what_is_gone_with_its_kind_comes_back_with_the_chart() {
    let bench = bench("blue", "helm", 0);
    bench.cluster.live.unknown.lock().unwrap().push("Service".to_owned());
    assert_eq!(drift(&bench).await.lines, ["+ Service n/two, which is gone with its kind"]);
    bench.client().upgrade(&bench.ctx, &release()).await.unwrap();
    assert!(bench.seen().contains("args=upgrade a"), "helm was run");
}
