//! Verbs whose real clients are not in this release. They say so before doing anything.

use crate::args::Common;
use crate::clients;
use plinth_model::{Exit, Problem};

/// `plinth check`.
pub(crate) fn check(_common: &Common) -> Result<Exit, Problem> {
    Err(clients::absent("check"))
}
