//! The blocks of a frame.

use super::{Ink, Line, Scene};
use crate::card::brief;
use crate::runs::{attempt, cause};
use crate::style::{Palette, Sign, short};
use crate::text_log::moving;
use jiff::{SignedDuration, Timestamp};
use plinth_analysis::{Again, kind_of, ranges};
use plinth_model::run::{StageView, StepState, StepView};
use plinth_model::span::{clock, span};
use plinth_model::{RunView, Stage, StepId, amount};
use std::collections::BTreeMap;

/// Columns from which on there are bars and columns that stand below each other.
const WIDE: usize = 60;
/// Columns of a bar.
const BAR: usize = 12;
/// Kinds that are named where several are counted on one line.
const KINDS: usize = 3;
/// Lines of the sentence at most.
const SENTENCE: usize = 3;
/// Columns in front of what the foot says.
const FOOT: usize = 11;

/// A step that runs.
type Running<'a> = (&'a StepId, &'a StepView);

/// Draws the blocks of one scene.
pub(super) struct Drawn<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) columns: usize,
    pub(super) palette: Palette,
}

/// Stages in their order.
pub(super) fn stages(view: &RunView) -> Vec<(Stage, StageView)> {
    view.stages.iter().map(|(stage, view)| (*stage, *view)).collect()
}

/// Whether something happens in a stage, or went wrong in it.
pub(super) fn is_at_work(stage: &StageView) -> bool {
    let tally = &stage.tally;
    let begun = tally.ended() > 0 && tally.ended() < stage.total;
    tally.running() > 0 || tally.failed > 0 || tally.not_run > 0 || begun
}

/// Why nothing new begins, or what the run waits for.
fn sentence(scene: &Scene<'_>) -> Option<String> {
    let stopping = scene.view.stopping.as_ref().filter(|_| scene.view.end.is_none());
    stopping.map(|reason| short(reason)).or_else(|| scene.waits.map(short))
}

impl Drawn<'_> {
    fn is_wide(&self) -> bool {
        self.columns >= WIDE
    }

    /// `basepod-a: apply, 14 steps on 3 hosts; plan 64879f7d6b96, run 018f…`.
    pub(super) fn head(&self) -> Option<Line> {
        let run = self.scene.view.run.as_ref()?;
        let verb = match (&run.small, run.verb.as_str()) {
            (Some(command), _) => short(command),
            (None, "") => "run".to_owned(),
            (None, verb) => short(verb),
        };
        let size = format!("{} on {}", amount(run.steps, "step"), amount(run.hosts, "host"));
        let time = if run.rehearsal { ", time is virtual" } else { "" };
        // What has no room is cut at the end: whoever wants a long name finds it in other places.
        let text = format!(": {verb}, {size}{time}; plan {}, run {}", run.plan.short(), short(&run.run));
        Some(Line::of(Ink::Bold, short(run.site.as_str())).and(Ink::Dim, text))
    }

    /// All stages, or those at work where there is no room for all.
    pub(super) fn stages(&self, stages: &[(Stage, StageView)], lines: usize) -> Vec<Line> {
        let all = stages.len() <= lines;
        let told = stages.iter().filter(|(_, stage)| all || is_at_work(stage));
        told.take(lines).map(|(stage, view)| self.stage(*stage, view)).collect()
    }

    /// ` kubernetes ━━━━━━━─────    9/16   1 failed, 2 running`.
    fn stage(&self, stage: Stage, view: &StageView) -> Line {
        let tally = &view.tally;
        let (done, all) = (tally.done(), view.total.max(tally.ended() + tally.running()));
        let parts = [(tally.failed, "failed"), (tally.not_run, "not run"), (tally.running(), "running")];
        let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        // Only what ended well fills the bar: a stage that failed or was not reached is never full.
        let ink = if tally.failed > 0 { Ink::Bad } else { Ink::Good };
        if !self.is_wide() {
            let counts = format!(" {done}/{all} {}", told.join(", "));
            return Line::of(ink, stage.title()).and(Ink::Plain, counts.trim_end());
        }
        let (full, empty) = self.bar(done, all);
        let counts = format!(" {done:>4}/{all:<4} {}", told.join(", "));
        Line::of(Ink::Plain, format!("{:>11} ", stage.title()))
            .and(ink, full)
            .and(Ink::Dim, empty)
            .and(Ink::Plain, counts.trim_end())
    }

    fn bar(&self, done: usize, all: usize) -> (String, String) {
        let full = (done * BAR).checked_div(all).unwrap_or(0);
        let (on, off) = if self.palette.unicode { ("━", "─") } else { ("#", "-") };
        (on.repeat(full.min(BAR)), off.repeat(BAR - full.min(BAR)))
    }

    /// A line for each cause; the last one counts those that have none.
    pub(super) fn failed(&self, lines: usize) -> Vec<Line> {
        let groups = self.scene.groups;
        let told = if groups.len() <= lines { groups.len() } else { lines.saturating_sub(1) };
        let sign = self.palette.sign(Sign::Failed);
        let mut drawn: Vec<Line> = Vec::new();
        for group in groups.iter().take(told) {
            let (code, rest) = brief(group);
            drawn.push(Line::of(Ink::Bad, format!("{sign} {code}")).and(Ink::Plain, format!(" {rest}")));
        }
        let rest = groups.get(told..).unwrap_or_default();
        if lines > 0 && !rest.is_empty() {
            let steps: usize = rest.iter().map(|group| group.steps.len()).sum();
            let (and, more) = if told > 0 { ("and ", " more") } else { ("", "") };
            let causes = if rest.len() == 1 { "1 cause".to_owned() } else { format!("{} causes", rest.len()) };
            let text = format!("{sign} {and}{} failed of {causes}{more}", amount(steps, "step"));
            drawn.push(Line::of(Ink::Bad, text));
        }
        drawn
    }

    /// `  waits for kubernetes/deploy/lab, running 6 min 40 s; 2 steps behind it`.
    ///
    /// Broken where the terminal ends, on [`SENTENCE`] lines at most.
    pub(super) fn sentence(&self) -> Vec<Line> {
        let ink = if self.scene.view.stopping.is_some() { Ink::Doubtful } else { Ink::Bold };
        let Some(text) = sentence(self.scene) else { return Vec::new() };
        if !self.is_wide() || self.columns == usize::MAX {
            return vec![Line::of(ink, text)];
        }
        let further = textwrap::Options::new(self.columns).subsequent_indent("  ");
        let lines: Vec<_> = textwrap::wrap(&text, further);
        let (first, rest) = lines.split_at(lines.len().min(SENTENCE - 1));
        let rest = rest.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let mut told: Vec<Line> = first.iter().map(|line| Line::of(ink, line.as_ref())).collect();
        told.extend((!rest.is_empty()).then(|| Line::of(ink, format!("  {rest}"))));
        told
    }

    /// So many of these lines; what has no room stands behind the last one, which is cut.
    pub(super) fn told(&self, mut lines: Vec<Line>, most: usize) -> Vec<Line> {
        let rest = lines.split_off(most.min(lines.len()));
        if rest.is_empty() {
            return lines;
        }
        if let Some(last) = lines.pop() {
            lines.push(rest.into_iter().fold(last, |line, more| line.behind(more)));
        }
        lines
    }

    /// A line for each step that runs, the longest first; where there is no room for all, the last lines are about kinds of them.
    pub(super) fn running(&self, lines: usize) -> Vec<Line> {
        let running = self.scene.view.longest_running();
        let alone = (0..=running.len().min(lines))
            .rev()
            .find(|alone| alone + kinds_of(running.get(*alone..).unwrap_or_default()).len() <= lines);
        let (alone, rest) = running.split_at(alone.unwrap_or(0));
        let kinds = kinds_of(rest);
        let left = lines - alone.len();
        let told = if kinds.len() <= left { kinds.len() } else { left.saturating_sub(1) };
        let mut drawn: Vec<Line> = alone.iter().map(|(id, step)| self.step(id, step)).collect();
        drawn.extend(kinds.iter().take(told).map(|(kind, steps)| self.kind(kind, steps)));
        if lines > 0 {
            drawn.extend(self.others(kinds.get(told..).unwrap_or_default(), !drawn.is_empty()));
        }
        drawn
    }

    /// `  …   6 min 40 s  kubernetes/deploy/lab  600/870 network_plugin/calico`.
    fn step(&self, id: &StepId, step: &StepView) -> Line {
        self.at_work(self.since(step), &short(id.as_str()), &self.doing(step))
    }

    /// `  …       41 s  40 nodes/downloads  dgx-[001-040]`.
    fn kind(&self, kind: &str, steps: &[Running<'_>]) -> Line {
        match steps {
            [(id, step)] => self.step(id, step),
            steps => {
                let longest = steps.first().map_or(0.0, |(_, step)| self.since(step));
                let targets = ranges(steps.iter().map(|(id, _)| id.target()));
                self.at_work(longest, &format!("{} {}", steps.len(), short(kind)), &short(&targets))
            }
        }
    }

    fn at_work(&self, seconds: f64, what: &str, doing: &str) -> Line {
        let (sign, time) = (self.palette.sign(Sign::Running), span(seconds));
        let begin = if self.is_wide() { format!("  {sign} {time:>12}  ") } else { format!("{sign} {time} ") };
        let gap = if doing.is_empty() { "" } else { "  " };
        Line::of(Ink::Moving, begin).and(Ink::Plain, what).and(Ink::Dim, format!("{gap}{doing}"))
    }

    /// What runs and has no line of its own.
    fn others(&self, kinds: &[(String, Vec<Running<'_>>)], is_more: bool) -> Option<Line> {
        let count: usize = kinds.iter().map(|(_, steps)| steps.len()).sum();
        let mut most: Vec<(usize, &str)> = kinds.iter().map(|(kind, steps)| (steps.len(), kind.as_str())).collect();
        most.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let mut named: Vec<String> = most.iter().take(KINDS).map(|(n, kind)| format!("{n} {}", short(kind))).collect();
        let rest: usize = most.iter().skip(KINDS).map(|(n, _)| n).sum();
        named.extend((rest > 0).then(|| format!("{rest} others")));
        let begin = if is_more { format!("and {count} more running") } else { format!("{count} running") };
        let sign = self.palette.sign(Sign::Running);
        let begin = if self.is_wide() { format!("  {sign} {begin}") } else { format!("{sign} {begin}") };
        (count > 0).then(|| Line::of(Ink::Moving, begin).and(Ink::Dim, format!(": {}", named.join(", "))))
    }

    fn now(&self) -> Option<Timestamp> {
        let passed = SignedDuration::try_from_secs_f64(self.scene.now_s).ok()?;
        self.scene.view.started?.checked_add(passed).ok()
    }

    fn since(&self, step: &StepView) -> f64 {
        let began = self.scene.view.started.zip(step.started);
        let began = began.map_or(0.0, |(run, step)| step.duration_since(run).as_secs_f64());
        (self.scene.now_s - began).max(0.0)
    }

    /// What a step does: what it waits for after an attempt that failed, what moves in it, or that it is looked at.
    fn doing(&self, step: &StepView) -> String {
        if let Some(again) = self.now().and_then(|now| Again::of(step, now)) {
            return format!("{}: {}", attempt(&again), short(cause(&again.message)));
        }
        let moves = moving(step);
        let attempt = if step.attempt > 1 { format!("attempt {} ", step.attempt) } else { String::new() };
        let idle = if step.state == StepState::Looking { "looks" } else { "" };
        format!("{attempt}{}", if moves.is_empty() { idle } else { &moves }).trim_end().to_owned()
    }

    /// `    07:10  8/14 steps done, 1 failed, 2 not run, 1 warning; still 4 min to 6 min, by 3 runs of this site`.
    ///
    /// Where that is too long, the time left has a line of its own.
    pub(super) fn foot(&self) -> Vec<Line> {
        let view = self.scene.view;
        let tally = view.tally();
        let all = view.run.as_ref().map_or(0, |run| run.steps).max(tally.ended());
        let time = clock(self.scene.now_s);
        let time = if self.is_wide() { format!("{time:>9}  ") } else { format!("{time} ") };
        let mut line =
            Line::of(Ink::Dim, time).and(Ink::Plain, format!("{}/{} done", tally.done(), amount(all, "step")));
        let parts = [
            (tally.failed, "failed", Ink::Bad),
            (tally.not_run, "not run", Ink::Plain),
            (tally.unknown, "interrupted", Ink::Doubtful),
        ];
        for (count, word, ink) in parts.into_iter().filter(|(count, _, _)| *count > 0) {
            line = line.and(Ink::Plain, ", ").and(ink, format!("{count} {word}"));
        }
        if view.warnings() > 0 {
            line = line.and(Ink::Plain, ", ").and(Ink::Doubtful, amount(view.warnings(), "warning"));
        }
        match self.scene.left {
            Some(left) => {
                let whole = line.clone().and(Ink::Bold, format!("; {}", short(left)));
                let begin = " ".repeat(if self.is_wide() { FOOT } else { 0 });
                let own = || vec![line.and(Ink::Plain, ";"), Line::of(Ink::Bold, format!("{begin}{}", short(left)))];
                if whole.width() <= self.columns { vec![whole] } else { own() }
            }
            None => vec![line],
        }
    }

    /// `page http://127.0.0.1:40213/?token=…`, from the first column: the link is nearly as long as a line.
    pub(super) fn page(&self) -> Option<Line> {
        let link = self.scene.page?;
        Some(Line::of(Ink::Dim, "page ").and(Ink::Plain, link)).filter(|line| line.width() <= self.columns)
    }
}

/// Steps by kind, in the order of the first of each.
fn kinds_of<'a>(steps: &[Running<'a>]) -> Vec<(String, Vec<Running<'a>>)> {
    let mut kinds: Vec<(String, Vec<Running<'a>>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for one in steps {
        let kind = kind_of(one.0);
        let place = *places.entry(kind.clone()).or_insert(kinds.len());
        match kinds.get_mut(place) {
            Some((_, steps)) => steps.push(*one),
            None => kinds.push((kind, vec![*one])),
        }
    }
    kinds
}
