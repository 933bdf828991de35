//! What moved since a plan was made: what it was made from.

use plinth_model::plan::MadeFrom;
use plinth_model::steps::{HelmRelease, Release};
use plinth_model::{Digest, NodeName, Plan, Work};
use serde::Serialize;
use std::fmt;

/// What a plan is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The site file.
    Site,
    /// What the inventory said.
    Inventory,
    /// Data of components and versions that the plan was resolved with.
    Catalog,
    /// plinth itself.
    Plinth,
    /// The nodes that are left out.
    Without,
}

/// Something that is no longer what a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// Which of the things that a plan is made from.
    pub what: Origin,
    /// When the plan was made: the first digits of a digest, or a version.
    pub saved: String,
    /// The same of what a plan would be made from now.
    pub now: String,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Origin::Site => "the site file changed",
            Origin::Inventory => "the inventory says something else",
            Origin::Catalog => "the catalog changed",
            Origin::Plinth => "plinth has another version",
            Origin::Without => "other nodes are left out",
        };
        write!(f, "{what} ({} when the plan was made, {} now)", self.saved, self.now)
    }
}

/// What moved; empty when a plan still fits.
#[must_use]
pub fn moved(saved: &MadeFrom, now: &MadeFrom) -> Vec<Moved> {
    let digest = |what, saved: &Digest, now: &Digest| {
        (saved != now).then(|| Moved { what, saved: saved.short().to_owned(), now: now.short().to_owned() })
    };
    let version = || Moved { what: Origin::Plinth, saved: saved.plinth.clone(), now: now.plinth.clone() };
    let names = |nodes: &[NodeName]| match nodes {
        [] => "none".to_owned(),
        nodes => nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", "),
    };
    let without = || Moved { what: Origin::Without, saved: names(&saved.without), now: names(&now.without) };
    let origins = [
        digest(Origin::Site, &saved.site, &now.site),
        digest(Origin::Inventory, &saved.inventory, &now.inventory),
        digest(Origin::Catalog, &saved.catalog, &now.catalog),
        (saved.plinth != now.plinth).then(version),
        (saved.without != now.without).then(without),
    ];
    origins.into_iter().flatten().collect()
}

/// Charts that have another version in a plan that is made now, one line each.
#[must_use]
pub fn moved_charts(saved: &Plan, now: &Plan) -> Vec<String> {
    let before: Vec<&Release> = releases(saved).collect();
    let moved = |release: &Release| {
        let before = before.iter().find(|before| before.component == release.component)?;
        let differ = before.version != release.version;
        let (component, then, now) = (&release.component, &before.version, &release.version);
        differ.then(|| format!("{component} has another version ({then} when the plan was made, {now} now)"))
    };
    releases(now).filter_map(moved).collect()
}

fn releases(plan: &Plan) -> impl Iterator<Item = &Release> {
    plan.steps.iter().filter_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some(&**release),
        _ => None,
    })
}
