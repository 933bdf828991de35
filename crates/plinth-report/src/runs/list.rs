//! The list of runs.

use super::{Look, short};
use crate::history::older;
use crate::style::Sign;
use plinth_analysis::{RunEntry, ranges};
use plinth_model::run::RunState;
use plinth_model::span::span;
use plinth_model::{SiteName, amount};

/// The runs that are listed.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The site.
    pub site: &'a SiteName,
    /// Those that fit what was asked for, oldest first.
    pub runs: &'a [RunEntry],
    /// How many older ones are not kept any more.
    pub removed: u32,
}

/// Newest last, where people look. `asked` is the filter, which is named when nothing fits.
#[must_use]
pub fn list(Listed { site, runs, removed }: Listed<'_>, asked: &str, look: Look) -> String {
    let name = look.palette.bold(site.as_str());
    if runs.is_empty() && asked.is_empty() {
        return format!("{name}: never applied");
    }
    if runs.is_empty() {
        return format!("{name}: no run fits `{}`", short(asked));
    }
    let mut lines = vec![format!("{name}: {}", amount(runs.len(), "run"))];
    lines.extend(older(removed).map(|older| format!("  {older}")));
    for run in runs {
        lines.push(format!("  {}", head(run, look)));
        lines.extend(run.first_failure.as_ref().map(|step| format!("      first failure: {step}")));
    }
    lines.push(
        "`plinth runs show RUN` shows one; RUN is the beginning of an id, `last`, `last-good` or `^1`".to_owned(),
    );
    look.fitted(&lines)
}

/// `018f…  2026-01-01T10:00:00Z  apply  partly  10 min 40 s  5 changed, 1 failed  by anna@bastion (process 4711)`.
pub(super) fn head(run: &RunEntry, look: Look) -> String {
    let at = run.started.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
    let command = short(run.command());
    let counts = run.counts.map(|counts| format!("  {} changed, {} failed", counts.changed, counts.failed));
    let who = run.who.as_ref().map(|who| format!("  by {}", short(&who.to_string())));
    let without = short(&ranges(run.without.iter().map(|node| node.as_str())));
    let without = if without.is_empty() { String::new() } else { format!("  without {without}") };
    let virtual_time = if run.rehearsal { " of virtual time" } else { "" };
    format!(
        "{} {}  {at}  {command}  {}  {}{virtual_time}{}{}{without}",
        look.palette.painted(sign(run.state)),
        look.palette.bold(&short(&run.run)),
        run.state.word(),
        span(run.seconds),
        counts.unwrap_or_default(),
        who.unwrap_or_default(),
    )
}

pub(super) const fn sign(state: RunState) -> Sign {
    match state {
        RunState::Done => Sign::Changed,
        RunState::Partly => Sign::Failed,
        RunState::Running => Sign::Running,
        RunState::Stopped | RunState::Interrupted => Sign::Warning,
        RunState::None => Sign::NotRun,
    }
}
