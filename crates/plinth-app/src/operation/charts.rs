//! Charts whose version is a line: asked anew, when a person wants it.

use super::Operation;
use crate::failure::{Failure, client_problem};
use crate::world::OpenWorld;
use plinth_model::steps::{HelmRelease, Release};
use plinth_model::{Plan, Version, Work};
use plinth_world::{Context, SystemClock};
use std::collections::HashSet;
use std::sync::Arc;

/// What asking anew changed of one chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartMove {
    /// The component.
    pub component: String,
    /// What the site asks for: `~2.21.0`.
    pub selector: String,
    /// The version so far; none: it was never resolved.
    pub from: Option<Version>,
    /// The version from now on.
    pub to: Version,
}

impl Operation<'_> {
    /// Asks anew which version each line of the plan's charts means, fetches it and remembers it. Exact versions stay what they are. In a
    /// rehearsal there is nobody to ask.
    ///
    /// # Errors
    /// At the first chart that cannot be had; what was resolved before stays then.
    pub async fn refresh_charts(&self, plan: &Plan) -> Result<Vec<ChartMove>, Failure> {
        let OpenWorld::Real(real) = &self.world else { return Ok(Vec::new()) };
        let ctx = Context::quiet(Arc::new(SystemClock::new()));
        let (mut moves, charts) = (Vec::new(), real.charts()?);
        for release in lines(plan) {
            let moved = charts.refresh(&ctx, release).await.map_err(|error| client_problem(&error))?;
            moves.push(ChartMove {
                component: release.component.clone(),
                selector: release.version.to_string(),
                from: moved.from,
                to: moved.to,
            });
        }
        Ok(moves)
    }
}

/// Releases whose version is a line, each chart once.
fn lines(plan: &Plan) -> impl Iterator<Item = &Release> {
    let mut seen = HashSet::new();
    let releases = plan.steps.iter().filter_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some(&**release),
        _ => None,
    });
    let of_lines = releases.filter(|release| release.version.exact().is_none());
    of_lines.filter(move |release| seen.insert((&release.chart, &release.repository)))
}
