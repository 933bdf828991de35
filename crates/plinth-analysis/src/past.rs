//! What steps of each kind took in earlier runs of a site and in its rehearsals, and what that says of the next one.
//!
//! Times are compared as logarithms: a step that takes twice as long is as far from the usual as one that takes half. Runs differ from each
//! other (a slow network slows a whole kind), and steps of one run differ among themselves: both are kept apart, since a thousand nodes
//! even out the second and not the first.

use crate::chance::Chance;
use crate::kinds::kind_of;
use crate::prediction::Prediction;
use plinth_model::run::StepState;
use plinth_model::{RunView, StepId};
use serde::Serialize;
use std::collections::BTreeMap;

/// As if every kind had been seen once more, in a run that differed from the others by about a fifth: one run alone knows no spread.
const PRIOR: (f64, f64) = (1.0, 0.2);
/// Rehearsals are made of rough figures: half or twice as long is no surprise in a real run.
const OTHER_WORLD: f64 = 0.5;
/// How a step of the whole cluster grows with the number of its nodes when runs with two numbers were never seen: somewhere between not at
/// all (0) and in proportion (1).
const GROWTH: (f64, f64) = (0.5, 0.4);
/// A look over an open connection that was never measured: the logarithm of one second, and its spread.
const LOOK: (f64, f64) = (0.0, 0.7);
/// Shortest time that counts, seconds.
const LEAST_S: f64 = 0.01;

/// Earlier runs of a site.
#[derive(Clone, Debug, Default)]
pub struct Past {
    runs: Vec<PastRun>,
}

#[derive(Clone, Debug)]
struct PastRun {
    rehearsal: bool,
    nodes: usize,
    kinds: BTreeMap<String, Seen>,
}

/// What one run showed of a kind: logarithms of seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    worked: Vec<f64>,
    looked: Vec<f64>,
    skipped: usize,
    is_of_node: bool,
}

/// What a step will be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doing {
    /// It has something to do.
    Works,
    /// It is looked at and no more.
    Looks,
    /// It never does anything but look and wait.
    Waits,
}

/// The run that is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kin {
    pub(crate) rehearsal: bool,
    pub(crate) nodes: usize,
}

/// By what the time of a step is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownBy {
    /// Real runs before this one that had such a step.
    pub runs: usize,
    /// Rehearsals before this one.
    pub rehearsals: usize,
    /// Its like on other nodes in this run, where nothing was seen before.
    pub steps: usize,
}

/// How long steps of a kind take: a logarithm with what runs and what steps add to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Model {
    mean: f64,
    /// Of the whole kind in one run, with the number of observations behind it.
    of_kind: (f64, u32),
    of_step: f64,
    skipped: f64,
}

impl Past {
    /// Takes one run in, newest first. One without steps that ended well says nothing.
    pub fn take(&mut self, view: &RunView) {
        let Some(head) = &view.run else { return };
        let kinds = seen(view);
        if !kinds.is_empty() {
            self.runs.push(PastRun { rehearsal: head.rehearsal, nodes: head.hosts.max(1), kinds });
        }
    }

    /// Takes a rehearsal in that was kept to be compared with.
    pub fn take_prediction(&mut self, prediction: &Prediction) {
        let mut kinds: BTreeMap<String, Seen> = BTreeMap::new();
        for (id, step) in &prediction.steps {
            for key in keys(id, step.of_node) {
                let seen = kinds.entry(key).or_default();
                seen.is_of_node |= step.of_node;
                seen.take(step.state, step.state == StepState::Changed, step.took_s);
            }
        }
        self.runs.push(PastRun { rehearsal: true, nodes: prediction.nodes.max(1), kinds });
    }

    /// Real runs and rehearsals that are known.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let rehearsals = self.runs.iter().filter(|run| run.rehearsal).count();
        (self.runs.len() - rehearsals, rehearsals)
    }

    /// What a step goes by: itself, if it is about no node and was seen before, since two releases have little in common; else its kind.
    pub(crate) fn key(&self, id: &StepId) -> String {
        let is_known = self.runs.iter().any(|run| run.kinds.contains_key(id.as_str()));
        if is_known { id.to_string() } else { kind_of(id) }
    }

    /// What is to be expected of a step that goes by this key; by its kind, where the step itself was only seen doing something else.
    pub(crate) fn model_of(&self, id: &StepId, doing: Doing, kin: Kin, now: &BTreeMap<String, Seen>) -> Option<Model> {
        let (key, kind) = (self.key(id), kind_of(id));
        let own = if key == kind { None } else { self.before(&key, doing, kin) };
        own.map(|(model, share)| Model { skipped: share, ..model })
            .or_else(|| self.model(&kind, doing, kin, now.get(&kind)))
    }

    /// What is to be expected of a kind, with what this run showed of it so far. None when it was never seen.
    pub(crate) fn model(&self, kind: &str, doing: Doing, kin: Kin, now: Option<&Seen>) -> Option<Model> {
        let before = self.before(kind, doing, kin);
        let model = match (before, now.and_then(|now| now.group(doing))) {
            (Some((before, _)), Some(now)) => Some(before.corrected(now)),
            (Some((before, _)), None) => Some(before),
            (None, Some(now)) => Some(Model::of_this_run(now)),
            (None, None) if doing == Doing::Looks => Some(Model::look()),
            (None, None) => None,
        };
        let share = self.skipped(kind);
        model.map(|model| Model { skipped: share, ..model })
    }

    /// What earlier runs say, with the share that was skipped.
    fn before(&self, key: &str, doing: Doing, kin: Kin) -> Option<(Model, f64)> {
        let (peers, widened) = self.peers(key, doing, kin);
        Some((before(&peers, doing, kin.nodes, widened)?, self.skipped(key)))
    }

    /// Earlier runs that saw it, of the same world where there are any; else of the other one, with what that widens.
    fn peers(&self, key: &str, doing: Doing, kin: Kin) -> (Vec<(&PastRun, &Seen)>, f64) {
        let known = |own: bool| {
            let of_world = self.runs.iter().filter(|run| (run.rehearsal == kin.rehearsal) == own);
            let seen = of_world.filter_map(|run| Some((run, run.kinds.get(key)?)));
            seen.filter(|(_, seen)| !seen.times(doing).is_empty()).collect::<Vec<_>>()
        };
        let own = known(true);
        if own.is_empty() { (known(false), OTHER_WORLD) } else { (own, 0.0) }
    }

    /// By what [`Past::model_of`] knows a step. None when that is a guess: nothing of its kind was seen, or only what has little in common
    /// with it, as two releases have. Steps of one kind on other nodes are its like.
    pub(crate) fn known_by(
        &self,
        (id, of_node): (&StepId, bool),
        doing: Doing,
        kin: Kin,
        now: &BTreeMap<String, Seen>,
    ) -> Option<KnownBy> {
        let (key, kind) = (self.key(id), kind_of(id));
        let peers = [key.as_str(), kind.as_str()].into_iter().map(|key| self.peers(key, doing, kin).0);
        if let Some(peers) = peers.into_iter().find(|peers| !peers.is_empty()) {
            let rehearsals = peers.iter().filter(|(run, _)| run.rehearsal).count();
            return Some(KnownBy { runs: peers.len() - rehearsals, rehearsals, steps: 0 });
        }
        let steps = now.get(&kind).filter(|_| of_node).map_or(0, |seen| seen.times(doing).len());
        (steps > 0).then_some(KnownBy { steps, ..KnownBy::default() })
    }

    fn skipped(&self, kind: &str) -> f64 {
        let of = |seen: &Seen| (seen.skipped, seen.skipped + seen.worked.len() + seen.looked.len());
        let seen = self.runs.iter().filter_map(|run| run.kinds.get(kind)).map(of);
        let (skipped, all) = seen.fold((0, 0), |(a, b), (skipped, all)| (a + skipped, b + all));
        if all == 0 { 0.0 } else { skipped as f64 / all as f64 }
    }
}

/// Under what a step is remembered: its kind, and itself if it is not one of many nodes'.
fn keys(id: &StepId, is_of_node: bool) -> impl Iterator<Item = String> {
    std::iter::once(kind_of(id)).chain((!is_of_node).then(|| id.to_string()))
}

/// What a run showed of each kind so far.
pub(crate) fn seen(view: &RunView) -> BTreeMap<String, Seen> {
    let mut kinds: BTreeMap<String, Seen> = BTreeMap::new();
    for (id, step) in &view.steps {
        let took = step.started.zip(step.ended).map(|(from, to)| to.duration_since(from).as_secs_f64());
        let has_worked = step.state == StepState::Changed || step.attempt > 0;
        for key in keys(id, step.node.is_some()) {
            match (step.state, took) {
                (StepState::Skipped, _) => kinds.entry(key).or_default().skipped += 1,
                (StepState::Changed | StepState::Unchanged, Some(took)) => {
                    let seen = kinds.entry(key).or_default();
                    seen.is_of_node |= step.node.is_some();
                    seen.take(step.state, has_worked, took);
                }
                _ => {}
            }
        }
    }
    kinds
}

/// Mean, squares of the differences from it, and count.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    mean: f64,
    squares: f64,
    count: f64,
}

impl Group {
    fn of(times: &[f64]) -> Option<Self> {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let squares = times.iter().map(|time| (time - mean).powi(2)).sum();
        (!times.is_empty()).then_some(Self { mean, squares, count })
    }
}

impl Seen {
    fn take(&mut self, state: StepState, has_worked: bool, took_s: f64) {
        let times = match (state, has_worked) {
            (StepState::Changed | StepState::Unchanged, true) => &mut self.worked,
            (StepState::Changed | StepState::Unchanged, false) => &mut self.looked,
            _ => return,
        };
        times.push(took_s.max(LEAST_S).ln());
    }

    fn times(&self, doing: Doing) -> Vec<f64> {
        match doing {
            Doing::Works => self.worked.clone(),
            Doing::Looks => self.looked.clone(),
            Doing::Waits => [self.worked.as_slice(), self.looked.as_slice()].concat(),
        }
    }

    fn group(&self, doing: Doing) -> Option<Group> {
        Group::of(&self.times(doing))
    }
}

/// What earlier runs say.
fn before(peers: &[(&PastRun, &Seen)], doing: Doing, nodes: usize, widened: f64) -> Option<Model> {
    let groups: Vec<(f64, Group)> =
        peers.iter().filter_map(|(run, seen)| Some(((run.nodes as f64).ln(), seen.group(doing)?))).collect();
    let of_node = peers.iter().any(|(_, seen)| seen.is_of_node);
    let (slope, doubt) = if of_node { (0.0, 0.0) } else { growth(&groups) };
    let here = (nodes.max(1) as f64).ln();
    let moved: Vec<f64> = groups.iter().map(|(nodes, group)| group.mean + slope * (here - nodes)).collect();
    let level = Group::of(&moved)?;
    let far = groups.iter().map(|(nodes, _)| (here - nodes).abs()).fold(f64::INFINITY, f64::min);
    let dof = PRIOR.0 + level.count - 1.0;
    let between = (PRIOR.0 * PRIOR.1.powi(2) + level.squares) / dof.max(1.0) * (1.0 + 1.0 / level.count);
    let (squares, free) = groups.iter().fold((0.0, 0.0), |(a, b), (_, g)| (a + g.squares, b + g.count - 1.0));
    let of_step = if free > 0.0 { (squares / free).sqrt() } else { 0.0 };
    let spread = (between + widened.powi(2) + (doubt * far).powi(2)).sqrt();
    Some(Model { mean: level.mean, of_kind: (spread, whole(dof)), of_step, skipped: 0.0 })
}

/// How the time of a kind grows with the logarithm of the nodes: fitted where runs with different numbers were seen.
fn growth(groups: &[(f64, Group)]) -> (f64, f64) {
    let count = groups.len() as f64;
    let (nodes, times) = groups.iter().fold((0.0, 0.0), |(a, b), (n, g)| (a + n / count, b + g.mean / count));
    let square: f64 = groups.iter().map(|(n, _)| (n - nodes).powi(2)).sum();
    if square < 0.05 {
        return GROWTH;
    }
    let both: f64 = groups.iter().map(|(n, g)| (n - nodes) * (g.mean - times)).sum();
    ((both / square).clamp(0.0, 1.0), GROWTH.1 / 2.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
fn whole(number: f64) -> u32 {
    number.round().max(1.0) as u32
}

impl Model {
    const fn look() -> Self {
        Self { mean: LOOK.0, of_kind: (LOOK.1, 30), of_step: 0.0, skipped: 0.0 }
    }

    fn of_this_run(now: Group) -> Self {
        let own = if now.count > 1.0 { (now.squares / (now.count - 1.0)).sqrt() } else { PRIOR.1 };
        Self {
            mean: now.mean,
            of_kind: ((own.powi(2) / now.count).sqrt(), whole(now.count)),
            of_step: own,
            skipped: 0.0,
        }
    }

    /// What this run showed counts more the more of it was seen.
    fn corrected(self, now: Group) -> Self {
        let own = self.of_step.powi(2) / now.count + 1e-4;
        let (before, here) = (1.0 / self.of_kind.0.powi(2).max(1e-6), 1.0 / own);
        let mean = (self.mean * before + now.mean * here) / (before + here);
        let spread = (1.0 / (before + here)).sqrt();
        Self { mean, of_kind: (spread, self.of_kind.1 + whole(now.count)), ..self }
    }

    /// Seconds that half of them take at most.
    pub(crate) fn usual_s(&self) -> f64 {
        self.mean.exp()
    }

    /// Seconds between which four of five lie.
    pub(crate) fn range_s(&self) -> (f64, f64) {
        (self.at_z(-1.2816), self.at_z(1.2816))
    }

    /// Seconds that one of a hundred takes longer than.
    pub(crate) fn late_s(&self) -> f64 {
        self.at_z(2.33)
    }

    fn at_z(&self, z: f64) -> f64 {
        // Few observations: the tails of Student's distribution are longer, in the middle by about this much.
        let few = 1.0 + 1.0 / f64::from(self.of_kind.1.max(1));
        (self.mean + z * ((self.of_kind.0 * few).powi(2) + self.of_step.powi(2)).sqrt()).exp()
    }

    /// How far the whole kind is from the usual in one imagined run.
    pub(crate) fn level(&self, chance: &mut Chance) -> f64 {
        self.mean + self.of_kind.0 * chance.student(self.of_kind.1)
    }

    /// Seconds of one step in it; none when its gate leaves it out.
    pub(crate) fn step_s(&self, level: f64, chance: &mut Chance) -> f64 {
        if chance.share() < self.skipped {
            return 0.0;
        }
        (level + self.of_step * chance.normal()).exp()
    }
}
