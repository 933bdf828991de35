//! Plinth's SSH client, Ansible and `ssh` by hand at the same work on real nodes: `cargo xtask bench --nodes`.

mod ansible;
mod contender;

mod ground;
pub(crate) mod section;

use crate::commands::{self, Failure, cargo, root};
use crate::machine::{self, Machine};
use crate::measure::{Measured, measured, middle};
use crate::scratch::Scratch;
use ansible::Ansible;
use contender::Contender;
use ground::{Ground, Order};
use plinth_lab::{Lab, LabSpec};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Nodes that get the account.
const ACCOUNT_NODES: usize = 20;
/// Nodes whose facts are read.
const FACTS_NODES: usize = 50;
/// On 2 cores.
const FACTS_LIMIT_SECONDS: f64 = 5.0;
/// Connections whose memory is compared; the second is not more than the nodes there are.
const IDLE_NODES: (usize, usize) = (5, 50);
const IDLE_LIMIT_KIB: f64 = 1024.0;
/// Between two runs, so that the nodes are done with what the one before left to do.
const PAUSE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    seconds: f64,
    cpu: f64,
    peak_mib: f64,
}

/// All that is written down.
struct Results {
    account: Vec<(Contender, Vec<Run>)>,
    /// As plinth's account, as every run reads them once the account is there.
    facts: Run,
    /// On first contact: a password for the login, and again for sudo.
    first_facts: Run,
    idle_kib: f64,
}

impl Results {
    /// Seconds that plinth takes.
    fn plinth(&self) -> f64 {
        let own = self.account.iter().find(|(contender, _)| *contender == Contender::Plinth);
        own.and_then(|(_, runs)| median(runs)).map_or(f64::NAN, |run| run.seconds)
    }

    fn hold(&self) -> bool {
        let ratio = |runs: &[Run]| median(runs).map_or(0.0, |run| run.seconds / self.plinth());
        let account = self.account.iter().all(|(one, runs)| one.target().is_none_or(|target| ratio(runs) >= target));
        account && self.facts.seconds <= FACTS_LIMIT_SECONDS && self.idle_kib <= IDLE_LIMIT_KIB
    }
}

/// Measures, and writes the section of docs/benchmarks.md. Answers whether every target holds.
pub(crate) fn run() -> Result<bool, Failure> {
    let client = client()?;
    let ansible = Ansible::installed()?;
    let load = machine::load();
    let Alone { facts, first_facts, idle_kib } = alone(&client)?;
    let mut results = Results { account: Vec::new(), facts, first_facts, idle_kib };
    account(&client, &ansible, |rounds| {
        results.account = rounds.to_vec();
        write(&section::text(&Machine::here().to_string(), load, &results))
    })?;
    Ok(results.hold())
}

fn write(section: &str) -> Result<(), Failure> {
    let file = root().join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    std::fs::write(&file, section::put(&page, section)).map_err(|error| format!("writing {}: {error}", file.display()))
}

/// Builds the program that stands for plinth: its client, and nothing around it.
fn client() -> Result<PathBuf, Failure> {
    let example = ["build", "--release", "--locked", "--package", "plinth-ssh", "--example", "many_nodes"];
    if !commands::passes(&mut cargo(&example))? {
        return Err("the example many_nodes of plinth-ssh does not build".to_owned());
    }
    let metadata = commands::metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    Ok(Path::new(target).join("release/examples/many_nodes"))
}

type Rounds = [(Contender, Vec<Run>)];

/// Rounds that take turns. Each is written down when it ends, since the next ones take minutes.
fn account(
    client: &Path,
    ansible: &Ansible,
    mut write: impl FnMut(&Rounds) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let lab = up(ACCOUNT_NODES)?;
    let ground = Ground::new(&lab, client)?;
    let mut results: Vec<(Contender, Vec<Run>)> = Contender::ALL.map(|contender| (contender, Vec::new())).into();
    let rounds = results.iter().map(|(contender, _)| contender.rounds()).max().unwrap_or(0);
    let mut number = 0;
    for round in 0..rounds {
        for (contender, runs) in results.iter_mut().filter(|(contender, _)| round < contender.rounds()) {
            let order = Order::new(number);
            number += 1;
            thread::sleep(PAUSE);
            let run = timed(&mut contender.command(&ground, ansible, &order)?)?;
            Ansible::hang_up(&ground, &order);
            ground.made(&order)?;
            println!(
                "bench: {}: {:.2} s, {:.2} s of CPU, peak {:.0} MiB",
                contender.name(),
                run.seconds,
                run.cpu,
                run.peak_mib
            );
            runs.push(run);
        }
        write(&results)?;
    }
    drop(ground);
    lab.down().map_err(|error| error.to_string())
}

/// What plinth does alone.
struct Alone {
    facts: Run,
    first_facts: Run,
    idle_kib: f64,
}

/// Facts of many nodes, and the memory of an idle connection.
fn alone(client: &Path) -> Result<Alone, Failure> {
    let lab = up(FACTS_NODES)?;
    let ground = Ground::new(&lab, client)?;
    let first_facts = facts_of_many("first", |state| ground.client("facts", FACTS_NODES, state))?;
    let order = Order::new(0);
    timed(&mut ground.plinth(&order)?)?;
    let facts = facts_of_many("account", |state| ground.client_as(&order, "facts", FACTS_NODES, state))?;
    let resident = |nodes: usize| resident_kib(&ground, nodes);
    let (few, many) = (resident(IDLE_NODES.0)?, resident(IDLE_NODES.1)?);
    println!("bench: resident with {} connections {few:.0} KiB, with {} {many:.0} KiB", IDLE_NODES.0, IDLE_NODES.1);
    drop(ground);
    lab.down().map_err(|error| error.to_string())?;
    let connections = u32::try_from(IDLE_NODES.1 - IDLE_NODES.0).map_err(|error| error.to_string())?;
    Ok(Alone { facts, first_facts, idle_kib: (many - few) / f64::from(connections) })
}

/// The median of some rounds.
fn facts_of_many(name: &str, command: impl Fn(&Path) -> Command) -> Result<Run, Failure> {
    let (mut runs, scratch) = (Vec::new(), Scratch::new("bench-facts")?);
    for round in 0..3 {
        thread::sleep(PAUSE);
        let run = timed(&mut command(&scratch.path().join(format!("{name}-{round}"))))?;
        println!("bench: facts of {FACTS_NODES} nodes ({name}): {:.2} s, {:.2} s of CPU", run.seconds, run.cpu);
        runs.push(run);
    }
    median(&runs).ok_or_else(|| "facts were not measured".to_owned())
}

fn up(nodes: usize) -> Result<Lab, Failure> {
    println!("bench: booting {nodes} nodes");
    Lab::up(&LabSpec::unique("bench").usual(nodes)).map_err(|error| error.to_string())
}

/// Memory of plinth that is resident while so many connections are open and idle.
fn resident_kib(ground: &Ground<'_>, nodes: usize) -> Result<f64, Failure> {
    let text = commands::text(&mut ground.client("idle", nodes, &ground.scratch.path().join(format!("idle-{nodes}"))))?;
    text.trim().parse().map_err(|_| format!("many_nodes said {text:?}"))
}

/// Runs to a good end.
fn timed(command: &mut Command) -> Result<Run, Failure> {
    let Measured { seconds, cpu_seconds: cpu, peak_mib } = measured(command, 0)?;
    Ok(Run { seconds, cpu, peak_mib: peak_mib.unwrap_or(f64::NAN) })
}

fn median(runs: &[Run]) -> Option<Run> {
    middle(runs, |run| run.seconds)
}
