//! Faults of a simulated server, as data: what goes wrong, how often, when, and with which calls.

use serde::{Deserialize, Serialize};

/// Something that goes wrong, some number of times, with some calls. What it is, is the server's own kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerFault<K> {
    /// What goes wrong.
    pub kind: K,
    /// How often; `u32::MAX` is always.
    pub times: u32,
    /// How many calls it lets pass first.
    #[serde(default)]
    pub after: u32,
    /// Only with this call, by the server's own name of it: `cmdevice.getNodes`, `login`, `token`. None: with every call it makes
    /// sense for.
    #[serde(default)]
    pub call: Option<String>,
}

/// A kind of fault, which knows the calls that it makes sense for.
pub trait Strikes {
    /// Whether it may strike this call, of those that a fault is limited to.
    fn concerns(&self, wanted: Option<&str>, call: &str) -> bool {
        let _of_any_kind = self;
        wanted.is_none_or(|wanted| wanted == call)
    }
}

impl<K> ServerFault<K> {
    /// A fault that happens once, with every call it makes sense for.
    #[must_use]
    pub const fn once(kind: K) -> Self {
        Self { kind, times: 1, after: 0, call: None }
    }

    /// A fault that happens always.
    #[must_use]
    pub const fn always(kind: K) -> Self {
        Self { kind, times: u32::MAX, after: 0, call: None }
    }

    /// The same, so often.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same, after some calls went well.
    #[must_use]
    pub fn after(self, calls: u32) -> Self {
        Self { after: calls, ..self }
    }

    /// The same, with one call only.
    #[must_use]
    pub fn on(self, call: &str) -> Self {
        Self { call: Some(call.to_owned()), ..self }
    }
}

impl<K: Strikes> ServerFault<K> {
    /// Whether it happens now; counts.
    fn strikes(&mut self, call: &str) -> bool {
        if self.times == 0 || !self.kind.concerns(self.call.as_deref(), call) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        if self.times < u32::MAX {
            self.times -= 1;
        }
        true
    }
}

/// The first fault that happens now.
pub(crate) fn strike<K: Strikes + Clone>(faults: &mut [ServerFault<K>], call: &str) -> Option<K> {
    faults.iter_mut().find_map(|fault| fault.strikes(call).then(|| fault.kind.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Plain(u8);

    impl Strikes for Plain {}

    #[test]
    fn faults_count_and_the_first_that_strikes_counts() {
        let mut faults =
            vec![ServerFault::once(Plain(1)).times(2).after(1).on("a"), ServerFault::always(Plain(2)).on("b")];
        let struck: Vec<Option<u8>> = ["a", "c", "a", "b", "a", "a", "b"]
            .iter()
            .map(|call| strike(&mut faults, call).map(|kind| kind.0))
            .collect();
        assert_eq!(struck, [None, None, Some(1), Some(2), Some(1), None, Some(2)]);
    }
}
