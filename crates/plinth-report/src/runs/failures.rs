//! What failed, by cause.

use super::Look;
use crate::card::card;
use plinth_analysis::FailureGroup;
use plinth_model::amount;

/// A card for each cause; every card in full.
#[must_use]
pub fn failures(groups: &[FailureGroup], look: Look) -> String {
    if groups.is_empty() {
        return "nothing failed".to_owned();
    }
    let failed: usize = groups.iter().map(|group| group.steps.len()).sum();
    let mut lines = vec![format!("{} failed of {}", amount(failed, "step"), amount(groups.len(), "cause"))];
    for group in groups {
        lines.extend(card(group, look.palette));
    }
    look.fitted(&lines)
}
