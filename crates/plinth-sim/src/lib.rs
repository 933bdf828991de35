//! A data centre in a process: BCM over TLS, nodes, Kubernetes, Helm, Run:ai; scripted faults, virtual time.
//!
//! Only the binary (for `rehearse`) and tests see this crate. Everything it answers follows from a scenario, a seed and the
//! effects so far, so two rehearsals of the same site are equal to the second. It models what plinth does and what real
//! systems refuse; it does not model load, network or the inside of a chart. Whatever it does not know it refuses loudly.

pub mod bcm;
mod clients;
pub mod clock;
mod data_centre;
pub mod faults;
pub mod files;
mod https;
pub mod runai;
pub mod scenario;
mod served;
mod server_fault;
pub mod simulation;
mod timing;
pub mod world;

pub use clients::{HeldBcm, MemoryKeystore, NoBcm, SimRenderer, SimSecrets};
pub use clock::{Pace, VirtualClock};
pub use faults::{Fault, FaultError, KnownNames};
pub use scenario::{Oddity, Scenario};
pub use server_fault::{ServerFault, Strikes};
pub use simulation::{SimOptions, Simulation, SimulationError, bcm_faults_due};
pub use world::World;
