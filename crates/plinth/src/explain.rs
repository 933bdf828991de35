//! What is told about the things plinth names: steps and groups of them, kinds, finding codes, exit codes, faults.

mod words;

use plinth_app::world::synthetic;
use plinth_app::{Goal, Input};
use plinth_model::finding::{Code, Declaration, code};
use plinth_model::nearest::nearest;
use plinth_model::run::StepView;
use plinth_model::span::span;
use plinth_model::{Exit, Gate, NodeName, Plan, Step, StepId, amount};
use plinth_plan::Observed;
use plinth_run::steps::EXPLANATIONS;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A topic, for people and for programs.
pub(crate) struct Explanation {
    pub(crate) text: String,
    pub(crate) data: Value,
}

/// How steps went in the last run that had them.
pub(crate) type LastTimes = BTreeMap<StepId, StepView>;

/// How steps went, and what is said of one that is not in there.
#[derive(Clone, Copy)]
pub(crate) struct Went<'a> {
    pub(crate) last: &'a LastTimes,
    pub(crate) absent: &'a str,
}

impl<'a> Went<'a> {
    /// In all runs.
    pub(crate) const fn ever(last: &'a LastTimes) -> Self {
        Self { last, absent: "never run" }
    }

    /// `changed: user ansiblebcm made (0.6 s), 2026-11-29T10:00:00Z`.
    fn told(self, step: &StepId) -> String {
        self.last.get(step).map_or_else(|| self.absent.to_owned(), last_time)
    }
}

/// Version of what `--json` prints.
const SCHEMA: u32 = 1;

/// What can be asked without a site, beside kinds and codes.
const TABLES: [(&str, &str); 5] = [
    ("exit-codes", "how the process ends, and what that means"),
    ("faults", "what a rehearsal can make go wrong"),
    ("findings", "all finding codes"),
    ("kinds", "all kinds of steps"),
    ("words", "the words that plinth uses, such as lane, slot and gate"),
];

/// A topic with its data, for programs.
pub(crate) fn machine(topic: Option<&str>, data: Value) -> Value {
    let mut all = json!({ "schema": SCHEMA, "topic": topic });
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), data) {
        all.extend(more);
    }
    all
}

/// What to ask for, where nothing was asked for.
pub(crate) fn overview() -> Explanation {
    let mut lines = vec!["plinth explain WHAT, where WHAT is".to_owned()];
    let forms = [
        ("nodes/account/dgx-05", "a step, and how it went last time"),
        ("nodes/account", "all steps of that name"),
        ("dgx-05", "all steps of a node"),
        ("node.account", "a kind of step"),
        ("node.host-key-changed", "a finding"),
        ("lane", "a word, as plinth means it"),
    ];
    lines.extend(forms.iter().chain(&TABLES).map(|(topic, what)| format!("  {topic:<24} {what}")));
    let topics: Vec<&str> = topics();
    Explanation { text: lines.join("\n"), data: json!({ "topics": topics }) }
}

/// Every topic that needs no site.
pub(crate) fn topics() -> Vec<&'static str> {
    let tables = TABLES.iter().map(|(topic, _)| *topic);
    tables.chain(EXPLANATIONS.iter().map(|one| one.kind)).chain(codes()).collect()
}

/// Explains a word that needs no site: a code, a kind, a table.
pub(crate) fn word(word: &str) -> Option<Explanation> {
    let table = |text: String| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Explanation { data: json!({ "lines": lines }), text }
    };
    match word {
        "exit-codes" => Some(table(exit_codes())),
        "faults" => Some(table(faults())),
        "findings" => Some(table(codes().join("\n"))),
        "kinds" => Some(table(kinds())),
        "words" => Some(table(words::all())),
        _ => kind(word).or_else(|| finding(word)).or_else(|| words::find(word)),
    }
}

/// All finding codes, sorted.
fn codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = code::all().filter_map(|code| Some(code.declaration()?.code)).collect();
    codes.sort_unstable();
    codes
}

/// Every kind with its title.
fn kinds() -> String {
    let lines = EXPLANATIONS.iter().map(|one| format!("{:<24} {}", one.kind, one.title));
    lines.collect::<Vec<_>>().join("\n")
}

fn finding(wanted: &str) -> Option<Explanation> {
    let Declaration { code, owner, means, usually, fix } = Code::named(wanted).declaration()?;
    Some(Explanation {
        text: format!("{code}\n  {means}\n  usually: {usually}\n  do: {fix}\n  who: {owner}"),
        data: json!({ "code": code, "means": means, "usually": usually, "fix": fix, "owner": owner }),
    })
}

fn kind(wanted: &str) -> Option<Explanation> {
    let found = plinth_run::steps::explain(wanted)?;
    let undo = plinth_model::steps::properties_of(wanted)?.undo.text();
    let (title, probe, act) = (found.title, found.probe, found.act);
    Some(Explanation {
        text: format!("{wanted}: {title}\n  looks: {probe}\n  does:  {act}\n  undo:  {undo}"),
        data: json!({ "kind": wanted, "title": title, "looks": probe, "does": act, "undo": undo }),
    })
}

/// The table of exit codes.
fn exit_codes() -> String {
    let lines = Exit::TABLE.iter().map(|(exit, meaning)| format!("{:>3}  {meaning}", exit.code()));
    lines.collect::<Vec<_>>().join("\n")
}

/// A fault of each form, as it is written.
pub(crate) fn fault_examples() -> Vec<&'static str> {
    plinth_app::world::Fault::all_forms().iter().map(|form| form.example).collect()
}

fn faults() -> String {
    let forms = plinth_app::world::Fault::all_forms();
    let lines =
        forms.iter().map(|form| format!("{}\n    {}\n    example: --fault {}", form.form, form.meaning, form.example));
    let head = "A fault happens once per state directory; add `:always` to have it in every run.";
    format!("{head}\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Explains steps of a plan: one in full, several with a line each. None: the plan has none of that name.
pub(crate) fn steps(wanted: &str, plan: &Plan, went: Went<'_>) -> Option<Explanation> {
    let found: Vec<&Step> = plan.steps.iter().filter(|step| is_meant(wanted, step)).collect();
    match found.as_slice() {
        [] => None,
        [one] => Some(step(plan, one, went)),
        many => Some(several(wanted, many, went)),
    }
}

/// By its id, by the parts of it that a plan prints, or by its node.
pub(crate) fn is_meant(wanted: &str, step: &Step) -> bool {
    let id = step.id.as_str();
    let begins = id.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    begins || step.work.node().is_some_and(|node| node.as_str() == wanted)
}

/// The plan of a site with made-up nodes where its file names none; none when the file does not lead to one.
pub(crate) fn made_up(input: &Input) -> Option<Plan> {
    let made_up = synthetic(&input.site.desired, None).ok()?;
    Goal::Site.plan(&made_up.desired, &Observed::new(made_up.inventory), &input.catalog).ok()
}

/// Explains what a plan names as not known yet: a gate, or all of its kind.
pub(crate) fn gates(wanted: &str, plan: &Plan) -> Option<Explanation> {
    let found: Vec<&Gate> =
        plan.gates.iter().filter(|gate| gate.id.as_str() == wanted || gate.id.kind() == wanted).collect();
    let first = found.first()?;
    let mut lines = vec![format!("{wanted}: not known before the run ({})", amount(found.len(), "gate"))];
    lines.extend(found.iter().map(|gate| format!("  {}: {}", gate.id, gate.question)));
    lines.push(format!("  answered by {} and the like; the answer is one of", first.opened_by));
    lines.extend(first.answers.iter().map(|answer| format!("    {:<9} {}", answer.answer.as_str(), answer.meaning)));
    Some(Explanation { text: lines.join("\n"), data: json!({ "gates": found }) })
}

/// The topic that may have been meant: of those that need no site, and of a plan's nodes, steps and gates.
pub(crate) fn near(wanted: &str, plan: Option<&Plan>) -> Option<String> {
    let steps = plan.into_iter().flat_map(|plan| &plan.steps);
    let of_steps = steps.flat_map(|step| step.work.node().map(NodeName::as_str).into_iter().chain([step.id.as_str()]));
    let gates = plan.into_iter().flat_map(|plan| &plan.gates).map(|gate| gate.id.kind());
    // Kinds and codes have a dot: a word without one is nearer to none of them than it looks.
    let topics = topics().into_iter().filter(|topic| wanted.contains('.') || !topic.contains('.'));
    nearest(wanted, topics.chain(gates).chain(of_steps)).map(str::to_owned)
}

fn several(wanted: &str, steps: &[&Step], went: Went<'_>) -> Explanation {
    let mut lines = vec![format!("{wanted}: {}", amount(steps.len(), "step"))];
    let width = steps.iter().map(|step| step.id.as_str().len()).max().unwrap_or(0);
    for step in steps {
        lines.push(format!("  {:<width$}  {}", step.id, went.told(&step.id)));
    }
    if let Some(first) = steps.first().filter(|first| steps.iter().all(|step| step.work.kind() == first.work.kind())) {
        lines.push(format!("  why:   {}", first.reason));
        lines.extend(kind(first.work.kind()).map(|kind| kind.text));
    }
    let all: Vec<Value> = steps
        .iter()
        .map(|step| json!({ "step": plinth_plan::render::step_json(step), "last": went.last.get(&step.id) }))
        .collect();
    Explanation { text: lines.join("\n"), data: json!({ "steps": all }) }
}

/// Explains a step of a plan, with what comes before and after it, and how it went last time.
fn step(plan: &Plan, step: &Step, went: Went<'_>) -> Explanation {
    let after: Vec<&str> =
        plan.steps.iter().filter(|other| other.needs.contains(&step.id)).map(|other| other.id.as_str()).collect();
    let needs: Vec<&str> = step.needs.iter().map(plinth_model::StepId::as_str).collect();
    let mut lines = vec![
        format!("{} ({}, stage {})", step.id, step.work.kind(), step.work.stage()),
        format!("  why:   {}", step.reason),
        format!("  needs: {}", listed(&needs)),
        format!("  then:  {}", listed(&after)),
    ];
    let deadline = step.work.deadline();
    lines.push(format!("  time:  one attempt is given up after {}, and made again", span(f64::from(deadline.seconds))));
    lines.push(format!("         why so long: {}", deadline.reasons()));
    lines.push(format!("         {}", deadline.moved_by.unwrap_or("no setting moves it")));
    if let Some(condition) = &step.when {
        lines.push(format!("  only:  if {} turns out to be `{}`", condition.gate, condition.answer));
    }
    if let Some(what) = step.work.destroys() {
        lines.push(format!("  mind:  {what}"));
    }
    if step.work.properties().once {
        lines.push("  once:  it is never repeated when the journal says that it was done".to_owned());
    }
    let view = went.last.get(&step.id);
    lines.push(format!("  last:  {}", went.told(&step.id)));
    if let Some(finding) = view.and_then(|view| view.finding.as_deref()) {
        lines.extend(finding.evidence.iter().map(|line| format!("         {line}")));
        lines.push(format!("  fix:   {} ({})", finding.fix, finding.owner));
    }
    lines.extend(kind(step.work.kind()).map(|kind| kind.text));
    Explanation {
        text: lines.join("\n"),
        data: json!({
            "step": plinth_plan::render::step_json(step),
            "then": after,
            "last": view,
            "deadline": { "seconds": deadline.seconds, "why": deadline.why, "movedBy": deadline.moved_by },
        }),
    }
}

fn last_time(view: &StepView) -> String {
    let took = view.seconds.filter(|s| *s > 0.0).map_or_else(String::new, |seconds| format!(" ({})", span(seconds)));
    let at = view.started.map_or_else(String::new, |at| format!(", {at:.0}"));
    let detail =
        if view.detail.is_empty() { String::new() } else { format!(": {}", plinth_report::clean(&view.detail)) };
    if let Some(place) = view.interrupted() {
        return format!("{}{took}{at}", place.told());
    }
    format!("{}{detail}{took}{at}", view.state)
}

/// A few names in full, many as a number.
fn listed(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [first, second, third, _, _, _, ..] => format!("{first}, {second}, {third} and {} more", names.len() - 3),
        few => few.join(", "),
    }
}
