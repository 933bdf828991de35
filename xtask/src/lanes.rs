//! Tiers side by side: those on nodes wait more than they work, so two rows of them run at once.

use crate::commands::{self, Failure};
use crate::tally::Tally;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// How the line of what failed begins, before the closing line.
pub(crate) const FAILED: &str = "failed: ";

/// This program as the kernel knows it: `cargo test --workspace` may have linked it anew since it began, and its path then names no file.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Tiers that another process of ours runs, and that end with us.
pub(crate) struct Lane {
    child: Child,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Lane {
    /// Starts the tiers of these names. What they say is kept until the end: two that speak at once are not read by anybody.
    pub(crate) fn start(tiers: &[String]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| format!("a folder for the output of tiers: {error}"))?;
        let log = folder.path().join("output.log");
        let open = || File::options().create(true).append(true).open(&log);
        let (out, err) = open()
            .and_then(|out| open().map(|err| (out, err)))
            .map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new(OWN_PROGRAM);
        command.arg("test").current_dir(commands::root()).stdin(Stdio::null()).stdout(out).stderr(err);
        for tier in tiers {
            command.args(["--tier", tier]);
        }
        let child = command.spawn().map_err(|error| format!("tiers beside ({}): {error}", tiers.join(", ")))?;
        Ok(Self { child, log, _folder: folder })
    }

    /// Waits for its end, prints all of its lines, and gives what it counted and which tests failed.
    pub(crate) fn end(mut self) -> Result<(Tally, Vec<String>), Failure> {
        let ended = self.child.wait().map_err(|error| format!("waiting for tiers beside: {error}"))?;
        let written = std::fs::read(&self.log).map_err(|error| format!("{}: {error}", self.log.display()))?;
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&written).map_err(|error| format!("standard output: {error}"))?;
        Ok(counted(&String::from_utf8_lossy(&written), ended.success()))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // Nothing to be done where it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The count of its closing line, and the tests that it names as failed. Without such a line it did not come to its end.
fn counted(text: &str, ended_well: bool) -> (Tally, Vec<String>) {
    let said = text.lines().rev().find_map(|line| line.strip_prefix(FAILED)).unwrap_or_default();
    let failed = said.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let tally = text.lines().rev().find_map(Tally::of_closing_line).unwrap_or_default();
    (tally.closed(ended_well), failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_counts_by_its_closing_line() {
        let text = "== nodes\ntest a ... ok\ntest b::c ... FAILED\n== nodes: 1 passed, 1 failed (3 s)\nfailed: b::c\n1 passed, 1 failed\n";
        let (tally, failed) = counted(text, false);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(failed, ["b::c"]);
    }

    #[test]
    fn a_lane_that_breaks_off_failed() {
        let (tally, _) = counted("== nodes\ntest a ... ok\n", false);
        assert_eq!((tally.passed, tally.failed), (0, 1));
    }
}
