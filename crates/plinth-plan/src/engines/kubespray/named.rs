//! Variables by their names.

use serde_json::{Map, Value};

/// A map of variables, in this order.
pub(super) fn named<const N: usize>(vars: [(&str, Value); N]) -> Map<String, Value> {
    vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
