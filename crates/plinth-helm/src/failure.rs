//! Why helm could not do it, and what a person can do about it.

use jiff::Timestamp;
use plinth_model::finding::code;
use plinth_model::{Finding, ReleaseName};
use plinth_world::{Cause, ClientError};
use std::path::Path;

/// Name of this client in errors.
pub(super) const CLIENT: &str = "helm";

/// A release that another helm may be changing at this moment.
pub(super) fn in_use(
    doing: &str,
    release: &ReleaseName,
    status: &str,
    since: Timestamp,
    until: Timestamp,
) -> ClientError {
    let happened = format!("it is {status} since {since}: another helm may be at work on it, or was killed");
    let fix = format!(
        "see who runs helm: another plinth, a person, a pipeline (`helm history {} --namespace {}`); if nobody does, run again after {until}",
        release.name, release.namespace
    );
    let finding =
        Finding::error(code::HELM_IN_USE, release.to_string(), format!("{release} is {status} since {since}"));
    ClientError::new(CLIENT, doing).happened(happened).attempt(&fix).because(Cause::Refused).finding(finding.fix(fix))
}

/// A helm that an earlier run of ours began is still at work.
pub(super) fn ours_lives(doing: &str, release: &ReleaseName, status: &str, process: u32) -> ClientError {
    let happened =
        format!("it is {status}: helm, process {process}, which an earlier run started here, is still at work on it");
    let fix = "wait until it has ended, or end it; then run again: what it leaves half-done is repaired then";
    let message = format!("process {process} is at work on {release}");
    ClientError::new(CLIENT, doing)
        .happened(happened)
        .attempt(fix)
        .because(Cause::Refused)
        .transient("it ends within its own limit")
        .finding(Finding::error(code::HELM_IN_USE, release.to_string(), message).fix(fix))
}

/// The upgrade would remove definitions with all their objects.
pub(super) fn definitions_would_go(doing: &str, release: &ReleaseName, names: &[String]) -> ClientError {
    let names = names.join(" ");
    let happened = format!(
        "the installed chart has {names} among its templates, the new one beside them: helm would remove them, and with them every object of these kinds"
    );
    let fix = format!(
        "let helm keep them: `kubectl annotate --overwrite customresourcedefinition {names} helm.sh/resource-policy=keep`, then run again"
    );
    let message = format!("this upgrade of {release} would remove {names} with all their objects");
    ClientError::new(CLIENT, doing)
        .happened(happened)
        .attempt(&fix)
        .because(Cause::Refused)
        .finding(Finding::error(code::HELM_DEFINITIONS_WOULD_GO, release.to_string(), message).fix(fix))
}

/// A local failure: a folder, a file, a process.
pub(super) fn local(doing: &str, what: &str, error: &std::io::Error) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(format!("{what}: {error}"))
        .attempt("see that this machine can start programs and has room")
}

/// What helm says on its last lines, and what it means.
struct Known {
    /// A part of what it says.
    says: &'static str,
    attempt: &'static str,
    cause: Cause,
    /// Why it may pass by itself.
    passes: Option<&'static str>,
}

const fn known(says: &'static str, attempt: &'static str) -> Known {
    Known { says, attempt, cause: Cause::Refused, passes: None }
}

/// The first that fits. Sources: texts of Helm 3.18 and 4.3 and of the API server.
const KNOWN: [Known; 10] = [
    known(
        "another operation (install/upgrade/rollback) is in progress",
        "another helm began at the same moment: see who, and run again when it has ended",
    ),
    known(
        "invalid ownership metadata",
        "an object of this name is there and was not made by this release: remove it, or let whoever made it give it up (for Kubespray: switch its addon off); then run again",
    ),
    known("namespaces \"", "make the namespace first"),
    known(
        "violates PodSecurity",
        "the namespace's Pod Security level is too strict for it: `kubectl get namespace --show-labels`",
    ),
    Known {
        says: "Kubernetes cluster unreachable",
        attempt: "check that kube-apiserver runs on the control plane and that its port is open from here",
        cause: Cause::Unreachable,
        passes: Some("an API server that starts, or a lost connection, comes back"),
    },
    Known {
        says: "failed calling webhook",
        attempt: "see that the pods behind the webhook that is named run, then run again",
        cause: Cause::Refused,
        passes: Some("a webhook whose pods have just started answers soon"),
    },
    known(
        "hook",
        "look at the Job of the hook and at its pods: `kubectl get jobs,pods`, `kubectl logs job/NAME`; then run again",
    ),
    known(
        "timed out waiting",
        "look at what it waits for: `kubectl get jobs,pods`, `kubectl get events`; then run again",
    ),
    known(
        "context deadline exceeded",
        "look at what it waits for: `kubectl get jobs,pods`, `kubectl get events`; then run again",
    ),
    known("values don't meet the specifications", "correct the values that the chart's schema refuses"),
];

/// helm ended with an error. `lines` are its last ones, without secrets.
pub(super) fn ended(doing: &str, release: &ReleaseName, lines: &[String], log: &Path) -> ClientError {
    let said = lines
        .iter()
        .rposition(|line| line.starts_with("Error: "))
        .map_or(lines, |at| lines.get(at..).unwrap_or_default());
    let text = said.join(" ").trim_start_matches("Error: ").to_owned();
    let text = if text.is_empty() { "it ended with an error and said nothing".to_owned() } else { text };
    let known = KNOWN.iter().find(|known| text.contains(known.says));
    let attempt = format!(
        "{}; helm's whole output is in {}",
        known.map_or("read what helm says, fix it, then run again", |known| known.attempt),
        log.display()
    );
    let mut finding =
        Finding::error(code::HELM_FAILED, release.to_string(), format!("helm says: {text}")).fix(&attempt);
    finding.evidence = lines.to_vec();
    let error = ClientError::new(CLIENT, doing)
        .happened(format!("helm says: {text}"))
        .attempt(attempt)
        .because(known.map_or(Cause::Refused, |known| known.cause))
        .finding(finding);
    match known.and_then(|known| known.passes) {
        Some(why) => error.transient(why),
        None => error,
    }
}

/// helm did not end in its time.
pub(super) fn late(doing: &str, seconds: u64, log: &Path) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(format!("helm did not end within {seconds} s and was stopped"))
        .attempt(format!(
            "look at the API server and the load of this machine; helm's whole output is in {}",
            log.display()
        ))
        .because(Cause::Timeout)
}
