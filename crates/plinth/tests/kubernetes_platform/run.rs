//! Runs of the real binary.

use crate::ground::{Ground, plan_of};
use plinth_model::Work;
use plinth_model::steps::HelmRelease;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// No run of these tests takes so long.
const HANGS: Duration = Duration::from_secs(180);

/// What a run left.
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) said: String,
    pub(crate) out: String,
}

impl Ran {
    /// Demands an exit code; shows everything when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.exit, Some(code), "{}\n{}", self.out, self.said);
        self
    }

    /// Demands a text in what was said.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.said.contains(text) || self.out.contains(text),
            "`{text}` is missing:\n{}\n{}",
            self.out,
            self.said
        );
        self
    }
}

impl Ground {
    /// plinth in the site's folder, with nothing of the caller's environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        // A test that is killed leaves no plinth behind that waits for its cluster.
        let mut command = Command::new("/usr/bin/setpriv");
        let measured = std::env::var_os("PLINTH_BENCH_PROGRAM");
        command.args(["--pdeathsig", "KILL", "--"]);
        command.arg(measured.unwrap_or_else(|| env!("CARGO_BIN_EXE_plinth").into()));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", self.path("bin"));
        command.args(words).args(["-f", "site.yaml", "--state", "state"]);
        command
    }

    pub(crate) fn plinth(&self, words: &[&str]) -> Ran {
        let file = |name: &str| std::fs::File::create(self.path(name)).unwrap();
        let mut command = self.command(words);
        let mut child = command.stdin(Stdio::null()).stdout(file("out")).stderr(file("said")).spawn().unwrap();
        self.ended(&mut child)
    }

    /// Waits for the end of a run whose words are in the files `out` and `said`; one that hangs is a failure.
    pub(crate) fn ended(&self, child: &mut Child) -> Ran {
        let text = |name: &str| std::fs::read_to_string(self.path(name)).unwrap();
        let end = Instant::now() + HANGS;
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
            if Instant::now() > end {
                child.kill().unwrap();
                panic!(
                    "it hangs:\n{}\n{}",
                    text("said"),
                    std::fs::read_to_string(self.path("events")).unwrap_or_default()
                );
            }
        };
        Ran { exit: status.code(), said: text("said"), out: text("out") }
    }

    /// Applies; its events are in the file `events`.
    pub(crate) fn apply_site(&self) -> Ran {
        self.plinth(&["apply", "-y", "--events", "events"])
    }

    /// The same, not waited for.
    pub(crate) fn begin(&self) -> Child {
        self.begins(&["apply"])
    }

    /// A verb that changes something, not waited for; its events are in the file `events`.
    pub(crate) fn begins(&self, words: &[&str]) -> Child {
        let _from_before = std::fs::remove_file(self.path("events"));
        let mut command = self.command(&[words, &["-y", "--events", "events"]].concat());
        let file = |name: &str| std::fs::File::create(self.path(name)).unwrap();
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("said")).spawn().unwrap()
    }

    /// Whole records of the last run so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        events(&self.path("events"))
    }

    /// Steps of the last run that changed something.
    pub(crate) fn changed(&self) -> Vec<String> {
        let records = self.events();
        let changed =
            records.iter().filter(|record| record["event"] == "step.finished" && record["outcome"] == "changed");
        changed.map(|record| record["step"].as_str().unwrap().to_owned()).collect()
    }

    /// Nothing is left to do, by a look at everything.
    #[track_caller]
    pub(crate) fn plan_is_empty(&self) {
        self.plinth(&["plan", "--preflight", "--detailed-exitcode"]).exits(0);
    }

    /// All releases of the site, and no others, are deployed. Answers them.
    #[track_caller]
    pub(crate) fn all_deployed(&self) -> Vec<(String, String, String)> {
        let there = self.releases();
        let plan = plan_of(&self.path("site.yaml"));
        let wanted = plan.steps.iter().filter_map(|step| match &step.work {
            Work::HelmRelease(HelmRelease { release, .. }) => Some(release.release.clone()),
            _ => None,
        });
        let wanted: BTreeSet<String> = wanted.collect();
        assert_eq!(there.iter().map(|(name, ..)| name.clone()).collect::<BTreeSet<String>>(), wanted);
        assert!(there.iter().all(|(_, status, _)| status == "deployed"), "{there:?}");
        there
    }

    /// Names, status and revision of all releases, as helm itself tells them.
    fn releases(&self) -> Vec<(String, String, String)> {
        let words = ["list", "--all-namespaces", "--deployed", "--failed", "--pending", "--uninstalling", "-o", "json"];
        let list: Value = serde_json::from_str(&self.by_hand(&words)).unwrap();
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let all = list.as_array().unwrap().iter();
        all.map(|one| (text(one, "name"), text(one, "status"), text(one, "revision"))).collect()
    }
}

/// Whole records of a file that may be being written.
fn events(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
