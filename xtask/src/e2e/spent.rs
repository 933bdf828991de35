//! Where the seconds of an `apply` go, by its own log and events: phases by their times, and the steps that took longest.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// The first words of what a phase's end is told by, and what it is called here.
const PHASES: [(&str, &str); 5] = [
    ("discovered ", "site file, lock, inventory, draft of the plan"),
    ("checked the nodes ", "check of the nodes: host key, login, facts; all nodes side by side"),
    ("looked at the steps ", "look at all steps"),
    ("asked the sources ", "sources of what is still to be done"),
    ("looked at manifests ", "manifests of what is still to be installed"),
];
/// Slowest looks, and slowest steps of the run, that are named.
const NAMED: usize = 6;

/// A table of phases and steps; empty when the log tells nothing. `seconds` is what the whole process took; `log` and `events` are the lines of
/// this run.
pub(super) fn table((log, events): (&str, &str), seconds: f64) -> String {
    let mut text = "| of these, by plinth's log and events | seconds |\n|---|---|\n".to_owned();
    let mut before: Option<f64> = None;
    let mut told = 0.0;
    for line in log.lines() {
        let Some(at) = at(line) else { continue };
        let first = *before.get_or_insert(at);
        let phase = PHASES.iter().find(|(words, _)| line.contains(&format!(": {words}")));
        if let Some((_, name)) = phase {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "| {name} | {:.2} |", at - first);
            told += at - first;
            before = Some(at);
        }
    }
    let events: Vec<Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |event: &Value| event["seconds"].as_f64();
    let run = events.iter().filter(|event| event["event"] == "run.finished").find_map(of).unwrap_or(f64::NAN);
    let _ = writeln!(text, "| the run: checks that prove it, side by side, and the journal | {run:.2} |");
    let _ = writeln!(text, "| everything else: start, plan, last words | {:.2} |", seconds - told - run);
    for (step, took) in slowest(log.lines().filter_map(looked)) {
        let _ = writeln!(text, "| within the look: `{step}` | {took:.2} |");
    }
    let finished = events.iter().filter(|event| event["event"] == "step.finished");
    for (step, took) in slowest(finished.filter_map(|event| Some((event["step"].as_str()?.to_owned(), of(event)?)))) {
        let _ = writeln!(text, "| within the run: `{step}` | {took:.2} |");
    }
    text
}

/// Seconds of the day at which a line was written.
fn at(line: &str) -> Option<f64> {
    let time = line.split_once('T')?.1.split_once('Z')?.0;
    let mut parts = time.splitn(3, ':').map(str::parse::<f64>);
    let (hours, minutes, seconds) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    Some((hours * 60.0 + minutes) * 60.0 + seconds)
}

/// A step, and the seconds that a look at it took.
fn looked(line: &str) -> Option<(String, f64)> {
    let fields = line.split_once(": looked step=")?.1;
    let (step, seconds) = fields.split_once(" seconds=")?;
    Some((step.to_owned(), seconds.trim().parse::<f64>().ok()?))
}

/// The first few, slowest first.
fn slowest(steps: impl Iterator<Item = (String, f64)>) -> Vec<(String, f64)> {
    let mut all: Vec<(String, f64)> = steps.collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(NAMED);
    all
}

/// What a log has beyond its first so many bytes.
pub(super) fn since(log: &Path, bytes: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(text.get(bytes..).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_and_the_slowest_looks_are_told() {
        let log = "2026-11-30T04:59:10.000000Z  INFO plinth_app::operation::open: opened site=a rehearsal=false\n\
                   2026-11-30T04:59:10.500000Z  INFO plinth_app::operation::observe: discovered nodes=3\n\
                   2026-11-30T04:59:12.000000Z  INFO plinth_app::operation::observe: checked the nodes answered=3 findings=0\n\
                   2026-11-30T04:59:13.000000Z DEBUG plinth_run::look: looked step=nodes/facts/n1 seconds=0.001\n\
                   2026-11-30T04:59:13.000000Z DEBUG plinth_run::look: looked step=nodes/downloads/n1 seconds=1.25\n\
                   2026-11-30T04:59:14.000000Z  INFO plinth_app::operation::observe: looked at the steps steps=30 done=30\n";
        let events = "{\"event\":\"step.finished\",\"step\":\"checks/system/a\",\"seconds\":0.5}\n\
                      {\"event\":\"step.finished\",\"step\":\"checks/pod-network/a\",\"seconds\":0.7}\n\
                      {\"event\":\"run.finished\",\"seconds\":0.75}\n";
        let text = table((log, events), 5.0);
        assert!(text.contains("host key, login, facts; all nodes side by side | 1.50 |"), "{text}");
        assert!(text.contains("| look at all steps | 2.00 |"), "{text}");
        assert!(text.contains("and the journal | 0.75 |") && text.contains("last words | 0.25 |"), "{text}");
        let ran: Vec<&str> = text.lines().filter(|line| line.contains("within the run")).collect();
        assert_eq!(ran[0], "| within the run: `checks/pod-network/a` | 0.70 |");
        let looks: Vec<&str> = text.lines().filter(|line| line.contains("within the look")).collect();
        assert_eq!(looks[0], "| within the look: `nodes/downloads/n1` | 1.25 |");
    }
}
