//! The simulated Run:ai control plane.

use super::Call;
use super::model::{Role, control_plane, offered_gpus, release, works};
use super::workloads::{self, Trainings};
use crate::data_centre::DataCentre;
use crate::faults::{FaultKind, RunaiFault};
use crate::runai::RunaiStage;
use crate::timing;
use crate::world::{Effect, OrgUnitKey, State};
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::steps::{OrgUnit, RunaiTarget, cluster_uid};
use plinth_world::runai::{RunaiClient, RunaiCluster, RunaiOrgUnit, RunaiProject, RunaiTraining, RunaiWorkload};
use plinth_world::secrets::{SecretError, Secrets};
use plinth_world::{Cause, ClientResult, Context};
use std::sync::Arc;
use uuid::Uuid;

const CLIENT: &str = "runai";

/// The Run:ai control plane.
pub(crate) struct SimRunai {
    pub(crate) centre: Arc<DataCentre>,
    pub(crate) secrets: Arc<dyn Secrets>,
    /// Trainings that checks started in this process.
    pub(crate) trainings: Trainings,
}

fn call(doing: &str, target: &RunaiTarget) -> Call {
    Call::new(CLIENT, format!("{doing} at {}", target.url))
}

/// `host` of `https://host[:port]`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

/// The issuer that Keycloak writes into tokens: of the host its release was told, not of the one we call.
fn issuer(state: &State, target: &RunaiTarget) -> String {
    let told = release(state, Role::ControlPlane).and_then(|release| release.domain.clone());
    match told {
        Some(domain) if domain != host(&target.url) => format!("https://{domain}/auth/realms/{}", target.realm),
        _ => target.issuer(),
    }
}

fn missing(state: &State, now: Timestamp) -> Vec<String> {
    let needed = [(Role::GpuOperator, "NVIDIA GPU Operator"), (Role::Monitoring, "Prometheus")];
    needed.into_iter().filter(|(role, _)| !works(state, *role, now)).map(|(_, name)| name.to_owned()).collect()
}

impl SimRunai {
    fn strikes(&self, wanted: RunaiFault) -> ClientResult<bool> {
        self.centre.strikes(|kind| *kind == FaultKind::Runai(wanted))
    }

    /// One authorised call.
    async fn request(&self, call: &Call, target: &RunaiTarget) -> ClientResult<()> {
        self.centre.spend("runai", &target.url, timing::RUNAI_CALL).await;
        call.secret(&*self.secrets, &target.password)?;
        // One that is elsewhere answers whatever stands here.
        if target.is_here() {
            self.must_be_up(call)?;
        }
        let familiar = self.centre.look(|state, _| issuer(state, target) == target.issuer())?;
        if !familiar || self.strikes(RunaiFault::IssuerMismatch)? || self.strikes(RunaiFault::Unauthorized)? {
            return Err(call.fails(
                "401: Issuer is not familiar.",
                "compare the issuer document with the URL of the control plane, port included",
            ));
        }
        Ok(())
    }

    /// The control plane answers, or says which of its parts does not yet.
    fn must_be_up(&self, call: &Call) -> ClientResult<()> {
        let (happened, cause) = match self.centre.look(control_plane)? {
            RunaiStage::Whole => return Ok(()),
            RunaiStage::Nothing => ("404 from Keycloak, so there is no token", Cause::Unreachable),
            RunaiStage::Keycloak => ("404 from Keycloak: Realm does not exist", Cause::Unreachable),
            RunaiStage::Realm => ("401: Invalid user credentials", Cause::Credentials),
            RunaiStage::Administrator => ("503 Service Temporarily Unavailable", Cause::BadAnswer),
        };
        let error = call.fails(happened, "wait for the control plane to come up").because(cause);
        // A refused login is final for everybody but the wait for the control plane.
        Err(if cause == Cause::Credentials {
            error
        } else {
            error.transient("the control plane needs minutes to come up")
        })
    }

    fn cluster(&self, uuid: &str) -> ClientResult<RunaiCluster> {
        let cut_off = |connects: bool| if connects { self.strikes(RunaiFault::Disconnected) } else { Ok(false) };
        let (connected, missing, gpu_nodes, now) = self.centre.look(|state, now| {
            let cluster_part = release(state, Role::ClusterPart);
            let reports =
                cluster_part.is_some_and(|part| part.works(now) && part.answers_at.is_some_and(|at| at <= now));
            let ours = state.runai.credentials.as_deref() == Some(uuid);
            let gpus = state.machines.keys().filter(|node| offered_gpus(state, node, now) > 0);
            (reports && ours, missing(state, now), gpus.map(ToString::to_string).collect::<Vec<_>>(), now)
        })?;
        let state = if !connected {
            "WaitingToConnect"
        } else if cut_off(connected)? {
            "Disconnected"
        } else if missing.is_empty() {
            "Connected"
        } else {
            "MissingPrerequisites"
        };
        Ok(RunaiCluster {
            uuid: uuid.to_owned(),
            state: state.to_owned(),
            missing: if connected { missing } else { Vec::new() },
            unwell: Vec::new(),
            // It reports all the time as long as it is connected.
            reported: (state == "Connected").then(|| now.to_string()),
            gpu_nodes: Some(if state == "Connected" { gpu_nodes } else { Vec::new() }),
        })
    }

    fn entries(&self, name: &str) -> ClientResult<Vec<String>> {
        self.centre.look(|state, _| {
            let named = state.runai.clusters.iter().filter(|(_, entry)| entry == name);
            named.map(|(uuid, _)| uuid.clone()).collect()
        })
    }

    fn check_known(&self, call: &Call, target: &RunaiTarget, uuid: &str) -> ClientResult<()> {
        if self.entries(&target.cluster)?.iter().any(|known| known == uuid) {
            return Ok(());
        }
        Err(call.fails(format!("404: there is no cluster {uuid}"), "list the clusters again"))
    }
}

impl SimRunai {
    /// Of exactly this name; the simulated site has one cluster.
    fn unit(&self, unit: &OrgUnit) -> ClientResult<Option<RunaiOrgUnit>> {
        let key = OrgUnitKey::of(unit);
        self.centre.look(|state, _| {
            let held = state.runai.units.get(&key)?;
            let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{key:?}").as_bytes()).to_string();
            Some(RunaiOrgUnit { id, department: held.department.clone(), gpus: Some(f64::from(held.gpus)) })
        })
    }

    fn set(&self, unit: &OrgUnit, department: Option<String>) -> ClientResult<()> {
        self.centre.effect(Effect::OrgUnitSet { unit: OrgUnit { department, ..unit.clone() } })
    }
}

#[async_trait]
impl RunaiClient for SimRunai {
    async fn issuer(&self, _: &Context, target: &RunaiTarget) -> ClientResult<Option<String>> {
        self.centre.spend("issuer", &target.url, timing::RUNAI_CALL).await;
        let answer = self
            .centre
            .look(|state, now| (control_plane(state, now) >= RunaiStage::Realm).then(|| issuer(state, target)))?;
        match answer {
            None => Ok(None),
            Some(_) if self.strikes(RunaiFault::IssuerMismatch)? => {
                Ok(Some(format!("http://{}/auth/realms/{}", host(&target.url), target.realm)))
            }
            Some(issuer) => Ok(Some(issuer)),
        }
    }

    async fn up(&self, _: &Context, target: &RunaiTarget, is_new: bool) -> ClientResult<()> {
        let call = call("looking whether the control plane is up", target);
        let first = is_new || self.centre.look(|state, _| state.runai.credentials.is_none())?;
        self.request(&call, target).await.map_err(|error| match error.cause {
            Cause::Credentials if first => error.transient("the administrator may not be made yet"),
            _ => error,
        })
    }

    async fn clusters(&self, _: &Context, target: &RunaiTarget) -> ClientResult<Vec<RunaiCluster>> {
        self.request(&call("listing clusters", target), target).await?;
        self.entries(&target.cluster)?.iter().map(|uuid| self.cluster(uuid)).collect()
    }

    async fn register(&self, _: &Context, target: &RunaiTarget) -> ClientResult<RunaiCluster> {
        let call = call("registering the cluster", target);
        self.request(&call, target).await?;
        if self.strikes(RunaiFault::Conflict)? {
            return Err(call.fails(
                "409: Resource with this name already exists",
                "list the clusters by name and use the entry that is there",
            ));
        }
        // Of all that there ever were: one that is registered anew is another one.
        let count = self.centre.look(|state, _| state.counts.get("cluster-registered").copied().unwrap_or_default())?;
        let name = format!("{}/cluster/{}/{count}", self.centre.timing.seed, target.cluster);
        let uuid = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
        self.centre.effect(Effect::ClusterRegistered { uuid: uuid.clone(), name: target.cluster.clone() })?;
        self.cluster(&uuid)
    }

    async fn keep_credentials(&self, _: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<Option<String>> {
        let call = call("reading the cluster's credentials", target);
        self.request(&call, target).await?;
        self.check_known(&call, target, uuid)?;
        let credential = target.api.credential;
        let undone = |error: SecretError| call.fails(error.to_string(), "check the state directory, then run again");
        self.secrets.forget(&credential.other().kept()).map_err(undone)?;
        for reference in [credential.kept(), cluster_uid()] {
            // The simulated control plane hands out what the rehearsal makes up anyway: the id in the log is not a secret.
            let value = call.secret(&*self.secrets, &reference)?;
            self.secrets.keep(&reference, &value).map_err(undone)?;
        }
        if self.centre.look(|state, _| state.runai.credentials.as_deref() == Some(uuid))? {
            return Ok(None);
        }
        self.centre.effect(Effect::CredentialsKept { uuid: uuid.to_owned() })?;
        Ok(None)
    }

    async fn credentials_kept(&self, _: &Context, _: &RunaiTarget, uuid: &str) -> ClientResult<bool> {
        self.centre.look(|state, _| state.runai.credentials.as_deref() == Some(uuid))
    }

    async fn org_unit(
        &self,
        _: &Context,
        target: &RunaiTarget,
        uuid: &str,
        unit: &OrgUnit,
    ) -> ClientResult<Option<RunaiOrgUnit>> {
        let call = call("listing departments and projects", target);
        self.request(&call, target).await?;
        self.check_known(&call, target, uuid)?;
        self.unit(unit)
    }

    async fn make_org_unit(
        &self,
        _: &Context,
        target: &RunaiTarget,
        uuid: &str,
        unit: &OrgUnit,
    ) -> ClientResult<RunaiOrgUnit> {
        let call = call("making a department or a project", target);
        self.request(&call, target).await?;
        self.check_known(&call, target, uuid)?;
        if let Some(there) = self.unit(unit)? {
            return Ok(there);
        }
        if let Some(department) = &unit.department {
            let parent = OrgUnit { name: department.clone(), department: None, gpus: 0 };
            if self.unit(&parent)?.is_none() {
                return Err(call.fails(format!("404: there is no department {department}"), "make it first"));
            }
        }
        self.set(unit, unit.department.clone())?;
        self.unit(unit)?.ok_or_else(|| call.fails("it was made and is not there", "report this as a bug of plinth"))
    }

    async fn set_quota(&self, _: &Context, target: &RunaiTarget, uuid: &str, unit: &OrgUnit) -> ClientResult<()> {
        let call = call("setting a quota", target);
        self.request(&call, target).await?;
        self.check_known(&call, target, uuid)?;
        let Some(there) = self.unit(unit)? else {
            return Err(call.fails(format!("404: there is no {}", unit.title()), "list them again"));
        };
        if there.gpus == Some(f64::from(unit.gpus)) {
            return Ok(());
        }
        self.set(unit, there.department)
    }

    async fn projects(&self, _: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<Vec<RunaiProject>> {
        let call = call("listing projects", target);
        self.request(&call, target).await?;
        self.check_known(&call, target, uuid)?;
        workloads::projects(&self.centre)
    }

    async fn start_training(
        &self,
        _: &Context,
        target: &RunaiTarget,
        (uuid, project): (&str, &str),
        training: &RunaiTraining,
    ) -> ClientResult<RunaiWorkload> {
        let call = call("starting a training", target);
        self.request(&call, target).await?;
        self.check_known(&call, target, uuid)?;
        if !workloads::projects(&self.centre)?.iter().any(|known| known.id == project) {
            return Err(call.fails(format!("404: there is no project {project}"), "list them again"));
        }
        self.trainings.start(project, training).ok_or_else(|| {
            call.fails("409: Workload with this name already exists", "remove it, or wait until it is gone")
        })
    }

    async fn workloads(
        &self,
        _: &Context,
        target: &RunaiTarget,
        project: &str,
        name: &str,
    ) -> ClientResult<Vec<RunaiWorkload>> {
        self.request(&call("listing workloads", target), target).await?;
        self.trainings.named(&self.centre, project, name)
    }

    async fn workload(&self, _: &Context, target: &RunaiTarget, id: &str) -> ClientResult<Option<RunaiWorkload>> {
        self.request(&call("looking at a workload", target), target).await?;
        let fault = |kind: &FaultKind| matches!(kind, FaultKind::Check { name } if name == "runai-workload");
        if self.centre.strikes(fault)? {
            let said = vec!["a fault of this rehearsal".to_owned()];
            return Ok(Some(RunaiWorkload { id: id.to_owned(), phase: "Pending".to_owned(), said }));
        }
        self.trainings.one(&self.centre, id)
    }

    async fn remove_training(&self, _: &Context, target: &RunaiTarget, id: &str) -> ClientResult<()> {
        self.request(&call("removing a training", target), target).await?;
        self.trainings.remove(id);
        Ok(())
    }
}
