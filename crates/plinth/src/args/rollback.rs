//! Arguments of `plinth rollback`.

use super::{Events, InventoryOption};
use crate::complete;
use clap::Args;
use clap_complete::ArgValueCompleter;

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The component, as the site file and the catalog call it
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(complete::components))]
    pub(crate) component: String,
    /// The revision to go back to, as `helm history` counts [default: the newest before that worked]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) to_revision: Option<u32>,
    /// Look, show the plan, and stop: nothing is changed
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
    #[command(flatten)]
    pub(crate) events: Events,
}
