//! A component that never becomes healthy: its time ends with what it waited for, everything else is finished, and the next run goes on.

use crate::ground::{Ground, WITH_KNATIVE};
use async_trait::async_trait;
use plinth_app::audience::Nobody;
use plinth_app::operation::Always;
use plinth_app::{Access, Depth, Goal, Input, Operation, Setup, World};
use plinth_run::StopSignal;
use plinth_world::{Clock, SystemClock};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// So much faster than the machine's: the shortest deadline of a component, ten minutes, passes in twenty seconds.
const FASTER: u32 = 30;
/// Told to the other process.
const ASKED: &str = "PLINTH_TEST_BY_A_FAST_CLOCK";

struct Fast(SystemClock);

#[async_trait]
impl Clock for Fast {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed() * FASTER
    }
    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration / FASTER).await;
    }
}

/// In another process of this program, whose folder and `PATH` are those of a ground: one apply by a fast clock, which ends with its exit
/// code. Alone it does nothing.
#[test]
#[ignore = "part of a_component_that_never_becomes_healthy_ends_in_time"]
fn an_apply_by_a_fast_clock() {
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
        let clock = Arc::new(Fast(SystemClock::new()));
        let mut operation = Operation::open(setup, World::Timed(clock)).unwrap_or_else(|_| panic!("opening"));
        let seen = operation.observe(Depth::Steps).await.unwrap_or_else(|_| panic!("looking"));
        let planned = operation.plan(seen).unwrap_or_else(|_| panic!("planning"));
        let approved = operation.approve(planned, &Always).await.unwrap_or_else(|_| panic!("approving"));
        let report = operation.run(&mut approved.unwrap(), Arc::new(|_| {}), StopSignal::new()).await.unwrap();
        report.exit.code()
    });
    std::process::exit(i32::from(exit));
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_component_that_never_becomes_healthy_ends_in_time() {
    Ground::with("helm3", WITH_KNATIVE, |ground| {
        ground.operators.keeps_silent("knative-operator");
        let file = |name: &str| std::fs::File::create(ground.path(name)).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.current_dir(ground.folder.path()).env_clear().env("PATH", ground.path("bin")).env(ASKED, "yes");
        command.args(["--ignored", "--exact", "late::an_apply_by_a_fast_clock", "--nocapture"]);
        let mut run = command.stdin(Stdio::null()).stdout(file("out")).stderr(file("said")).spawn().unwrap();
        ground.ended(&mut run).exits(4);
        // The others are there, and the reason is told.
        ground.all_deployed();
        let status = ground.plinth(&["status"]);
        eprintln!("{}", status.out);
        status.says("platform/objects/knative-operator").says("condition Ready is not set");
        ground.plinth(&["plan", "--preflight", "--detailed-exitcode"]).exits(2);
        ground.operators.speaks("knative-operator", &ground.told());
        ground.apply_site().exits(0);
        assert_eq!(ground.changed(), Vec::<String>::new(), "it became well by itself");
        ground.plan_is_empty();
    });
}
