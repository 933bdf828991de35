//! Who made a lab, in a way that a reused process id cannot fake.

use serde::{Deserialize, Serialize};

/// A process: its id alone is not enough, since ids come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks since boot (`proc_pid_stat`(5), field 22).
    pub started: u64,
    /// The boot of the machine; after another one every process of the lab is gone.
    pub boot: String,
}

impl Owner {
    /// This process; none when the system does not tell when it began.
    pub fn own() -> Option<Self> {
        let pid = std::process::id();
        Some(Self { pid, started: started(pid)?, boot: boot() })
    }

    /// A process of this boot.
    pub(crate) fn of(pid: u32, started: u64) -> Self {
        Self { pid, started, boot: boot() }
    }

    /// Whether that very process still runs.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.boot == boot() && started(self.pid) == Some(self.started)
    }
}

/// Start time of a process that is not a zombie.
fn started(pid: u32) -> Option<u64> {
    of_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name of the program stands in brackets and may hold blanks and brackets itself.
fn of_stat(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let zombie = matches!(*fields.first()?, "Z" | "X");
    if zombie { None } else { fields.get(19)?.parse().ok() }
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_times_are_read_behind_odd_names() {
        let tail = "1 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1";
        for (head, want) in
            [("7 (sh) S", Some(4711)), ("7 (a) b (c) S", Some(4711)), ("7 (sh) Z", None), ("7 sh", None)]
        {
            assert_eq!(of_stat(&format!("{head} {tail}")), want, "{head}");
        }
    }

    #[test]
    fn we_live_and_another_of_our_id_does_not() {
        let own = Owner::own().unwrap();
        assert!(own.lives());
        assert!(!Owner { started: own.started + 1, ..own.clone() }.lives());
        assert!(!Owner { boot: "another".to_owned(), ..own }.lives());
    }
}
