//! Trainings of the simulated Run:ai. They are no part of the world's log: Run:ai removes them a minute after their end.

use super::model::offered_gpus;
use crate::data_centre::DataCentre;
use crate::world::OrgUnitKey;
use plinth_model::steps::OrgUnit;
use plinth_world::ClientResult;
use plinth_world::runai::{RunaiProject, RunaiTraining, RunaiWorkload};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Those that are there, by their ids.
#[derive(Default)]
pub(crate) struct Trainings(Mutex<BTreeMap<String, (String, RunaiTraining)>>);

/// The id under which a department or a project is known.
pub(super) fn unit_id(unit: &OrgUnit) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{:?}", OrgUnitKey::of(unit)).as_bytes()).to_string()
}

/// All projects, by name.
pub(super) fn projects(centre: &DataCentre) -> ClientResult<Vec<RunaiProject>> {
    centre.look(|state, _| {
        let units = state.runai.units.values().filter(|unit| unit.department.is_some());
        let mut all: Vec<RunaiProject> =
            units.map(|unit| RunaiProject { id: unit_id(unit), name: unit.name.clone() }).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    })
}

impl Trainings {
    /// None: the name is used.
    pub(super) fn start(&self, project: &str, training: &RunaiTraining) -> Option<RunaiWorkload> {
        let mut all = self.all();
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{project}/{}", training.name).as_bytes()).to_string();
        if all.contains_key(&id) {
            return None;
        }
        all.insert(id.clone(), (project.to_owned(), training.clone()));
        Some(RunaiWorkload { id, phase: "Creating".to_owned(), said: Vec::new() })
    }

    pub(super) fn named(&self, centre: &DataCentre, project: &str, name: &str) -> ClientResult<Vec<RunaiWorkload>> {
        let all = self.all().clone();
        let ours = all.iter().filter(|(_, (of, training))| of == project && training.name == name);
        ours.map(|(id, (_, training))| seen(centre, id, training)).collect()
    }

    pub(super) fn one(&self, centre: &DataCentre, id: &str) -> ClientResult<Option<RunaiWorkload>> {
        let found = self.all().get(id).cloned();
        found.map(|(_, training)| seen(centre, id, &training)).transpose()
    }

    pub(super) fn remove(&self, id: &str) {
        self.all().remove(id);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, (String, RunaiTraining)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It runs when a node has the GPUs that it asks for.
fn seen(centre: &DataCentre, id: &str, training: &RunaiTraining) -> ClientResult<RunaiWorkload> {
    let fits = centre.look(|state, now| {
        training.gpus == 0 || state.machines.keys().any(|node| offered_gpus(state, node, now) >= training.gpus)
    })?;
    let (phase, said) = if fits {
        ("Running", Vec::new())
    } else {
        ("Pending", vec!["Not enough resources in the requested nodepool".to_owned()])
    };
    Ok(RunaiWorkload { id: id.to_owned(), phase: phase.to_owned(), said })
}
