//! A data centre made up for a site: a simulated BCM that is asked over real TLS, and simulated nodes, clusters and platforms in virtual
//! time.

mod invent;
mod keystore;
mod synthetic;

pub use synthetic::{MadeUp, inventory as synthetic};

use super::real;
use crate::failure::bug;
use plinth_bcm::client::{BcmConfig, BcmProof, BcmTrust, CmdaemonClient};
use plinth_model::inventory::Inventory;
use plinth_model::{NodeName, Plan, Problem, SecretRef, Version};
use plinth_plan::Discovery;
use plinth_run::StepEnv;
use plinth_sim::bcm::{BcmFault, BcmFixture, SimAuth, SimBcm};
use plinth_sim::{Fault, KnownNames, Pace, Scenario, SimOptions, SimSecrets, Simulation};
use plinth_site::Desired;
use plinth_site::desired::{BcmAccess, BcmLogin, Engine, InventorySource};
use plinth_world::bcm::BcmClient;
use plinth_world::keystore::NodeKey;
use plinth_world::secrets::Secrets;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to rehearse, beyond the site.
#[derive(Clone, Debug)]
pub struct Script {
    /// Make up workers until there are this many nodes; no effect with a recorded inventory.
    pub nodes: Option<usize>,
    /// What goes wrong. One that crashes ends the process.
    pub faults: Vec<Fault>,
    /// Seed of everything that is made up.
    pub seed: u64,
    /// The state directory stays when the rehearsal is over, so that another one can continue.
    pub kept: bool,
    /// How much virtual time is slowed down while steps run; none: it is not.
    pub pace: Option<Pace>,
    /// A crash for tests, instead of one by a fault.
    pub crash: Option<Crash>,
}

impl Default for Script {
    /// Nothing goes wrong, nothing is slowed down, everything is kept; the seed is 1.
    fn default() -> Self {
        Self { nodes: None, faults: Vec::new(), seed: 1, kept: true, pace: None, crash: None }
    }
}

/// A crash on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    /// Records of one run that become durable before it.
    pub records: usize,
    /// What happens then. If it returns, the run is broken off with no further effect.
    pub how: fn(),
}

/// The world of a rehearsal.
pub(crate) struct Simulated {
    script: Script,
    directory: PathBuf,
    /// What it was made from, and where that came from.
    inventory: Inventory,
    is_made_up: bool,
    bcm: Option<(SimBcm, Arc<CmdaemonClient>)>,
    simulation: Option<Simulation>,
    /// Version of a cluster that somebody else installed on all machines.
    running: Option<Version>,
    /// Address of the API server's service, the first of the range of services.
    service: Option<Ipv4Addr>,
}

impl Simulated {
    /// Makes up what is not recorded. Answers the site as it holds here: addresses that did not fit were replaced.
    pub(crate) fn new(
        script: Script,
        desired: Desired,
        recorded: Option<Inventory>,
        directory: &Path,
    ) -> Result<(Self, Desired), Problem> {
        let is_made_up = recorded.is_none();
        let MadeUp { inventory, desired } = match recorded {
            Some(inventory) => MadeUp { inventory, desired },
            None => synthetic(&desired, script.nodes)?,
        };
        let running = running(&desired);
        let service = desired.kubernetes.services.and_then(|range| range.hosts().next());
        let directory = directory.to_path_buf();
        Ok((Self { script, directory, inventory, is_made_up, bcm: None, simulation: None, running, service }, desired))
    }

    /// Starts the simulated BCM. Only under the lock: a world is changed by looking at it.
    pub(crate) fn open(&mut self, desired: &Desired) -> Result<(), Problem> {
        self.bcm = simulated_bcm(desired, &self.inventory, &self.script, &self.directory)?;
        Ok(())
    }

    /// Asks the simulated BCM, and names the source as the site does: the port of a simulation is no part of what was said.
    pub(crate) async fn inventory(&self, desired: &Desired) -> Result<Inventory, Problem> {
        let (Some((_, client)), InventorySource::Bcm(access)) = (&self.bcm, &desired.inventory) else {
            return Ok(self.inventory.clone());
        };
        let mut inventory = real::bcm::inventory(&**client, str::to_owned).await?;
        inventory.source = format!("bcm {}", access.endpoint);
        Ok(inventory)
    }

    /// Builds machines for the nodes that the site uses.
    pub(crate) fn start(
        &mut self,
        inventory: &Inventory,
        discovery: &Discovery,
        plan: Option<&Plan>,
    ) -> Result<(), Problem> {
        if self.simulation.is_some() {
            return Ok(());
        }
        let scenario = scenario(discovery, inventory, self.script.seed);
        if let Some(plan) = plan {
            known(&self.script.faults, &scenario, plan)?;
        }
        let client = self.bcm.as_ref().map(|(_, client)| Arc::clone(client));
        self.simulation = Some(simulation(
            scenario,
            self.script.faults.clone(),
            &self.directory,
            client,
            (self.running.clone(), self.service),
        )?);
        Ok(())
    }

    /// The simulation, once it was started.
    pub(crate) const fn simulation(&self) -> Option<&Simulation> {
        self.simulation.as_ref()
    }

    /// Clients, secrets and clock.
    pub(crate) fn env(&self) -> Result<StepEnv, Problem> {
        let simulation = self.simulation().ok_or_else(|| bug("using the simulation", "it was not started"))?;
        let secrets: Arc<dyn Secrets> = Arc::<SimSecrets>::clone(&simulation.secrets);
        Ok(StepEnv::new(simulation.context(), simulation.clients.clone(), secrets))
    }

    /// Lets virtual time pass for this work.
    pub(crate) async fn drive<F: Future>(&self, work: F, watched: bool) -> F::Output {
        let pace = self.script.pace.filter(|_| watched);
        match &self.simulation {
            Some(simulation) => simulation.clock.drive(work, pace).await,
            None => work.await,
        }
    }

    /// The crash that a fault or a test asks for. One by a fault ends the process.
    pub(crate) fn crash(&self) -> Option<Crash> {
        let by_fault = self.script.faults.iter().find_map(Fault::crash_at);
        let by_fault = by_fault.and_then(|records| usize::try_from(records).ok());
        self.script.crash.or(by_fault.map(|records| Crash { records, how: || std::process::abort() }))
    }

    /// Whether the state directory stays.
    pub(crate) const fn is_kept(&self) -> bool {
        self.script.kept
    }

    /// Whether nodes, networks and addresses were made up.
    pub(crate) const fn is_made_up(&self) -> bool {
        self.is_made_up
    }

    /// Whether it is the world that the site file describes: no nodes were added to it, nothing goes wrong in it on purpose, and it is not kept
    /// somewhere else, where people try what is not to be done here.
    pub(crate) const fn is_of_the_site(&self) -> bool {
        self.script.nodes.is_none() && self.script.faults.is_empty() && !self.script.kept
    }

    /// Faults that did not happen, in the words in which they were given.
    pub(crate) fn unspent(&self) -> Vec<String> {
        let survived =
            self.script.faults.iter().find_map(Fault::crash_at).map(|records| format!("crash@record:{records}"));
        self.simulation.iter().flat_map(Simulation::unspent).chain(survived).collect()
    }
}

/// A BCM that knows the inventory, and the real client of it. A site without BCM gets neither.
fn simulated_bcm(
    desired: &Desired,
    inventory: &Inventory,
    script: &Script,
    directory: &Path,
) -> Result<Option<(SimBcm, Arc<CmdaemonClient>)>, Problem> {
    let InventorySource::Bcm(access) = &desired.inventory else { return Ok(None) };
    let seed = script.seed;
    let broken = |error: &dyn std::fmt::Display| {
        Problem::while_doing("starting the simulated BCM")
            .bug(error)
            .try_this("check that loopback addresses can be used")
    };
    let due: Vec<BcmFault> =
        plinth_sim::bcm_faults_due(&script.faults, Some(directory), seed).map_err(|error| world_problem(&error))?;
    let (user, password) = synthetic_login(access, seed);
    let auth = SimAuth { username: user.clone(), password: password.clone() };
    let bcm = SimBcm::start(BcmFixture::from_inventory(inventory), due, auth).map_err(|error| broken(&error))?;
    let trust = BcmTrust::CaPem(bcm.ca_pem().as_bytes().to_vec());
    let config = BcmConfig::new(bcm.endpoint(), BcmProof::Password { username: user, password }, trust);
    let client = CmdaemonClient::new(config).map_err(|error| broken(&error))?;
    Ok(Some((bcm, Arc::new(client))))
}

/// Made-up values for the site's login, whatever kind it has.
fn synthetic_login(access: &BcmAccess, seed: u64) -> (plinth_model::Secret, plinth_model::Secret) {
    let (user, password) = match &access.login {
        BcmLogin::Password { username, password } => (username.clone(), password.clone()),
        BcmLogin::Certificate { key, .. } => (SecretRef::Generated("bcm-user".to_owned()), key.clone()),
    };
    (SimSecrets::synthetic(seed, &user), SimSecrets::synthetic(seed, &password))
}

fn scenario(discovery: &Discovery, inventory: &Inventory, seed: u64) -> Scenario {
    let mut addresses = BTreeMap::new();
    let mut gpu = BTreeSet::new();
    for node in discovery.nodes.iter().filter(|node| !node.roles.is_empty()) {
        let (Some(address), Ok(name)) = (node.address, NodeName::new(&node.name)) else { continue };
        if node.gpu {
            gpu.insert(name.clone());
        }
        addresses.insert(name, address);
    }
    Scenario::from_inventory(inventory, &addresses, &gpu, seed)
}

/// Refuses a fault that names something which is not there.
fn known(faults: &[Fault], scenario: &Scenario, plan: &Plan) -> Result<(), Problem> {
    let releases = plan.steps.iter().filter(|step| step.id.verb() == "release");
    let names = KnownNames {
        nodes: scenario.nodes().map(ToString::to_string).collect(),
        releases: releases.map(|step| step.id.target().to_owned()).collect(),
    };
    faults.iter().try_for_each(|fault| fault.validate(&names)).map_err(|error| fault_problem(&error))
}

/// A fault that cannot be, for people.
#[must_use]
pub fn fault_problem(error: &plinth_sim::FaultError) -> Problem {
    let attempt = format!("{}; `plinth explain faults` tells what each does", error.attempt);
    Problem::while_doing("reading the fault")
        .to(format!("`{}`", error.text))
        .wrong_input(&error.happened)
        .try_this(attempt)
}

fn world_problem(error: &plinth_sim::world::WorldError) -> Problem {
    Problem::while_doing("opening the simulated world")
        .wrong_input(error)
        .try_this("give another folder with `--state DIR`, or free some space; nothing was changed")
}

/// What runs on the machines before plinth comes: with an existing cluster the version that the site names, or one of a line that every
/// release in the catalog takes.
fn running(desired: &Desired) -> Option<Version> {
    let named = desired.kubernetes.version.clone();
    (desired.kubernetes.engine == Engine::Existing).then(|| named.or_else(|| "v1.31.9".parse().ok())).flatten()
}

fn simulation(
    scenario: Scenario,
    faults: Vec<Fault>,
    directory: &Path,
    client: Option<Arc<CmdaemonClient>>,
    (running, service): (Option<Version>, Option<Ipv4Addr>),
) -> Result<Simulation, Problem> {
    let bcm: Option<Arc<dyn BcmClient>> = client.map(|client| client as Arc<dyn BcmClient>);
    let keystore = Arc::new(keystore::RehearsalKeystore::new(directory));
    let options = SimOptions {
        state_dir: Some(directory.to_path_buf()),
        running,
        service,
        faults,
        bcm,
        node_key: Some(Arc::clone(&keystore) as Arc<dyn NodeKey>),
        keystore: Some(keystore),
        ..SimOptions::new(scenario)
    };
    Simulation::start(options).map_err(|error| match error {
        plinth_sim::SimulationError::World(error) => world_problem(&error),
        plinth_sim::SimulationError::Fault(error) => fault_problem(&error),
    })
}
