//! Arguments of `plinth check`.

use super::{Events, InventoryOption};
use crate::complete;
use crate::out_file::place;
use clap::Args;
use clap_complete::ArgValueCompleter;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Only these checks: `storage`, `gpu-pod`, or the id of a step; may be given several times
    #[arg(long, value_name = "CHECK", value_delimiter = ',', add = ArgValueCompleter::new(complete::checks))]
    pub(crate) only: Vec<String>,
    /// Only what is about these nodes; may be given several times
    #[arg(long, value_name = "NODE", value_delimiter = ',', add = ArgValueCompleter::new(complete::nodes))]
    pub(crate) node: Vec<String>,
    /// Write what was seen into this folder: checks.json, junit.xml and index.html
    #[arg(long, value_name = "FOLDER", value_parser = place())]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
    #[command(flatten)]
    pub(crate) events: Events,
}
