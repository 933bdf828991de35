//! What every Kubernetes client promises, simulated or real: the same calls, the same answers.

use indexmap::IndexMap;
use plinth_model::steps::{Health, NodeTarget, PodSecurity, RegistryLogin, SecretContent};
use plinth_model::{NodeName, ObjectName, SecretRef};
use plinth_world::kube::{HeldConfig, KubeClient};
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::{Value, json};
use std::fmt::Debug;

/// What the suite makes.
const NAMESPACE: &str = "plinth-contract";

/// The cluster that the suite needs. No kubeconfig of it is held yet.
pub(crate) struct Ground {
    /// A node of the control plane.
    pub(crate) from: NodeTarget,
    /// Where the API server answers.
    pub(crate) server: String,
    /// A node of the cluster.
    pub(crate) node: NodeName,
    /// Two secrets with different values.
    pub(crate) secrets: [SecretRef; 2],
    /// Something that must be the same before and after a call that is refused.
    pub(crate) fingerprint: Box<dyn Fn() -> String + Send + Sync>,
}

/// The whole contract.
pub(crate) async fn contract(client: &dyn KubeClient, ctx: &Context, ground: &Ground) {
    let suite = Suite { client, ctx, ground };
    suite.nothing_goes_without_a_kubeconfig().await;
    suite.a_kubeconfig_is_fetched_and_works().await;
    suite.labels_and_taints_are_set_once().await;
    suite.dropped_labels_and_taints_go().await;
    suite.a_node_that_is_not_there_is_not_made().await;
    suite.a_namespace_gets_its_level().await;
    suite.a_secret_is_compared_and_replaced().await;
    suite.objects_are_compared_and_applied().await;
    suite.objects_are_removed_by_name().await;
    suite.what_is_not_there_is_not_healthy().await;
    suite.the_cluster_tells_its_health().await;
    suite.a_watch_answers_in_time().await;
}

/// What is promised of the version of an object whose operator takes it one minor further at a time. The cluster serves `KnativeServing`, and
/// `operator` waits until the operator looked at what was applied.
pub(crate) async fn versions(client: &dyn KubeClient, ctx: &Context, operator: &(dyn Fn() + Send + Sync)) {
    let serving = |version: &str| {
        json!({
            "apiVersion": "operator.knative.dev/v1beta1", "kind": "KnativeServing",
            "metadata": {"name": "serving", "namespace": NAMESPACE}, "spec": {"version": version},
        })
    };
    client.make_namespace(ctx, NAMESPACE, PodSecurity::Privileged).await.unwrap();
    let object = [ObjectName::of(&serving("1.16")).unwrap()];
    let told = async || client.version(ctx, &object[0]).await.unwrap().map(|version| version.minor());
    assert_eq!(told().await, None, "it is not there");
    let (of, minor) = (
        async |wanted: &str| {
            client.apply(ctx, &[serving(wanted)]).await.unwrap();
            let at_once = told().await;
            operator();
            ctx.clock().sleep(std::time::Duration::from_secs(60)).await;
            (at_once, told().await)
        },
        |text: &str| Some(text.to_owned()),
    );
    assert_eq!(of("1.16").await, (None, minor("1.16")), "only its operator tells it");
    assert_eq!(of("1.18").await, (minor("1.16"), minor("1.16")), "two minors at once are not taken");
    assert_eq!(of("1.17").await, (minor("1.16"), minor("1.17")));
    assert_eq!(of("1.18").await, (minor("1.17"), minor("1.18")));
    assert_eq!(of("1.17").await, (minor("1.18"), minor("1.17")), "also back");
    client.remove(ctx, &object).await.unwrap();
    assert_eq!(told().await, None);
}

struct Suite<'a> {
    client: &'a dyn KubeClient,
    ctx: &'a Context,
    ground: &'a Ground,
}

/// The parts that every error has.
fn explained<T: Debug>(result: ClientResult<T>) -> ClientError {
    let error = result.expect_err("the call must fail");
    for part in [&error.doing, &error.happened, &error.attempt] {
        assert!(!part.trim().is_empty(), "{error:?} has an empty part");
    }
    assert_eq!(error.client, "kube", "{error:?}");
    error
}

fn labels(pairs: &[(&str, &str)]) -> IndexMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn map(value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": NAMESPACE}, "data": {"key": value},
    })
}

impl Suite<'_> {
    /// A call that is refused changes nothing.
    async fn unchanged<T: Debug>(&self, call: impl Future<Output = ClientResult<T>>) -> String {
        let before = (self.ground.fingerprint)();
        let said = explained(call.await).to_string();
        assert_eq!((self.ground.fingerprint)(), before, "{said}");
        said
    }

    async fn nothing_goes_without_a_kubeconfig(&self) {
        let (client, ctx, node) = (self.client, self.ctx, &self.ground.node);
        assert_eq!(client.kubeconfig(ctx).await.unwrap(), None);
        let said = [
            explained(client.node(ctx, node).await),
            explained(client.nodes(ctx).await),
            explained(client.label_node(ctx, node, &labels(&[]), &[]).await),
            explained(client.cluster_health(ctx).await),
            explained(client.namespace(ctx, NAMESPACE).await),
            explained(client.diff(ctx, &[]).await),
            explained(client.present(ctx, &[]).await),
            explained(client.remove(ctx, &[]).await),
            explained(client.resolve_in_pod(ctx, "a.example").await),
        ];
        assert!(said.iter().all(|error| error.to_string().contains("kubeconfig")), "{said:?}");
    }

    async fn a_kubeconfig_is_fetched_and_works(&self) {
        let (client, ctx, Ground { from, server, .. }) = (self.client, self.ctx, self.ground);
        for _ in 0..2 {
            client.fetch_kubeconfig(ctx, from, server).await.unwrap();
            let held = HeldConfig { server: server.clone(), refused: None };
            assert_eq!(client.kubeconfig(ctx).await.unwrap(), Some(held));
        }
    }

    async fn labels_and_taints_are_set_once(&self) {
        let (client, ctx, node) = (self.client, self.ctx, &self.ground.node);
        let (wanted, taints) = (labels(&[("plinth.test/a", "1"), ("b", "two")]), ["c=d:NoSchedule".to_owned()]);
        for _ in 0..2 {
            client.label_node(ctx, node, &wanted, &taints).await.unwrap();
            let seen = client.node(ctx, node).await.unwrap().unwrap();
            assert!(wanted.iter().all(|(key, value)| seen.labels.get(key) == Some(value)), "{seen:?}");
            assert!(seen.taints.contains(&taints[0]), "{seen:?}");
            assert!(seen.version.starts_with('v'), "{seen:?}");
            assert_eq!(client.nodes(ctx).await.unwrap().get(node.as_str()), Some(&seen));
        }
    }

    async fn dropped_labels_and_taints_go(&self) {
        let (client, ctx, node) = (self.client, self.ctx, &self.ground.node);
        let taints = ["c=d:NoSchedule".to_owned(), "e:NoExecute".to_owned()];
        client.label_node(ctx, node, &labels(&[("plinth.test/a", "1"), ("b", "two")]), &taints).await.unwrap();
        let seen = client.node(ctx, node).await.unwrap().unwrap();
        assert_eq!(seen.own_labels, ["b", "plinth.test/a"].map(str::to_owned).into());
        assert_eq!(seen.own_taints, ["c:NoSchedule", "e:NoExecute"].map(str::to_owned).into());
        for _ in 0..2 {
            client.label_node(ctx, node, &labels(&[("b", "two")]), &taints[1..]).await.unwrap();
            let seen = client.node(ctx, node).await.unwrap().unwrap();
            assert!(seen.labels.contains_key("b") && !seen.labels.contains_key("plinth.test/a"), "{seen:?}");
            assert!(seen.taints.contains(&taints[1]) && !seen.taints.contains(&taints[0]), "{seen:?}");
            assert_eq!((seen.own_labels.len(), seen.own_taints.len()), (1, 1), "{seen:?}");
        }
        client.label_node(ctx, node, &labels(&[]), &[]).await.unwrap();
        let seen = client.node(ctx, node).await.unwrap().unwrap();
        assert!(seen.own_labels.is_empty() && seen.own_taints.is_empty() && !seen.labels.contains_key("b"), "{seen:?}");
    }

    async fn a_node_that_is_not_there_is_not_made(&self) {
        let (client, ctx, nobody) = (self.client, self.ctx, NodeName::new("nobody-there").unwrap());
        assert_eq!(client.node(ctx, &nobody).await.unwrap(), None);
        let said = self.unchanged(client.label_node(ctx, &nobody, &labels(&[("a", "b")]), &[])).await;
        assert!(said.contains("nobody-there"), "{said}");
        assert_eq!(client.node(ctx, &nobody).await.unwrap(), None);
    }

    async fn a_namespace_gets_its_level(&self) {
        let (client, ctx) = (self.client, self.ctx);
        assert_eq!(client.namespace(ctx, NAMESPACE).await.unwrap(), None);
        for level in [PodSecurity::Baseline, PodSecurity::Baseline, PodSecurity::Privileged] {
            client.make_namespace(ctx, NAMESPACE, level).await.unwrap();
            assert_eq!(client.namespace(ctx, NAMESPACE).await.unwrap(), Some(Some(level)));
        }
        assert_eq!(client.namespace(ctx, "kube-system").await.unwrap(), Some(None));
    }

    async fn a_secret_is_compared_and_replaced(&self) {
        let (client, ctx) = (self.client, self.ctx);
        let [first, second] = &self.ground.secrets;
        let value = |value: &SecretRef| SecretContent::Value {
            key: "token".to_owned(),
            value: value.clone(),
            beside: IndexMap::from([("user".to_owned(), "admin".to_owned())]),
        };
        let login = SecretContent::RegistryLogin {
            login: RegistryLogin {
                registry: "registry.example".to_owned(),
                username: "robot".to_owned(),
                password: first.clone(),
            },
        };
        let (none, some) = (labels(&[]), labels(&[("used-by", "plinth")]));
        let same = async |content: &SecretContent, labels| {
            client.secret_matches(ctx, NAMESPACE, "s", content, labels).await.unwrap()
        };
        assert_eq!(same(&value(first), &none).await, None);
        let said = self.unchanged(client.make_secret(ctx, "no-such-namespace", "s", &value(first), &none)).await;
        assert!(said.contains("no-such-namespace"), "{said}");
        for _ in 0..2 {
            client.make_secret(ctx, NAMESPACE, "s", &value(first), &none).await.unwrap();
            assert_eq!(same(&value(first), &none).await, Some(true));
        }
        assert_eq!(same(&value(second), &none).await, Some(false));
        assert_eq!(same(&value(first), &some).await, Some(false));
        // The type of a secret cannot be changed, so this one is made again.
        for content in [value(second), login] {
            client.make_secret(ctx, NAMESPACE, "s", &content, &some).await.unwrap();
            assert_eq!(same(&content, &some).await, Some(true));
            assert_eq!(same(&value(first), &some).await, Some(false));
        }
    }

    async fn objects_are_compared_and_applied(&self) {
        let (client, ctx, title) = (self.client, self.ctx, format!("ConfigMap {NAMESPACE}/settings"));
        assert_eq!(client.diff(ctx, &[map("a")]).await.unwrap(), [format!("+ {title}")]);
        for value in ["a", "a", "b"] {
            client.apply(ctx, &[map(value)]).await.unwrap();
            assert_eq!(client.diff(ctx, &[map(value)]).await.unwrap(), Vec::<String>::new());
        }
        let differences = client.diff(ctx, &[map("c")]).await.unwrap();
        assert!(differences.len() == 1 && differences[0].starts_with(&format!("~ {title}")), "{differences:?}");
        let unknown = json!({"apiVersion": "nobody.example/v1", "kind": "Riddle", "metadata": {"name": "a"}});
        assert!(self.unchanged(client.apply(ctx, std::slice::from_ref(&unknown))).await.contains("Riddle"));
        assert!(self.unchanged(client.diff(ctx, &[json!({"kind": "ConfigMap"})])).await.contains("apiVersion"));
    }

    async fn objects_are_removed_by_name(&self) {
        let (client, ctx) = (self.client, self.ctx);
        let there = ObjectName::of(&map("b")).unwrap();
        let unknown = ObjectName { api_version: "nobody.example/v1".to_owned(), ..there.clone() };
        let nobody = ObjectName { name: "nobody".to_owned(), ..there.clone() };
        let all = [there.clone(), unknown, nobody];
        assert_eq!(client.present(ctx, &all).await.unwrap(), [there]);
        for _ in 0..2 {
            client.remove(ctx, &all).await.unwrap();
            assert_eq!(client.present(ctx, &all).await.unwrap(), []);
        }
    }

    async fn what_is_not_there_is_not_healthy(&self) {
        let health = Health::Workload { kind: "Deployment".to_owned(), name: "nobody".to_owned() };
        let seen = self.client.health(self.ctx, "default", &health).await.unwrap();
        assert_eq!((seen.holds, seen.seen.as_str()), (false, "not found"));
    }

    async fn the_cluster_tells_its_health(&self) {
        let health = self.client.cluster_health(self.ctx).await.unwrap();
        assert_eq!(health.failing, Vec::<String>::new());
    }

    async fn a_watch_answers_in_time(&self) {
        let most = std::time::Duration::from_secs(3);
        let proof = Health::Workload { kind: "Deployment".to_owned(), name: "nobody-there".to_owned() };
        for namespace in [NAMESPACE, "nobody-there", ""] {
            let mut watch = self.client.watch(self.ctx, namespace, std::slice::from_ref(&proof)).await;
            let began = self.ctx.clock().elapsed();
            for _ in 0..3 {
                assert_eq!(watch.changed(self.ctx, most).await, Vec::<String>::new(), "nothing comes up there");
            }
            let took = self.ctx.clock().elapsed() - began;
            assert!(took <= most * 3 + std::time::Duration::from_secs(6), "{took:?}");
        }
    }
}
