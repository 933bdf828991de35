//! The record of what runs on the nodes, and a cluster that somebody else installed before plinth came.

use super::Call;
use crate::data_centre::DataCentre;
use crate::timing;
use crate::world::{Effect, State};
use async_trait::async_trait;
use plinth_model::engine::KubesprayRecord;
use plinth_model::{DefaultClass, EngineRecord, Version};
use plinth_world::engine::EngineRecords;
use plinth_world::kube::{ClusterMark, ExistingCluster, GivenConfig};
use plinth_world::{ClientResult, Context};
use std::sync::Arc;

pub(crate) struct SimRecords {
    pub(crate) centre: Arc<DataCentre>,
}

#[async_trait]
impl EngineRecords for SimRecords {
    async fn record(&self, _: &Context) -> ClientResult<Option<EngineRecord>> {
        self.centre.look(|state, _| {
            let controller = &state.controller;
            let taken = controller.taken_over.clone().map(EngineRecord::Existing);
            let ours = Some(&controller.deployed).filter(|record| **record != KubesprayRecord::default());
            taken.or_else(|| ours.map(|record| EngineRecord::Kubespray(Box::new(record.clone()))))
        })
    }

    async fn keep(&self, _: &Context, record: &EngineRecord) -> ClientResult<()> {
        match record {
            EngineRecord::Existing(record) => self.centre.effect(Effect::TakenOver { record: record.clone() }),
            EngineRecord::Kubespray(_) => {
                Err(Call::new("engine", "keeping a record").fails("plays keep theirs themselves", "report this"))
            }
        }
    }

    async fn forget(&self, _: &Context) -> ClientResult<()> {
        let nodes = self.centre.look(|state, _| state.cluster.members.keys().cloned().collect())?;
        self.centre.effect(Effect::HostsLeft { nodes, left: None })
    }
}

/// The cluster that was there before. Its kubeconfig is never read: a rehearsal needs none.
pub(crate) struct SimExisting {
    pub(crate) centre: Arc<DataCentre>,
}

fn server(state: &State) -> Option<String> {
    let first = state.cluster.members.keys().next()?;
    let machine = state.machines.get(first)?;
    Some(format!("https://{}:6443", machine.hardware.address))
}

impl SimExisting {
    fn found(&self, file: &str) -> ClientResult<String> {
        let found = self.centre.look(|state, _| server(state))?;
        let call = || Call::new("kube", format!("reading the kubeconfig {file}"));
        found.ok_or_else(|| call().fails("no cluster runs there", "simulate one that does"))
    }
}

#[async_trait]
impl ExistingCluster for SimExisting {
    async fn given(&self, _: &Context, file: &str) -> ClientResult<GivenConfig> {
        let server = self.found(file)?;
        let held = self.centre.look(|state, _| state.cluster.kubeconfig.as_ref() == Some(&server))?;
        Ok(GivenConfig { server, held })
    }

    /// One data centre, one state directory: what was taken over is ours.
    async fn mark(&self, _: &Context, _: &str) -> ClientResult<ClusterMark> {
        let ours = self.centre.look(|state, _| state.controller.taken_over.is_some())?;
        Ok(if ours { ClusterMark::Ours } else { ClusterMark::Absent })
    }

    async fn take_over(&self, _: &Context, file: &str) -> ClientResult<()> {
        let server = self.found(file)?;
        self.centre.spend("kubeconfig", file, timing::KUBECONFIG).await;
        if self.centre.look(|state, _| state.cluster.kubeconfig.as_ref() == Some(&server))? {
            return Ok(());
        }
        self.centre.effect(Effect::KubeconfigFetched { server })
    }

    async fn version(&self, _: &Context, file: &str) -> ClientResult<Version> {
        let server = self.found(file)?;
        let oldest = self.centre.look(|state, _| state.cluster.members.values().map(|m| m.version.clone()).min())?;
        let call = Call::new("kube", format!("asking {server} for its version"));
        oldest.unwrap_or_default().parse().map_err(|error| call.fails(format!("{error}"), "simulate another version"))
    }

    /// The simulated cluster of somebody else has none.
    async fn default_classes(&self, _: &Context, file: &str) -> ClientResult<Vec<DefaultClass>> {
        self.found(file)?;
        Ok(Vec::new())
    }
}
