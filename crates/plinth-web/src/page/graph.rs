//! The plan as a graph: kinds at every size, for a plan of ten thousand steps has some thirty of them. A kind whose steps need each other is
//! drawn as its steps, as long as all fit.

use super::OfRun;
use super::parts::{bar, class, counted, number, told};
use crate::grid::rank;
use crate::layers::Layers;
use crate::route::Part;
use maud::{Markup, html};
use plinth_analysis::{Shape, kind_of};
use plinth_model::run::{StepState, Tally};
use plinth_model::{StepId, amount};
use std::collections::{BTreeSet, HashMap};

/// Most boxes.
const BOXES: usize = 60;
const WIDE: f64 = 178.0;
const TALL: f64 = 44.0;
const GAP_X: f64 = 22.0;
const GAP_Y: f64 = 34.0;

/// A box: a kind with its steps, or one step.
struct Drawn {
    name: String,
    steps: Vec<StepId>,
    is_step: bool,
}

pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    let shape = &page.record.shape;
    if shape.is_empty() {
        return html! { h1 { "Graph" } p.empty { "The plan of this run is of another release of plinth, so it is not known what needs what." } };
    }
    let (boxes, edges) = boxes(shape);
    let layers = Layers::of(boxes.len(), &edges);
    html! {
        h1 { "Graph" }
        p.dim { (amount(shape.steps().len(), "step")) " as " (boxes.len()) " boxes; what is needed is above. Blue: at work. Red: failed. What follows from other lines is not drawn." }
        div.scroll tabindex="0" role="region" aria-label="graph" { (drawing(page, &boxes, &layers)) }
        section { h2 { "The same in words" } (words(page, &boxes, &edges)) }
    }
}

/// Kinds with inner needs are unfolded, the smallest first, as long as there is room.
fn boxes(shape: &Shape) -> (Vec<Drawn>, BTreeSet<(usize, usize)>) {
    let mut order: Vec<String> = Vec::new();
    let mut kinds: HashMap<String, Vec<usize>> = HashMap::new();
    let mut inner: BTreeSet<String> = BTreeSet::new();
    for (place, step) in shape.steps().iter().enumerate() {
        let kind = kind_of(&step.id);
        if step.needs.iter().filter_map(|need| shape.step(*need)).any(|need| kind_of(&need.id) == kind) {
            inner.insert(kind.clone());
        }
        let places = kinds.entry(kind.clone()).or_default();
        if places.is_empty() {
            order.push(kind);
        }
        places.push(place);
    }
    let size = |kind: &String| kinds.get(kind).map_or(0, Vec::len);
    let mut unfolded: BTreeSet<&String> = BTreeSet::new();
    let (mut count, mut by_size) = (order.len(), inner.iter().collect::<Vec<_>>());
    by_size.sort_by_key(|kind| size(kind));
    for kind in by_size {
        let more = size(kind).saturating_sub(1);
        if count + more <= BOXES {
            count += more;
            unfolded.insert(kind);
        }
    }
    let mut boxes = Vec::new();
    let mut box_of = vec![0; shape.steps().len()];
    for kind in &order {
        let places = kinds.get(kind).map(Vec::as_slice).unwrap_or_default();
        let is_step = unfolded.contains(kind);
        for group in places.chunks(if is_step { 1 } else { places.len().max(1) }) {
            let steps: Vec<StepId> = group.iter().filter_map(|place| Some(shape.step(*place)?.id.clone())).collect();
            for place in group {
                if let Some(slot) = box_of.get_mut(*place) {
                    *slot = boxes.len();
                }
            }
            let name = if is_step { steps.first().map(ToString::to_string).unwrap_or_default() } else { kind.clone() };
            boxes.push(Drawn { name, steps, is_step });
        }
    }
    let of = |place: usize| box_of.get(place).copied().unwrap_or(0);
    let all = shape.steps().iter().enumerate();
    let edges = all.flat_map(|(place, step)| step.needs.iter().map(move |need| (of(*need), of(place)))).collect();
    (boxes, edges)
}

fn tally(page: &OfRun<'_>, drawn: &Drawn) -> (Tally, StepState) {
    let view = &page.record.view;
    let mut tally = Tally::default();
    let mut worst = StepState::Skipped;
    for step in &drawn.steps {
        let state = view.state_of(step);
        if rank(state) < rank(worst) {
            worst = state;
        }
        tally.add(state);
    }
    (tally, worst)
}

fn drawing(page: &OfRun<'_>, boxes: &[Drawn], layers: &Layers) -> Markup {
    let wide = layers.widest as f64 * (WIDE + GAP_X) + GAP_X;
    let tall = layers.count as f64 * (TALL + GAP_Y) + GAP_Y;
    let mut in_layer = vec![0_usize; layers.count];
    layers.layer.iter().for_each(|layer| {
        if let Some(count) = in_layer.get_mut(*layer) {
            *count += 1
        }
    });
    let at = |one: usize| {
        let (layer, place) = (layers.layer.get(one).copied().unwrap_or(0), layers.place.get(one).copied().unwrap_or(0));
        let row = in_layer.get(layer).copied().unwrap_or(1) as f64 * (WIDE + GAP_X) - GAP_X;
        ((wide - row) / 2.0 + place as f64 * (WIDE + GAP_X), GAP_Y / 2.0 + layer as f64 * (TALL + GAP_Y))
    };
    html! {
        svg.plot viewBox={"0 0 " (number(wide)) " " (number(tall))} width=(number(wide)) height=(number(tall)) role="group" aria-label="graph of kinds; the table below says the same" {
            @for (from, to) in &layers.edges { path.edge d=(edge(at(*from), at(*to))) {} }
            @for (one, drawn) in boxes.iter().enumerate() { (one_box(page, drawn, at(one))) }
        }
    }
}

fn edge((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    let (x1, x2) = (x1 + WIDE / 2.0, x2 + WIDE / 2.0);
    let y1 = y1 + TALL;
    let bend = ((y2 - y1) / 2.0).max(12.0);
    let n = number;
    format!("M{} {}C{} {} {} {} {} {}", n(x1), n(y1), n(x1), n(y1 + bend), n(x2), n(y2 - bend), n(x2), n(y2))
}

fn one_box(page: &OfRun<'_>, drawn: &Drawn, (x, y): (f64, f64)) -> Markup {
    let (tally, worst) = tally(page, drawn);
    let total = drawn.steps.len();
    let sort = if tally.failed > 0 {
        "box wrong"
    } else if tally.running() > 0 {
        "box front"
    } else {
        "box"
    };
    let done = tally.done() as f64 / total.max(1) as f64 * (WIDE - 16.0);
    html! {
        a href=(place(page, drawn)) {
            rect class=(sort) x=(number(x)) y=(number(y)) width=(number(WIDE)) height=(number(TALL)) rx="5" {
                title { (told(&drawn.name)) ": " (counted(&tally, total)) }
            }
            text x=(number(x + 8.0)) y=(number(y + 17.0)) { (named(&drawn.name)) }
            text.small x=(number(x + 8.0)) y=(number(y + 32.0)) {
                @if drawn.is_step { (worst.told()) } @else { (tally.done()) " of " (total) @if tally.failed > 0 { ", " (tally.failed) " failed" } @if tally.running() > 0 { ", " (tally.running()) " at work" } }
            }
            rect class=(if tally.failed > 0 { "f" } else { class(StepState::Changed) }) x=(number(x + 8.0)) y=(number(y + 37.0)) width=(number(done)) height="3" {}
        }
    }
}

fn place(page: &OfRun<'_>, drawn: &Drawn) -> String {
    match drawn.steps.as_slice() {
        [one] => page.links.to(&Part::Step(one.clone())),
        _ => page.links.with(&Part::Steps, "", &[("q", &format!("kind:{}", drawn.name))]),
    }
}

/// A name that fits its box: the end tells more than the beginning.
fn named(name: &str) -> String {
    let name = told(name);
    let long = name.chars().count();
    if long <= 27 { name } else { ['…'].into_iter().chain(name.chars().skip(long - 26)).collect() }
}

fn words(page: &OfRun<'_>, boxes: &[Drawn], edges: &BTreeSet<(usize, usize)>) -> Markup {
    let needs = |one: usize| {
        let names = edges.iter().filter(|(from, to)| *to == one && from != to).filter_map(|(from, _)| boxes.get(*from));
        names.map(|drawn| told(&drawn.name)).collect::<Vec<_>>().join(", ")
    };
    html! {
        table.kinds {
            thead { tr { th { "Kind" } th { "Steps" } th { "How they stand" } th { "Needs" } } }
            tbody { @for (one, drawn) in boxes.iter().enumerate() {
                @let (tally, _) = tally(page, drawn);
                tr { th scope="row" { a.id href=(place(page, drawn)) { (told(&drawn.name)) } } td { (bar(&tally, drawn.steps.len())) } td.counts { (counted(&tally, drawn.steps.len())) } td.dim { (needs(one)) } }
            } }
        }
    }
}
