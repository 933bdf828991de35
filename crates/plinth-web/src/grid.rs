//! Nodes and kinds: the matrix that a plan is. Ten thousand steps are some thirty kinds on a thousand nodes.

use plinth_analysis::{KindView, kind_of};
use plinth_model::run::{StepState, Tally};
use plinth_model::{Plan, RunView, Stage, StepId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A kind of steps in a plan; one that is in two stages is two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// `nodes/account`.
    pub(crate) name: String,
    pub(crate) stage: Stage,
    /// Steps in the plan.
    pub(crate) total: usize,
}

/// Rows and columns of the matrix.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grid {
    /// All kinds, in the order of stages and of the plan.
    pub(crate) kinds: Vec<Kind>,
    /// Kinds that are about nodes, as places in `kinds`.
    pub(crate) columns: Vec<usize>,
    /// Nodes by name.
    pub(crate) nodes: Vec<String>,
    /// Steps of each cell, by node and column.
    cells: HashMap<(usize, usize), Vec<StepId>>,
    /// Where each step stands.
    places: HashMap<StepId, (usize, usize)>,
}

/// A step as the matrix needs it.
struct Placed<'a> {
    id: &'a StepId,
    stage: Stage,
    node: Option<&'a str>,
}

impl Grid {
    /// Of a plan.
    pub(crate) fn of(plan: &Plan) -> Self {
        let placed = plan.steps.iter().map(|step| Placed {
            id: &step.id,
            stage: step.work.stage(),
            node: step.work.node().map(|node| node.as_str()),
        });
        Self::build(placed.collect())
    }

    /// Of what was seen, where the plan cannot be read.
    pub(crate) fn of_view(view: &RunView) -> Self {
        let steps = view.steps.iter();
        Self::build(steps.map(|(id, step)| Placed { id, stage: step.stage, node: step.node.as_deref() }).collect())
    }

    fn build(mut steps: Vec<Placed<'_>>) -> Self {
        // A stable sort: inside a stage the order of the plan stays.
        steps.sort_by_key(|step| step.stage);
        let mut kinds: Vec<Kind> = Vec::new();
        let mut known: HashMap<(Stage, String), usize> = HashMap::new();
        let mut with_nodes = BTreeSet::new();
        let names: BTreeSet<&str> = steps.iter().filter_map(|step| step.node).collect();
        let rows: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut in_cell: Vec<(usize, usize, &StepId)> = Vec::new();
        for step in &steps {
            let name = kind_of(step.id);
            let place = *known.entry((step.stage, name.clone())).or_insert_with(|| {
                kinds.push(Kind { name, stage: step.stage, total: 0 });
                kinds.len() - 1
            });
            if let Some(kind) = kinds.get_mut(place) {
                kind.total += 1;
            }
            if let Some(row) = step.node.and_then(|node| rows.get(node)) {
                with_nodes.insert(place);
                in_cell.push((*row, place, step.id));
            }
        }
        let columns: Vec<usize> = with_nodes.into_iter().collect();
        let mut grid = Self { kinds, nodes: names.iter().map(|name| (*name).to_owned()).collect(), ..Self::default() };
        for (row, kind, id) in in_cell {
            let Ok(column) = columns.binary_search(&kind) else { continue };
            grid.cells.entry((row, column)).or_default().push(id.clone());
            grid.places.insert(id.clone(), (row, column));
        }
        grid.columns = columns;
        grid
    }

    /// Names of the columns.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Kind> {
        self.columns.iter().filter_map(|place| self.kinds.get(*place))
    }

    /// The row of a step's node.
    pub(crate) fn row_of(&self, step: &StepId) -> Option<usize> {
        self.places.get(step).map(|(row, _)| *row)
    }

    /// The row of a node.
    pub(crate) fn row(&self, node: &str) -> Option<usize> {
        self.nodes.binary_search_by(|name| name.as_str().cmp(node)).ok()
    }

    /// Steps of a cell.
    pub(crate) fn steps(&self, row: usize, column: usize) -> &[StepId] {
        self.cells.get(&(row, column)).map_or(&[], Vec::as_slice)
    }

    /// How each cell of a row stands; none where the plan has nothing.
    pub(crate) fn states(&self, row: usize, view: &RunView) -> Vec<Option<StepState>> {
        (0..self.columns.len()).map(|column| worst(view, self.steps(row, column))).collect()
    }

    /// How a node stands: the worst of its cells, and the kind where.
    pub(crate) fn worst_of(&self, states: &[Option<StepState>]) -> (StepState, Option<&Kind>) {
        let all = self.heads().zip(states).filter_map(|(kind, state)| Some((kind, (*state)?)));
        let worst = all.fold(None, |worst: Option<(&Kind, StepState)>, (kind, state)| match worst {
            Some((_, known)) if rank(known) <= rank(state) => worst,
            _ => Some((kind, state)),
        });
        worst.map_or((StepState::Pending, None), |(kind, state)| (state, Some(kind)))
    }

    /// Steps of each kind by state, in the order of [`Grid::kinds`].
    pub(crate) fn tallies(&self, view: &RunView) -> Vec<Tally> {
        self.seen(view).into_iter().map(|kind| kind.map(|kind| kind.tally).unwrap_or_default()).collect()
    }

    /// What is known of each kind, in the order of [`Grid::kinds`]; none where nothing was said of its steps.
    pub(crate) fn seen(&self, view: &RunView) -> Vec<Option<KindView>> {
        let mut found: BTreeMap<(Stage, String), KindView> =
            plinth_analysis::kinds(view).into_iter().map(|kind| ((kind.stage, kind.kind.clone()), kind)).collect();
        self.kinds.iter().map(|kind| found.remove(&(kind.stage, kind.name.clone()))).collect()
    }

    /// Whether rows and columns of both are the same ones, at the same places.
    pub(crate) fn is_laid_out_as(&self, other: &Self) -> bool {
        let names = |grid: &Self| grid.kinds.iter().map(|kind| (kind.stage, kind.name.clone())).collect::<Vec<_>>();
        self.columns == other.columns && self.nodes == other.nodes && names(self) == names(other)
    }
}

/// What of several steps is shown: what needs somebody first.
fn worst(view: &RunView, steps: &[StepId]) -> Option<StepState> {
    steps.iter().map(|step| view.state_of(step)).min_by_key(|state| rank(*state))
}

/// The order in which states are shown: what went wrong, then what goes on, then what waits, then what is over.
pub(crate) const fn rank(state: StepState) -> u8 {
    match state {
        StepState::Failed => 0,
        StepState::Unknown => 1,
        StepState::Acting => 2,
        StepState::Looking => 3,
        StepState::NotRun => 4,
        StepState::Pending => 5,
        StepState::Changed => 6,
        StepState::Unchanged => 7,
        StepState::Skipped => 8,
    }
}
