//! Measuring a child process: wall time and peak memory.

use crate::commands::Failure;
use crate::cpu;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often the peak is looked up. The kernel keeps the peak itself, so only growth in a process's last moments is missed.
const LOOK: Duration = Duration::from_millis(2);

/// What one run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// Processor time of the process and of its children that ended before it, user and system together.
    pub(crate) cpu_seconds: f64,
    /// Peak resident memory, MiB; none where the system does not tell (`/proc` is not there, or the process was too short).
    pub(crate) peak_mib: Option<f64>,
}

/// Runs `command` with its output thrown away, except standard error of a failure.
pub(crate) fn measured(command: &mut Command, exit: i32) -> Result<Measured, Failure> {
    let (start, cpu) = (Instant::now(), cpu::of_children()?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    // Read beside the measuring, so that a talkative child does not wait for us.
    let stderr = child.stderr.take().map(|mut stderr| {
        thread::spawn(move || {
            let mut text = Vec::new();
            // What cannot be read is missing from an error text, nothing else.
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    });
    let (status, peak_mib) = watched(&mut child)?;
    let seconds = start.elapsed().as_secs_f64();
    let said = stderr.and_then(|reader| reader.join().ok()).unwrap_or_default();
    if status.code() != Some(exit) {
        return Err(format!("{command:?} ended with {status} instead of {exit}:\n{said}"));
    }
    Ok(Measured { seconds, cpu_seconds: cpu::of_children()? - cpu, peak_mib })
}

fn watched(child: &mut Child) -> Result<(std::process::ExitStatus, Option<f64>), Failure> {
    let mut peak: Option<f64> = None;
    loop {
        if let Ok(text) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            peak = high_water(&text).map(|now| peak.map_or(now, |before| now.max(before))).or(peak);
        }
        if let Some(status) = child.try_wait().map_err(|error| format!("waiting: {error}"))? {
            return Ok((status, peak));
        }
        thread::sleep(LOOK);
    }
}

/// `VmHWM` of a `/proc/PID/status` text, MiB.
fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// The middle one by a number of each, the upper one of two; none of none.
pub(crate) fn middle<T: Copy>(all: &[T], number: impl Fn(&T) -> f64) -> Option<T> {
    let mut all = all.to_vec();
    all.sort_by(|a, b| number(a).total_cmp(&number(b)));
    all.get(all.len() / 2).copied()
}

/// The middle one of plain numbers; of none it is no number.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    middle(numbers, |number| *number).unwrap_or(f64::NAN)
}

/// The middle run by the clock, with the highest peak of all of them.
pub(crate) fn middle_run(runs: &[Measured]) -> Option<Measured> {
    let peak_mib = runs.iter().filter_map(|run| run.peak_mib).reduce(f64::max);
    middle(runs, |run| run.seconds).map(|run| Measured { peak_mib, ..run })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_from_the_kernels_text() {
        assert_eq!(high_water("Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n"), Some(2.0));
        assert_eq!(high_water("Name:\tx\nState:\tZ (zombie)\n"), None);
        assert_eq!(high_water("VmHWM:\t lots kB\n"), None);
    }

    #[test]
    fn the_median_keeps_the_highest_peak() {
        let run = |seconds, peak| Measured { seconds, cpu_seconds: seconds, peak_mib: Some(peak) };
        assert_eq!(middle_run(&[run(3.0, 1.0), run(1.0, 9.0), run(2.0, 2.0)]), Some(run(2.0, 9.0)));
        assert_eq!(middle_run(&[]), None);
        assert!(median(&[4.0, 1.0, 3.0, 2.0]).total_cmp(&3.0).is_eq() && median(&[]).is_nan());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_is_measured_and_its_exit_is_checked() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let run = measured(&mut shell("sleep 0.05; exit 4"), 4);
        assert!(
            run.as_ref().is_ok_and(|run| run.seconds >= 0.05 && run.peak_mib.is_some_and(|mib| mib > 0.1)),
            "{run:?}"
        );
        let failed = measured(&mut shell("echo because >&2; exit 1"), 0);
        assert!(failed.as_ref().is_err_and(|error| error.contains("because")), "{failed:?}");
    }
}
