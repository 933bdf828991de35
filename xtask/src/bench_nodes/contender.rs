//! Who makes the account, and how a round of each is started.

use super::ansible::{self, Ansible};
use super::ground::{Ground, Order};
use crate::commands::Failure;
use std::process::Command;

/// One way to make the same account on all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    Plinth,
    ByHand,
    Tuned,
    Defaults,
}

impl Contender {
    /// In the order of a round.
    pub(super) const ALL: [Self; 4] = [Self::Plinth, Self::ByHand, Self::Tuned, Self::Defaults];

    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plinth => "plinth: pin the host key, look, make, look",
            Self::ByHand => "`ssh` by hand: one script for each host, all at once",
            Self::Tuned => "`ansible-playbook`, forks 50 and pipelining",
            Self::Defaults => "`ansible-playbook` with its defaults",
        }
    }

    /// Rounds it takes part in. The slow ones vary little, and take minutes.
    pub(super) const fn rounds(self) -> usize {
        match self {
            Self::Plinth | Self::ByHand | Self::Tuned => 3,
            Self::Defaults => 1,
        }
    }

    /// How often faster than this one plinth is to be, at least.
    pub(super) const fn target(self) -> Option<f64> {
        match self {
            Self::Plinth => None,
            // At most 1.3 times as slow.
            Self::ByHand => Some(1.0 / 1.3),
            Self::Tuned => Some(15.0),
            Self::Defaults => Some(40.0),
        }
    }

    /// The program of one round.
    pub(super) fn command(self, ground: &Ground<'_>, ansible: &Ansible, order: &Order) -> Result<Command, Failure> {
        match self {
            Self::Plinth => ground.plinth(order),
            Self::ByHand => ground.by_hand(order),
            Self::Tuned => ansible.playbook(ground, order, ansible::TUNED),
            Self::Defaults => ansible.playbook(ground, order, ansible::DEFAULTS),
        }
    }
}
