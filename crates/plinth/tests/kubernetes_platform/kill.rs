//! plinth is killed with -9 at every step of the platform, and in the middle of every helm; the next run goes on.

use crate::ground::{FEW, Ground, STANDARD, plan_of};
use plinth_app::audience::Nobody;
use plinth_app::operation::Always;
use plinth_app::{Access, Depth, Goal, Input, Operation, Setup, World};
use plinth_model::steps::Effect;
use plinth_model::{Event, EventBody, StepId};
use plinth_run::{Journal, StopSignal};
use rusqlite::Connection;
use rustix::process::{Signal, getpid, kill_process};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Between the start of helm, or of another effect, and the kill: about in the middle of helm, and behind most others.
const MIDDLE: Duration = Duration::from_millis(250);
/// Told to the other process.
const ASKED: &str = "PLINTH_TEST_KILLS_ITSELF";
/// Steps that may change something and have nothing to do on this ground, so that they never begin to act.
const NEVER: [&str; 0] = [];

/// Every step that changes something is killed when its intent is recorded, its effect has begun or is over, and its outcome cannot be
/// recorded any more; a release while its helm is at work. Those that act at the same time are killed together.
#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn killed_at_every_step_it_goes_on() {
    Ground::with("helm3", STANDARD, |ground| {
        let (began, mut kills, mut killed) = (Instant::now(), 0, BTreeSet::new());
        while !ended_well(ground, &mut killed) {
            kills += 1;
        }
        eprintln!("{} steps killed by {kills} kills in {:?}", killed.len(), began.elapsed());
        assert_eq!(never_killed(ground, &killed), NEVER, "{killed:#?}");
        let releases = ground.all_deployed();
        assert!(releases.iter().all(|(_, _, revision)| revision.len() == 1), "{releases:?}");
        let runai = ground.operators.runai.lock().unwrap();
        let runai = runai.as_ref().unwrap();
        assert_eq!(runai.entries("played").len(), 1, "registered once");
        assert_eq!(runai.unexpected(), Vec::<String>::new());
        ground.apply_site().exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new());
        ground.plan_is_empty();
    });
}

/// Steps of the plan that may change something, and in whose effect no run was killed.
fn never_killed(ground: &Ground, killed: &BTreeSet<String>) -> Vec<String> {
    let plan = plan_of(&ground.path("site.yaml"));
    let changing = plan.steps.iter().filter(|step| step.work.properties().effect == Effect::Changes);
    changing.map(|step| step.id.as_str().to_owned()).filter(|id| !killed.contains(id)).collect()
}

/// One apply by another process, which kills itself in a step in which none was killed yet; what it was at work on then is added. Answers
/// whether it came to its end instead.
fn ended_well(ground: &Ground, killed: &mut BTreeSet<String>) -> bool {
    let known: Vec<&str> = killed.iter().map(String::as_str).collect();
    ground.write("killed", known.join("\n"));
    ground.write("helms", "");
    let file = |name: &str| std::fs::File::create(ground.path(name)).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.current_dir(ground.folder.path()).env_clear().env("PATH", ground.path("bin")).env(ASKED, "yes");
    command.args(["--ignored", "--exact", "kill::an_apply_that_kills_itself", "--nocapture"]);
    let mut run = command.stdin(Stdio::null()).stdout(file("out")).stderr(file("said")).spawn().unwrap();
    let ran = ground.ended(&mut run);
    if run.wait().unwrap().signal() != Some(9) {
        ran.exits(0);
        return true;
    }
    let journal = Journal::open_read_only(&ground.path("state")).unwrap().unwrap();
    let memory = journal.memory().unwrap();
    let helms = std::fs::read_to_string(ground.path("helms")).unwrap();
    let at_work = |id: &&str| !is_release(id) || helms.lines().any(|helm| helm == *id);
    let new: Vec<&str> = memory.in_flight().into_iter().map(StepId::as_str).filter(at_work).collect();
    let before = killed.len();
    killed.extend(new.iter().map(|id| (*id).to_owned()));
    assert!(killed.len() > before, "it was killed, and not in a new step: {new:?}\n{}", ran.said);
    false
}

fn is_release(step: &str) -> bool {
    step.contains("/release/")
}

/// In another process of this program, whose folder and `PATH` are those of a ground. Alone it does nothing.
#[test]
#[ignore = "part of killed_at_every_step_it_goes_on"]
fn an_apply_that_kills_itself() {
    if std::env::var_os(ASKED).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let exit = runtime.block_on(async {
        let setup = Setup {
            input: Input::load(Path::new("site.yaml")).unwrap_or_else(|_| panic!("the site file")),
            state: Some(Path::new("state")),
            recorded: None,
            access: Access::Change,
            goal: Goal::Site,
            audience: &Nobody,
        };
        let mut operation = Operation::open(setup, World::Real).unwrap_or_else(|_| panic!("opening"));
        let seen = operation.observe(Depth::Steps).await.unwrap_or_else(|_| panic!("looking"));
        let planned = operation.plan(seen).unwrap_or_else(|_| panic!("planning"));
        let approved = operation.approve(planned, &Always).await.unwrap_or_else(|_| panic!("approving"));
        let killer = Arc::new(Killer::new());
        let sink = Arc::new(move |event| killer.hears(&event));
        let report = operation.run(&mut approved.unwrap(), sink, StopSignal::new()).await.unwrap();
        report.exit.code()
    });
    std::process::exit(i32::from(exit));
}

/// Kills its own process at the first step in which none was killed before.
struct Killer {
    known: BTreeSet<String>,
    /// While it is open, nobody can write into the journal.
    held: Mutex<Option<Connection>>,
}

impl Killer {
    fn new() -> Self {
        let known = std::fs::read_to_string("killed").unwrap();
        Self { known: known.lines().map(str::to_owned).collect(), held: Mutex::default() }
    }

    /// An intent is told when it is recorded, and before its effect begins.
    fn hears(&self, event: &Event) {
        match &event.body {
            EventBody::StepActing { step, reads_only: false, .. } if !is_release(step.as_str()) => {
                self.dies_in(step.as_str())
            }
            EventBody::StepProgress { step, message, .. } if message.contains("(helm v") => {
                let mut helms = std::fs::File::options().append(true).open("helms").unwrap();
                writeln!(helms, "{step}").unwrap();
                self.dies_in(step.as_str());
            }
            _ => {}
        }
    }

    fn dies_in(&self, step: &str) {
        let mut held = self.held.lock().unwrap();
        if self.known.contains(step) || held.is_some() {
            return;
        }
        let journal = Connection::open(Path::new("state").join(plinth_run::journal::FILE)).unwrap();
        journal.busy_timeout(MIDDLE).unwrap();
        journal.execute_batch("BEGIN IMMEDIATE").unwrap();
        *held = Some(journal);
        std::thread::spawn(|| {
            std::thread::sleep(MIDDLE);
            kill_process(getpid(), Signal::KILL).unwrap();
        });
    }
}

/// The same with helm 4, whose records and locks are its own, for a few components, and with plinth's own program, which somebody else
/// kills.
#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn killed_in_the_middle_of_helm_4_it_goes_on() {
    Ground::with("helm4", &format!("{FEW}run: {{parallel: 1}}\n"), |ground| {
        let killed = killed_until_done(ground);
        let releases = ground.all_deployed();
        let helms = killed.iter().filter(|moment| moment.starts_with("helm ")).count();
        assert_eq!(helms, releases.len(), "each helm was left alone once: {killed:#?}");
        ground.apply_site().exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new());
        ground.plan_is_empty();
    });
}

/// Applies again and again, and kills each run at a new moment, until one comes to its end.
fn killed_until_done(ground: &Ground) -> BTreeSet<String> {
    let mut killed = BTreeSet::new();
    loop {
        let mut run = ground.begin();
        if !killed_at_a_new_moment(ground, &mut run, &mut killed) {
            ground.ended(&mut run).exits(0);
            return killed;
        }
    }
}

/// Kills the run at the first moment at which none was killed yet. Answers whether there was one.
fn killed_at_a_new_moment(ground: &Ground, run: &mut Child, killed: &mut BTreeSet<String>) -> bool {
    loop {
        let ended = run.try_wait().unwrap().is_some();
        let found = ground.events().iter().filter_map(moment).find(|moment| !killed.contains(moment));
        if ended {
            return false;
        }
        if let Some(found) = found {
            if found.starts_with("helm ") {
                std::thread::sleep(MIDDLE);
            }
            run.kill().unwrap();
            run.wait().unwrap();
            killed.insert(found);
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A moment worth dying at: a step begins to act, a helm has been started.
fn moment(record: &Value) -> Option<String> {
    let step = record["step"].as_str()?;
    let message = record["message"].as_str().unwrap_or_default();
    match record["event"].as_str()? {
        "step.acting" => Some(format!("acting {step}")),
        "step.progress" if message.contains("(helm v") => Some(format!("helm {step}")),
        _ => None,
    }
}
