//! Charts whose version is a line: what it was found to mean, and what it means when a person asks anew.

use super::Operation;
use crate::failure::{Failure, client_problem};
use crate::state::facts;
use crate::world::OpenWorld;
use plinth_charts::Newest;
use plinth_model::{Plan, Problem, Version};
use plinth_plan::charts::lines;
use plinth_plan::{LineMeaning, Observed};
use plinth_world::{Context, SystemClock};
use serde::Serialize;
use std::sync::Arc;

/// What asking anew changed of one chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartMove {
    /// Its name in the catalog.
    pub component: String,
    /// What the site asks for: `~2.21.0`.
    pub selector: String,
    /// The version so far; none: it was never resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The version from now on.
    pub to: Version,
}

/// What asking anew for all lines changed.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// What is remembered now.
    pub moves: Vec<ChartMove>,
    /// Why it ended before all were remembered.
    pub failure: Option<Failure>,
}

impl Operation<'_> {
    /// Asks anew which version each line of the site's charts means, fetches all of them, and only then remembers them; plans that are
    /// made later have these versions. Exact versions stay what they are. In a rehearsal there is nobody to ask. The inventory that is
    /// read for it is the one that is observed later.
    ///
    /// # Errors
    /// When the inventory cannot be had, the site cannot be planned, or one of the charts cannot be had: nothing moved then. What
    /// ended the writing is no error of this, since some of it is written.
    pub async fn refresh_charts(&mut self) -> Result<Refreshed, Failure> {
        if !matches!(self.world, OpenWorld::Real(_)) {
            return Ok(Refreshed::default());
        }
        let inventory = self.read_inventory().await?.inventory;
        let observed = Observed { facts: facts::read(&self.directory)?, ..self.remembered(inventory.clone())? };
        let plan = self.make(&observed)?;
        self.recorded = Some(inventory);
        let OpenWorld::Real(real) = &self.world else { return Ok(Refreshed::default()) };
        let (ctx, charts) = (Context::quiet(Arc::new(SystemClock::new())), real.charts()?);
        let mut asked = Vec::new();
        for release in lines(&plan) {
            let newest = charts.newest(&ctx, &release).await.map_err(|error| client_problem(&error))?;
            asked.push((moved(&release.component, &release.version.to_string(), &newest), newest));
        }
        let mut refreshed = Refreshed::default();
        for (moved, newest) in asked {
            if let Err(error) = charts.settle(&newest) {
                refreshed.failure = Some(client_problem(&error).into());
                break;
            }
            refreshed.moves.push(moved);
        }
        Ok(refreshed)
    }

    /// The plan without what was seen of its steps, in which each line has the version that it was found to mean. Those are noted in
    /// `observed`, for plans that are made later of the same.
    pub(super) fn draft(&self, observed: &mut Observed) -> Result<Plan, Failure> {
        let plan = self.make(observed)?;
        let meanings = self.meanings(&plan)?;
        if meanings == observed.lines {
            return Ok(plan);
        }
        observed.lines = meanings;
        self.make(observed)
    }

    /// What the lines of a plan were found to mean, by what the state directory remembers.
    fn meanings(&self, plan: &Plan) -> Result<Vec<LineMeaning>, Problem> {
        let OpenWorld::Real(real) = &self.world else { return Ok(Vec::new()) };
        let releases = lines(plan);
        if releases.is_empty() {
            return Ok(Vec::new());
        }
        let (charts, mut meanings) = (real.charts()?, Vec::new());
        for release in releases {
            if let Some(version) = charts.meaning(&release).map_err(|error| client_problem(&error))? {
                meanings.push(LineMeaning { component: release.component, line: release.version, version });
            }
        }
        Ok(meanings)
    }
}

fn moved(component: &str, selector: &str, newest: &Newest) -> ChartMove {
    let (from, to) = (newest.from.clone(), newest.to.clone());
    ChartMove { component: component.to_owned(), selector: selector.to_owned(), from, to }
}
