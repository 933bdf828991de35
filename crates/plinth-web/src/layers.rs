//! A drawing of a small graph in layers: what is needed is above what needs it. For some fifty boxes; not for steps of a large plan.

use petgraph::Direction;
use petgraph::algo::{condensation, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// Where each box stands: layer, and place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layers {
    /// Of each box, its row from the top.
    pub(crate) layer: Vec<usize>,
    /// Of each box, its place in its row from the left.
    pub(crate) place: Vec<usize>,
    /// Boxes in the widest row.
    pub(crate) widest: usize,
    /// Rows.
    pub(crate) count: usize,
    /// Edges that are drawn: those that others do not imply.
    pub(crate) edges: Vec<(usize, usize)>,
}

/// Boxes side by side; a wider layer goes on in the next row.
const ABREAST: usize = 6;
/// Times that the order inside layers is made better.
const SWEEPS: usize = 8;

impl Layers {
    /// Of so many boxes, with edges from what is needed to what needs it. Circles are allowed: boxes in one stand side by side.
    pub(crate) fn of(boxes: usize, edges: &BTreeSet<(usize, usize)>) -> Self {
        let mut graph: DiGraph<usize, ()> = DiGraph::new();
        let nodes: Vec<NodeIndex> = (0..boxes).map(|one| graph.add_node(one)).collect();
        for (from, to) in edges.iter().filter(|(from, to)| from != to) {
            if let (Some(from), Some(to)) = (nodes.get(*from), nodes.get(*to)) {
                graph.add_edge(*from, *to, ());
            }
        }
        let groups = condensation(graph, true);
        let layer = layers(&groups, boxes);
        let edges = needed(&groups, edges, boxes);
        let rows = ordered(&layer, &edges);
        // Boxes of one layer need nothing of each other, so they may stand below each other as well.
        let rows: Vec<&[usize]> = rows.iter().flat_map(|row| row.chunks(ABREAST)).collect();
        let (mut layer, mut place) = (vec![0; boxes], vec![0; boxes]);
        for (at, row) in rows.iter().enumerate() {
            for (from_left, one) in row.iter().enumerate() {
                if let (Some(layer), Some(place)) = (layer.get_mut(*one), place.get_mut(*one)) {
                    (*layer, *place) = (at, from_left);
                }
            }
        }
        let widest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        Self { layer, place, widest, count: rows.len(), edges }
    }
}

/// The longest way from the top.
fn layers(groups: &DiGraph<Vec<usize>, ()>, boxes: usize) -> Vec<usize> {
    let mut depth: BTreeMap<NodeIndex, usize> = BTreeMap::new();
    let mut layer = vec![0; boxes];
    for group in toposort(groups, None).unwrap_or_default() {
        let above = groups.neighbors_directed(group, Direction::Incoming);
        let own = above.filter_map(|one| depth.get(&one)).max().map_or(0, |deepest| deepest + 1);
        depth.insert(group, own);
        for one in &groups[group] {
            if let Some(slot) = layer.get_mut(*one) {
                *slot = own;
            }
        }
    }
    layer
}

/// Edges without those that follow from others.
fn needed(groups: &DiGraph<Vec<usize>, ()>, edges: &BTreeSet<(usize, usize)>, boxes: usize) -> Vec<(usize, usize)> {
    let mut group_of = vec![NodeIndex::end(); boxes];
    for group in groups.node_indices() {
        for one in &groups[group] {
            if let Some(slot) = group_of.get_mut(*one) {
                *slot = group;
            }
        }
    }
    let of = |one: usize| group_of.get(one).copied().unwrap_or(NodeIndex::end());
    let reached = |from: NodeIndex, to: NodeIndex| {
        let mut open: Vec<NodeIndex> = groups.neighbors(from).filter(|next| *next != to).collect();
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(groups.neighbors(at));
            }
        }
        false
    };
    let all = edges.iter().copied().filter(|(from, to)| from != to);
    all.filter(|(from, to)| of(*from) == of(*to) || !reached(of(*from), of(*to))).collect()
}

/// The order inside of layers: a box stands near the middle of what it is joined to.
fn ordered(layer: &[usize], edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let count = layer.iter().max().map_or(0, |last| last + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (one, layer) in layer.iter().enumerate() {
        if let Some(row) = rows.get_mut(*layer) {
            row.push(one);
        }
    }
    let mut place = vec![0.0; layer.len()];
    let settle = |row: &[usize], place: &mut Vec<f64>| {
        let middle = row.len() as f64 / 2.0;
        for (at, one) in row.iter().enumerate() {
            if let Some(slot) = place.get_mut(*one) {
                *slot = at as f64 - middle;
            }
        }
    };
    rows.iter().for_each(|row| settle(row, &mut place));
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        for at in 0..count {
            let at = if down { at } else { count - 1 - at };
            let Some(row) = rows.get_mut(at) else { continue };
            let wish = |one: usize| {
                let joined = edges.iter().filter_map(|(from, to)| match (down, *from == one, *to == one) {
                    (true, _, true) => place.get(*from),
                    (false, true, _) => place.get(*to),
                    _ => None,
                });
                let joined: Vec<f64> = joined.copied().collect();
                let own = place.get(one).copied().unwrap_or(0.0);
                if joined.is_empty() { own } else { joined.iter().sum::<f64>() / joined.len() as f64 }
            };
            let mut wishes: Vec<(f64, usize)> = row.iter().map(|one| (wish(*one), *one)).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            *row = wishes.into_iter().map(|(_, one)| one).collect();
            let row = row.clone();
            settle(&row, &mut place);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_needed_stands_above_and_circles_do_no_harm() {
        let edges = BTreeSet::from([(0, 1), (1, 2), (0, 2), (3, 4), (4, 3), (4, 2), (2, 2)]);
        let layers = Layers::of(5, &edges);
        assert_eq!(layers.layer, [0, 1, 2, 0, 0]);
        assert!(!layers.edges.contains(&(0, 2)), "it follows from the others");
        assert_eq!((layers.count, layers.widest), (3, 3));
    }

    fn reaches(edges: &BTreeSet<(usize, usize)>, from: usize, to: usize) -> bool {
        let (mut open, mut seen) = (vec![from], BTreeSet::new());
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(edges.iter().filter(|(begin, _)| *begin == at).map(|(_, end)| *end));
            }
        }
        false
    }

    proptest! {
        #[test]
        fn every_box_has_a_place_of_its_own(edges in proptest::collection::btree_set((0_usize..20, 0_usize..20), 0..60)) {
            let layers = Layers::of(20, &edges);
            let places: BTreeSet<(usize, usize)> = layers.layer.iter().copied().zip(layers.place.iter().copied()).collect();
            prop_assert_eq!(places.len(), 20);
            for (from, to) in &layers.edges {
                let circle = edges.contains(&(*to, *from)) || reaches(&edges, *to, *from);
                prop_assert!(circle || layers.layer[*from] < layers.layer[*to]);
            }
        }
    }
}
