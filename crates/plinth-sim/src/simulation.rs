//! Putting a simulated data centre together.

use crate::VirtualClock;
use crate::bcm::BcmFault;
use crate::clients::{
    HeldBcm, MemoryKeystore, NoBcm, SharedBcm, SimAnsible, SimExisting, SimFetch, SimHelm, SimKube, SimNodes,
    SimRecords, SimRunai, SimSecrets,
};
use crate::data_centre::DataCentre;
use crate::faults::{Fault, FaultError, FaultKind, KnownNames};
use crate::scenario::Scenario;
use crate::world::{Effect, World, WorldError};
use jiff::Timestamp;
use plinth_model::Version;
use plinth_world::bcm::BcmClient;
use plinth_world::keystore::{Keystore, NodeKey};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientResult, Clients, Clock, Context};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When virtual time begins unless said otherwise: 2026-01-05T08:00:00Z, a Monday morning.
const BEGINNING: i64 = 1_767_600_000;

/// What to simulate.
pub struct SimOptions {
    /// Which machines there are.
    pub scenario: Scenario,
    /// When virtual time begins in a new world; an old one goes on where it stopped.
    pub start: Timestamp,
    /// Where the world is kept; none: in memory.
    pub state_dir: Option<PathBuf>,
    /// Version of Kubernetes that somebody else installed on all machines before; none: nobody did.
    pub running: Option<Version>,
    /// Where names of the cluster's own lead: the address of the API server's service. None: they do not resolve.
    pub service: Option<Ipv4Addr>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// The BCM client; none: every call of it fails.
    pub bcm: Option<Arc<dyn BcmClient>>,
    /// Where certificates are kept; none: in memory.
    pub keystore: Option<Arc<dyn Keystore>>,
    /// Where our key for nodes is kept; none: it is not a real one.
    pub node_key: Option<Arc<dyn NodeKey>>,
}

impl SimOptions {
    /// In memory, without faults, without BCM.
    #[must_use]
    pub fn new(scenario: Scenario) -> Self {
        let start = Timestamp::from_second(BEGINNING).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            scenario,
            start,
            state_dir: None,
            running: None,
            service: None,
            faults: Vec::new(),
            bcm: None,
            keystore: None,
            node_key: None,
        }
    }
}

/// A simulation cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The world cannot be opened.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A fault names a node that is not there.
    #[error(transparent)]
    Fault(#[from] FaultError),
}

/// A data centre in a process.
pub struct Simulation {
    /// What an operation works with; each answers out of this world.
    pub clients: Clients,
    /// Its time. Runs on [`VirtualClock::drive`] only.
    pub clock: VirtualClock,
    /// Made-up values for every reference; nothing real is read.
    pub secrets: Arc<SimSecrets>,
    world: Arc<Mutex<World>>,
    centre: Arc<DataCentre>,
}

impl Simulation {
    /// Opens the world, puts the machines in, and builds the clients.
    ///
    /// # Errors
    /// When the world cannot be opened or written, or a fault names an unknown node. Names of releases are not checked here:
    /// use [`Fault::validate`] with the plan's.
    pub fn start(options: SimOptions) -> Result<Self, SimulationError> {
        let SimOptions { scenario, start, state_dir, running, service, faults, bcm, keystore, node_key } = options;
        for fault in &faults {
            fault.validate(&known_names(&scenario, fault))?;
        }
        let mut world = open(state_dir.as_deref(), scenario.seed())?;
        let begin = world.state().last.unwrap_or(start);
        install(&mut world, &scenario, begin)?;
        found(&mut world, running.as_ref(), begin)?;
        let world = Arc::new(Mutex::new(world));
        let clock = VirtualClock::new(begin);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let centre = Arc::new(DataCentre::new(Arc::clone(&world), shared, faults, scenario.seed()));
        let secrets = Arc::new(SimSecrets::new(Arc::clone(&centre), state_dir));
        let keystore = keystore.unwrap_or_else(|| Arc::new(MemoryKeystore::new()));
        let node_key = node_key.unwrap_or_else(|| Arc::new(MemoryKeystore::new()));
        let clients = clients(&centre, &clock, &secrets, (keystore, node_key, service), bcm);
        Ok(Self { clients, clock, secrets, world, centre })
    }

    /// The final state for comparison, see [`World::snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> serde_json::Value {
        self.world().snapshot()
    }

    /// How often effects of a kind (`cluster-registered`) happened in this world's life.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.world().count(kind)
    }

    /// Somebody changes an object of a release; `line` is the difference as a client tells it.
    ///
    /// # Errors
    /// When the world cannot be written.
    pub fn edit_objects(&self, namespace: &str, name: &str, line: &str) -> ClientResult<()> {
        let (namespace, name, lines) = (namespace.to_owned(), name.to_owned(), vec![line.to_owned()]);
        self.centre.effect(Effect::ObjectsEdited { namespace, name, lines })
    }

    /// Number of effects so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.world().records()
    }

    /// Texts of the faults that could strike in this run and did not, in the order given. Faults healed by an earlier run and
    /// crashes at a record are not among them. BCM faults count as struck once any call of BCM was made.
    #[must_use]
    pub fn unspent(&self) -> Vec<String> {
        self.centre.unspent()
    }

    /// What is worth saying about how the world was opened.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.world().notes().to_vec()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A context on virtual time that nobody watches.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::quiet(Arc::new(self.clock.clone()))
    }
}

/// BCM faults that did not fire yet in the world of a state directory: what to give to the simulated BCM server, which must
/// run before [`Simulation::start`].
///
/// # Errors
/// When the world cannot be opened.
pub fn bcm_faults_due(faults: &[Fault], state_dir: Option<&Path>, seed: u64) -> Result<Vec<BcmFault>, WorldError> {
    let world = open(state_dir, seed)?;
    let fired = &world.state().fired;
    Ok(faults.iter().filter(|fault| fault.always || !fired.contains(fault.text())).filter_map(Fault::bcm).collect())
}

fn open(state_dir: Option<&Path>, seed: u64) -> Result<World, WorldError> {
    state_dir.map_or_else(|| Ok(World::in_memory()), |directory| World::open(directory, seed))
}

fn install(world: &mut World, scenario: &Scenario, at: Timestamp) -> Result<(), WorldError> {
    for (node, hardware) in &scenario.machines {
        if world.state().machines.get(node).is_none_or(|machine| machine.hardware != *hardware) {
            let hardware = Box::new(hardware.clone());
            world.record(at, Effect::MachineInstalled { node: node.clone(), hardware })?;
        }
    }
    Ok(())
}

/// The cluster that somebody else installed, once.
fn found(world: &mut World, running: Option<&Version>, at: Timestamp) -> Result<(), WorldError> {
    let Some(version) = running.filter(|_| world.state().cluster.members.is_empty()) else { return Ok(()) };
    let nodes = world.state().machines.keys().cloned().collect();
    world.record(at, Effect::ClusterFound { nodes, version: version.prefixed() })
}

fn known_names(scenario: &Scenario, fault: &Fault) -> KnownNames {
    let releases = match &fault.kind {
        FaultKind::Release { name, .. } => std::iter::once(name.clone()).collect(),
        _ => std::collections::BTreeSet::new(),
    };
    KnownNames { nodes: scenario.nodes().map(ToString::to_string).collect(), releases }
}

fn clients(
    centre: &Arc<DataCentre>,
    clock: &VirtualClock,
    secrets: &Arc<SimSecrets>,
    (keystore, node_key, service): (Arc<dyn Keystore>, Arc<dyn NodeKey>, Option<Ipv4Addr>),
    bcm: Option<Arc<dyn BcmClient>>,
) -> Clients {
    let shared: Arc<dyn Secrets> = Arc::<SimSecrets>::clone(secrets);
    let bcm: Arc<dyn BcmClient> = match bcm {
        Some(client) => Arc::new(HeldBcm::new(SharedBcm(client), clock.clone()).spending(Arc::clone(centre))),
        None => Arc::new(NoBcm),
    };
    Clients {
        bcm,
        node: Arc::new(SimNodes { centre: Arc::clone(centre), secrets: Arc::clone(&shared) }),
        fetch: Arc::new(SimFetch { centre: Arc::clone(centre) }),
        ansible: Arc::new(SimAnsible { centre: Arc::clone(centre) }),
        records: Arc::new(SimRecords { centre: Arc::clone(centre) }),
        existing: Arc::new(SimExisting { centre: Arc::clone(centre) }),
        kube: Arc::new(SimKube {
            centre: Arc::clone(centre),
            secrets: Arc::clone(&shared),
            keystore: Arc::clone(&keystore),
            service,
        }),
        helm: Arc::new(SimHelm { centre: Arc::clone(centre), secrets: Arc::clone(&shared) }),
        runai: Arc::new(SimRunai { centre: Arc::clone(centre), secrets: shared, trainings: Default::default() }),
        keystore,
        node_key,
    }
}
