//! What every Helm client promises, simulated or real: the same calls, the same answers.

use plinth_model::steps::{PodSecurity, Release};
use plinth_model::{ReleaseName, Values};
use plinth_world::helm::{Drift, HelmClient, ReleaseState};
use plinth_world::kube::KubeNamespaces;
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::json;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than any call of the suite takes.
const LIMIT: Duration = Duration::from_secs(300);

/// The cluster that the suite needs.
pub(crate) struct Ground<'a> {
    /// A release that can be installed. Its namespace is not there yet, and nothing else is in it.
    pub(crate) release: Release,
    /// Another one in that namespace, whose installation fails behind helm's first record of it.
    pub(crate) failing: Release,
    /// Makes namespaces.
    pub(crate) namespaces: &'a dyn KubeNamespaces,
    /// Somebody changes one object of the first release.
    pub(crate) edit: Box<dyn Fn() + Send + Sync>,
    /// Something that must be the same before and after a call that changes nothing.
    pub(crate) fingerprint: Box<dyn Fn() -> String + Send + Sync>,
}

/// The whole contract.
pub(crate) async fn contract(client: &dyn HelmClient, ctx: &Context, ground: &Ground<'_>) {
    let suite = Suite { client, ctx, ground };
    suite.nothing_is_there_at_first().await;
    suite.a_namespace_is_not_made_by_the_way().await;
    suite.a_release_is_installed_once().await;
    suite.an_object_that_somebody_changed_is_put_right().await;
    suite.other_values_are_an_upgrade().await;
    suite.a_release_goes_back_to_what_it_was().await;
    suite.a_release_is_uninstalled_and_its_namespace_stays().await;
    suite.a_second_try_of_a_first_installation_is_one_anew().await;
}

struct Suite<'a> {
    client: &'a dyn HelmClient,
    ctx: &'a Context,
    ground: &'a Ground<'a>,
}

/// The parts that every error has.
fn explained<T: Debug>(result: ClientResult<T>) -> ClientError {
    let error = result.expect_err("the call must fail");
    for part in [&error.doing, &error.happened, &error.attempt] {
        assert!(!part.trim().is_empty(), "{error:?} has an empty part");
    }
    assert_eq!(error.client, "helm", "{error:?}");
    error
}

impl Suite<'_> {
    fn name(&self) -> ReleaseName {
        let Release { namespace, release, .. } = &self.ground.release;
        ReleaseName { namespace: namespace.clone(), name: release.clone() }
    }

    async fn state(&self) -> Option<ReleaseState> {
        let ReleaseName { namespace, name } = self.name();
        self.client.release(self.ctx, &namespace, &name).await.unwrap()
    }

    async fn differences(&self, release: &Release) -> Vec<String> {
        self.client.differences(self.ctx, release).await.unwrap()
    }

    /// A call that changes nothing.
    async fn unchanged<T>(&self, call: impl Future<Output = T>) -> T {
        let before = (self.ground.fingerprint)();
        let said = call.await;
        assert_eq!((self.ground.fingerprint)(), before);
        said
    }

    async fn nothing_is_there_at_first(&self) {
        assert_eq!(self.unchanged(self.state()).await, None);
        let lines = self.unchanged(self.differences(&self.ground.release)).await;
        assert!(lines.len() == 1 && lines[0].starts_with("+ release "), "{lines:?}");
        self.unchanged(self.client.uninstall(self.ctx, &self.name(), LIMIT)).await.unwrap();
    }

    async fn a_namespace_is_not_made_by_the_way(&self) {
        let error = explained(self.unchanged(self.client.upgrade(self.ctx, &self.ground.release)).await);
        assert!(error.to_string().contains(&self.ground.release.namespace), "{error}");
    }

    async fn a_release_is_installed_once(&self) {
        let release = &self.ground.release;
        self.ground.namespaces.make_namespace(self.ctx, &release.namespace, PodSecurity::Privileged).await.unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        let ctx =
            Context::new(Arc::clone(self.ctx.clock()), move |progress| list.lock().unwrap().push(progress.message));
        self.client.upgrade(&ctx, release).await.unwrap();
        let says = format!("helm upgrade --install {}", release.release);
        assert!(told.lock().unwrap().iter().any(|line| line.starts_with(&says)), "{told:?}");
        let state = self.state().await.unwrap();
        assert!(release.version.takes(&state.version), "{state:?}");
        assert_eq!((state.status.as_str(), state.revision), ("deployed", 1));
        assert!(state.first_deployed.is_some(), "{state:?}");
        assert_eq!(self.unchanged(self.differences(release)).await, Vec::<String>::new());
        self.unchanged(self.client.upgrade(self.ctx, release)).await.unwrap();
        assert_eq!(self.state().await, Some(state));
    }

    async fn an_object_that_somebody_changed_is_put_right(&self) {
        let (client, ctx, release) = (self.client, self.ctx, &self.ground.release);
        let before = self.state().await;
        assert_eq!(self.unchanged(client.drift(ctx, release)).await.unwrap(), Drift::default());
        // Who looked within two seconds is answered by the same list.
        self.ctx.clock().sleep(Duration::from_millis(2100)).await;
        (self.ground.edit)();
        assert_eq!(self.differences(release).await, Vec::<String>::new(), "its values are as they were");
        let drift = self.unchanged(client.drift(ctx, release)).await.unwrap();
        assert!(drift.lines.len() == 1 && drift.lines[0].starts_with("~ "), "{drift:?}");
        let said = client.upgrade(ctx, release).await.unwrap();
        assert_eq!(said, ["1 object that somebody changed or removed put right"]);
        assert_eq!(self.unchanged(client.drift(ctx, release)).await.unwrap(), Drift::default());
        assert_eq!(self.state().await, before, "helm did not do it");
    }

    async fn other_values_are_an_upgrade(&self) {
        let values = Values::new(json!({"commonLabels": {"plinth.test/contract": "2"}})).unwrap();
        let changed = Release { values, ..self.ground.release.clone() };
        let lines = self.unchanged(self.differences(&changed)).await;
        let named = lines.iter().any(|line| line.starts_with("+ commonLabels = {\"plinth.test/contract\""));
        assert!(named, "{lines:?}");
        let first = self.state().await.unwrap().first_deployed;
        self.ctx.clock().sleep(Duration::from_secs(2)).await;
        self.client.upgrade(self.ctx, &changed).await.unwrap();
        assert_eq!(self.differences(&changed).await, Vec::<String>::new());
        let state = self.state().await.unwrap();
        assert_eq!((state.revision, state.first_deployed), (2, first), "an upgrade installs nothing anew");
        let lines = self.differences(&self.ground.release).await;
        assert!(lines.iter().any(|line| line.starts_with("- commonLabels = ")), "{lines:?}");
    }

    async fn a_release_goes_back_to_what_it_was(&self) {
        let (client, ctx, name, release) = (self.client, self.ctx, self.name(), &self.ground.release);
        let revisions = async || {
            let all = client.history(ctx, &name).await.unwrap();
            all.into_iter().map(|one| format!("{} {}", one.revision, one.status)).collect::<Vec<_>>()
        };
        assert_eq!(self.unchanged(revisions()).await, ["1 superseded", "2 deployed"]);
        let lines = self.unchanged(client.differences_to_revision(ctx, &name, 1)).await.unwrap();
        assert!(lines.contains(&"~ values as they were".to_owned()), "{lines:?}");
        assert!(self.unchanged(client.differences_to_revision(ctx, &name, 2)).await.unwrap().is_empty());
        for revision in [7, 0] {
            explained(self.unchanged(client.differences_to_revision(ctx, &name, revision)).await);
            explained(self.unchanged(client.rollback(ctx, &name, revision, LIMIT)).await);
        }
        self.unchanged(client.rollback(ctx, &name, 2, LIMIT)).await.unwrap();
        let first = self.state().await.unwrap().first_deployed;
        client.rollback(ctx, &name, 1, LIMIT).await.unwrap();
        assert_eq!(self.state().await.unwrap().first_deployed, first, "nor does a way back");
        assert_eq!(revisions().await, ["1 superseded", "2 superseded", "3 deployed"]);
        assert_eq!(self.unchanged(self.differences(release)).await, Vec::<String>::new(), "it is the first again");
        assert!(client.differences_to_revision(ctx, &name, 1).await.unwrap().is_empty());
        let nobody = ReleaseName { name: "nobody".to_owned(), ..name.clone() };
        assert_eq!(client.history(ctx, &nobody).await.unwrap(), []);
        explained(self.unchanged(client.rollback(ctx, &nobody, 1, LIMIT)).await);
    }

    async fn a_release_is_uninstalled_and_its_namespace_stays(&self) {
        let first = self.state().await.unwrap().first_deployed;
        self.client.uninstall(self.ctx, &self.name(), LIMIT).await.unwrap();
        assert_eq!(self.state().await, None);
        self.unchanged(self.client.uninstall(self.ctx, &self.name(), LIMIT)).await.unwrap();
        let namespace = self.ground.namespaces.namespace(self.ctx, &self.ground.release.namespace).await.unwrap();
        assert_eq!(namespace, Some(Some(PodSecurity::Privileged)));
        self.client.upgrade(self.ctx, &self.ground.release).await.unwrap();
        let state = self.state().await.unwrap();
        assert_eq!(state.status, "deployed", "it can be installed again");
        assert!(state.first_deployed > first, "and is another one then: {state:?}, {first:?}");
    }

    /// Only the number of the revision goes on.
    async fn a_second_try_of_a_first_installation_is_one_anew(&self) {
        let failing = &self.ground.failing;
        let tried = async || {
            explained(self.client.upgrade(self.ctx, failing).await);
            self.client.release(self.ctx, &failing.namespace, &failing.release).await.unwrap().unwrap()
        };
        let first = tried().await;
        assert_eq!((first.status.as_str(), first.revision), ("failed", 1));
        assert!(first.first_deployed.is_some(), "{first:?}");
        let second = tried().await;
        assert_eq!((second.status.as_str(), second.revision), ("failed", 2));
        assert!(second.first_deployed > first.first_deployed, "{second:?}, {first:?}");
    }
}
