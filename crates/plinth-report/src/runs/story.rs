//! The whole story of a run in a few kilobytes: for a pager, a ticket, a colleague who takes over. The same run gives the same text.

use super::{Look, Shown, list, outlook, path, short, waits};
use crate::card::{card, titled};
use crate::style::{Palette, clean};
use plinth_model::run::{Interrupted, RunState, StepState, StepView};
use plinth_model::span::span;
use plinth_model::{RunView, SiteName, amount};

/// Fewer bytes than this tell no story.
pub const LEAST_BYTES: usize = 1024;
/// Bytes that are kept for what stands behind the causes, of a story that is long enough.
const REST: usize = 700;
/// Steps to take next that are told.
const NEXT: usize = 4;
/// Findings beside the failures that are told.
const WARNINGS: usize = 3;

/// What a story is about.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// The one that the run was about.
    pub site: &'a SiteName,
    /// The run.
    pub shown: Shown<'a>,
    /// Bytes at most; [`LEAST_BYTES`] at least.
    pub bytes: usize,
    /// Whether signs outside ASCII can be read; there are never colours in it.
    pub unicode: bool,
}

impl Story<'_> {
    const fn palette(&self) -> Palette {
        Palette { colour: false, unicode: self.unicode }
    }
}

/// Tells it: how it stands, why, what waits, what to do next. Never longer than `bytes`, whatever failed; what was left out is counted.
#[must_use]
pub fn story(story: &Story<'_>) -> String {
    let look = Look { palette: story.palette(), width: None };
    let limit = story.bytes.max(LEAST_BYTES);
    let mut text = Bounded { text: String::new(), limit, kept: REST.min(limit / 6) };
    for line in opening(story, look) {
        text.add_cut(&line, text.kept);
    }
    causes(story, &mut text);
    for line in rest(story, look) {
        text.add(&line, 0);
    }
    text.text.trim_end().to_owned()
}

/// A text that does not grow beyond its limit.
struct Bounded {
    text: String,
    limit: usize,
    /// Bytes kept for the end.
    kept: usize,
}

impl Bounded {
    /// Adds a line if so many bytes are left behind it. Answers whether it did.
    fn add(&mut self, line: &str, left: usize) -> bool {
        let fits = self.text.len() + line.len() + 1 + left <= self.limit;
        if fits {
            self.text.push_str(line);
            self.text.push('\n');
        }
        fits
    }

    /// Adds a line, or as much of it as there is room for.
    fn add_cut(&mut self, line: &str, left: usize) {
        let more = " …";
        let room = self.limit.saturating_sub(self.text.len() + left + more.len() + 1);
        if !self.add(line, left) && room > more.len() {
            self.add(&format!("{}{more}", beginning(line, room)), left);
        }
    }
}

/// So many bytes from the beginning, and no half character.
fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

fn opening(story: &Story<'_>, look: Look) -> Vec<String> {
    let Shown { entry, view, waiting, .. } = story.shown;
    let counts = view.counts();
    let mut lines = vec![format!("{}: {}", story.site, list::head(entry, look))];
    let told = [
        (counts.changed, "changed"),
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.failed, "failed"),
        (interrupted(view, Interrupted::Effect), "interrupted"),
        (interrupted(view, Interrupted::Look), "interrupted while only looked at"),
        (counts.not_run, "not run"),
    ];
    let told: Vec<String> = told.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let at = view.at.map(|at| format!("; as of {at:.0}, event {}", view.seq())).unwrap_or_default();
    lines.push(format!("  {} of plan {}: {}{at}", amount(entry.steps, "step"), plan(story), told.join(", ")));
    // What a stop waits for, and what ends it at once, is of use as long as it goes on.
    let is_on = entry.state == RunState::Running;
    lines.extend(view.stopping.as_ref().filter(|_| is_on).map(|reason| format!("  {}", short(reason))));
    if entry.state == RunState::Interrupted {
        let what = "its process was killed or lost, or does not renew the site's lock (`plinth status`)";
        lines.push(format!("  its end was not seen: {what}; the next run looks first"));
    }
    lines.extend(story.shown.outlook.left.map(|left| format!("  {}", outlook::left(left))));
    lines.extend(waits::sentence(view, waiting).filter(|_| is_on).map(|text| format!("  {text}")));
    lines.extend(story.shown.outlook.rehearsal.map(|diff| format!("  {}", outlook::rehearsal_headline(diff))));
    for (id, step) in view.longest_running().into_iter().take(WARNINGS) {
        lines.push(format!("  running: {id} for {}", span(view.running_for(step))));
    }
    lines
}

/// Steps whose end was not seen. Those that a stop cut off the run itself counts as not run.
fn interrupted(view: &RunView, place: Interrupted) -> usize {
    let lost = |step: &&StepView| step.state == StepState::Unknown && step.interrupted() == Some(place);
    view.steps.values().filter(lost).count()
}

fn plan(story: &Story<'_>) -> String {
    story.shown.entry.plan.as_ref().map_or_else(|| "-".to_owned(), |plan| plan.short().to_owned())
}

/// A card for each cause as long as there is room, then a line, then a number.
fn causes(story: &Story<'_>, text: &mut Bounded) {
    let groups = story.shown.groups;
    if groups.is_empty() {
        return;
    }
    let failed: usize = groups.iter().map(|group| group.steps.len()).sum();
    let kept = text.kept;
    text.add(&format!("{} failed, {}:", amount(failed, "step"), amount(groups.len(), "cause")), kept);
    for (told, group) in groups.iter().enumerate() {
        let full = card(group, story.palette()).join("\n");
        if !text.add(&full, kept) && !text.add(&format!("  {}", titled(group, story.palette())), kept) {
            let more = groups.len() - told;
            text.add(&format!("  and {}: `plinth runs what-failed` tells them", amount(more, "more cause")), 0);
            return;
        }
    }
}

fn rest(story: &Story<'_>, look: Look) -> Vec<String> {
    let Shown { view, waiting, path, slow, .. } = story.shown;
    let mut lines = Vec::new();
    for (title, waits) in waits::headed(view, waiting, look) {
        lines.push(format!("{title}:"));
        lines.extend(waits.lines().map(str::to_owned));
    }
    let next = view.end.as_ref().map(|end| end.next.as_slice()).unwrap_or_default();
    // What each failure asks for stands in its card.
    if let Some(last) = next.last() {
        lines.push("next:".to_owned());
        lines.push(format!("  {}", short(last)));
        let others = next.iter().rev().skip(1).take(NEXT - 1).filter(|_| story.shown.groups.is_empty());
        lines.extend(others.map(|line| format!("  {}", short(line))));
    } else if story.shown.entry.state == RunState::Interrupted {
        lines.push("next:".to_owned());
        lines.push("  run the same command again: it looks at what was in flight first".to_owned());
    }
    lines.extend((!path.steps.is_empty()).then(|| path::summary(path)));
    lines.extend(story.shown.outlook.stop.map(|stop| format!("for whoever takes over: {}", clean(&stop.hand_over))));
    for slow in slow.iter().take(WARNINGS) {
        let row = outlook::in_a_row(slow.in_a_row);
        lines.push(format!("slow: {} took {}, {:.1} times the usual{row}", slow.step, span(slow.seconds), slow.times));
    }
    for finding in view.findings.iter().take(WARNINGS) {
        lines.push(format!("doubtful: {}: {}", short(&finding.subject), short(&finding.message)));
    }
    lines
}
