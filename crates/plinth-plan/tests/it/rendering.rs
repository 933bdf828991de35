use crate::fixture::{example, inventory as data, planned, site, unseen};
use plinth_model::gate::GateAnswer;
use plinth_model::{Plan, StepId};

use plinth_plan::render::{self, Look};
use plinth_plan::{StepObservation, static_inventory};
use plinth_site::desired::InventorySource;

/// Digests change with every version of plinth; the text around them should not.
fn settled(text: &str) -> String {
    let digits = |word: &str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|w| {
            if digits(w.trim_end_matches(',')) { w.replace(|c: char| c.is_ascii_hexdigit(), "0") } else { w.to_owned() }
        });
        words.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn written(plan: &Plan, colour: bool, width: usize) -> String {
    render::text(plan, Look { colour, width, all: true })
}

#[test]
fn the_example_as_text() {
    insta::assert_snapshot!("plan_text", settled(&written(&example(), false, 100)));
}

#[test]
fn a_half_done_world_as_text() {
    let mut desired = site::basepod();
    desired.access.legacy_keys.push("dgx-06".into());
    let mut observed = unseen(data::basepod());
    for step in &example().steps {
        let seen = match (step.id.verb(), step.id.target()) {
            ("connect" | "account", "dgx-06") => StepObservation::Todo(vec![format!("+ {} on dgx-06", step.id.verb())]),
            ("connect" | "account" | "facts" | "registries", _) => StepObservation::Done,
            _ => continue,
        };
        observed.steps.insert(step.id.clone(), seen);
    }
    for node in ["cpu-03", "cpu-05", "cpu-06", "dgx-05"] {
        observed.answers.insert(format!("storage/{node}").parse().unwrap(), GateAnswer::FITS);
    }
    let plan = planned(&desired, &observed);
    let text = written(&plan, false, 80);
    let start: Vec<&str> = text.lines().skip_while(|l| *l != "nodes").take_while(|l| *l != "kubernetes").collect();
    let end: Vec<&str> = text.lines().skip_while(|l| *l != "not known yet").collect();
    insta::assert_snapshot!("half_done_text", format!("{}\n...\n{}", start.join("\n"), end.join("\n")));
    let short = render::text(&plan, Look { colour: false, width: 80, all: false });
    let nodes: Vec<&str> = short.lines().skip_while(|l| *l != "nodes").take_while(|l| *l != "kubernetes").collect();
    insta::assert_snapshot!("half_done_short", nodes.join("\n"));
    // Whatever is folded is counted, and whatever is to do is there.
    let pending = |text: &str| text.lines().filter(|line| line.starts_with("  + ") || line.starts_with("  ~ ")).count();
    assert_eq!(pending(&short), pending(&text));
    assert!(short.contains("`--all`") && !text.contains("`--all`"), "{short}");
}

#[test]
fn a_plan_of_24_nodes_on_three_terminals() {
    let desired = site::large(24);
    let InventorySource::Static(nodes) = &desired.inventory else { panic!() };
    let plan = planned(&desired, &unseen(static_inventory(nodes)));
    for width in [80, 120, 200] {
        insta::assert_snapshot!(format!("plan_24_nodes_{width}"), settled(&written(&plan, false, width)));
    }
}

#[test]
fn no_line_is_too_long_and_colour_changes_nothing_else() {
    let plan = example();
    for width in [60, 80, 120] {
        let text = written(&plan, false, width);
        let long: Vec<&str> =
            text.lines().filter(|l| l.chars().count() > width && l.split_whitespace().count() > 3).collect();
        assert_eq!(long, Vec::<&str>::new(), "width {width}");
    }
    let coloured = written(&plan, true, 80);
    assert!(coloured.contains("\u{1b}[32m"));
    let mut plain = coloured.replace("\u{1b}[0m", "");
    for colour in ["1", "2", "31", "32", "33"] {
        plain = plain.replace(&format!("\u{1b}[{colour}m"), "");
    }
    assert_eq!(plain, written(&plan, false, 80));
}

#[test]
fn a_large_site_stays_readable() {
    let desired = site::large(300);
    let InventorySource::Static(nodes) = &desired.inventory else { panic!() };
    let text = written(&planned(&desired, &unseen(static_inventory(nodes))), false, 100);
    assert!(text.contains("300 nodes: node-[00000-00299]"), "{text}");
    assert!(!text.contains(" more\n"), "a range leaves none out: {text}");
    assert!(text.lines().count() < 250, "{} lines", text.lines().count());
}

#[test]
fn nodes_that_make_no_range_are_counted_behind_the_first() {
    let desired = site::large(300);
    let InventorySource::Static(nodes) = &desired.inventory else { panic!() };
    let mut observed = unseen(static_inventory(nodes));
    for node in (1..300).step_by(2) {
        let id = StepId::new("nodes", "account", &format!("node-{node:05}"));
        observed.steps.insert(id, StepObservation::Done);
    }
    let text = written(&planned(&desired, &observed), false, 100);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let half = |first: &str| {
        let shown = "node-0000".to_owned() + first;
        let found = words.split("150 nodes: ").skip(1).find(|rest| rest.starts_with(&shown));
        found.unwrap_or_else(|| panic!("150 nodes: {shown}: {text}")).to_owned()
    };
    for first in ["0", "1"] {
        let (names, _) =
            half(first).split_once(" and ").map(|(names, rest)| (names.to_owned(), rest.to_owned())).unwrap();
        let shown = names.split(' ').count();
        assert!(shown <= 8, "{names}");
        assert!(half(first).starts_with(&format!("{names} and {} more", 150 - shown)), "{text}");
    }
}

#[test]
fn the_graph_has_every_step_and_every_need() {
    let plan = example();
    let dot = render::dot(&plan);
    assert_eq!(dot.matches(" -> ").count(), plan.steps.iter().map(|s| s.needs.len()).sum::<usize>());
    assert_eq!(dot.matches("[label=").count(), plan.steps.len());
    assert!(dot.contains("\"nodes/account/cpu-03\" -> \"nodes/facts/cpu-03\";"));
    assert!(dot.starts_with("digraph \"basepod-a\" {") && dot.ends_with("}\n"));
}
