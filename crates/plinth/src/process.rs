//! What this process needs of the machine before it begins, and what it gives up.

use plinth_model::Problem;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

/// Threads that a run may need at once: the runtime's, those of each way out, of the lock, and of each line of the view.
const THREADS: usize = 20;
/// Seconds of the Unix clock that can be right: from 2010 to 2500. Locks, records and certificates carry the time.
const CLOCK: std::ops::Range<u64> = 1_262_304_000..16_725_225_600;

/// Secrets are in this memory: nothing of it is written to a disk when the process dies.
pub(crate) fn no_core_dumps() {
    // Where the kernel refuses, what is lost is a precaution.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Whether whoever started this process had it ignore a signal, as `nohup` does.
pub(crate) fn ignores(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Refuses to begin where plinth would fall over in the middle.
///
/// # Errors
/// When the clock cannot be right, there is no randomness, or too few threads may be started.
pub(crate) fn check() -> Result<(), Problem> {
    clock(SystemTime::now())?;
    randomness()?;
    threads()
}

fn clock(now: SystemTime) -> Result<(), Problem> {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).as_ref().map(Duration::as_secs).ok();
    if seconds.is_some_and(|seconds| CLOCK.contains(&seconds)) {
        return Ok(());
    }
    let happened = match seconds {
        Some(seconds) => format!(
            "it says {}",
            jiff::Timestamp::try_from(now).map_or_else(|_| format!("{seconds} s after 1970"), |at| at.to_string())
        ),
        None => "it stands before 1970".to_owned(),
    };
    Err(Problem::while_doing("reading this machine's clock")
        .wrong_input(format!("{happened}, which cannot be; locks, records and certificates carry the time"))
        .try_this("set the clock (`timedatectl`), then run again; nothing was changed"))
}

fn randomness() -> Result<(), Problem> {
    getrandom::fill(&mut [0; 16]).map_err(|error| {
        Problem::while_doing("asking this machine for random numbers")
            .wrong_input(format!("{error}; keys and names of runs need them"))
            .try_this("look whether `/dev/urandom` and the system call `getrandom` work here; nothing was changed")
    })
}

/// Starts so many threads at once, and lets them end.
fn threads() -> Result<(), Problem> {
    let (barrier, mut started) = (Arc::new(Barrier::new(THREADS + 1)), Vec::new());
    for number in 0..THREADS {
        let end = Arc::clone(&barrier);
        let thread = std::thread::Builder::new().stack_size(16 * 1024).spawn(move || {
            end.wait();
        });
        match thread {
            Ok(thread) => started.push(thread),
            Err(error) => {
                // Those that wait end with the process, which ends now.
                return Err(Problem::while_doing("starting threads")
                    .wrong_input(format!("{error} after {number} of {THREADS}"))
                    .try_this(
                        "raise the limit on processes (`ulimit -u`, or pids of the container); nothing was changed",
                    ));
            }
        }
    }
    barrier.wait();
    for thread in started {
        let _ = thread.join();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right_is_refused() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(315_360_000);
        let (now, far) = (at(1_800_000_000), at(253_402_214_400));
        for (time, right) in [(now, true), (at(2_147_483_648), true), (at(5), false), (far, false), (before, false)] {
            assert_eq!(clock(time).is_ok(), right, "{time:?}");
        }
        check().unwrap();
    }
}
