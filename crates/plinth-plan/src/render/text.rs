//! The plan as text, grouped by stage, with the reason for each step.

use super::fold::{Entry, diff, fold, fold_gates};
use super::sign;
use super::wrap::wrap;
use plinth_model::gate::GateId;
use plinth_model::plan::{Change, Gate, Plan};
use plinth_model::{Finding, Severity, Stage, amount};
use std::collections::HashSet;

/// Names shown of a folded entry; the rest is counted.
const NAMES_SHOWN: usize = 8;
/// Column in which the targets of steps begin.
const TARGETS: usize = 27;
/// Narrowest layout.
const NARROWEST: usize = 60;

/// The plan as text. `width` in characters; with `colour`, ANSI colours are added and nothing else changes.
#[must_use]
pub fn text(plan: &Plan, colour: bool, width: usize) -> String {
    let page = Page { colour, width: width.max(NARROWEST) };
    let mut out = page.head(plan);
    for stage in Stage::ALL {
        out += &page.stage(plan, stage);
    }
    out += &page.gates(plan);
    out += &page.findings(&plan.findings);
    out += &page.summary(plan);
    out
}

struct Page {
    colour: bool,
    width: usize,
}

impl Page {
    fn head(&self, plan: &Plan) -> String {
        let title = format!("plan {} for {}", plan.hash.short(), plan.site);
        let from = &plan.made_from;
        let made = format!(
            "made from site {}, inventory {}, catalog {}, plinth {}",
            from.site.short(),
            from.inventory.short(),
            from.catalog.short(),
            from.plinth
        );
        format!("{}\n{}", self.paint(BOLD, &title), self.dim(&wrap("  ", &made, self.width)))
    }

    fn stage(&self, plan: &Plan, stage: Stage) -> String {
        let entries = fold(plan.steps.iter().filter(|s| s.work.stage() == stage));
        if entries.is_empty() {
            return String::new();
        }
        let mut out = format!("\n{}\n", self.paint(BOLD, stage.title()));
        entries.iter().for_each(|entry| out += &self.entry(entry));
        out
    }

    fn entry(&self, entry: &Entry<'_>) -> String {
        let step = entry.step;
        let name = format!("{}/{}", step.id.area(), step.id.verb());
        let first = format!("  {} {name:<22} ", sign(&step.change));
        let target = if entry.nodes.is_empty() { step.id.target().to_owned() } else { listed(&entry.nodes, "nodes") };
        let mut out = self.paint(tint(&step.change), &wrap(&first, &target, self.width));
        let indent = " ".repeat(TARGETS);
        out += &self.dim(&wrap(&indent, &entry.reason, self.width));
        if let Some(what) = step.work.destroys().filter(|_| step.change.pending()) {
            out += &self.paint(RED, &wrap(&format!("{indent}! "), &what, self.width));
        }
        for line in diff(step) {
            out += &wrap(&format!("{indent}  "), line, self.width);
        }
        out
    }

    /// Gates that still decide something.
    fn gates(&self, plan: &Plan) -> String {
        let shut = plan.steps.iter().filter(|s| s.change == Change::Maybe).filter_map(|s| s.when.as_ref());
        let shut: HashSet<&GateId> = shut.map(|when| &when.gate).collect();
        let gates: Vec<&Gate> = plan.gates.iter().filter(|g| shut.contains(&g.id)).collect();
        if gates.is_empty() {
            return String::new();
        }
        let mut out = format!("\n{}\n", self.paint(BOLD, "not known yet"));
        for (gate, about) in fold_gates(&gates) {
            let kind = gate.id.kind();
            out += &wrap(&format!("  ~ {kind:<22} "), &listed(&about, "nodes"), self.width);
            let indent = " ".repeat(TARGETS);
            out += &self.dim(&wrap(&indent, &gate.question, self.width));
            for answer in &gate.answers {
                out += &wrap(&format!("{indent}{:<9} ", answer.answer.as_str()), &answer.meaning, self.width);
            }
        }
        out
    }

    fn findings(&self, findings: &[Finding]) -> String {
        if findings.is_empty() {
            return String::new();
        }
        let mut out = format!("\n{}\n", self.paint(BOLD, "findings"));
        for finding in findings {
            let colour = match finding.severity {
                Severity::Error => RED,
                Severity::Warning => YELLOW,
                Severity::Info => DIM,
            };
            let first = format!("  {:<8} {}", finding.severity, finding.code);
            out += &format!("{} ({})\n", self.paint(colour, &first), finding.subject);
            out += &wrap("           ", &finding.message, self.width);
            for line in &finding.evidence {
                out += &self.dim(&wrap("           seen  ", line, self.width));
            }
            if !finding.fix.is_empty() {
                let fix = format!("{} ({})", finding.fix, finding.owner);
                out += &wrap("           fix   ", &fix, self.width);
            }
        }
        out
    }

    fn summary(&self, plan: &Plan) -> String {
        let nodes: HashSet<_> = plan.steps.iter().filter_map(|s| s.work.node()).collect();
        let count = |wanted: char| plan.steps.iter().filter(|s| sign(&s.change) == wanted).count();
        let kinds = [
            ('+', "to do"),
            ('~', "decided by a gate"),
            ('?', "to look at only"),
            ('=', "done already"),
            ('-', "not needed"),
        ];
        let counts = kinds.map(|(sign, what)| (count(sign), sign, what)).into_iter().filter(|(n, ..)| *n > 0);
        let counts: Vec<String> = counts.map(|(n, sign, what)| format!("{n} {what} ({sign})")).collect();
        let destructive = plan.steps.iter().filter(|s| s.work.properties().destructive && s.change.pending()).count();
        let marked = if destructive > 0 {
            {
                let verbs = if destructive == 1 { "interrupts or moves" } else { "interrupt or move" };
                format!(". {destructive} of them {verbs} something (!)")
            }
        } else {
            String::new()
        };
        let line = format!(
            "{} on {}: {}{marked}",
            amount(plan.steps.len(), "step"),
            amount(nodes.len(), "node"),
            counts.join(", ")
        );
        format!("\n{}{}", self.paint(BOLD, &wrap("", &line, self.width)), warnings(plan))
    }

    fn dim(&self, text: &str) -> String {
        self.paint(DIM, text)
    }

    /// Colours each line for itself, so that a pager cannot lose one.
    fn paint(&self, colour: &str, text: &str) -> String {
        if !self.colour || colour.is_empty() {
            return text.to_owned();
        }
        let painted = |line: &str| match line.strip_suffix('\n') {
            Some(line) => format!("\u{1b}[{colour}m{line}\u{1b}[0m\n"),
            None => format!("\u{1b}[{colour}m{line}\u{1b}[0m"),
        };
        text.split_inclusive('\n').map(painted).collect()
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

const fn tint(change: &Change) -> &'static str {
    match change {
        Change::Apply { .. } => GREEN,
        Change::Maybe => YELLOW,
        Change::Check => "",
        Change::None | Change::Skip => DIM,
    }
}

/// `cpu-03`, or `5 nodes: cpu-03 cpu-05 ...`.
fn listed(names: &[&str], what: &str) -> String {
    match names {
        [one] => (*one).to_owned(),
        few if few.len() <= NAMES_SHOWN => format!("{} {what}: {}", few.len(), few.join(" ")),
        many => {
            let shown = &many[..NAMES_SHOWN - 2];
            format!("{} {what}: {} and {} more", many.len(), shown.join(" "), many.len() - shown.len())
        }
    }
}

fn warnings(plan: &Plan) -> String {
    match plan.findings.iter().filter(|f| f.severity == Severity::Warning).count() {
        0 => String::new(),
        n => format!("{} above\n", amount(n, "warning")),
    }
}
