//! How long still: the rest of a schedule played many times, with times drawn from what earlier runs took. It knows what it does not know:
//! where a kind that matters was never seen, it says so instead of a number.

use crate::chance::Chance;
use crate::graph::Shape;
use crate::kinds::kind_of;
use crate::past::{Doing, Kin, KnownBy, Model, Past, Seen, seen};
use crate::schedule::{Millis, Schedule, Took};
use jiff::Timestamp;
use plinth_model::run::{StepState, StepView};
use plinth_model::{RunView, StepId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many plays, of small plans and of large ones.
const DRAWS: (usize, usize) = (120, 24);
/// More steps than this are a large plan.
const LARGE: usize = 2_000;
/// A step that has run longer than all draws of it needs at least this share of its time more.
const STILL: f64 = 0.1;
/// A kind that was never seen matters when it may move the end by more than this: share, and seconds.
const MATTERS: (f64, f64) = (0.05, 5.0);
/// Seconds beyond the usual below which nothing is called late.
const LATE_S: f64 = 5.0;
/// Nothing is imagined to take longer than a year.
const LONGEST_S: f64 = 366.0 * 86_400.0;
/// Late steps that are looked at for whether the end waits for them.
const LATE: usize = 8;

/// The range within which four of five such runs end, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeLeft {
    /// Seconds; of ten runs, one is faster. None when no number can be given.
    pub low_s: Option<f64>,
    /// Seconds; of ten runs, one is slower.
    pub high_s: Option<f64>,
    /// Real runs that it is made of.
    pub runs: usize,
    /// Rehearsals that it is made of.
    pub rehearsals: usize,
    /// Kinds that the end waits for and that were never seen: why there is no number.
    pub no_history: Vec<String>,
    /// A step that takes longer than it ever did, and that the end waits for: why there is no number.
    pub longer: Option<Longer>,
}

/// Why there is no number: the play of the rest knows such a step only as it usually is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Longer {
    /// A key of [`RunView::steps`].
    pub step: StepId,
    /// Seconds it has run.
    pub running_s: f64,
    /// Seconds: of ten such steps, one is faster.
    pub low_s: f64,
    /// Seconds: of ten such steps, one is slower.
    pub high_s: f64,
}

/// Of a run that is on. None of one that has ended, and when its plan is not known. `now`: by the run's clock.
#[must_use]
pub fn time_left(view: &RunView, shape: &Shape, past: &Past, now: Timestamp) -> Option<TimeLeft> {
    let head = view.run.as_ref().filter(|_| view.end.is_none() && !shape.is_empty())?;
    let parallel = if head.parallel == 0 { usize::MAX } else { head.parallel };
    let kin = Kin { rehearsal: head.rehearsal, nodes: head.hosts };
    let now = now.max(view.at.unwrap_or(now));
    let rest = Rest::of(view, shape, now);
    Some(Estimate::of(shape, past, (kin, parallel), (rest, &seen(view))).told(past))
}

/// Of a whole plan that has not begun: nodes that it touches, steps at once, whether it is rehearsed.
#[must_use]
pub fn time_of_plan(shape: &Shape, past: &Past, nodes: usize, parallel: usize, rehearsal: bool) -> TimeLeft {
    let rest = Rest { steps: vec![Left::Open; shape.steps().len()] };
    Estimate::of(shape, past, (Kin { rehearsal, nodes }, parallel), (rest, &BTreeMap::new())).told(past)
}

/// How long a running step of this view still takes: usually, from and to, with what that is known by. None when it would be a guess.
pub(crate) fn step_left(
    (id, step): (&StepId, &StepView),
    past: &Past,
    (view, seen): (&RunView, &BTreeMap<String, Seen>),
    now: Timestamp,
) -> Option<((f64, f64), KnownBy)> {
    let head = view.run.as_ref()?;
    let doing = if step.state == StepState::Acting || step.attempt > 0 { Doing::Works } else { Doing::Looks };
    let kin = Kin { rehearsal: head.rehearsal, nodes: head.hosts };
    // A look that was never measured takes about a second: that is no guess about a step, and names none.
    let look = (doing == Doing::Looks).then(KnownBy::default);
    let known_by = past.known_by((id, step.node.is_some()), doing, kin, seen).or(look)?;
    let model = past.model_of(id, doing, kin, seen)?;
    let running = step.started.map_or(0.0, |from| now.duration_since(from).as_secs_f64().max(0.0));
    let (low, high) = model.range_s();
    Some((((low - running).max(STILL * running), (high - running).max(2.0 * STILL * running)), known_by))
}

/// Where a step stands, as far as time goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    /// It is over, or will not run.
    Over,
    /// It has run so many seconds; whether its effect has begun.
    Runs(f64, bool),
    /// It has not begun.
    Open,
}

struct Rest {
    steps: Vec<Left>,
}

impl Rest {
    fn of(view: &RunView, shape: &Shape, now: Timestamp) -> Self {
        let nothing_begins = view.stopping.is_some();
        let of = |id: &StepId| match view.steps.get(id) {
            Some(step) if step.state.is_running() => {
                let since = step.started.map_or(0.0, |from| now.duration_since(from).as_secs_f64().max(0.0));
                Left::Runs(since, step.attempt > 0)
            }
            None | Some(StepView { state: StepState::Pending, .. }) if !nothing_begins => Left::Open,
            _ => Left::Over,
        };
        Self { steps: shape.steps().iter().map(|step| of(&step.id)).collect() }
    }
}

/// What is the same in every play of the rest.
struct Estimate<'a> {
    shape: &'a Shape,
    schedule: Schedule<'a>,
    parallel: usize,
    rest: Rest,
    /// Of each step, the place of its model.
    model_of: Vec<usize>,
    models: Vec<(String, Option<Model>)>,
    running: Vec<usize>,
}

impl<'a> Estimate<'a> {
    fn of(
        shape: &'a Shape,
        past: &Past,
        (kin, parallel): (Kin, usize),
        (rest, now): (Rest, &BTreeMap<String, Seen>),
    ) -> Self {
        let mut places: BTreeMap<(String, Doing), usize> = BTreeMap::new();
        let mut models = Vec::new();
        let mut model_of = Vec::with_capacity(shape.steps().len());
        for (place, step) in shape.steps().iter().enumerate() {
            let has_begun_to_work = matches!(rest.steps.get(place), Some(Left::Runs(_, true)));
            let doing = match (shape.only_looks(place), shape.is_unchanged(place) && !has_begun_to_work) {
                (true, _) => Doing::Waits,
                (false, true) => Doing::Looks,
                (false, false) => Doing::Works,
            };
            model_of.push(*places.entry((past.key(&step.id), doing)).or_insert_with_key(|(key, _)| {
                models.push((key.clone(), past.model_of(&step.id, doing, kin, now)));
                models.len() - 1
            }));
        }
        let is_running = |place: &usize| matches!(rest.steps.get(*place), Some(Left::Runs(..)));
        let running = (0..shape.steps().len()).filter(is_running).collect();
        Self { shape, schedule: Schedule::of(shape), parallel, rest, model_of, models, running }
    }

    fn told(&self, past: &Past) -> TimeLeft {
        let (runs, rehearsals) = past.count();
        let none = TimeLeft { runs, rehearsals, ..TimeLeft::default() };
        let no_history = self.no_history();
        if !no_history.is_empty() {
            return TimeLeft { no_history, ..none };
        }
        if let Some(longer) = self.longer() {
            return TimeLeft { longer: Some(longer), ..none };
        }
        let draws = if self.shape.steps().len() > LARGE { DRAWS.1 } else { DRAWS.0 };
        let mut ends: Vec<Millis> = (0..draws).map(|draw| self.draw(draw)).collect();
        ends.sort_unstable();
        let at = |place: usize| ends.get(place).map(|end| *end as f64 / 1000.0);
        TimeLeft { low_s: at(draws / 10), high_s: at(draws - 1 - draws / 10), ..none }
    }

    fn model(&self, place: usize) -> Option<&Model> {
        self.models.get(*self.model_of.get(place)?)?.1.as_ref()
    }

    /// One imagined run.
    fn draw(&self, draw: usize) -> Millis {
        let level = |(kind, model): &(String, Option<Model>)| {
            model.as_ref().map_or(0.0, |model| model.level(&mut Chance::of(kind, draw)))
        };
        let levels: Vec<f64> = self.models.iter().map(level).collect();
        self.play(|place| {
            let level = self.model_of.get(place).and_then(|at| levels.get(*at)).copied().unwrap_or(0.0);
            let id = self.shape.step(place).map_or("", |step| step.id.as_str());
            self.model(place).map(|model| model.step_s(level, &mut Chance::of(id, draw)))
        })
    }

    /// The end, when steps take so long in all. What was never seen takes no time here.
    fn play(&self, took_s: impl Fn(usize) -> Option<f64>) -> Millis {
        let took = self.rest.steps.iter().enumerate().map(|(place, left)| match left {
            Left::Over => None,
            Left::Open => Some(Took::of(millis(took_s(place).unwrap_or(0.0)))),
            Left::Runs(since, _) => Some(Took::of(millis(still(took_s(place), *since)))),
        });
        self.schedule.play(&took.collect::<Vec<_>>(), &self.running, self.parallel).end
    }

    fn usual(&self, place: usize) -> Option<f64> {
        self.model(place).map(Model::usual_s)
    }

    /// Kinds that were never seen, as far as the end may move by them.
    fn no_history(&self) -> Vec<String> {
        let is_open = |place: usize| self.rest.steps.get(place).is_some_and(|left| *left != Left::Over);
        let unknown: BTreeSet<String> = (0..self.shape.steps().len())
            .filter(|place| is_open(*place) && self.model(*place).is_none())
            .filter_map(|place| self.shape.step(place).map(|step| kind_of(&step.id)))
            .collect();
        if unknown.is_empty() {
            return Vec::new();
        }
        let known_end = self.play(|place| self.usual(place));
        let matters = |chosen: &dyn Fn(&str) -> bool| {
            let end = self.play(|place| {
                let guess = || {
                    let step = self.shape.step(place).filter(|step| chosen(&kind_of(&step.id)))?;
                    Some(3.0 * step.expected_s as f64)
                };
                self.usual(place).or_else(guess)
            });
            let later = end.saturating_sub(known_end) as f64 / 1000.0;
            later > MATTERS.1 && later > known_end as f64 / 1000.0 * MATTERS.0
        };
        let alone: Vec<String> = unknown.iter().filter(|kind| matters(&|one| one == *kind)).cloned().collect();
        match alone.is_empty() && matters(&|one| unknown.contains(one)) {
            true => unknown.into_iter().collect(),
            false => alone,
        }
    }

    /// A running step that is late, and that the end waits for; of several the one with most behind it.
    fn longer(&self) -> Option<Longer> {
        let late = self.running.iter().filter_map(|place| {
            let (Some(Left::Runs(since, _)), Some(model)) = (self.rest.steps.get(*place), self.model(*place)) else {
                return None;
            };
            (*since > model.late_s() && *since > model.range_s().1 + LATE_S).then_some((*place, *since, model))
        });
        let mut late: Vec<_> = late.collect();
        late.sort_by(|a, b| {
            let behind = |place: usize| self.schedule.remaining(place);
            behind(b.0).cmp(&behind(a.0)).then_with(|| b.1.total_cmp(&a.1))
        });
        late.truncate(LATE);
        let end = self.play(|place| self.usual(place));
        let (place, running_s, model) = late.into_iter().find(|(place, since, _)| {
            let slower = self.play(|at| if at == *place { Some(since * 1.5) } else { self.usual(at) });
            slower > end
        })?;
        let (low_s, high_s) = model.range_s();
        Some(Longer { step: self.shape.step(place)?.id.clone(), running_s, low_s, high_s })
    }
}

/// What is left of a step that has run for a while: never nothing.
fn still(took_s: Option<f64>, since: f64) -> f64 {
    (took_s.unwrap_or(0.0) - since).max(since * STILL)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
fn millis(seconds: f64) -> Millis {
    (seconds.clamp(0.0, LONGEST_S) * 1000.0).round() as Millis
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
