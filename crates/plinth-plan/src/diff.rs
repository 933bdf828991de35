//! What moved between two plans: their origins, and their steps.

use plinth_model::plan::{MadeFrom, Plan, Step};
use plinth_model::{Digest, StepId};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;

/// What a plan is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The site file.
    Site,
    /// What the inventory said.
    Inventory,
    /// The catalog.
    Catalog,
    /// plinth itself.
    Plinth,
}

/// Something that is no longer what a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// What.
    pub what: Origin,
    /// When the plan was made: the first digits of a digest, or a version.
    pub saved: String,
    /// Now.
    pub now: String,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Origin::Site => "the site file changed",
            Origin::Inventory => "the inventory says something else",
            Origin::Catalog => "the catalog changed",
            Origin::Plinth => "plinth has another version",
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
    let origins = [
        digest(Origin::Site, &saved.site, &now.site),
        digest(Origin::Inventory, &saved.inventory, &now.inventory),
        digest(Origin::Catalog, &saved.catalog, &now.catalog),
        (saved.plinth != now.plinth).then(version),
    ];
    origins.into_iter().flatten().collect()
}

/// How the steps of two plans differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepDiff {
    /// Only in the new plan, in its order.
    pub added: Vec<StepId>,
    /// Only in the old plan, in its order.
    pub removed: Vec<StepId>,
    /// In both, but with other work, needs or conditions; in the new plan's order.
    pub changed: Vec<StepId>,
}

/// Compares the steps of two plans. What was seen of the world is not compared.
#[must_use]
pub fn steps(old: &Plan, new: &Plan) -> StepDiff {
    let before: HashMap<&StepId, &Step> = old.steps.iter().map(|s| (&s.id, s)).collect();
    let after: HashMap<&StepId, &Step> = new.steps.iter().map(|s| (&s.id, s)).collect();
    let ids = |steps: &[Step], keep: &dyn Fn(&Step) -> bool| -> Vec<StepId> {
        steps.iter().filter(|s| keep(s)).map(|s| s.id.clone()).collect()
    };
    StepDiff {
        added: ids(&new.steps, &|s| !before.contains_key(&s.id)),
        removed: ids(&old.steps, &|s| !after.contains_key(&s.id)),
        changed: ids(&new.steps, &|s| before.get(&s.id).is_some_and(|b| !same(b, s))),
    }
}

fn same(a: &Step, b: &Step) -> bool {
    a.version == b.version && a.once == b.once && a.needs == b.needs && a.when == b.when && a.work == b.work
}
