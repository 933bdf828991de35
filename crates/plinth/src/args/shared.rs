//! Options that several verbs take.

use crate::complete;
use clap::Args;
use clap_complete::ArgValueCompleter;
use plinth_model::NodeName;
use std::path::PathBuf;

/// Where the inventory comes from, instead of where the site file says.
#[derive(Debug, Args)]
pub(crate) struct InventoryOption {
    /// Use this recorded inventory (`plinth discover --save`) instead of contacting BCM
    #[arg(long, value_name = "FILE")]
    pub(crate) inventory: Option<PathBuf>,
}

/// Whether the sources of a plan are asked.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// Do not ask beforehand whether git, package index, files, images and charts can be fetched
    #[arg(long)]
    pub(crate) skip_source_check: bool,
}

/// How much of a plan is shown.
#[derive(Debug, Args)]
pub(crate) struct PlanText {
    /// Also show each step of the plan that is done already or not needed, with its reason
    #[arg(long)]
    pub(crate) all: bool,
}

/// Going on without nodes.
#[derive(Debug, Args)]
pub(crate) struct Without {
    /// Leave this worker out: nothing is done on it and nothing waits for it; may be given several times. The next run without this
    /// flag takes it in
    #[arg(long, value_name = "NODE", value_delimiter = ',', value_parser = node_name, add = ArgValueCompleter::new(complete::nodes))]
    pub(crate) without: Vec<NodeName>,
}

fn node_name(text: &str) -> Result<NodeName, String> {
    NodeName::new(text).map_err(|error| error.to_string())
}
