//! The forms of faults, as a table for people and for error messages.

use plinth_model::nearest::nearest;

/// One way to write a fault, with an example and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// How it is written; capitals stand for something, brackets may be left out.
    pub form: &'static str,
    /// One that can be typed as it is.
    pub example: &'static str,
    /// What happens.
    pub meaning: &'static str,
}

const fn form(form: &'static str, example: &'static str, meaning: &'static str) -> Form {
    Form { form, example, meaning }
}

pub(super) const ALL: &[Form] = &[
    form("bcm:5xx[:TIMES]", "bcm:5xx:2", "BCM answers the next request (or TIMES requests) with a server error"),
    form("bcm:truncated[:TIMES]", "bcm:truncated", "BCM's answer ends too early"),
    form("bcm:html[:TIMES]", "bcm:html", "BCM answers with a web page instead of JSON"),
    form("bcm:expired", "bcm:expired", "BCM's session expires between two requests"),
    form(
        "node:NAME:unreachable[@MOMENT]",
        "node:dgx-05:unreachable",
        "the node does not answer in this run, or only at one moment: connect, account, facts, storage, registries, downloads, kubernetes",
    ),
    form(
        "node:NAME:drop@MOMENT",
        "node:dgx-05:drop@kubernetes",
        "the connection is lost in the middle; at kubernetes the play ends with the node unreachable, at others a retry helps",
    ),
    form(
        "node:NAME:host-key-changed",
        "node:dgx-05:host-key-changed",
        "the node shows another host key than the pinned one",
    ),
    form(
        "node:NAME:managed-elsewhere",
        "node:dgx-05:managed-elsewhere",
        "a mark on the node says that another state directory manages it",
    ),
    form("node:NAME:disk-full", "node:dgx-05:disk-full", "no space is left on any partition of the node"),
    form(
        "node:NAME:small-disk",
        "node:cpu-03:small-disk",
        "the partition of container images is too small, the larger one is not",
    ),
    form("play:NAME:fails", "play:dgx-05:fails", "a task of the Kubespray play fails on the node"),
    form("release:NAME:timeout", "release:gpu-operator:timeout", "helm waits for the release until its time is up"),
    form("release:NAME:fails", "release:gpu-operator:fails", "helm gives the release up"),
    form(
        "source:HOST:unreachable",
        "source:github.com:unreachable",
        "nothing can be fetched from there, neither here nor on a node; `all` is every source",
    ),
    form("check:NAME:fails", "check:gpu-metrics:fails", "the check does not hold; names as in `plinth check --only`"),
    form("runai:issuer-mismatch", "runai:issuer-mismatch", "Keycloak names another issuer than the expected one"),
    form("runai:401", "runai:401", "the Run:ai interface answers 401, Issuer is not familiar"),
    form("runai:409", "runai:409", "registering the cluster is answered with a conflict"),
    form("runai:disconnected", "runai:disconnected", "the cluster never connects to the control plane"),
    form("crash@record:N", "crash@record:40", "the process ends at once when it writes the N-th journal record"),
];

/// What to try instead of a text: the nearest example, or all forms that begin alike.
pub(super) fn near(text: &str, start: &str) -> String {
    let alike: Vec<&str> =
        ALL.iter().map(|f| f.form).filter(|form| form.split([':', '@']).next() == Some(start)).collect();
    if alike.is_empty() {
        let starts = ["bcm", "node", "play", "release", "source", "runai", "crash"];
        let starting = nearest(start, starts);
        let example = starting.and_then(|near| ALL.iter().find(|f| f.example.starts_with(near)));
        return match example {
            Some(form) => format!("`{}`", form.form),
            None => format!("one of {}", ALL.iter().map(|f| f.form).collect::<Vec<_>>().join(", ")),
        };
    }
    let closest = nearest(text, ALL.iter().map(|f| f.example));
    let others = alike.join(", ");
    closest.map_or_else(|| format!("one of {others}"), |example| format!("`{example}`; forms are {others}"))
}
