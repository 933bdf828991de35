use crate::plans::{gate, gated, id, plan, recovery, removal, site, step};
use crate::script::{Bench, Rule, SECRET};
use plinth_model::run::{RunHead, Status};
use plinth_model::steps::Removal;
use plinth_model::{Code, Event, EventBody, Exit, Finding, NodeName, Outcome, Step, StepState};
use plinth_run::journal::{JournalError, LockedJournal, Memory, Store};
use std::time::Duration;

fn failing() -> Rule {
    Rule { act_failures: 9, permanent: true, ..Rule::default() }
}

#[test]
fn everything_is_made_so_once_and_a_second_run_changes_nothing() {
    let (mut bench, plan) = (Bench::new(), site(5));
    let report = bench.run(&plan);
    assert_eq!((report.outcome, report.exit), (Outcome::Done, Exit::Done));
    assert_eq!((report.counts.changed, report.counts.hosts), (plan.steps.len(), 5));
    assert!(report.failures.is_empty());
    assert_eq!(bench.effects().len(), plan.steps.len());
    let again = bench.run(&plan);
    assert_eq!((again.counts.changed, again.counts.unchanged), (0, plan.steps.len()));
    assert_eq!(bench.effects().len(), plan.steps.len());
}

#[test]
fn limits_hold_and_are_used() {
    let (mut bench, plan) = (Bench::new(), site(20));
    bench.options.parallel = 7;
    bench.run(&plan);
    let state = bench.script.state.lock().unwrap();
    assert_eq!((state.most_busy, state.most_per_node), (7, 1));
}

#[test]
fn steps_of_one_node_and_of_an_exclusive_kind_take_turns() {
    let mut bench = Bench::new();
    let ids = ["nodes/a/n0", "nodes/b/n0", "nodes/c/n0", "nodes/d/n1"];
    bench.run(&plan(ids.iter().map(|id| step(id, &[])).collect()));
    assert_eq!(bench.script.state.lock().unwrap().most_per_node, 1);
    assert_eq!(bench.script.state.lock().unwrap().most_busy, 2);
    assert_eq!(
        bench.effects().iter().filter(|e| e.ends_with("n0")).collect::<Vec<_>>(),
        ids[..3].iter().collect::<Vec<_>>()
    );

    let mut bench = Bench::new();
    bench.run(&plan(vec![step("kubernetes/deploy/a", &[]), step("kubernetes/deploy/b", &[])]));
    assert_eq!(bench.script.state.lock().unwrap().most_busy, 1);
}

#[test]
fn deadlines_end_what_hangs_and_only_that() {
    let mut bench = Bench::new();
    bench.rule("nodes/account/n1", Rule { hangs: true, ..Rule::default() });
    let report = bench.run(&site(3));
    let [(step, finding)] = &report.failures[..] else { panic!("{:?}", report.failures) };
    assert_eq!((step.as_str(), finding.code.as_str()), ("nodes/account/n1", "run.deadline-passed"));
    assert!(bench.so().contains("nodes/registries/n2"));
    let deadline = Duration::from_secs(u64::from(crate::plans::step("nodes/account/n1", &[]).work.deadline_s()));
    assert!(report.duration >= deadline && report.duration < deadline + Duration::from_secs(100));
    let told = bench.said(|body| match body {
        EventBody::StepFinished { failure: Some(program), .. } => Some(program.command.clone()),
        _ => None,
    });
    assert_eq!(told, ["ssh nodes/account/n1 # with [secret]"], "what it waited for is in its card");
}

#[test]
fn transient_failures_are_tried_again_with_a_look_between() {
    let mut bench = Bench::new();
    let rule = Rule { probe_failures: 2, act_failures: 2, ..Rule::default() };
    bench.rule("nodes/connect/n0", rule.clone());
    let steps = plan(vec![step("nodes/connect/n0", &[])]);
    let report = bench.run(&steps);
    assert_eq!((report.outcome, report.counts.changed), (Outcome::Done, 1));
    assert_eq!(bench.effects().len(), 3);
    let waits = bench.said(|body| match body {
        EventBody::StepRetrying { attempt, wait_s, .. } => Some((*attempt, *wait_s)),
        _ => None,
    });
    assert_eq!(waits.iter().map(|w| w.0).collect::<Vec<_>>(), [1, 2, 1, 2]);
    assert!(waits.iter().all(|(attempt, wait)| {
        let base = f64::from(2_u32.pow(*attempt));
        (base..=base * 1.25).contains(wait)
    }));
    let mut same = Bench::new();
    same.rule("nodes/connect/n0", rule);
    assert_eq!(same.run(&steps).duration, report.duration);
}

#[test]
fn an_effect_that_happened_although_its_call_failed_is_not_repeated() {
    let mut bench = Bench::new();
    bench.rule("runai/register/c", Rule { act_failures: 1, happens_anyway: true, ..Rule::default() });
    let report = bench.run(&plan(vec![step("runai/register/c", &[])]));
    assert_eq!((report.counts.changed, bench.effects().len()), (1, 1));
}

#[test]
fn failures_say_what_and_stop_only_what_needs_them() {
    let cases = [
        (Rule { act_failures: 9, ..Rule::default() }, "run.step-failed", 3),
        (Rule { probe_failures: 9, ..Rule::default() }, "run.step-failed", 0),
        (Rule { probe_failures: 9, permanent: true, ..Rule::default() }, "run.step-failed", 0),
        (failing(), "run.step-failed", 1),
        (Rule { blocked: true, ..Rule::default() }, "node.clash", 0),
        (Rule { never_so: true, ..Rule::default() }, "run.not-so-after-acting", 1),
    ];
    for (rule, code, effects) in cases {
        let mut bench = Bench::new();
        bench.rule("nodes/account/n1", rule.clone());
        let report = bench.run(&site(2));
        assert_eq!((report.outcome, report.exit), (Outcome::Partly, Exit::Partly), "{rule:?}");
        assert_eq!(report.failures[0].1.code, code, "{rule:?}");
        assert!(!report.failures[0].1.fix.is_empty(), "{rule:?}");
        assert_eq!(bench.effects().iter().filter(|e| *e == "nodes/account/n1").count(), effects, "{rule:?}");
        assert!(bench.so().contains("nodes/registries/n0"), "{rule:?}");
        let (how, detail) = bench.ended(&id("runai/register/c")).unwrap();
        assert_eq!(how, StepState::NotRun);
        assert_eq!(detail, "needs nodes/account/n1, which failed");
        assert_eq!((report.counts.hosts_failed, report.counts.failed), (1, 1));
    }
}

#[test]
fn the_next_run_finishes_the_rest_only() {
    let (mut bench, plan) = (Bench::new(), site(3));
    bench.rule("kubernetes/deploy/s", failing());
    assert_eq!(bench.run(&plan).exit, Exit::Partly);
    let before = bench.effects().len();
    bench.rule("kubernetes/deploy/s", Rule::default());
    let report = bench.run(&plan);
    assert_eq!((report.exit, report.counts.unchanged), (Exit::Done, 9));
    assert_eq!(bench.effects()[before..].iter().filter(|e| e.starts_with("nodes/")).count(), 0);
    let continues = bench.said(|b| if let EventBody::RunStarted(head) = b { Some(head.continues) } else { None });
    assert_eq!(continues, [true]);
}

#[test]
fn a_failed_check_alone_has_its_own_exit_code() {
    let mut bench = Bench::new();
    bench.rule("checks/gpu-pod/n0", failing());
    let report = bench.run(&site(2));
    assert_eq!((report.outcome, report.exit), (Outcome::Partly, Exit::Unreachable), "it could not be carried out");
    bench.rule("checks/gpu-pod/n0", Rule { does_not_hold: true, ..Rule::default() });
    let report = bench.run(&site(2));
    assert_eq!((report.outcome, report.exit), (Outcome::Partly, Exit::CheckFailed));
    bench.rule("kubernetes/ready/n1", Rule { never_so: true, ..Rule::default() });
    bench.script.state.lock().unwrap().so.remove("kubernetes/ready/n1");
    assert_eq!(bench.run(&site(2)).exit, Exit::Partly);
}

#[test]
fn a_spent_failure_budget_starts_no_new_node_steps() {
    let mut bench = Bench::new();
    bench.options.node_failures = 1;
    bench.options.parallel = 4;
    for n in 0..3 {
        bench.rule(&format!("nodes/connect/n{n}"), failing());
    }
    let report = bench.run(&site(10));
    assert_eq!(report.failures.len(), 3);
    assert!(!bench.effects().contains(&"nodes/connect/n9".to_owned()));
    assert!(
        bench
            .ended(&id("nodes/connect/n9"))
            .unwrap()
            .1
            .starts_with("the failure budget is spent: 2 nodes failed, 1 may")
    );

    bench.options.node_failures = 3;
    bench.run(&site(10));
    assert!(bench.effects().contains(&"nodes/registries/n9".to_owned()));
}

#[test]
fn no_engine_without_a_majority_of_control_plane_nodes() {
    let mut steps: Vec<_> = (0..3).map(|n| step(&format!("nodes/connect/n{n}"), &[])).collect();
    steps.push(step("platform/wait/x", &[]));
    steps.push(step("kubernetes/deploy/s", &["platform/wait/x"]));
    let plan = plan(steps);
    for (failed, runs) in [(1, true), (2, false)] {
        let mut bench = Bench::new();
        bench.options.control_plane = (0..3).map(|n| NodeName::new(&format!("n{n}")).unwrap()).collect();
        bench.rule("platform/wait/x", Rule { seconds: 100, ..Rule::default() });
        (0..failed).for_each(|n| bench.rule(&format!("nodes/connect/n{n}"), failing()));
        bench.run(&plan);
        assert_eq!(bench.so().contains("kubernetes/deploy/s"), runs, "{failed} failed");
    }
}

/// Each kind of play answers for itself: workers leave through the API, a reset ends the cluster, a recovery is for the day without
/// a majority.
#[test]
fn without_a_majority_no_worker_is_removed_but_all_can_be_and_members_are_brought_back() {
    let worker = || Removal::Nodes { nodes: vec![NodeName::new("w1").unwrap()], reachable: true };
    let plays = [(removal(worker()), false), (removal(Removal::All), true), (recovery(), true)];
    for (work, runs) in plays {
        let mut steps: Vec<_> = (0..3).map(|n| step(&format!("nodes/connect/n{n}"), &[])).collect();
        steps.push(step("platform/wait/x", &[]));
        let kind = work.kind();
        steps.push(Step { work, ..step("kubernetes/deploy/s", &["platform/wait/x"]) });
        let mut bench = Bench::new();
        bench.options.control_plane = (0..3).map(|n| NodeName::new(&format!("n{n}")).unwrap()).collect();
        bench.rule("platform/wait/x", Rule { seconds: 100, ..Rule::default() });
        (0..2).for_each(|n| bench.rule(&format!("nodes/connect/n{n}"), failing()));
        bench.run(&plan(steps));
        assert_eq!(bench.so().contains("kubernetes/deploy/s"), runs, "{kind}");
    }
}

#[test]
fn gates_choose_among_the_steps_shown() {
    for (answer, ended) in [("fits", StepState::Skipped), ("relocate", StepState::Changed)] {
        let mut bench = Bench::new();
        let answers = vec![(gate("storage/a"), answer.parse().unwrap())];
        bench.rule("nodes/facts/a", Rule { answers, ..Rule::default() });
        let report = bench.run(&gated());
        assert_eq!(report.exit, Exit::Done);
        assert_eq!(bench.ended(&id("nodes/storage/a")).unwrap().0, ended);
        assert_eq!(bench.ended(&id("nodes/registries/a")).unwrap().0, StepState::Changed);
        let opened =
            bench.said(|b| if let EventBody::GateOpened { answer, .. } = b { Some(answer.to_string()) } else { None });
        assert_eq!(opened, [answer]);
    }
}

#[test]
fn an_answer_that_was_not_shown_stops_the_run() {
    for (gate, answer) in [("storage/a", "burn"), ("storage/b", "fits")] {
        let mut bench = Bench::new();
        bench.rule(
            "nodes/facts/a",
            Rule { answers: vec![(gate.parse().unwrap(), answer.parse().unwrap())], ..Rule::default() },
        );
        let report = bench.run(&gated());
        assert_eq!((report.outcome, report.exit), (Outcome::Stopped, Exit::Partly));
        assert_eq!(report.failures[0].1.code, "run.gate-answer-unknown");
        assert!(bench.effects().is_empty());
    }
}

#[test]
fn a_gate_nobody_answered_lets_nothing_through() {
    let mut bench = Bench::new();
    let report = bench.run(&gated());
    assert_eq!(report.failures[0].1.code, "run.gate-unanswered");
    assert!(!bench.so().contains("nodes/storage/a"));
}

#[test]
fn no_secret_reaches_events_or_journal() {
    let mut bench = Bench::new();
    bench.rule("nodes/connect/n0", Rule { blocked: true, ..Rule::default() });
    bench.rule("nodes/connect/n1", Rule { act_failures: 3, probe_failures: 1, ..Rule::default() });
    bench.run(&site(4));
    let told = serde_json::to_string(&*bench.events.lock().unwrap()).unwrap();
    assert!(told.contains("[secret]"));
    assert!(!told.contains(SECRET));
    for file in std::fs::read_dir(bench.dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    }
}

#[test]
fn events_are_numbered_and_framed() {
    let mut bench = Bench::new();
    bench.run(&site(2));
    let events = bench.events.lock().unwrap();
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
    assert!(matches!(events.first().unwrap().body, EventBody::RunStarted(RunHead { hosts: 2, continues: false, .. })));
    assert!(matches!(&events.last().unwrap().body, EventBody::RunFinished { exit: 0, next, .. } if !next.is_empty()));
}

#[test]
fn a_plan_that_does_not_hold_together_is_refused_before_anything() {
    let unordered = plan(vec![step("a/b/c", &["a/b/d"]), step("a/b/d", &[])]);
    let twice = plan(vec![step("a/b/c", &[]), step("a/b/c", &[])]);
    let mut gateless = gated();
    gateless.gates.clear();
    for plan in [unordered, twice, gateless] {
        let mut bench = Bench::new();
        let mut journal = bench.journal();
        let problem = bench.run_with(&plan, &mut journal).unwrap_err();
        assert_eq!(problem.exit, Exit::Input);
        assert!(bench.effects().is_empty() && journal.memory().run.is_none());
    }
}

/// A store that sees every batch next to the effects begun so far, and whose file fails after some batches.
struct Spy<'a> {
    journal: &'a mut LockedJournal,
    script: std::sync::Arc<crate::script::Script>,
    intents: Vec<String>,
    batches: usize,
}

impl Store for Spy<'_> {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        let failed = || JournalError::Storage { path: "journal.db".into(), happened: "input/output error".to_owned() };
        self.batches = self.batches.checked_sub(1).ok_or_else(failed)?;
        self.journal.append(events)?;
        for event in events {
            if let EventBody::StepActing { step, .. } = &event.body {
                assert!(!self.script.state.lock().unwrap().effects.contains(&step.to_string()), "{step} began before");
                self.intents.push(step.to_string());
            }
        }
        Ok(())
    }
    fn since(&self, seq: u64) -> Result<Vec<Event>, JournalError> {
        self.journal.since(seq)
    }
    fn keep_plan(&mut self, plan: &plinth_model::Plan) -> Result<(), JournalError> {
        self.journal.keep_plan(plan)
    }
    fn renew(&mut self) -> Result<(), JournalError> {
        Store::renew(self.journal)
    }
    fn memory(&self) -> &Memory {
        self.journal.memory()
    }
}

#[test]
fn intents_are_durable_before_effects() {
    let mut bench = Bench::new();
    let mut journal = bench.journal();
    let (script, intents) = (bench.script.clone(), Vec::new());
    let mut spy = Spy { journal: &mut journal, script, intents, batches: usize::MAX };
    bench.run_with(&site(6), &mut spy).unwrap();
    let mut intents = spy.intents;
    let mut effects = bench.effects();
    intents.sort();
    effects.sort();
    assert_eq!(intents, effects);
    assert!(journal.memory().in_flight().is_empty());
    journal.verify().unwrap();
}

#[test]
fn a_disk_that_fills_up_ends_the_run_and_loses_nothing() {
    let (mut bench, plan) = (Bench::new(), site(30));
    let mut journal = bench.journal();
    journal.keep_plan(&plan).unwrap();
    let pages = std::fs::metadata(journal.path()).unwrap().len() / 4096;
    journal.limit_pages(u32::try_from(pages).unwrap() + 24).unwrap();
    let problem = bench.run_with(&plan, &mut journal).unwrap_err();
    assert_eq!(problem.exit, Exit::Partly);
    assert!(problem.happened.contains("disk is full"), "{problem}");
    assert!(matches!(
        bench.events.lock().unwrap().last().unwrap().body,
        EventBody::RunFinished { outcome: Outcome::Stopped, exit: 4, .. }
    ));
    let (done, known) = (bench.so().len(), journal.memory().clone());
    assert!(done > 0 && done < plan.steps.len());
    drop(journal);
    assert_eq!(bench.memory(), known);
    assert_eq!(bench.run(&plan).exit, Exit::Done);
    assert_eq!(bench.so().len(), plan.steps.len());
}

#[test]
fn a_journal_that_fails_is_wrong_input_before_the_run_and_partly_applied_in_it() {
    for (batches, exit, told) in [(0, Exit::Input, 0), (5, Exit::Partly, 1)] {
        let mut bench = Bench::new();
        let mut journal = bench.journal();
        let (script, intents) = (bench.script.clone(), Vec::new());
        let mut spy = Spy { journal: &mut journal, script, intents, batches };
        let problem = bench.run_with(&site(3), &mut spy).unwrap_err();
        assert_eq!(problem.exit, exit, "after {batches}");
        let exits = bench.said(|b| if let EventBody::RunFinished { exit, .. } = b { Some(*exit) } else { None });
        assert_eq!(exits, vec![exit.code(); told], "after {batches}");
    }
}

#[test]
fn a_run_may_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    let (bench, plan) = (Bench::new(), site(1));
    let mut journal = bench.journal();
    let sink: plinth_run::Sink = std::sync::Arc::new(|_| {});
    movable(&plinth_run::run(&plan, bench.world(), &mut journal, sink, bench.stop.clone(), bench.options.clone()));
    movable(&plinth_run::look(&plan, &bench.world(), &plinth_run::LookOptions::default()));
}

#[test]
fn a_step_that_only_looks_is_unchanged_after_waiting() {
    let mut bench = Bench::new();
    let report =
        bench.run(&plan(vec![step("kubernetes/wait/n", &[]), step("kubernetes/labels/n", &["kubernetes/wait/n"])]));
    assert_eq!((report.counts.changed, report.counts.unchanged), (1, 1));
    let (outcome, detail) = bench.ended(&id("kubernetes/wait/n")).unwrap();
    assert_eq!((outcome, detail.as_str()), (StepState::Unchanged, "made with [secret], after 12 s of waiting"));
    assert_eq!(bench.memory().steps[&id("kubernetes/wait/n")].state, StepState::Unchanged);
}

#[test]
fn a_rehearsal_that_is_not_kept_does_not_promise_to_continue() {
    for (kept, words) in [(true, "run the same command again"), (false, "give `--state DIR`")] {
        let mut bench = Bench::new();
        bench.options.kept = kept;
        bench.rule("a/b/x", Rule { blocked: true, ..Rule::default() });
        bench.run(&plan(vec![step("a/b/x", &[])]));
        let next =
            bench.said(|b| if let EventBody::RunFinished { next, .. } = b { next.last().cloned() } else { None });
        assert!(next[0].contains(words), "{next:?}");
    }
}

#[test]
fn what_a_node_told_of_itself_goes_with_the_end_of_the_step_and_is_kept_without_secrets() {
    let mut bench = Bench::new();
    let facts = [("kernel", "6.8.0".to_owned()), ("driver", format!("570 {SECRET}"))];
    let facts = facts.map(|(name, value)| (name.to_owned(), value)).into();
    bench.rule("nodes/connect/n0", Rule { facts, ..Rule::default() });
    bench.run(&site(1));
    let told = bench.said(|body| match body {
        EventBody::StepFinished { step, facts, .. } => facts.clone().map(|facts| (step.clone(), facts)),
        _ => None,
    });
    let [(step, facts)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (step, facts["kernel"].as_str(), facts["driver"].as_str()),
        (&id("nodes/connect/n0"), "6.8.0", "570 [secret]")
    );
    assert_eq!(bench.reader().into_view().steps[step].facts.as_ref(), Some(facts));
}

#[test]
fn what_a_step_notes_is_told_before_its_end_counted_and_kept_without_secrets() {
    let mut bench = Bench::new();
    let note = Finding::warning(Code::named("a.doubt"), "n0", format!("odd: {SECRET}")).fix("look");
    bench.rule("nodes/connect/n0", Rule { notes: vec![note], ..Rule::default() });
    let report = bench.run(&site(1));
    assert_eq!((report.outcome, report.counts.warnings), (Outcome::Done, 1));
    let step = id("nodes/connect/n0");
    let about = bench.said(|body| match body {
        EventBody::Finding { finding, step: Some(by) } if *by == step => Some(finding.message.clone()),
        EventBody::StepFinished { step: ended, outcome, .. } if *ended == step => Some(outcome.to_string()),
        _ => None,
    });
    assert_eq!(about, ["odd: [secret]", "unchanged"]);
    let view = bench.reader().into_view();
    assert_eq!((view.findings.len(), view.findings[0].code.as_str()), (1, "a.doubt"));
    assert_eq!(Status::of(view, None, jiff::Timestamp::UNIX_EPOCH).findings[0].fix, "look");
}
