//! All steps: filtered on the server, with counts beside the filter, the first two hundred at once.

use super::OfRun;
use super::node::step_row;
use super::parts::{badge, short, told};
use crate::grid::rank;
use crate::route::Part;
use maud::{Markup, html};
use plinth_analysis::{Filter, Subject};
use plinth_model::amount;
use plinth_model::run::StepState;
use std::collections::BTreeMap;

/// Steps on one page.
const PAGE: usize = 200;
/// Values of a facet that are listed.
const VALUES: usize = 12;

pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    let asked = page.query.get("q").unwrap_or_default();
    let subjects = page.record.subjects();
    let (chosen, emptied) = match Filter::parse(asked) {
        Ok(filter) => {
            let (chosen, emptied) = page.record.choose(&filter, &subjects);
            (chosen, emptied.map(|term| format!("no step of this run fits `{}`", short(&term))))
        }
        Err(error) => (Vec::new(), Some(told(&error.to_string()))),
    };
    let chosen = sorted(page, chosen);
    html! {
        h1 { "Steps" }
        (search(page, asked))
        div.faceted {
            aside aria-label="facets" { (facets(page, asked, &chosen)) }
            div {
                @if let Some(emptied) = &emptied { p.banner.bad { (emptied) " · " a href=(page.links.to(&Part::Steps)) { "all steps" } } }
                (list(page, asked, &chosen))
            }
        }
    }
}

/// What went wrong first, then what is at work, then what did not run, then the others in the order of the plan: what is not on the first page is no surprise.
fn sorted<'a>(page: &OfRun<'_>, mut chosen: Vec<Subject<'a>>) -> Vec<Subject<'a>> {
    let place = |subject: &Subject<'_>| page.record.shape.place(&subject.row.step);
    chosen.sort_by_cached_key(|subject| (rank(subject.row.state).min(rank(StepState::Pending)), place(subject)));
    chosen
}

fn search(page: &OfRun<'_>, asked: &str) -> Markup {
    html! {
        form.search role="search" {
            label for="q" { "Filter" }
            input id="q" name="q" type="search" value=(short(asked)) placeholder="state:failed node:dgx-* kind:nodes/downloads stage:nodes took:>30s waiting:slot up:… down:…" spellcheck="false" autocomplete="off";
            @if let Some(at) = page.record.at { input type="hidden" name="at" value=(at); }
            button { "show" }
        }
    }
}

fn list(page: &OfRun<'_>, asked: &str, chosen: &[Subject<'_>]) -> Markup {
    let after = usize::try_from(page.query.number("after").unwrap_or(0)).unwrap_or(usize::MAX);
    let after = after.min(chosen.len().saturating_sub(1));
    let shown: Vec<&Subject<'_>> = chosen.iter().skip(after).take(PAGE).collect();
    let more = chosen.len().saturating_sub(after.saturating_add(shown.len()));
    let link = |after: usize| page.links.with(&Part::Steps, "", &[("q", asked), ("after", &after.to_string())]);
    html! {
        @if !chosen.is_empty() {
            p.dim {
                @if after == 0 && more == 0 { (amount(chosen.len(), "step")) }
                @else { (after + 1) " to " (after + shown.len()) " of " (amount(chosen.len(), "step")) }
                @if after > 0 { " · " a rel="prev" href=(link(after.saturating_sub(PAGE))) { "before" } }
                @if more > 0 { " · " a rel="next" href=(link(after + PAGE)) { "next" } }
            }
            table.steps {
                thead { tr { th { "State" } th { "Step" } th.num { "Began" } th.num { "Waited" } th.num { "Took" } th { "What" } } }
                tbody { @for subject in shown { (step_row(page, &subject.row.step, Some(subject.row), subject.waiting)) } }
            }
            @if more > 0 { p { a rel="next" href=(link(after + PAGE)) { "the next " (more.min(PAGE)) " of " (amount(chosen.len(), "step")) } } }
        }
    }
}

/// What the chosen steps are like, with counts; each value narrows the filter.
fn facets(page: &OfRun<'_>, asked: &str, chosen: &[Subject<'_>]) -> Markup {
    let mut states = BTreeMap::new();
    let (mut stages, mut kinds, mut waits) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for subject in chosen {
        let row = subject.row;
        states.entry(rank(row.state)).or_insert((row.state, 0)).1 += 1;
        *stages.entry(row.stage).or_insert(0) += 1;
        *kinds.entry(row.kind.as_str()).or_insert(0) += 1;
        if let Some(held) = subject.waiting.and_then(|waiting| waiting.held_by.as_ref()) {
            *waits.entry(held.word()).or_insert(0) += 1;
        }
    }
    let narrowed = |term: String| page.links.with(&Part::Steps, "", &[("q", format!("{asked} {term}").trim())]);
    html! {
        h2 { "State" }
        ul { @for (state, count) in states.values() {
            li { a href=(narrowed(format!("state:{}", state.word()))) { (badge(*state)) } " " (count) }
        } }
        @if stages.len() > 1 {
            h2 { "Stage" }
            ul { @for (stage, count) in &stages {
                li { a href=(narrowed(format!("stage:{}", stage.title().to_lowercase()))) { (stage.title()) } " " (count) }
            } }
        }
        (facet("Waits for", waits, &|value| narrowed(format!("waiting:{value}"))))
        (facet("Kind", kinds, &|value| narrowed(format!("kind:{value}"))))
        (nodes(chosen, &|value| narrowed(format!("node:{value}"))))
    }
}

/// Nodes one by one, or, where there are many, groups of them by how their names begin.
fn nodes(chosen: &[Subject<'_>], link: &dyn Fn(&str) -> String) -> Markup {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for node in chosen.iter().filter_map(|subject| subject.row.node.as_deref()) {
        *counts.entry(node).or_insert(0) += 1;
    }
    if counts.len() <= VALUES {
        return facet("Node", counts, link);
    }
    let groups = groups(counts.keys().copied());
    html! {
        h2 { "Nodes" }
        ul { @for (pattern, nodes) in groups.iter().take(VALUES) {
            @let steps: usize = nodes.iter().filter_map(|node| counts.get(node)).sum();
            li { a href=(link(pattern)) { (told(pattern)) } " " (steps) " of " (amount(nodes.len(), "node")) }
        } }
        @if groups.len() > VALUES { p.dim { "and " (groups.len() - VALUES) " more groups" } }
    }
}

/// Nodes by patterns that fit them: by their names without the number at the end, `dgx-*`; where all begin alike, by the next character,
/// `dgx-0*`, so that each choice leaves fewer.
fn groups<'a>(names: impl Iterator<Item = &'a str> + Clone) -> BTreeMap<String, Vec<&'a str>> {
    let grouped = |pattern: &dyn Fn(&str) -> String| {
        let mut found: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
        names.clone().for_each(|name| found.entry(pattern(name)).or_default().push(name));
        found
    };
    let by_name = grouped(&|name| format!("{}*", name.trim_end_matches(|c: char| c.is_ascii_digit())));
    if by_name.len() > 1 {
        return by_name;
    }
    let first = names.clone().next().unwrap_or_default();
    let common = |name: &str| first.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    let alike = names.clone().map(common).min().unwrap_or(0);
    grouped(&|name| match name.chars().count() > alike + 1 {
        true => format!("{}*", name.chars().take(alike + 1).collect::<String>()),
        false => name.to_owned(),
    })
}

fn facet(title: &str, counts: BTreeMap<&str, usize>, link: &dyn Fn(&str) -> String) -> Markup {
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let more = counts.len().saturating_sub(VALUES);
    html! {
        @if counts.len() > 1 {
            h2 { (title) }
            ul { @for (value, count) in counts.iter().take(VALUES) {
                li { a href=(link(value)) { (told(value)) } " " (count) }
            } }
            @if more > 0 { p.dim { "and " (more) " more" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_grouped_by_how_their_names_begin_and_each_choice_leaves_fewer() {
        let all: Vec<String> = (1..=250).map(|number| format!("dgx-{number:03}")).chain(["cpu-1".to_owned()]).collect();
        let told = |names: &[String]| {
            let found = groups(names.iter().map(String::as_str));
            found.into_iter().map(|(pattern, nodes)| (pattern, nodes.len())).collect::<Vec<_>>()
        };
        let named =
            |pairs: &[(&str, usize)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
        assert_eq!(told(&all), named(&[("cpu-*", 1), ("dgx-*", 250)]));
        assert_eq!(told(&all[..250]), named(&[("dgx-0*", 99), ("dgx-1*", 100), ("dgx-2*", 51)]));
        assert_eq!(told(&all[..12]), named(&[("dgx-00*", 9), ("dgx-01*", 3)]));
        assert_eq!(told(&["n".to_owned(), "n1".to_owned()]), named(&[("n", 1), ("n1", 1)]));
    }
}
