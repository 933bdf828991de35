//! The plan as text, grouped by stage, with the reason for each step.

use super::fold::{Entry, diff, fold, fold_gates};
use super::sign;
use super::wrap::wrap;
use crate::duration;
use plinth_model::gate::GateId;
use plinth_model::plan::{Change, Gate, Plan, Step};
use plinth_model::ranges::ranges;
use plinth_model::steps::Undo;
use plinth_model::text::visible;
use plinth_model::{Finding, Severity, Stage, amount};
use std::collections::HashSet;

/// Names shown of a folded entry; the rest is counted.
const NAMES_SHOWN: usize = 8;
/// Column in which the targets of steps begin.
const TARGETS: usize = 27;
/// Narrowest layout.
const NARROWEST: usize = 60;

/// How a plan is written.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// With ANSI colours; nothing else changes.
    pub colour: bool,
    /// Columns.
    pub width: usize,
    /// Every step with its reason. Otherwise steps that are done already or not needed are one line of each stage.
    pub all: bool,
}

/// The plan as text.
#[must_use]
pub fn text(plan: &Plan, look: Look) -> String {
    let page = Look { width: look.width.max(NARROWEST), ..look };
    let mut out = page.head(plan);
    for stage in Stage::ALL {
        out += &page.stage(plan, stage);
    }
    out += &page.gates(plan);
    out += &page.findings(&plan.findings);
    out += &page.summary(plan);
    out
}

impl Look {
    fn head(&self, plan: &Plan) -> String {
        let title = format!("plan {} for {}", plan.hash.short(), visible(plan.site.as_str()));
        let from = &plan.made_from;
        let made = format!(
            "made from site {}, inventory {}, catalog {}, plinth {}",
            from.site.short(),
            from.inventory.short(),
            from.catalog.short(),
            from.plinth
        );
        let legend = self.dim(&wrap("  ", &legend(plan), self.width));
        format!("{}\n{}{legend}", self.paint(BOLD, &title), self.dim(&wrap("  ", &made, self.width)))
    }

    fn stage(&self, plan: &Plan, stage: Stage) -> String {
        let entries = fold(plan.steps.iter().filter(|s| s.work.stage() == stage));
        if entries.is_empty() {
            return String::new();
        }
        let mut out = format!("\n{}\n", self.paint(BOLD, stage.title()));
        let (told, folded): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| self.all || !is_folded(entry.step));
        told.iter().for_each(|entry| out += &self.entry(entry));
        out + &self.in_short(&folded)
    }

    /// `  = done already           13 steps: connect, account, facts`.
    fn in_short(&self, folded: &[&Entry<'_>]) -> String {
        let line = |(wanted, what): (char, &str)| {
            let entries = folded.iter().filter(|entry| sign(entry.step) == wanted);
            let steps: usize = entries.clone().map(|entry| entry.nodes.len().max(1)).sum();
            let mut verbs: Vec<&str> = entries.map(|entry| entry.step.id.verb()).collect();
            let mut told = HashSet::new();
            verbs.retain(|verb| told.insert(*verb));
            let text = format!("{}: {}", amount(steps, "step"), verbs.join(", "));
            if steps == 0 {
                String::new()
            } else {
                self.dim(&wrap(&format!("  {wanted} {what:<22} "), &text, self.width))
            }
        };
        MEANINGS.map(line).concat()
    }

    fn entry(&self, entry: &Entry<'_>) -> String {
        let step = entry.step;
        let name = format!("{}/{}", step.id.area(), step.id.verb());
        let first = format!("  {} {name:<22} ", sign(step));
        let target = if entry.nodes.is_empty() { step.id.target().to_owned() } else { listed(&entry.nodes, "nodes") };
        let mut out = self.paint(tint(&step.change), &wrap(&first, &target, self.width));
        let indent = " ".repeat(TARGETS);
        out += &self.dim(&wrap(&indent, &entry.step.reason, self.width));
        if let Some(what) = step.work.destroys().filter(|_| step.change.pending()) {
            let ever = if is_one_way(step) { "; cannot be undone" } else { "" };
            out += &self.paint(RED, &wrap(&format!("{indent}! "), &format!("{what}{ever}"), self.width));
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
            out += &format!("{} ({})\n", self.paint(colour, &first), visible(&finding.subject));
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
        let mut out = format!("\n{}", self.paint(BOLD, &wrap("", &counts(plan), self.width)));
        let expected = plan.expected.or_else(|| duration::usual(plan, &duration::Took::new()));
        if let Some(expected) = expected {
            out += &wrap("", &duration::sentence(&expected), self.width);
        }
        if !self.all && plan.steps.iter().any(is_folded) {
            out += &wrap("", "`--all` gives the reasons of steps that are done already or not needed too", self.width);
        }
        out + &warnings(plan)
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

/// Signs with their meanings.
const MEANINGS: [(char, &str); 6] = [
    ('+', "to do"),
    ('~', "decided on the way"),
    ('?', "only looks"),
    ('*', "checks"),
    ('=', "done already"),
    ('-', "not needed"),
];

/// The signs that occur in this plan, with their meanings and counts.
fn signs(plan: &Plan) -> Vec<(char, &'static str, usize)> {
    let count = |wanted: char| plan.steps.iter().filter(|s| sign(s) == wanted).count();
    MEANINGS.iter().map(|(sign, what)| (*sign, *what, count(*sign))).filter(|(.., n)| *n > 0).collect()
}

/// `+ to do   ? only looks   ! interrupts service, moves or deletes something`.
fn legend(plan: &Plan) -> String {
    let mut told: Vec<String> = signs(plan).iter().map(|(sign, what, _)| format!("{sign} {what}")).collect();
    if destructive(plan).next().is_some() {
        told.push("! interrupts service, moves or deletes something".to_owned());
    }
    format!("signs: {}", told.join(", "))
}

/// `97 steps on 5 nodes: 77 to do (+), 20 only look (?). 3 of them …`.
fn counts(plan: &Plan) -> String {
    let nodes = plan.steps.iter().filter_map(|s| s.work.node()).collect::<HashSet<_>>().len();
    let told: Vec<String> = signs(plan).iter().map(|(sign, what, n)| format!("{n} {what} ({sign})")).collect();
    let on = if nodes == 0 { String::new() } else { format!(" on {}", amount(nodes, "node")) };
    let mut line = format!("{}{on}: {}", amount(plan.steps.len(), "step"), told.join(", "));
    let marked = destructive(plan).count();
    if marked > 0 {
        let verb =
            if marked == 1 { "interrupts service, moves or deletes" } else { "interrupt service, move or delete" };
        line += &format!(". {marked} of them {verb} something (!)");
    }
    let forever = destructive(plan).filter(|step| is_one_way(step)).count();
    if forever > 0 {
        line += &format!("; {forever} cannot be undone");
    }
    line
}

/// Whether there is nothing to do, so that a line for all of them is enough.
const fn is_folded(step: &Step) -> bool {
    matches!(step.change, Change::None | Change::Skip)
}

/// Steps that will destroy, move or interrupt.
fn destructive(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(|s| s.work.properties().destructive && s.change.pending())
}

fn is_one_way(step: &Step) -> bool {
    matches!(step.work.properties().undo, Undo::OneWay(_))
}

const fn tint(change: &Change) -> &'static str {
    match change {
        Change::Apply { .. } => GREEN,
        Change::Maybe => YELLOW,
        Change::Check => "",
        Change::None | Change::Skip => DIM,
    }
}

/// `cpu-03`, or `5 nodes: cpu-03 cpu-05 ...`; where that are too many, `24 nodes: dgx-[01-24]`, which leaves none out.
fn listed(names: &[&str], what: &str) -> String {
    match names {
        [one] => (*one).to_owned(),
        few if few.len() <= NAMES_SHOWN => format!("{} {what}: {}", few.len(), few.join(" ")),
        many => {
            let ranges = ranges(many.iter().copied());
            // Numbers and runs of them inside the brackets count like names.
            if ranges.split(',').count() <= NAMES_SHOWN {
                return format!("{} {what}: {ranges}", many.len());
            }
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
