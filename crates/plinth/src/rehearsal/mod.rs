//! A rehearsal: the site, a data centre made up for it, and the real planner and executor between them.

mod keystore;
mod synthetic;

pub(crate) use synthetic::{MadeUp, inventory as synthetic};

use crate::clients;
use crate::session::{Crash, Held, Session};
use plinth_bcm::client::{BcmConfig, BcmProof, BcmTrust, CmdaemonClient};
use plinth_catalog::Catalog;
use plinth_model::inventory::Inventory;
use plinth_model::{Exit, Finding, NodeName, Plan, Problem, SecretRef};
use plinth_plan::{DiscoveredNode, Discovery, Observed, Role};
use plinth_run::executor::Sink;
use plinth_run::steps::Kinds;
use plinth_run::{Durability, Look, LookOptions, RunReport, RunWorld, StepEnv, StopSignal};
use plinth_sim::bcm::{BcmFault, BcmFixture, SimAuth, SimBcm};
use plinth_sim::{Fault, KnownNames, Pace, Scenario, SimOptions, SimSecrets, Simulation};
use plinth_site::Desired;
use plinth_site::desired::{BcmAccess, BcmLogin, InventorySource};
use plinth_world::bcm::BcmClient;
use plinth_world::keystore::NodeKey;
use plinth_world::secrets::Secrets;
use plinth_world::{Context, SystemClock};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What to rehearse.
pub struct Script {
    /// The site.
    pub desired: Desired,
    /// A recorded inventory; none: one is made up.
    pub inventory: Option<Inventory>,
    /// Make up workers until there are this many nodes.
    pub nodes: Option<usize>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Seed of everything that is made up.
    pub seed: u64,
    /// Where the world and the journal are kept.
    pub directory: PathBuf,
    /// That directory stays when the rehearsal is over.
    pub kept: bool,
}

/// A data centre made for a site, planned for and looked at.
pub struct Rehearsal {
    /// The site, with the addresses that had to be replaced.
    pub desired: Desired,
    /// The plan; what was seen is in its changes.
    pub plan: Plan,
    /// What stands in the way already.
    pub findings: Vec<Finding>,
    /// Nodes, networks and addresses were made up.
    pub synthetic: bool,
    control_plane: Vec<NodeName>,
    simulation: Simulation,
    crash: Option<usize>,
    held: Held,
    kept: bool,
    _bcm: Option<SimBcm>,
}

/// Why a rehearsal cannot begin.
pub enum NoRehearsal {
    /// The site cannot be planned; every reason.
    Findings(Vec<Finding>),
    /// Something else.
    Problem(Problem),
}

impl From<Problem> for NoRehearsal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Rehearsal {
    /// Takes the lock (a simulated world is changed by looking at it), builds the data centre, reads its inventory through the
    /// real BCM client, plans, looks.
    ///
    /// # Errors
    /// When somebody else holds the lock, the site cannot be planned, or the data centre cannot be built.
    pub async fn prepare(script: Script, catalog: &Catalog) -> Result<Self, NoRehearsal> {
        let Script { desired, inventory, nodes, faults, seed, directory, kept } = script;
        let held = Held::take(&directory, &desired.name, Durability::Process)?;
        let recorded = inventory.is_some();
        let MadeUp { inventory, desired } = match inventory {
            Some(inventory) => MadeUp { inventory, desired },
            None => synthetic(&desired, nodes)?,
        };
        let (bcm, client) = simulated_bcm(&desired, &inventory, &faults, seed, &directory)?;
        let seen = match &client {
            Some(client) => read_inventory(client, &desired).await?,
            None => inventory,
        };
        let observed = Observed::new(seen.clone());
        let draft = plinth_plan::plan(&desired, &observed, catalog).map_err(NoRehearsal::Findings)?;
        let discovery = plinth_plan::discover(&desired, &seen);
        let control_plane =
            with_role(&discovery, Role::ControlPlane).filter_map(|node| NodeName::new(&node.name).ok()).collect();
        let scenario = scenario(&discovery, &seen, seed);
        known(&faults, &scenario, &draft)?;
        let crash = faults.iter().find_map(Fault::crash_at).and_then(|records| usize::try_from(records).ok());
        let simulation = simulation(scenario, faults, &directory, client)?;
        let look = look(&draft, &simulation).await?;
        let observed = Observed { steps: look.seen, answers: look.answers, ..Observed::new(seen) };
        let plan = plinth_plan::plan(&desired, &observed, catalog).map_err(NoRehearsal::Findings)?;
        let (findings, synthetic) = (look.findings, !recorded);
        Ok(Self { desired, plan, findings, synthetic, control_plane, simulation, crash, held, kept, _bcm: bcm })
    }

    /// Runs the plan in virtual time; answers with the report and the faults that did not happen. A fault `crash@record:N` ends
    /// the process.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn run(
        self,
        sink: Sink,
        stop: StopSignal,
        pace: Option<Pace>,
    ) -> Result<(RunReport, Vec<String>), Problem> {
        let crash = self.crash.map(|records| Crash { records, how: || std::process::abort() });
        let (result, simulation) = self.run_until(sink, stop, pace, crash).await;
        let survived = crash.map(|crash| format!("crash@record:{}", crash.records));
        result.map(|report| (report, simulation.unspent().into_iter().chain(survived).collect()))
    }

    /// Runs the plan until the crash, if there is one, and gives the data centre back as it was left. A run that crashed is a
    /// problem.
    pub async fn run_until(
        self,
        sink: Sink,
        stop: StopSignal,
        pace: Option<Pace>,
        crash: Option<Crash>,
    ) -> (Result<RunReport, Problem>, Simulation) {
        let world = world(&self.simulation);
        let Self { desired, plan, control_plane, simulation, held, kept, _bcm: bcm, .. } = self;
        let (plan, desired) = (&plan, &desired);
        let session = Session { plan, desired, control_plane, held, world, sink, stop, rehearsal: true, kept, crash };
        let result = simulation.clock.drive(session.run(), pace).await;
        drop(bcm);
        (result, simulation)
    }
}

/// Clients, secrets, clock and behaviours of a data centre.
fn world(simulation: &Simulation) -> RunWorld {
    let secrets: Arc<dyn Secrets> = Arc::<SimSecrets>::clone(&simulation.secrets);
    RunWorld {
        env: StepEnv { ctx: simulation.context(), clients: simulation.clients.clone(), secrets },
        behaviour: Arc::new(Kinds),
    }
}

async fn look(plan: &Plan, simulation: &Simulation) -> Result<Look, Problem> {
    let (world, options) = (world(simulation), LookOptions::default());
    simulation.clock.drive(plinth_run::look(plan, &world, &options), None).await
}

/// A BCM that knows the inventory, and the real client of it. A site without BCM gets neither.
fn simulated_bcm(
    desired: &Desired,
    inventory: &Inventory,
    faults: &[Fault],
    seed: u64,
    directory: &std::path::Path,
) -> Result<(Option<SimBcm>, Option<Arc<CmdaemonClient>>), Problem> {
    let InventorySource::Bcm(access) = &desired.inventory else { return Ok((None, None)) };
    let broken = |error: &dyn std::fmt::Display| {
        Problem::new(Exit::Bug, "starting the simulated BCM", "", error, "check that loopback addresses can be used")
    };
    let due: Vec<BcmFault> =
        plinth_sim::bcm_faults_due(faults, Some(directory), seed).map_err(|error| world_problem(&error))?;
    let (user, password) = synthetic_login(access, seed);
    let auth = SimAuth { username: user.clone(), password: password.clone() };
    let bcm = SimBcm::start(BcmFixture::from_inventory(inventory), due, auth).map_err(|error| broken(&error))?;
    let trust = BcmTrust::CaPem(bcm.ca_pem().as_bytes().to_vec());
    let config = BcmConfig::new(bcm.endpoint(), BcmProof::Password { username: user, password }, trust);
    let client = CmdaemonClient::new(config).map_err(|error| broken(&error))?;
    Ok((Some(bcm), Some(Arc::new(client))))
}

/// Made-up values for the site's login, whatever kind it has.
fn synthetic_login(access: &BcmAccess, seed: u64) -> (plinth_model::Secret, plinth_model::Secret) {
    let (user, password) = match &access.login {
        BcmLogin::Password { username, password } => (username.clone(), password.clone()),
        BcmLogin::Certificate { key, .. } => (SecretRef::Generated("bcm-user".to_owned()), key.clone()),
    };
    (SimSecrets::synthetic(seed, &user), SimSecrets::synthetic(seed, &password))
}

/// Asks the simulated BCM, and names the source as the site does: the port of a simulation is no part of what was said.
async fn read_inventory(client: &Arc<CmdaemonClient>, desired: &Desired) -> Result<Inventory, Problem> {
    let ctx = Context::quiet(Arc::new(SystemClock::new()));
    let mut inventory = client.inventory(&ctx).await.map_err(|error| clients::problem(&error))?;
    if let InventorySource::Bcm(access) = &desired.inventory {
        inventory.source = format!("bcm {}", access.endpoint);
    }
    Ok(inventory)
}

fn with_role(discovery: &Discovery, role: Role) -> impl Iterator<Item = &DiscoveredNode> {
    discovery.nodes.iter().filter(move |node| node.roles.contains(&role))
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
pub(crate) fn fault_problem(error: &plinth_sim::FaultError) -> Problem {
    let attempt = format!("{}; `plinth explain faults` tells what each does", error.attempt);
    Problem::new(Exit::Input, "reading the fault", format!("`{}`", error.text), &error.happened, attempt)
}

fn world_problem(error: &plinth_sim::world::WorldError) -> Problem {
    Problem::new(
        Exit::Input,
        "opening the simulated world",
        "",
        error,
        "give another folder with `--state DIR`, or free some space; nothing was changed",
    )
}

fn simulation(
    scenario: Scenario,
    faults: Vec<Fault>,
    directory: &std::path::Path,
    client: Option<Arc<CmdaemonClient>>,
) -> Result<Simulation, Problem> {
    let bcm: Option<Arc<dyn BcmClient>> = client.map(|client| client as Arc<dyn BcmClient>);
    let keystore = Arc::new(keystore::RehearsalKeystore::new(directory));
    let options = SimOptions {
        state_dir: Some(directory.to_path_buf()),
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
