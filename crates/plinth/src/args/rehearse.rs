//! Arguments of `plinth rehearse`.

use super::{Beside, Events, InventoryOption, PlanText, Sources, Without};
use crate::complete;
use crate::out_file::place;
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;
use std::path::PathBuf;

/// Most nodes that a rehearsal makes up: twice the largest site that planning is measured with.
const MOST_NODES: u64 = 20_000;

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// A saved plan (`--save-plan`); refused when the site file, the inventory or the catalog moved since
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// Make something go wrong; may be given several times (`plinth explain faults` lists the forms)
    #[arg(long, value_name = "SPEC", add = ArgValueCompleter::new(complete::faults))]
    pub(crate) fault: Vec<String>,
    /// Seed of everything that is made up
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Make up workers until there are this many nodes
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_NODES))]
    pub(crate) nodes: Option<usize>,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
    /// Save the plan that is rehearsed
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(crate) save_plan: Option<PathBuf>,
    /// Show the plan and stop
    #[arg(long)]
    pub(crate) plan_only: bool,
    #[command(flatten)]
    pub(crate) text: PlanText,
    /// Also post the messages of `notify` in the site file, marked as of a rehearsal: to try the webhooks
    #[arg(long)]
    pub(crate) notify: bool,
    /// Whether virtual time passes slowly enough to watch
    #[arg(long, value_enum, default_value_t = Pace::Auto, value_name = "HOW")]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) without: Without,
    #[command(flatten)]
    pub(crate) page: Beside,
    #[command(flatten)]
    pub(crate) events: Events,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pace {
    /// Watchable on a terminal, else as fast as the machine can
    Auto,
    /// An hour in about ten seconds
    Watch,
    /// As slowly as a real run: to try a page, a webhook or a take-over at leisure
    Real,
    /// As fast as the machine can
    Fast,
}
