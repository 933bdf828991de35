//! Arguments of `plinth rotate`.

use super::{Events, InventoryOption};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// What is exchanged
    #[arg(value_name = "WHAT")]
    pub(crate) what: Rotated,
    /// The authority that plinth made as well: both are trusted until every leaf is by the new one
    #[arg(long)]
    pub(crate) authority: bool,
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

/// What can be rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rotated {
    /// The certificate of the platform's URL; one that was interrupted goes on
    Certificates,
}
