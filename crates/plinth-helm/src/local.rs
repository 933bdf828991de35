//! helm on this machine, for one site: what its operations start from.

use crate::failure;
use crate::objects::Lists;
use crate::payload::{self, Payload};
use plinth_model::ReleaseName;
use plinth_world::charts::ChartPackages;
use plinth_world::helm::{HelmObjects, HelmPrograms, ReleaseRecord, ReleaseRecords};
use plinth_world::kube::{KubeHealth, KubeHooks, KubeObjects, KubeReadiness, KubeWatch};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientResult, Context, deadlines};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What of the cluster is needed.
pub trait HelmCluster:
    ReleaseRecords + HelmObjects + KubeObjects + KubeHealth + KubeWatch + KubeHooks + KubeReadiness
{
}

impl<T: ReleaseRecords + HelmObjects + KubeObjects + KubeHealth + KubeWatch + KubeHooks + KubeReadiness> HelmCluster
    for T
{
}

/// helm on this machine.
pub struct LocalHelm {
    pub(super) state: PathBuf,
    pub(super) kubeconfig: PathBuf,
    pub(super) cluster: Arc<dyn HelmCluster>,
    pub(super) packages: Arc<dyn ChartPackages>,
    pub(super) program: Arc<dyn HelmPrograms>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) abandoned: Duration,
    /// What was listed of the cluster a moment ago.
    pub(super) lists: Lists,
    /// What was read of a release, with the state of its record, until its objects are compared: records are large.
    read: Mutex<HashMap<String, (String, Payload)>>,
}

/// helm works in another folder and must still find it.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

impl LocalHelm {
    /// For the site whose state is in this directory and whose kubeconfig is this file. Nothing is done yet.
    #[must_use]
    pub fn new(
        state: &Path,
        kubeconfig: &Path,
        cluster: Arc<dyn HelmCluster>,
        packages: Arc<dyn ChartPackages>,
        program: Arc<dyn HelmPrograms>,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        let (state, kubeconfig) = (absolute(state), absolute(kubeconfig));
        let abandoned = deadlines::HELM_ABANDONED;
        let (lists, read) = (Lists::default(), Mutex::default());
        Self { state, kubeconfig, cluster, packages, program, secrets, abandoned, lists, read }
    }

    /// The same, with another time after which an open operation of somebody else is nobody's any more.
    #[must_use]
    pub const fn abandoned_after(mut self, time: Duration) -> Self {
        self.abandoned = time;
        self
    }

    /// What is written in a revision.
    pub(super) async fn written(
        &self,
        ctx: &Context,
        name: &ReleaseName,
        record: Option<&ReleaseRecord>,
        doing: &str,
    ) -> ClientResult<Option<Payload>> {
        let Some(record) = record else { return Ok(None) };
        let Some(content) = self.cluster.content(ctx, name, record.revision).await? else { return Ok(None) };
        payload::read(&content, &name.name)
            .map(Some)
            .map_err(|why| failure::unreadable(doing, name, record.revision, &why))
    }

    /// Keeps what was read for who asks next.
    pub(super) fn keep_read(&self, name: &ReleaseName, record: &ReleaseRecord, there: Payload) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(name.to_string(), (record.state.clone(), there));
    }

    /// What was read of this very state of a record, once.
    pub(super) fn take_read(&self, name: &ReleaseName, record: &ReleaseRecord) -> Option<Payload> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).remove(&name.to_string());
        read.filter(|(state, _)| *state == record.state).map(|(_, there)| there)
    }

    pub(super) async fn records(&self, ctx: &Context, name: &ReleaseName) -> ClientResult<Vec<ReleaseRecord>> {
        self.cluster.records(ctx, name).await
    }
}
