//! plinth against the real Kubespray on real nodes, offline: `cargo xtask e2e kubespray --source DIR`.
//!
//! Kubespray itself is looked up in the folder that is given; everything that it downloads comes from a mirror made here.

mod cluster;
mod ground;
mod phases;
mod plain;
pub(crate) mod section;
mod spent;

use crate::commands::{self, Failure};
use clap::{Subcommand, ValueEnum};
use ground::Ground;
pub(crate) use plain::ACCOUNT;
use std::path::PathBuf;

/// What to run from one end to the other.
#[derive(Debug, Subcommand)]
pub(crate) enum Work {
    /// plinth installs Kubernetes with the real Kubespray on four nodes of a lab; needs root, and the better part of an hour
    Kubespray {
        /// A checkout or an unpacked archive of a release of Kubespray that plinth knows
        #[arg(long, value_name = "DIR")]
        source: PathBuf,
        /// Its tag
        #[arg(long, default_value = "v2.30.0")]
        release: String,
        /// Only these; what they stand on is done as well, but not measured
        #[arg(long, value_enum, value_delimiter = ',')]
        only: Vec<Phase>,
        /// This plinth rather than a release build of the present sources
        #[arg(long, value_name = "FILE")]
        plinth: Option<PathBuf>,
        /// Leave the lab and the state directory as they are when it ends
        #[arg(long)]
        keep: bool,
    },
}

/// What is tried, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Phase {
    /// From bare nodes to pods that reach each other
    First,
    /// Again, when nothing has changed: no playbook starts
    Again,
    /// A fourth node joins
    Scale,
    /// The fourth node leaves
    Remove,
    /// Back to bare nodes
    Reset,
    /// plinth is killed in the middle of the playbook, and started again
    Kill,
    /// Three control-plane nodes and a worker; the worker, then the first control-plane node are re-imaged as BCM does, and taken in again
    Recover,
    /// From bare nodes again, each of which downloads everything for itself
    Unpushed,
    /// Kubespray by hand on the same nodes with the same mirror, first and again
    Compare,
}

/// A phase that came to a good end.
#[derive(Clone, Debug, PartialEq)]
struct Done {
    phase: Phase,
    /// What was timed, with its seconds.
    timed: Vec<(&'static str, f64)>,
    /// What was found true afterwards.
    proved: String,
}

/// Runs it; answers whether all is well.
pub(crate) fn run(work: &Work) -> Result<bool, Failure> {
    let Work::Kubespray { source, release, only, plinth, keep } = work;
    let binary = plinth.clone().map_or_else(commands::release_binary, Ok)?;
    let source = source.canonicalize().map_err(|error| format!("{}: {error}", source.display()))?;
    let mut ground = Ground::new(&source, release, &binary, *keep)?;
    let wanted = if only.is_empty() { Phase::value_variants() } else { only };
    let mut done = Vec::new();
    for phase in Phase::value_variants().iter().filter(|phase| wanted.contains(phase)) {
        println!("e2e: {}", name(*phase));
        let one = phases::run(*phase, &mut ground)?;
        for (what, seconds) in &one.timed {
            println!("e2e: {what}: {seconds:.0} s");
        }
        println!("e2e: {}: {}", name(*phase), one.proved);
        done.push(one);
        // Written down at once, since the next phases take minutes.
        section::write(release, &done, &ground.spent)?;
    }
    Ok(true)
}

fn name(phase: Phase) -> String {
    phase.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
