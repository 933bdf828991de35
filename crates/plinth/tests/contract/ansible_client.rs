//! What every Ansible client promises, simulated or real: the same calls, the same answers.

use indexmap::IndexMap;
use plinth_model::Digest;
use plinth_model::steps::KubesprayRelease;
use plinth_world::ansible::{AnsibleClient, PlayRun};
use plinth_world::{ClientError, ClientResult, Context};
use std::fmt::Debug;

/// The machine and the nodes that the suite needs: nothing of the release is here yet, and nothing of Kubernetes on the nodes.
pub(crate) struct Ground<'a> {
    /// The release.
    pub(crate) release: KubesprayRelease,
    /// Inventory and variables for it.
    pub(crate) files: IndexMap<String, String>,
    /// A play over these files that installs Kubernetes on every host.
    pub(crate) run: PlayRun,
    /// Something that must be the same before and after a call that changes nothing.
    pub(crate) fingerprint: Box<dyn Fn() -> String + 'a>,
}

/// The whole contract.
pub(crate) async fn contract(client: &dyn AnsibleClient, ctx: &Context, ground: &Ground<'_>) {
    let suite = Suite { client, ctx, ground };
    suite.nothing_is_here_at_first().await;
    suite.nothing_goes_without_source_and_environment().await;
    suite.the_source_is_the_pinned_one().await;
    suite.the_environment_is_made_once().await;
    suite.files_are_written_as_a_whole().await;
    suite.a_preview_names_the_hosts_and_touches_none().await;
    suite.what_is_needed_has_names().await;
    suite.a_play_tells_of_every_host().await;
}

struct Suite<'a> {
    client: &'a dyn AnsibleClient,
    ctx: &'a Context,
    ground: &'a Ground<'a>,
}

/// The parts that every error has.
fn explained<T: Debug>(result: ClientResult<T>) -> ClientError {
    let error = result.expect_err("the call must fail");
    for part in [&error.doing, &error.happened, &error.attempt] {
        assert!(!part.trim().is_empty(), "{error:?} has an empty part");
    }
    assert_eq!(error.client, "ansible", "{error:?}");
    error
}

impl Suite<'_> {
    /// A call that changes nothing.
    async fn unchanged<T>(&self, call: impl Future<Output = T>) -> T {
        let before = (self.ground.fingerprint)();
        let said = call.await;
        assert_eq!((self.ground.fingerprint)(), before);
        said
    }

    fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = self.ground.run.targets.iter().map(|target| target.node.to_string()).collect();
        hosts.sort_unstable();
        hosts
    }

    async fn nothing_is_here_at_first(&self) {
        let (client, ctx, release) = (self.client, self.ctx, &self.ground.release);
        assert_eq!(self.unchanged(client.source(ctx, release)).await.unwrap(), None);
        assert_eq!(self.unchanged(client.environment(ctx, release)).await.unwrap(), None);
        assert_eq!(self.unchanged(client.inventory(ctx)).await.unwrap(), IndexMap::new());
    }

    async fn nothing_goes_without_source_and_environment(&self) {
        let (client, ctx, ground) = (self.client, self.ctx, self.ground);
        explained(self.unchanged(client.make_environment(ctx, &ground.release)).await);
        explained(self.unchanged(client.play(ctx, &ground.run)).await);
        explained(self.unchanged(client.downloads(ctx, &ground.release)).await);
    }

    async fn the_source_is_the_pinned_one(&self) {
        let (client, ctx, release) = (self.client, self.ctx, &self.ground.release);
        client.fetch_source(ctx, release).await.unwrap();
        let pinned = Some((release.commit.clone(), release.tree.clone()));
        assert_eq!(client.source(ctx, release).await.unwrap(), pinned);
        self.unchanged(client.fetch_source(ctx, release)).await.unwrap();
    }

    async fn the_environment_is_made_once(&self) {
        let (client, ctx, release) = (self.client, self.ctx, &self.ground.release);
        client.make_environment(ctx, release).await.unwrap();
        assert!(client.environment(ctx, release).await.unwrap().is_some());
        self.unchanged(client.make_environment(ctx, release)).await.unwrap();
    }

    async fn files_are_written_as_a_whole(&self) {
        let (client, ctx, files) = (self.client, self.ctx, &self.ground.files);
        explained(self.unchanged(client.play(ctx, &self.ground.run)).await);
        let mut more = files.clone();
        more.insert("host_vars/nobody.yaml".to_owned(), "a: 1\n".to_owned());
        client.write_inventory(ctx, &more).await.unwrap();
        client.write_inventory(ctx, files).await.unwrap();
        self.unchanged(client.write_inventory(ctx, files)).await.unwrap();
        let digests: IndexMap<String, Digest> =
            files.iter().map(|(name, text)| (name.clone(), Digest::of_bytes(text.as_bytes()))).collect();
        assert_eq!(client.inventory(ctx).await.unwrap(), digests, "a file that is not among them is gone");
    }

    async fn a_preview_names_the_hosts_and_touches_none(&self) {
        let plays = self.unchanged(self.client.preview(self.ctx, &self.ground.run)).await.unwrap();
        let hosts = self.hosts();
        assert!(plays.iter().any(|play| play.hosts.len() == hosts.len()), "{plays:?}");
        assert!(plays.iter().flat_map(|play| &play.hosts).all(|host| hosts.contains(host)), "{plays:?}");
    }

    async fn what_is_needed_has_names(&self) {
        let needed = self.unchanged(self.client.downloads(self.ctx, &self.ground.release)).await.unwrap();
        assert!(!needed.is_empty() && needed.iter().all(|one| !one.name.is_empty()), "{needed:?}");
    }

    async fn a_play_tells_of_every_host(&self) {
        let stats = self.client.play(self.ctx, &self.ground.run).await.unwrap();
        let mut told: Vec<&String> = stats.hosts.keys().collect();
        told.sort_unstable();
        assert_eq!(told, self.hosts().iter().collect::<Vec<_>>());
        assert!(stats.hosts.values().all(|host| host.failures + host.unreachable == 0), "{stats:?}");
    }
}
