//! What the end of a playbook means. An exit code alone says too little: 0 is also the answer to an empty inventory, 4 both to a
//! lost host and to a syntax error.

use crate::follow::Ending;
use crate::program::CLIENT;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::run::CommandFailure;
use plinth_world::ansible::{HostStats, PlayStats};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult};
use std::os::unix::process::ExitStatusExt as _;

/// The supervisor could not get the lock.
const BUSY: i32 = 75;
/// Ansible was interrupted.
const INTERRUPTED: i32 = 99;
/// Above it, the code says which signal ended the program.
const SIGNALS: i32 = 128;
const SUBJECT: &str = "kubespray";

/// The final statistics, also when hosts failed; an error when there are none, or when they and the exit code do not agree.
pub(super) fn verdict(ending: &Ending, doing: &str, secrets: &dyn Secrets) -> ClientResult<PlayStats> {
    let code = ending.status.code().unwrap_or_else(|| SIGNALS + ending.status.signal().unwrap_or(0));
    let redacted = |lines: Vec<String>| lines.iter().map(|line| secrets.redact(line)).collect::<Vec<_>>();
    let Some(hosts) = ending.watch.stats() else {
        return Err(no_statistics(ending, code, doing, redacted(ending.watch.cards())));
    };
    let clean = hosts.values().all(HostStats::is_clean);
    if clean && code != 0 {
        let text = format!("ansible-playbook ended with {code}, though no host failed");
        let finding =
            Finding::error(code::KUBESPRAY_PLAY_ENDED_BADLY, SUBJECT, text).fix("read the log, then run again");
        return Err(told(ending, finding, doing, Vec::new()));
    }
    let mut cards = redacted(ending.watch.cards());
    let failure = (!clean).then(|| program(ending, &redacted(ending.complaint.clone())));
    if !clean {
        cards.push(format!("all of it: {}", ending.log.display()));
    }
    Ok(PlayStats { hosts: hosts.clone(), cards, hints: ending.watch.hints(), failure })
}

/// The program and how it ended.
fn program(ending: &Ending, said: &[String]) -> CommandFailure {
    CommandFailure {
        exit: ending.status.code(),
        signal: ending.status.signal(),
        log: Some(ending.log.display().to_string()),
        ..CommandFailure::of(&ending.command, said)
    }
}

fn no_statistics(ending: &Ending, code: i32, doing: &str, cards: Vec<String>) -> ClientError {
    let finding = match code {
        BUSY if !ending.watch.was_heard() => still_runs(),
        INTERRUPTED => stopped("ansible-playbook was interrupted".to_owned()),
        code if code > SIGNALS => stopped(format!("ansible-playbook was ended by signal {}", code - SIGNALS)),
        0 => silent("ansible-playbook ended with 0, but told of no host".to_owned()),
        code if ending.watch.was_heard() => {
            silent(format!("ansible-playbook ended with {code}, and its final statistics never came"))
        }
        code => Finding::error(
            code::KUBESPRAY_PLAY_REFUSED,
            SUBJECT,
            format!("ansible-playbook began nothing and ended with {code}"),
        )
        .fix("read the last lines: a playbook or the variables cannot be read"),
    };
    told(ending, finding, doing, cards)
}

fn still_runs() -> Finding {
    Finding::error(code::KUBESPRAY_PLAY_STILL_RUNS, SUBJECT, "processes of an earlier play still run on this machine")
        .fix("wait until they have ended (`pgrep -af ansible-playbook`), then run again")
}

fn stopped(text: String) -> Finding {
    Finding::error(code::KUBESPRAY_PLAY_WAS_STOPPED, SUBJECT, text)
        .fix("see whether this machine ran out of memory, then run again: a play is gone over from its beginning")
}

fn silent(text: String) -> Finding {
    Finding::error(code::KUBESPRAY_NO_STATISTICS, SUBJECT, text).fix("read the log, then run again")
}

fn told(ending: &Ending, mut finding: Finding, doing: &str, cards: Vec<String>) -> ClientError {
    finding.evidence = cards;
    finding.evidence.extend(ending.complaint.iter().cloned());
    if ending.strange > 0 {
        let lines = if ending.strange == 1 { "line of its events was" } else { "lines of its events were" };
        finding.evidence.push(format!("{} {lines} not understood", ending.strange));
    }
    finding.evidence.push(format!("all of it: {}", ending.log.display()));
    ClientError::new(CLIENT, doing)
        .happened(finding.message.clone())
        .attempt(finding.fix.clone())
        .failure(program(ending, &ending.complaint))
        .finding(finding)
}
