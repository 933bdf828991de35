//! `apply` from the site file to the end of the run, in the simulated world: the same operation as on the real site.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "apply/rotation.rs"]
mod rotation;

use plinth_app::operation::{Always, Planned};
use plinth_app::saved::{SavedPlan, save};
use plinth_app::{Access, Approve, Audience, Depth, Failure, Goal, Input, Operation, Script, Setup, World};
use plinth_model::run::StepState;
use plinth_model::{Exit, Finding, NodeName, Problem, RunView};
use plinth_run::journal::About;
use plinth_run::{RunReport, StopSignal};
use plinth_site::Site;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Keeps what it is told.
#[derive(Default)]
struct Listener {
    texts: Mutex<Vec<String>>,
    checked: Mutex<Vec<Finding>>,
    told: Mutex<Vec<Finding>>,
}

impl Audience for Listener {
    fn text(&self, text: &str) {
        self.texts.lock().unwrap().push(text.to_owned());
    }

    fn findings(&self, _: &Site, findings: &[Finding]) {
        self.told.lock().unwrap().extend(findings.to_vec());
    }

    fn checked(&self, findings: &[Finding]) {
        self.checked.lock().unwrap().extend(findings.to_vec());
    }
}

fn basepod() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basepod.yaml")
}

/// A state directory, and a site file beside it.
struct Bench {
    folder: TempDir,
    site: PathBuf,
    state: PathBuf,
    listener: Listener,
}

impl Bench {
    fn new(edit: impl Fn(String) -> String) -> Self {
        let folder = TempDir::new().unwrap();
        let site = folder.path().join("site.yaml");
        std::fs::write(&site, edit(std::fs::read_to_string(basepod()).unwrap())).unwrap();
        let state = folder.path().join("state");
        Self { folder, site, state, listener: Listener::default() }
    }

    fn open(&self, script: Script) -> Result<Operation<'_>, Failure> {
        let setup = Setup {
            input: Input::load(&self.site).unwrap(),
            state: Some(&self.state),
            recorded: None,
            access: Access::Change,
            goal: Goal::Site,
            audience: &self.listener,
        };
        Operation::open(setup, World::Simulated(script))
    }

    /// The last run, by its journal.
    fn last_run(&self) -> RunView {
        plinth_run::Journal::open_read_only(&self.state).unwrap().unwrap().into_view()
    }

    /// As the verb does it.
    async fn apply(&self, script: Script) -> Result<(usize, RunReport), Failure> {
        let mut operation = self.open(script)?;
        let seen = operation.observe(Depth::Steps).await?;
        let planned = operation.plan(seen)?;
        let pending = planned.plan.pending();
        let mut approved = operation.approve(planned, &Always).await?.unwrap();
        Ok((pending, operation.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await?))
    }
}

fn problem(failure: Failure) -> Problem {
    match failure {
        Failure::Problem(problem) => problem,
        Failure::Rejected(rejected) => panic!("{:#?}", rejected.findings),
    }
}

fn with_fault(fault: &str) -> Script {
    Script { faults: vec![fault.parse().unwrap()], ..Script::default() }
}

#[tokio::test]
async fn applied_twice_the_second_finds_nothing_to_do() {
    let bench = Bench::new(|site| site);
    let (pending, first) = bench.apply(Script::default()).await.unwrap();
    assert_eq!(first.exit, Exit::Done, "{:#?}", first.failures);
    assert!(pending > 50 && first.counts.changed > 50, "{pending} pending, {:?}", first.counts);
    assert!(bench.state.join("facts.json").is_file(), "what the nodes told is kept");
    assert!(bench.listener.checked.lock().unwrap().iter().any(|finding| finding.code == "node.host-key-pinned"));

    let (pending, second) = bench.apply(Script::default()).await.unwrap();
    assert_eq!((pending, second.exit), (0, Exit::Done));
    assert_eq!((second.counts.changed, second.counts.failed), (0, 0), "{:?}", second.counts);
    let checks = 60.0;
    assert!(second.duration.as_secs_f64() < checks, "steps were looked at again: {:?}", second.duration);
}

#[tokio::test]
async fn an_unfit_worker_within_the_budget_stops_at_its_own_steps_and_all_others_are_finished() {
    let bench = Bench::new(|site| site);
    let (_, report) = bench.apply(with_fault("node:dgx-05:unreachable:always")).await.unwrap();
    assert_eq!(report.exit, Exit::Partly);
    assert!(bench.listener.texts.lock().unwrap().iter().any(|text| text.contains("going on without dgx-05")));
    assert_eq!(report.failures.len(), 1, "{:#?}", report.failures);
    assert_eq!(report.failures[0].0.as_str(), "nodes/connect/dgx-05");
    let view = bench.last_run();
    let missing: Vec<&str> = view.run.as_ref().unwrap().without.iter().map(|node| node.as_str()).collect();
    assert_eq!(missing, ["dgx-05"], "it is recorded");
    let unfinished = view.steps.iter().filter(|(_, step)| matches!(step.state, StepState::NotRun | StepState::Failed));
    let unfinished: Vec<&str> = unfinished.map(|(id, _)| id.as_str()).collect();
    assert!(unfinished.iter().all(|id| id.starts_with("nodes/") && id.ends_with("/dgx-05")), "{unfinished:?}");

    let (_, next) = bench.apply(Script::default()).await.unwrap();
    assert_eq!(next.exit, Exit::Done, "{:#?}", next.failures);
}

#[tokio::test]
async fn an_unfit_member_of_the_control_plane_is_waited_for_and_that_is_said() {
    let bench = Bench::new(|site| site);
    let (_, report) = bench.apply(with_fault("node:cpu-05:unreachable:always")).await.unwrap();
    assert_eq!(report.exit, Exit::Partly);
    let texts = bench.listener.texts.lock().unwrap().join(" ");
    assert!(texts.contains("not fit: cpu-05") && !texts.contains("going on without"), "{texts}");
    assert!(report.counts.changed > 10, "the others are prepared: {:?}", report.counts);
}

#[tokio::test]
async fn a_worker_that_is_left_out_is_taken_in_by_the_next_run() {
    let bench = Bench::new(|site| site);
    let apply = async |without: &[&str], script: Script| {
        let mut operation = bench.open(script).unwrap();
        let nodes: Vec<NodeName> = without.iter().map(|name| NodeName::new(name).unwrap()).collect();
        operation.leave_out(&nodes);
        let seen = operation.observe(Depth::Steps).await.unwrap();
        let planned = operation.plan(seen).unwrap();
        let pending = planned.plan.pending();
        let mut approved = operation.approve(planned, &Always).await.unwrap().unwrap();
        (pending, operation.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await.unwrap())
    };
    let (_, first) = apply(&["dgx-05"], with_fault("node:dgx-05:unreachable:always")).await;
    assert_eq!((first.exit, first.counts.failed), (Exit::Done, 0), "{:#?}", first.failures);
    let (pending, again) = apply(&["dgx-05"], Script::default()).await;
    assert_eq!((pending, again.exit), (0, Exit::Done), "{:#?}", again.failures);
    let (_, with) = apply(&[], Script::default()).await;
    assert_eq!(with.exit, Exit::Done, "{:#?}", with.failures);
    assert!(
        bench
            .last_run()
            .steps
            .iter()
            .any(|(id, step)| { id.as_str() == "nodes/account/dgx-05" && step.state == StepState::Changed })
    );
    // A member that is left out is still one: the record keeps it, and no play is needed for it afterwards.
    for without in [&["dgx-05"][..], &[]] {
        let (_, out) = apply(without, Script::default()).await;
        assert_eq!(out.exit, Exit::Done, "{:#?}", out.failures);
        let run = bench.last_run();
        let play = run.steps.iter().find(|(id, _)| id.as_str() == "kubernetes/deploy/basepod-a").unwrap().1;
        assert_eq!(play.state, StepState::Unchanged, "{play:?}");
    }
}

#[tokio::test]
async fn more_unfit_nodes_than_may_fail_end_it_before_anything_is_changed() {
    let bench = Bench::new(|site| format!("{site}\nrun: {{nodeFailures: 0}}\n"));
    let problem = problem(bench.apply(with_fault("node:dgx-05:unreachable")).await.unwrap_err());
    assert_eq!(problem.exit, Exit::CheckFailed);
    assert!(problem.happened.contains("dgx-05"), "{problem}");
    let journal = plinth_run::Journal::open_read_only(&bench.state).unwrap().unwrap();
    assert!(journal.memory().unwrap().run.is_none(), "no run was begun");
}

#[tokio::test]
async fn what_happened_to_a_node_is_told_over_all_runs() {
    let bench = Bench::new(|site| site);
    let dropped =
        Script { faults: vec!["node:dgx-05:drop@kubernetes".parse().unwrap()], kept: true, ..Script::default() };
    assert_eq!(bench.apply(dropped).await.unwrap().1.exit, Exit::Partly);
    for _ in 0..2 {
        assert_eq!(bench.apply(Script { kept: true, ..Script::default() }).await.unwrap().1.exit, Exit::Done);
    }
    let reader = plinth_run::Journal::open_read_only(&bench.state).unwrap().unwrap();
    let told = reader.history(&About::of("dgx-05")).unwrap();
    assert_eq!(told.runs.len(), 3);
    assert!(told.runs.iter().all(|run| run.rehearsal && !run.by.is_empty() && run.plan_is_read));
    let ids =
        |at: usize| told.runs[at].steps.iter().filter(|s| s.touched()).map(|s| s.step.as_str()).collect::<Vec<_>>();
    assert!(ids(0).contains(&"nodes/account/dgx-05"), "{:?}", ids(0));
    assert!(ids(0).contains(&"kubernetes/deploy/basepod-a"), "a play on several nodes: {:?}", ids(0));
    assert!(ids(1).contains(&"kubernetes/deploy/basepod-a"), "{:?}", ids(1));
    assert_eq!(ids(2), Vec::<&str>::new(), "nothing was left to do");
    assert!(told.runs[0].steps.iter().all(|step| !step.step.as_str().contains("dgx-06")));
    let account = told.runs[0].steps.iter().find(|step| step.step.as_str() == "nodes/account/dgx-05").unwrap();
    assert!(account.before.iter().any(|line| line.starts_with("+ user")) && account.undo.is_some(), "{account:?}");
    let step = reader.history(&About::of("nodes/account/dgx-05")).unwrap();
    assert_eq!((step.runs.len(), step.runs[0].steps.len()), (3, 1));
    let group = reader.history(&About::of("nodes/account")).unwrap();
    let nodes: Vec<_> =
        group.runs[0].steps.iter().filter_map(|step| step.step.as_str().strip_prefix("nodes/account/")).collect();
    assert!(nodes.len() == group.runs[0].steps.len() && nodes.contains(&"dgx-06"), "{nodes:?}");
    assert_eq!(reader.history(&About::of("nodes/acc")).unwrap().runs.len(), 0, "a part of a name is no group");
    let runs = reader.history(&About::Runs).unwrap();
    assert_eq!(runs.runs.iter().map(|run| run.counts.unwrap().failed).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(reader.history(&About::of("dgx-99")).unwrap().runs.len(), 0);
}

#[tokio::test]
async fn sources_that_do_not_answer_are_told_at_once_before_anything_is_changed() {
    let bench = Bench::new(|site| site);
    let script = Script { faults: vec!["source:all:unreachable".parse().unwrap()], ..Script::default() };
    let problem = problem(bench.apply(script).await.unwrap_err());
    assert_eq!(problem.exit, Exit::Unreachable, "{problem}");
    let told = bench.listener.told.lock().unwrap().clone();
    let silent: Vec<&Finding> = told.iter().filter(|finding| finding.code == "source.unreachable").collect();
    let subjects: Vec<&str> = silent.iter().map(|finding| finding.subject.as_str()).collect();
    for host in ["github.com", "pypi.org", "dl.k8s.io", "registry.k8s.io", "quay.io", "helm.ngc.nvidia.com"] {
        assert!(subjects.contains(&host), "{host} is not in {subjects:?}");
    }
    let of = |host: &str| silent.iter().find(|finding| finding.subject == host).unwrap();
    assert!(of("dl.k8s.io").fix.contains("kubernetes.downloads.files"), "{:?}", of("dl.k8s.io"));
    assert!(of("registry.k8s.io").message.contains("dgx-05"), "nodes ask for images: {:?}", of("registry.k8s.io"));
    let journal = plinth_run::Journal::open_read_only(&bench.state).unwrap().unwrap();
    assert!(journal.memory().unwrap().run.is_none(), "no run was begun");

    // Healed, and afterwards nothing is fetched any more, so nobody asks.
    let (_, report) = bench.apply(Script::default()).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    let always = Script { faults: vec!["source:all:unreachable:always".parse().unwrap()], ..Script::default() };
    let (pending, report) = bench.apply(always).await.unwrap();
    assert_eq!((pending, report.exit), (0, Exit::Done));
}

#[tokio::test]
async fn mirrors_of_the_site_are_asked_instead_of_the_internet() {
    let downloads = "version: v1.31.9\n  kubespray: {source: vendor/kubespray, wheels: wheels}\n  downloads:\n    files: https://mirror.example.com/files\n    images: {registry.k8s.io: mirror.example.com/k8s, quay.io: mirror.example.com/quay, docker.io: mirror.example.com/docker}";
    let bench = Bench::new(|site| site.replace("version: v1.31.9", downloads));
    let internet = ["github.com", "pypi.org", "dl.k8s.io", "registry.k8s.io", "quay.io", "registry-1.docker.io"];
    let faults = internet.iter().map(|host| format!("source:{host}:unreachable").parse().unwrap()).collect();
    let (_, report) = bench.apply(Script { faults, ..Script::default() }).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    let bench = Bench::new(|site| site.replace("version: v1.31.9", downloads));
    let problem = problem(bench.apply(with_fault("source:mirror.example.com:unreachable")).await.unwrap_err());
    assert_eq!(problem.exit, Exit::Unreachable);
}

#[tokio::test]
async fn a_site_that_another_state_directory_manages_is_left_alone() {
    let bench = Bench::new(|site| site);
    let problem = problem(bench.apply(with_fault("node:dgx-05:managed-elsewhere:always")).await.unwrap_err());
    assert_eq!(problem.exit, Exit::Locked, "{problem}");
    assert!(problem.happened.contains("anna@bastion") && problem.attempt.contains("--take-over"), "{problem}");
    let journal = plinth_run::Journal::open_read_only(&bench.state).unwrap().unwrap();
    assert!(journal.memory().unwrap().run.is_none(), "no run was begun");
}

#[tokio::test]
async fn a_saved_plan_fits_until_something_moves() {
    let bench = Bench::new(|site| site);
    let file = bench.folder.path().join("plan.json");
    let made = async |bench: &Bench| -> Planned {
        let mut operation = bench.open(Script::default()).unwrap();
        let seen = operation.observe(Depth::Steps).await.unwrap();
        operation.plan(seen).unwrap()
    };
    save(&made(&bench).await.plan, &file).unwrap();
    let saved = SavedPlan::read(&file).unwrap();
    saved.fits_input(&Input::load(&bench.site).unwrap()).unwrap();
    saved.is_still(&made(&bench).await).unwrap();

    let text = std::fs::read_to_string(&bench.site).unwrap();
    std::fs::write(&bench.site, text.replace("30443", "30444")).unwrap();
    let moved = saved.fits_input(&Input::load(&bench.site).unwrap()).unwrap_err();
    assert!(moved.happened.contains("the site file changed"), "{moved}");
}

#[tokio::test]
async fn what_nobody_approves_is_not_done() {
    struct Never;

    #[async_trait::async_trait]
    impl Approve for Never {
        async fn approve(&self, _: &Planned) -> Result<bool, Problem> {
            Ok(false)
        }
    }

    let bench = Bench::new(|site| site);
    let mut operation = bench.open(Script::default()).unwrap();
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let before = operation.simulation().unwrap().count("account-made");
    let planned = operation.plan(seen).unwrap();
    assert!(operation.approve(planned, &Never).await.unwrap().is_none());
    assert_eq!(operation.simulation().unwrap().count("account-made"), before);
    drop(operation);
    let journal = plinth_run::Journal::open_read_only(&bench.state).unwrap().unwrap();
    assert!(journal.memory().unwrap().run.is_none(), "no run was begun");
}

#[tokio::test]
async fn a_second_operation_is_told_who_holds_the_lock() {
    let bench = Bench::new(|site| site);
    let operation = bench.open(Script::default()).unwrap();
    let refused = problem(bench.open(Script::default()).map(|_| ()).unwrap_err());
    assert_eq!(refused.exit, Exit::Locked, "{refused}");
    drop(operation);
    bench.open(Script::default()).map(|_| ()).unwrap();
}

#[tokio::test]
async fn a_site_that_cannot_be_planned_is_refused_before_a_node_is_contacted() {
    let bench = Bench::new(|site| site.replace("v1.31.9", "v1.20.0"));
    let outcome = async {
        let mut operation = bench.open(Script::default())?;
        operation.observe(Depth::Steps).await.map(|_| ())
    };
    let failure = outcome.await.unwrap_err();
    assert!(failure.findings().iter().any(Finding::is_error), "{failure:?}");
    assert!(bench.listener.checked.lock().unwrap().is_empty(), "{failure:?}");
    assert!(!bench.state.join("facts.json").exists());
}

#[test]
fn an_operation_can_be_shared_among_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Operation<'_>>();
}
