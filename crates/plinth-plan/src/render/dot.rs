//! The plan as a graph, in the language of Graphviz: `plinth plan --graph dot | dot -Tsvg`.

use super::sign;
use plinth_model::Stage;
use plinth_model::plan::{Plan, Step};
use std::fmt::Write;

/// The graph. An arrow goes from what comes first to what needs it; steps behind a gate are dashed, destructive ones red.
#[must_use]
pub fn dot(plan: &Plan) -> String {
    let mut out = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n",
        quoted(plan.site.as_str())
    );
    for (i, stage) in Stage::ALL.into_iter().enumerate() {
        let mut steps = plan.steps.iter().filter(|s| s.work.stage() == stage).peekable();
        if steps.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "  subgraph cluster_{i} {{\n    label={};", quoted(stage.title()));
        steps.for_each(|step| out += &node(step));
        out.push_str("  }\n");
    }
    for step in &plan.steps {
        for need in &step.needs {
            let _ = writeln!(out, "  {} -> {};", quoted(need.as_str()), quoted(step.id.as_str()));
        }
    }
    out.push_str("}\n");
    out
}

fn node(step: &Step) -> String {
    let id = step.id.as_str();
    let label = format!("{} {id}", sign(step));
    let style = if step.when.is_some() { ", style=dashed" } else { "" };
    let colour = if step.work.properties().destructive { ", color=red" } else { "" };
    format!("    {} [label={}{style}{colour}];\n", quoted(id), quoted(&label))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
