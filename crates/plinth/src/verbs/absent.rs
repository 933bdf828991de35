//! Verbs whose real doors are not in this release. They say so before doing anything.

use crate::args::Common;
use crate::doors;
use plinth_model::{Exit, Problem};

/// `plinth check`.
pub(crate) fn check(_common: &Common) -> Result<Exit, Problem> {
    Err(doors::absent("check"))
}
