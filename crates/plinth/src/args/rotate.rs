//! Arguments of `plinth rotate`.

use super::{Events, InventoryOption};
use clap::{Args, ValueEnum};
use plinth_model::steps::RotationPhase;

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// What is exchanged
    #[arg(value_name = "WHAT")]
    pub(crate) what: Rotated,
    /// The authority that plinth made as well: both are trusted until every leaf is by the new one
    #[arg(long)]
    pub(crate) authority: bool,
    /// Stop behind this phase, with everybody served; to go on, run it again without
    #[arg(long, value_name = "PHASE")]
    pub(crate) until: Option<Until>,
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

/// Phases behind which a rotation can stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// Old and new authority are trusted, and the old leaf is served
    TrustBoth,
    /// The new leaf is served, and the old authority is still trusted
    NewLeaf,
    /// Only the new authority is trusted; its record and the old key are left
    TrustNew,
}

impl From<Until> for RotationPhase {
    fn from(until: Until) -> Self {
        match until {
            Until::TrustBoth => Self::TrustBoth,
            Until::NewLeaf => Self::NewLeaf,
            Until::TrustNew => Self::TrustNew,
        }
    }
}
