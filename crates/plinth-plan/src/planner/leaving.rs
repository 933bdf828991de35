//! What plinth installed and the site no longer wants: components that were switched off, releases that move to another namespace, objects
//! that were dropped. What others installed is not in the journal, so it is never among them.

use crate::catalog::{Components, Removable};
use crate::ids;
use crate::step::{Refine, step};
use plinth_catalog::{Resolution, ResolvedComponent};
use plinth_model::plan::Step;
use plinth_model::steps::{ComponentRemoval, CrdPolicy, deadlines};
use plinth_model::{Installed, ObjectName, Parts, ReleaseName, Stage, StepId, Work};

/// Parts of one component that go.
pub(super) struct Leaving<'a> {
    parts: Parts,
    known: Option<Removable>,
    /// The component, where it stays and only these parts of it go.
    stays: Option<&'a ResolvedComponent>,
    /// The component that takes its place, where it goes as a whole.
    replaced_by: Option<&'a str>,
}

/// What must wait until parts are gone, since both cannot be there at once: they own the same objects, ports or addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room<'a> {
    /// The new release of this component.
    Release(&'a str),
    /// The objects of this component.
    Objects(&'a str),
}

/// Everything that goes, what is needed by others behind them.
pub(super) fn leaving<'a>(
    installed: &Installed,
    resolution: &'a Resolution,
    catalog: &dyn Components,
) -> Vec<Leaving<'a>> {
    let gone = |parts: &Parts| {
        let stays = resolution.components.iter().find(|wanted| wanted.name == parts.component);
        let parts = stays.map_or_else(|| parts.clone(), |wanted| parts.without(&wanted_parts(wanted)));
        let known = catalog.removable(&parts.component);
        let replaced_by = stays.is_none().then(|| replacement(&parts.component, resolution, catalog)).flatten();
        (!parts.is_empty()).then_some(Leaving { parts, known, stays, replaced_by })
    };
    // What was installed last goes first, as far as nothing else says so.
    let mut left: Vec<Leaving<'a>> = installed.components().iter().rev().filter_map(gone).collect();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left.iter().position(|one| !left.iter().any(|other| other.works_with(&one.parts.component)));
        ordered.push(left.remove(free.unwrap_or(0)));
    }
    ordered
}

/// What the site wants in the place of a component.
fn replacement<'a>(component: &str, resolution: &'a Resolution, catalog: &dyn Components) -> Option<&'a str> {
    let takes_its_place = |wanted: &&ResolvedComponent| {
        let known = catalog.removable(&wanted.name);
        known.is_some_and(|known| known.replaces.iter().any(|replaced| replaced == component))
    };
    resolution.components.iter().find(takes_its_place).map(|wanted| wanted.name.as_str())
}

/// What the site wants of a component.
fn wanted_parts(component: &ResolvedComponent) -> Parts {
    let release = ReleaseName { namespace: component.namespace.clone(), name: component.release.release.clone() };
    Parts {
        component: component.name.clone(),
        releases: [release].into(),
        // As the steps of the component say what they bring.
        objects: component
            .all_objects()
            .filter_map(ObjectName::of)
            .chain(component.release.remove_first.iter().cloned())
            .collect(),
    }
}

impl Leaving<'_> {
    pub(super) fn id(&self) -> StepId {
        ids::remove(&self.parts.component)
    }

    /// What must wait until these parts are gone.
    pub(super) fn makes_room_for(&self) -> Option<Room<'_>> {
        let drops_first = self.known.as_ref().is_some_and(|known| known.drops_first);
        let stays = self.stays.map(|component| component.name.as_str());
        match (self.replaced_by, stays) {
            (Some(by), _) => Some(Room::Release(by)),
            (None, Some(name)) if !self.parts.releases.is_empty() => Some(Room::Release(name)),
            (None, Some(name)) if drops_first => Some(Room::Objects(name)),
            _ => None,
        }
    }

    fn works_with(&self, component: &str) -> bool {
        self.stays.is_none() && self.known.iter().flat_map(|known| &known.needs).any(|need| need == component)
    }

    /// Its step. Parts that make room for new ones go before those, all others when what stays was brought up to date without them.
    pub(super) fn step(&self, all: &[Self], resolution: &Resolution, join: StepId, catalog: &dyn Components) -> Step {
        let component = &self.parts.component;
        let stage = self.known.as_ref().map_or(Stage::Platform, |known| known.stage);
        let work = Work::ComponentRemoval(ComponentRemoval {
            parts: self.parts.clone(),
            timeout_s: deadlines::HELM_UNINSTALL,
            loses: self.loses(),
            stage,
        });
        let step = step(self.id(), work, self.reason()).needing([join]);
        match self.makes_room_for() {
            Some(Room::Release(_)) => return step,
            // Not before the release: while helm works, or where it fails, the old objects still serve.
            Some(Room::Objects(name)) => return step.needing([ids::release(name)]),
            None => {}
        }
        let users = resolution.components.iter().filter(|wanted| {
            let needs = catalog.removable(&wanted.name).map(|known| known.needs).unwrap_or_default();
            needs.contains(component) || wanted.name == *component
        });
        let before = all.iter().filter(|other| other.works_with(component)).map(Leaving::id);
        step.needing(users.map(ids::end)).needing(before)
    }

    fn title(&self) -> &str {
        self.known.as_ref().map_or(&self.parts.component, |known| &known.title)
    }

    fn reason(&self) -> String {
        match self.stays {
            None => match self.replaced_by {
                Some(by) => format!("{by} takes the place of {}, and both cannot be there at once", self.title()),
                None => format!("the site no longer wants {}, which plinth installed", self.title()),
            },
            Some(wanted) if !self.parts.releases.is_empty() => {
                format!("{} moves to namespace {}, and helm moves no release", self.title(), wanted.namespace)
            }
            Some(_) if self.makes_room_for().is_some() => {
                format!(
                    "the site no longer wants these objects of {}, and they clash with what it wants now",
                    self.title()
                )
            }
            Some(_) => format!("the site no longer wants these objects of {}, which plinth made", self.title()),
        }
    }

    fn loses(&self) -> String {
        let Parts { releases, objects, .. } = &self.parts;
        let mut parts: Vec<String> = objects.iter().map(|object| format!("removes {object}")).collect();
        parts.extend(releases.iter().map(|release| format!("uninstalls {release}")));
        let templates = self.known.as_ref().is_some_and(|known| known.crds == CrdPolicy::Templates);
        if templates && !releases.is_empty() {
            parts.push("its custom resource definitions go with it, and every object of those kinds".to_owned());
        }
        match (self.stays, &self.known) {
            (None, Some(Removable { lost: Some(lost), .. })) => parts.push(lost.clone()),
            (Some(_), _) if !releases.is_empty() => parts.push("it is away until it is installed again".to_owned()),
            _ if matches!(self.makes_room_for(), Some(Room::Objects(_))) => {
                parts.push("what they gave is away until the new objects are there".to_owned());
            }
            _ => {}
        }
        parts.join("; ")
    }
}
