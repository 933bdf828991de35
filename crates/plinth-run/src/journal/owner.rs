//! Who holds a lock, and whether that process is gone. A process id alone says little: another container may have another process
//! under it, and the kernel gives ids away again. So a lock also names the boot, the PID namespace and when its process started.

use plinth_model::run::Holder;
use rustix::process::{Pid, test_kill_process};
use std::fmt;
use std::fs;

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOwner {
    /// Login name.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Which process of that id; none where the system does not tell, and in locks of older versions.
    pub process: Option<ProcessIdentity>,
}

/// What tells a process from all others of its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Id of the boot: the same in all containers of a machine.
    pub boot: String,
    /// PID namespace in which the id counts.
    pub namespace: String,
    /// When it started, in clock ticks since the boot.
    pub started: u64,
}

impl LockOwner {
    /// The process that asks.
    #[must_use]
    pub fn current() -> Self {
        Self {
            user: user(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            process: ProcessIdentity::current(),
        }
    }

    /// What can be said of the process from here: only in the same PID namespace of the same boot. That it is gone is only said of a process
    /// of the same user; that it is there, when one of its id runs that began in the same moment.
    pub(super) fn seen(&self, ours: &LockOwner) -> Holder {
        let (Some(theirs), Some(our)) = (&self.process, &ours.process) else { return Holder::Unseen };
        if self.host != ours.host || theirs.boot != our.boot || theirs.namespace != our.namespace {
            return Holder::Unseen;
        }
        let is_theirs = |stat: Stat| !stat.ended && stat.started == theirs.started;
        match (is_there(self.pid), stat(self.pid).map(is_theirs)) {
            (true, Some(true)) => Holder::There,
            (false, _) | (true, Some(false)) if self.user == ours.user => Holder::Gone,
            _ => Holder::Unseen,
        }
    }

    /// Whether the process certainly is gone.
    pub(super) fn gone(&self, ours: &LockOwner) -> bool {
        self.seen(ours) == Holder::Gone
    }
}

impl fmt::Display for LockOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} (process {})", self.user, self.host, self.pid)
    }
}

impl ProcessIdentity {
    fn current() -> Option<Self> {
        // A `/proc` of another namespace would tell of somebody else.
        let own = fs::read_link("/proc/self").ok()?;
        if own.to_str()? != std::process::id().to_string() {
            return None;
        }
        Some(Self {
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned(),
            namespace: fs::read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned(),
            started: stat(std::process::id())?.started,
        })
    }
}

/// Login name; that of the user id where no variable tells it, as under cron and systemd.
fn user() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    name("USER").or_else(|| name("LOGNAME")).unwrap_or_else(|| {
        let uid = rustix::process::geteuid().as_raw().to_string();
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let of_uid = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == uid).then(|| name.to_owned())
        };
        users.lines().find_map(of_uid).unwrap_or_else(|| format!("uid {uid}"))
    })
}

/// Whether the kernel knows a process of this id. It answers also for processes that `/proc` hides (mount option `hidepid`).
fn is_there(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// What `/proc/PID/stat` tells; none where it cannot be read.
struct Stat {
    /// It only waits for its parent to take notice.
    ended: bool,
    started: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in brackets, may hold anything; behind its last bracket come the third field and the rest.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    Some(Stat { ended, started: fields.nth(18)?.parse().ok()? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_only_when_it_was_of_our_own_namespace_and_is_not_the_one_of_that_id_now() {
        let ours = LockOwner::current();
        let identity = ours.process.clone().unwrap();
        let other = |pid, change: fn(&mut ProcessIdentity)| {
            let mut process = identity.clone();
            change(&mut process);
            LockOwner { pid, process: Some(process), ..ours.clone() }
        };
        let beyond_the_largest = 1 << 23;
        assert_eq!(ours.seen(&ours), Holder::There, "this very process");
        assert!(other(beyond_the_largest, |_| ()).gone(&ours));
        assert!(other(ours.pid, |process| process.started += 1).gone(&ours), "the id was given away again");
        for change in [(|p| p.namespace = "pid:[1]".to_owned()) as fn(&mut ProcessIdentity), |p| p.boot.clear()] {
            for pid in [beyond_the_largest, ours.pid] {
                assert_eq!(other(pid, change).seen(&ours), Holder::Unseen, "of another container, or another boot");
            }
        }
        assert!(!LockOwner { process: None, ..other(beyond_the_largest, |_| ()) }.gone(&ours));
        let of_bob = |pid| LockOwner { user: "bob".to_owned(), ..other(pid, |_| ()) };
        assert_eq!(of_bob(beyond_the_largest).seen(&ours), Holder::Unseen);
        assert_eq!(of_bob(ours.pid).seen(&ours), Holder::There);
    }

    #[test]
    fn a_process_that_ended_and_was_not_taken_notice_of_is_gone() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let started = stat(child.id()).unwrap().started;
        let ours = LockOwner::current();
        let process = ours.process.clone().map(|process| ProcessIdentity { started, ..process });
        let theirs = LockOwner { pid: child.id(), process, ..ours.clone() };
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !theirs.gone(&ours) && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(theirs.gone(&ours));
        child.wait().unwrap();
        assert!(theirs.gone(&ours));
    }
}
