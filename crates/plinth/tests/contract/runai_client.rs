//! What every Run:ai client promises, simulated or real: the same calls, the same answers.

use plinth_model::steps::{OrgUnit, RunaiTarget};
use plinth_world::runai::{RunaiClient, RunaiTraining};
use plinth_world::{Cause, ClientError, ClientResult, Context};
use std::fmt::Debug;
use std::pin::Pin;

/// The control plane that the suite needs: it does not answer yet, and no cluster of the target's name is registered.
pub(crate) struct Ground<'a> {
    /// The control plane, and the name under which a cluster is registered.
    pub(crate) target: RunaiTarget,
    /// Bring the control plane up: Keycloak without its realm, the realm without its administrator, the administrator without an
    /// interface, and all of it.
    pub(crate) up: [Pin<Box<dyn Future<Output = ()> + 'a>>; 4],
    /// Something that must be the same before and after a call that changes nothing.
    pub(crate) fingerprint: Box<dyn Fn() -> String + 'a>,
}

/// The whole contract.
pub(crate) async fn contract(client: &dyn RunaiClient, ctx: &Context, ground: Ground<'_>) {
    let Ground { target, up, fingerprint } = ground;
    let suite = Suite { client, ctx, target: &target, fingerprint };
    let [keycloak, realm, administrator, whole] = up;
    suite.nothing_is_known_before_it_answers().await;
    keycloak.await;
    suite.a_realm_that_is_not_there_yet_is_waited_for().await;
    realm.await;
    suite.an_administrator_that_is_not_made_yet_is_not_refused_for_good().await;
    administrator.await;
    suite.an_interface_that_is_not_up_yet_is_waited_for().await;
    whole.await;
    suite.unchanged(client.up(ctx, &target, false)).await.unwrap();
    suite.the_issuer_is_that_of_its_url().await;
    let uuid = suite.a_cluster_is_registered_by_name().await;
    suite.credentials_are_kept_for_a_cluster_that_is_there(&uuid).await;
    suite.departments_and_projects_are_made_once_and_their_quota_is_set(&uuid).await;
    suite.a_training_is_started_seen_and_removed(&uuid).await;
    suite.a_second_registration_is_a_second_entry(&uuid).await;
}

struct Suite<'a> {
    client: &'a dyn RunaiClient,
    ctx: &'a Context,
    target: &'a RunaiTarget,
    fingerprint: Box<dyn Fn() -> String + 'a>,
}

/// The parts that every error has.
fn explained<T: Debug>(result: ClientResult<T>) -> ClientError {
    let error = result.expect_err("the call must fail");
    for part in [&error.doing, &error.happened, &error.attempt] {
        assert!(!part.trim().is_empty(), "{error:?} has an empty part");
    }
    assert_eq!(error.client, "runai", "{error:?}");
    error
}

impl Suite<'_> {
    /// A call that changes nothing.
    async fn unchanged<T>(&self, call: impl Future<Output = T>) -> T {
        let before = (self.fingerprint)();
        let said = call.await;
        assert_eq!((self.fingerprint)(), before);
        said
    }

    async fn nothing_is_known_before_it_answers(&self) {
        assert_eq!(self.unchanged(self.client.issuer(self.ctx, self.target)).await.unwrap(), None);
        let error = explained(self.unchanged(self.client.clusters(self.ctx, self.target)).await);
        assert!(error.transient.is_some(), "it may come up: {error:?}");
        explained(self.unchanged(self.client.register(self.ctx, self.target)).await);
        self.it_is_not_up().await;
    }

    /// It may come up.
    async fn it_is_not_up(&self) -> ClientError {
        let error = explained(self.unchanged(self.client.up(self.ctx, self.target, false)).await);
        assert!(error.transient.is_some(), "it may come up: {error:?}");
        error
    }

    async fn a_realm_that_is_not_there_yet_is_waited_for(&self) {
        assert_eq!(self.unchanged(self.client.issuer(self.ctx, self.target)).await.unwrap(), None);
        let error = explained(self.unchanged(self.client.clusters(self.ctx, self.target)).await);
        assert!(error.transient.is_some(), "it may come up: {error:?}");
        self.it_is_not_up().await;
    }

    async fn an_administrator_that_is_not_made_yet_is_not_refused_for_good(&self) {
        self.the_issuer_is_that_of_its_url().await;
        for _ in 0..2 {
            assert_eq!(self.it_is_not_up().await.cause, Cause::Credentials);
        }
    }

    async fn an_interface_that_is_not_up_yet_is_waited_for(&self) {
        assert_ne!(self.it_is_not_up().await.cause, Cause::Credentials);
        let error = explained(self.unchanged(self.client.clusters(self.ctx, self.target)).await);
        assert!(error.transient.is_some(), "it may come up: {error:?}");
    }

    async fn the_issuer_is_that_of_its_url(&self) {
        let issuer = self.unchanged(self.client.issuer(self.ctx, self.target)).await.unwrap();
        assert_eq!(issuer, Some(self.target.issuer()));
    }

    async fn a_cluster_is_registered_by_name(&self) -> String {
        let (client, ctx, target) = (self.client, self.ctx, self.target);
        assert_eq!(self.unchanged(client.clusters(ctx, target)).await.unwrap(), []);
        let made = client.register(ctx, target).await.unwrap();
        assert_eq!(made.state, "WaitingToConnect", "{made:?}");
        assert_eq!(self.unchanged(client.clusters(ctx, target)).await.unwrap(), std::slice::from_ref(&made));
        let other = RunaiTarget { cluster: format!("{}-other", target.cluster), ..target.clone() };
        assert_eq!(client.clusters(ctx, &other).await.unwrap(), [], "only exactly this name counts");
        made.uuid
    }

    async fn credentials_are_kept_for_a_cluster_that_is_there(&self, uuid: &str) {
        let (client, ctx, target) = (self.client, self.ctx, self.target);
        assert!(!client.credentials_kept(ctx, target, uuid).await.unwrap());
        let nobody = "00000000-0000-0000-0000-000000000000";
        explained(self.unchanged(client.keep_credentials(ctx, target, nobody)).await);
        client.keep_credentials(ctx, target, uuid).await.unwrap();
        assert!(client.credentials_kept(ctx, target, uuid).await.unwrap());
        self.unchanged(client.keep_credentials(ctx, target, uuid)).await.unwrap();
    }

    async fn departments_and_projects_are_made_once_and_their_quota_is_set(&self, uuid: &str) {
        let (client, ctx, target) = (self.client, self.ctx, self.target);
        let department = OrgUnit { name: "research".to_owned(), department: None, gpus: 16 };
        let project = OrgUnit { name: "team-a".to_owned(), department: Some("research".to_owned()), gpus: 8 };
        for unit in [&department, &project] {
            assert_eq!(self.unchanged(client.org_unit(ctx, target, uuid, unit)).await.unwrap(), None);
        }
        explained(self.unchanged(client.make_org_unit(ctx, target, uuid, &project)).await);
        explained(self.unchanged(client.set_quota(ctx, target, uuid, &department)).await);
        for unit in [&department, &project] {
            let made = client.make_org_unit(ctx, target, uuid, unit).await.unwrap();
            assert_eq!((made.gpus, made.department.as_ref()), (Some(f64::from(unit.gpus)), unit.department.as_ref()));
            let again = self.unchanged(client.make_org_unit(ctx, target, uuid, unit)).await.unwrap();
            assert_eq!(again, made, "a name that is used is answered with what is there");
            assert_eq!(self.unchanged(client.org_unit(ctx, target, uuid, unit)).await.unwrap(), Some(made));
        }
        let more = OrgUnit { gpus: 3, ..project.clone() };
        client.set_quota(ctx, target, uuid, &more).await.unwrap();
        let seen = client.org_unit(ctx, target, uuid, &project).await.unwrap().unwrap();
        assert_eq!((seen.gpus, seen.department.as_deref()), (Some(3.0), Some("research")));
        self.unchanged(client.set_quota(ctx, target, uuid, &more)).await.unwrap();
        let other = OrgUnit { name: "team".to_owned(), ..project };
        assert_eq!(client.org_unit(ctx, target, uuid, &other).await.unwrap(), None, "only exactly this name counts");
    }

    async fn a_training_is_started_seen_and_removed(&self, uuid: &str) {
        let (client, ctx, target) = (self.client, self.ctx, self.target);
        let projects = self.unchanged(client.projects(ctx, target, uuid)).await.unwrap();
        let [project] = projects.as_slice() else { panic!("one was made: {projects:?}") };
        assert_eq!(project.name, "team-a");
        let training = RunaiTraining {
            name: "proof".to_owned(),
            image: "docker.io/library/busybox:1.36.1".to_owned(),
            script: "echo 'it runs'".to_owned(),
            gpus: 0,
        };
        let place = (uuid, project.id.as_str());
        explained(client.start_training(ctx, target, (uuid, "4711"), &training).await);
        assert_eq!(client.workloads(ctx, target, &project.id, "proof").await.unwrap(), []);
        let started = client.start_training(ctx, target, place, &training).await.unwrap();
        explained(client.start_training(ctx, target, place, &training).await);
        let seen = client.workload(ctx, target, &started.id).await.unwrap().unwrap();
        assert_eq!((seen.id.as_str(), seen.phase.as_str()), (started.id.as_str(), "Running"), "{seen:?}");
        assert_eq!(client.workloads(ctx, target, &project.id, "proof").await.unwrap(), [seen]);
        assert_eq!(client.workloads(ctx, target, &project.id, "proo").await.unwrap(), [], "only exactly this name");
        let nobody = "00000000-0000-0000-0000-000000000000";
        assert_eq!(client.workload(ctx, target, nobody).await.unwrap(), None);
        for _ in 0..2 {
            client.remove_training(ctx, target, &started.id).await.unwrap();
        }
        assert_eq!(client.workload(ctx, target, &started.id).await.unwrap(), None);
    }

    async fn a_second_registration_is_a_second_entry(&self, uuid: &str) {
        let (client, ctx, target) = (self.client, self.ctx, self.target);
        let second = client.register(ctx, target).await.unwrap();
        assert_ne!(second.uuid, uuid, "the API has no conflict for a name");
        assert_eq!(client.clusters(ctx, target).await.unwrap().len(), 2);
    }
}
