//! Why helm could not do it, and what a person can do about it.

use crate::mark::ABANDONED;
use jiff::Timestamp;
use plinth_model::finding::code;
use plinth_model::{Finding, ReleaseName};
use plinth_world::helm::ReleaseRecord;
use plinth_world::{Cause, ClientError, deadlines};
use std::path::Path;

/// Name of this client in errors.
pub(super) const CLIENT: &str = "helm";
/// What is not known then: nobody goes on as if none did.
pub(super) const UNSEEN: &str = "it cannot be seen whether a helm of an earlier run still works on it";

/// A release that another helm may be changing at this moment.
pub(super) fn in_use(doing: &str, release: &ReleaseName, last: &ReleaseRecord, until: Timestamp) -> ClientError {
    let (status, since, revision) = (&last.status, last.written, last.revision);
    let happened = format!("it is {status} since {since}: another helm may be at work on it, or was killed");
    let fix = format!(
        "see who runs helm: another plinth, a person, a pipeline (`helm history {name} --namespace {namespace}`); if nobody does, say so: `kubectl --namespace {namespace} label secret sh.helm.release.v1.{name}.v{revision} {ABANDONED}={revision}`, and run again; by itself plinth goes on after {until}",
        name = release.name,
        namespace = release.namespace
    );
    let finding =
        Finding::error(code::HELM_IN_USE, release.to_string(), format!("{release} is {status} since {since}"));
    ClientError::new(CLIENT, doing).happened(happened).attempt(&fix).because(Cause::Refused).finding(finding.fix(fix))
}

/// A helm that an earlier run of ours began is still at work.
pub(super) fn ours_lives(doing: &str, release: &ReleaseName, process: u32) -> ClientError {
    let happened = format!("helm, process {process}, which an earlier run started here, is still at work on it");
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
        "the installed chart has {names} among its templates, the other one has not: helm would remove them, and with them every object of these kinds"
    );
    let fix = format!(
        "let helm keep them: `kubectl annotate --overwrite customresourcedefinition {names} helm.sh/resource-policy=keep`, then run again"
    );
    let message = format!("this change of {release} would remove {names} with all their objects");
    ClientError::new(CLIENT, doing)
        .happened(happened)
        .attempt(&fix)
        .because(Cause::Refused)
        .finding(Finding::error(code::HELM_DEFINITIONS_WOULD_GO, release.to_string(), message).fix(fix))
}

/// The manifests of a release are not what helm writes.
pub(super) fn unreadable_manifest(doing: &str, release: &ReleaseName, why: &str) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(format!(
            "the manifests of the installed {release} cannot be read, so it is not known which definitions would be removed: {why}"
        ))
        .attempt(format!("look at them: `helm get manifest {} --namespace {}`", release.name, release.namespace))
        .because(Cause::BadAnswer)
}

/// A revision that one cannot go back to. `known` are those that one can.
pub(super) fn no_revision(doing: &str, release: &ReleaseName, revision: u32, known: &[u32]) -> ClientError {
    let known = known.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let fix = match known.as_str() {
        "" => "no revision of it worked: fix what `plinth apply` says".to_owned(),
        known => format!("name one that worked: {known}"),
    };
    let happened = format!("helm remembers no revision {revision} of {release} that worked");
    let finding = Finding::error(code::HELM_NO_REVISION, release.to_string(), happened.clone()).fix(&fix);
    ClientError::new(CLIENT, doing).happened(happened).attempt(fix).because(Cause::Input).finding(finding)
}

/// Nothing to go back from.
pub(super) fn is_uninstalled(doing: &str, release: &ReleaseName) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(format!("{release} was being uninstalled, and that was broken off"))
        .attempt("run `plinth apply`: it brings that to its end and installs what the site file says")
        .because(Cause::Refused)
}

/// What helm keeps of a revision is not what helm writes.
pub(super) fn unreadable(doing: &str, release: &ReleaseName, revision: u32, why: &str) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(format!("revision {revision} of {release} cannot be read: {why}"))
        .attempt(format!("look at it: `helm history {} --namespace {}`", release.name, release.namespace))
        .because(Cause::BadAnswer)
}

/// helm is not started while the API server starts.
pub(super) fn not_ready(doing: &str, release: &ReleaseName) -> ClientError {
    let seconds = deadlines::KUBE_STARTS.as_secs();
    ClientError::new(CLIENT, doing)
        .happened(format!(
            "the API server did not become ready within {seconds} s, so helm was not started for {release}"
        ))
        .attempt("look at what it is waiting for (`kubectl get --raw '/readyz?verbose'`); run again when it is ready")
        .because(Cause::Unreachable)
        .transient(STARTS)
}

/// Why what an API server says that starts may pass.
const STARTS: &str = "an API server that has just started knows its users' rights, and all kinds, when it is ready";

/// The same, said by an API server that is not ready.
pub(super) fn may_pass(error: ClientError) -> ClientError {
    error.because(Cause::Unreachable).transient(STARTS)
}

/// Whether helm ended because the API server refused something in a way in which one does that has just started: it does not know its
/// users' rights, or who they are, or the kinds that were added to it. Sources: texts of the API server and of client-go (1.34).
pub(super) fn is_refused(error: &ClientError) -> bool {
    const WORDS: [&str; 6] = [
        "is forbidden: User ",
        "is forbidden: not yet ready to handle request",
        "Unauthorized",
        "the server has asked for the client to provide credentials",
        "no matches for kind ",
        "the server could not find the requested resource",
    ];
    error.client == CLIENT && WORDS.iter().any(|words| error.happened.contains(words))
}

/// A local failure: a folder, a file, a process.
pub(super) fn local(doing: &str, what: &str, error: &std::io::Error) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(format!("{what}: {error}"))
        .attempt("see that this machine can start programs and has room")
}

/// What helm says on its last lines, and what it means.
struct Known {
    /// Parts of what it says: all of any of these lists.
    says: &'static [&'static [&'static str]],
    attempt: &'static str,
    cause: Cause,
    /// Why it may pass by itself.
    passes: Option<&'static str>,
}

impl Known {
    fn fits(&self, text: &str) -> bool {
        self.says.iter().any(|all| all.iter().all(|part| text.contains(part)))
    }
}

const fn known(says: &'static [&'static [&'static str]], attempt: &'static str) -> Known {
    Known { says, attempt, cause: Cause::Refused, passes: None }
}

const fn passing(
    says: &'static [&'static [&'static str]],
    attempt: &'static str,
    cause: Cause,
    passes: &'static str,
) -> Known {
    Known { says, attempt, cause, passes: Some(passes) }
}

const LOOK_AT_PODS: &str = "look at what it waits for: `kubectl get jobs,pods`, `kubectl get events`; then run again";

/// The first that fits. Sources: texts of Helm 3.18 and 4.3 and of the API server. A hook is of the chart, a webhook of the cluster:
/// texts of webhooks hold the word of the other, and the path of a hook may hold the word webhook.
const KNOWN: [Known; 15] = [
    known(
        &[&["another operation (install/upgrade/rollback) is in progress"]],
        "another helm began at the same moment: see who, and run again when it has ended",
    ),
    known(
        &[&["invalid ownership metadata"]],
        "an object of this name is there and was not made by this release: remove it, or let whoever made it give it up (for Kubespray: switch its addon off); then run again",
    ),
    known(
        &[&["violates PodSecurity"]],
        "the namespace's Pod Security level is too strict for it: `kubectl get namespace --show-labels`",
    ),
    known(
        &[&["because it is being terminated"]],
        "the namespace is being removed: wait until it is gone (`kubectl get namespace`), then run again: it is made again",
    ),
    known(
        &[&["namespaces \"", "is forbidden"]],
        "the user of the kubeconfig may not look at namespaces, or make them: use a kubeconfig whose user may administer the cluster",
    ),
    known(&[&["namespaces \"", "not found"]], "make the namespace first"),
    known(
        &[&["is forbidden: User "]],
        "the user of the kubeconfig may not do what helm says: use a kubeconfig whose user may administer the cluster",
    ),
    passing(
        &[&["Kubernetes cluster unreachable"]],
        "check that kube-apiserver runs on the control plane and that its port is open from here",
        Cause::Unreachable,
        "an API server that starts, or a lost connection, comes back",
    ),
    passing(
        &[&["failed calling webhook"], &["conversion webhook for"]],
        "see that the pods behind the webhook that is named run, then run again",
        Cause::Refused,
        "a webhook whose pods have just started answers soon",
    ),
    known(
        &[&["admission webhook \""]],
        "a webhook of the cluster refuses an object: read why, then correct the values, or the policy behind the webhook",
    ),
    // In the middle of its work, hooks included; what a webhook does not reach is told above.
    passing(
        &[
            &["connect: connection refused"],
            &["connection reset by peer"],
            &["http2: client connection lost"],
            &["http2: server sent GOAWAY"],
            &["TLS handshake timeout"],
            &["unexpected EOF"],
            &["\": EOF"],
            &["apiserver not ready"],
            &["the server is currently unable to handle the request"],
            &["etcdserver: "],
        ],
        "check that kube-apiserver runs on the control plane and that its port is open from here",
        Cause::Unreachable,
        "an API server that starts, or a lost connection, comes back",
    ),
    known(
        &[
            &["hooks failed"],
            &["failed pre-"],
            &["failed post-"],
            &["Hook pre-"],
            &["Hook post-"],
            &["hook pre-"],
            &["hook post-"],
        ],
        "look at the Job of the hook and at its pods: `kubectl get jobs,pods`, `kubectl logs job/NAME`; then run again",
    ),
    known(&[&["timed out waiting"]], LOOK_AT_PODS),
    known(&[&["context deadline exceeded"]], LOOK_AT_PODS),
    known(&[&["values don't meet the specifications"]], "correct the values that the chart's schema refuses"),
];

/// Lines of hooks that stand first: as many as a card shows.
const HOOK_LINES: usize = 6;

/// Whether a hook may be behind what helm says: of a Job that hangs it says no more than that time is over.
pub(super) fn may_be_a_hook(lines: &[String]) -> bool {
    const SIGNS: [&str; 6] = ["hook", "pre-", "post-", "BackoffLimit", "timed out", "deadline"];
    let text = lines.join(" ").to_lowercase();
    SIGNS.iter().any(|sign| text.contains(&sign.to_lowercase()))
}

/// helm ended with an error. `lines` are its last ones, and `hooks` the last of what hooks left, without secrets.
pub(super) fn ended(
    doing: &str,
    release: &ReleaseName,
    (lines, hooks): (&[String], Vec<String>),
    log: &Path,
) -> ClientError {
    let said = lines
        .iter()
        .rposition(|line| line.starts_with("Error: "))
        .map_or(lines, |at| lines.get(at..).unwrap_or_default());
    let text = said.join(" ").trim_start_matches("Error: ").to_owned();
    let text = if text.is_empty() { "it ended with an error and said nothing".to_owned() } else { text };
    let known = KNOWN.iter().find(|known| known.fits(&text));
    let attempt = format!(
        "{}; helm's whole output{} is in {}",
        known.map_or("read what helm says, fix it, then run again", |known| known.attempt),
        if hooks.is_empty() { "" } else { " and what its hooks left" },
        log.display()
    );
    let mut finding =
        Finding::error(code::HELM_FAILED, release.to_string(), format!("helm says: {text}")).fix(&attempt);
    // The reason is what a hook wrote last; what helm said is told of the program as well.
    let (before, last) = hooks.split_at(hooks.len().saturating_sub(HOOK_LINES));
    finding.evidence = [last, before, lines].concat();
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
pub(super) fn late(doing: &str, release: &ReleaseName, seconds: u64, log: &Path, hooks: Vec<String>) -> ClientError {
    let happened = format!("helm did not end within {seconds} s and was stopped");
    let attempt = format!(
        "look at the API server and the load of this machine; helm's whole output{} is in {}",
        if hooks.is_empty() { "" } else { " and what its hooks left" },
        log.display()
    );
    let error = ClientError::new(CLIENT, doing).happened(&happened).attempt(&attempt).because(Cause::Timeout);
    if hooks.is_empty() {
        return error;
    }
    let mut finding = Finding::error(code::HELM_FAILED, release.to_string(), happened).fix(attempt);
    finding.evidence = hooks;
    error.finding(finding)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_helm_says_has_its_own_way_out() {
        let release = ReleaseName { namespace: "n".into(), name: "a".into() };
        let cases = [
            ("Error: UPGRADE FAILED: pre-upgrade hooks failed: 1 error occurred", "Job of the hook"),
            (
                "Error: INSTALLATION FAILED: failed pre-install: job admission-create failed: DeadlineExceeded",
                "Job of the hook",
            ),
            ("Error: warning: Hook post-install a/templates/admission-webhooks/job.yaml failed: x", "Job of the hook"),
            (
                "Error: UPGRADE FAILED: Internal error occurred: failed calling webhook \"a.b\": no endpoints",
                "pods behind the webhook",
            ),
            ("Error: conversion webhook for a.b/v1, Kind=A failed: refused", "pods behind the webhook"),
            (
                "Error: UPGRADE FAILED: admission webhook \"a.b\" denied the request: no",
                "webhook of the cluster refuses",
            ),
            (
                "Error: failed pre-install: admission webhook \"a.b\" denied the request: no",
                "webhook of the cluster refuses",
            ),
            ("Error: create: failed to create: namespaces \"n\" not found", "make the namespace first"),
            (
                "Error: namespaces \"n\" is forbidden: User \"u\" cannot get resource \"namespaces\"",
                "may not look at namespaces",
            ),
            ("Error: secrets is forbidden: User \"u\" cannot list resource \"secrets\"", "may not do what helm says"),
            (
                "Error: x is forbidden: unable to create new content in namespace n because it is being terminated",
                "is being removed",
            ),
            ("Error: pods \"a\" is forbidden: violates PodSecurity \"baseline\"", "Pod Security level"),
            ("Error: UPGRADE FAILED: something new about hooks", "read what helm says"),
        ];
        for (said, want) in cases {
            let error = ended("trying", &release, (&[said.to_owned()], Vec::new()), Path::new("/log"));
            assert!(error.attempt.contains(want), "{said}: {}", error.attempt);
        }
        for (said, is) in [
            ("Error: failed pre-install: job x failed: BackoffLimitExceeded", true),
            ("Error: client rate limiter Wait returned an error: context deadline exceeded", true),
            ("Error: values don't meet the specifications", false),
        ] {
            assert_eq!(may_be_a_hook(&[said.to_owned()]), is, "{said}");
        }
        let left = vec!["no such host runai.example.com".to_owned()];
        let error =
            ended("trying", &release, (&["Error: BackoffLimitExceeded".to_owned()], left.clone()), Path::new("/log"));
        assert!(error.attempt.ends_with("helm's whole output and what its hooks left is in /log"), "{}", error.attempt);
        assert!(error.finding.as_ref().unwrap().evidence.starts_with(&left), "the reason stands first");
        assert_eq!(late("trying", &release, 3, Path::new("/log"), left.clone()).finding.unwrap().evidence, left);
    }
}
