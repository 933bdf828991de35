//! A run in the formats of other tools. All are made from the same values that terminal and page show; text of foreign programs is
//! cleaned here too, so that no reader of a format is given control characters.

mod ctrf;
mod junit;
mod markdown;
mod metrics;
mod otlp;
#[cfg(test)]
mod tests;
mod trace;

use crate::runs::Shown;
use crate::style::clean;
use plinth_analysis::{Columns, Row};
use plinth_model::{RunView, SiteName, StepState};
use serde_json::Value;

pub use markdown::LARGEST as LARGEST_SUMMARY;

/// A format of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Chrome's trace events, for Perfetto and `chrome://tracing`.
    Trace,
    /// OTLP traces as JSON.
    Otlp,
    /// Common Test Report Format.
    Ctrf,
    /// JUnit XML.
    Junit,
    /// A summary for a pull request or a ticket.
    Markdown,
    /// Prometheus text, for node_exporter's textfile collector.
    Metrics,
}

/// All that a format may need of one run.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// The one that the run was about.
    pub site: &'a SiteName,
    /// The run, as it is shown.
    pub shown: Shown<'a>,
    /// Times of its steps.
    pub columns: &'a Columns,
    /// Version of plinth.
    pub plinth: &'a str,
}

impl Exported<'_> {
    /// The text of a format, with a line break at its end.
    ///
    /// # Errors
    /// When it cannot be written in that format, which no value of a view brings about.
    pub fn write(&self, format: Format) -> Result<String, String> {
        let json = |value: Value| serde_json::to_string(&value).map(|text| text + "\n").map_err(|e| e.to_string());
        match format {
            Format::Trace => json(trace::trace(self)),
            Format::Otlp => json(otlp::otlp(self)),
            Format::Ctrf => json(ctrf::ctrf(self)),
            Format::Junit => junit::junit(self),
            Format::Markdown => Ok(markdown::markdown(self)),
            Format::Metrics => Ok(metrics::metrics(self)),
        }
    }

    pub(crate) fn view(&self) -> &RunView {
        self.shown.view
    }

    /// Nanoseconds since 1970 of a moment of the run.
    fn nanos(&self, seconds: f64) -> i128 {
        let began = self.view().started.map_or(0, |at| at.as_nanosecond());
        began + (seconds * 1e9).round() as i128
    }

    /// When a step ended, or the newest event if it has not.
    fn end_of(&self, row: &Row) -> f64 {
        row.ended_s.unwrap_or(self.columns.elapsed_s)
    }

    /// What was said of a step, in one line.
    pub(crate) fn detail(&self, row: &Row) -> String {
        let step = self.view().steps.get(&row.step);
        let finding = step.and_then(|step| step.finding.as_ref());
        let text = finding.map_or_else(|| step.map_or("", |step| step.detail.as_str()), |finding| &finding.message);
        short(text)
    }
}

/// One line of foreign text, bounded.
fn short(text: &str) -> String {
    let begin: String = text.chars().take(1_000).collect();
    clean(&begin)
}

/// How tools for tests call an end.
const fn verdict(state: StepState) -> &'static str {
    match state {
        StepState::Changed | StepState::Unchanged => "passed",
        StepState::Failed => "failed",
        StepState::Skipped | StepState::NotRun => "skipped",
        StepState::Pending => "pending",
        StepState::Looking | StepState::Acting | StepState::Unknown => "other",
    }
}
