//! Faults as data: what goes wrong in a rehearsal, written as `--fault SPEC`.
//!
//! A fault stays in force for the run in which it first strikes, and is healed for the next run with the same state, unless it
//! ends in `:always`. A `drop` outside the `kubernetes` stage is over as soon as it struck; BCM faults count requests.

mod forms;

pub use forms::Form;

use crate::bcm::{BcmFault, BcmFaultKind, SessionEnd};
use plinth_model::nearest::nearest;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    text: String,
    /// What goes wrong, and where.
    pub kind: FaultKind,
    /// It strikes in every run.
    pub always: bool,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// BCM answers wrongly. Acted on by the simulated BCM server.
    Bcm(BcmFault),
    /// A node misbehaves.
    Node {
        /// Its host name; one that the simulated site must have.
        node: String,
        /// How it misbehaves.
        fault: NodeFault,
    },
    /// A task of the play fails on a host.
    Play {
        /// Its host name.
        node: String,
    },
    /// A helm release goes wrong.
    Release {
        /// Release or component name.
        name: String,
        /// How it goes wrong.
        fault: ReleaseFault,
    },
    /// The Run:ai control plane misbehaves.
    Runai(RunaiFault),
    /// A place that things are fetched from does not answer, neither here nor on a node.
    Source {
        /// Its host; `all` for every one.
        host: String,
    },
    /// An acceptance check does not hold.
    Check {
        /// As `plinth check --only` names it.
        name: String,
    },
    /// The process ends itself at this journal record, from 1. Only carried here: the binary acts on it.
    Crash {
        /// Its number among those that this run writes.
        record: u64,
    },
}

/// How a node misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFault {
    /// No answer, from the start or at one operation only.
    Unreachable(Option<NodeOperation>),
    /// The connection is lost in the middle.
    Drop(NodeOperation),
    /// Another host key than the pinned one.
    HostKeyChanged,
    /// No space anywhere.
    DiskFull,
    /// Another state directory manages it.
    ManagedElsewhere,
    /// Too little space where images live, enough on the larger partition.
    SmallDisk,
}

/// What is being done with a node; the verbs of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeOperation {
    /// `nodes/connect`.
    Connect,
    /// `nodes/account`.
    Account,
    /// `nodes/facts`.
    Facts,
    /// `nodes/storage`.
    Storage,
    /// `nodes/prepare`.
    Prepare,
    /// `nodes/registries`.
    Registries,
    /// `nodes/downloads`.
    Downloads,
    /// The play of `kubernetes/deploy`.
    Kubernetes,
}

/// How a release goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseFault {
    /// helm waits until its time is up.
    Timeout,
    /// helm gives up.
    Fails,
}

/// How the Run:ai control plane misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunaiFault {
    /// Tokens name another issuer.
    IssuerMismatch,
    /// Every authorised call answers 401.
    Unauthorized,
    /// Registration answers 409.
    Conflict,
    /// The cluster never connects.
    Disconnected,
}

/// A fault that cannot be understood, or names something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault `{text}`: {happened}; try {attempt}")]
pub struct FaultError {
    /// The text that a person gave.
    pub text: String,
    /// What is wrong with it.
    pub happened: String,
    /// What to try.
    pub attempt: String,
}

/// Names that faults may mention.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    /// Host names of the simulated site.
    pub nodes: BTreeSet<String>,
    /// Releases and components.
    pub releases: BTreeSet<String>,
}

impl Fault {
    /// As it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All forms, for `explain` and the documentation.
    #[must_use]
    pub const fn all_forms() -> &'static [Form] {
        forms::ALL
    }

    /// Checks that what it names is there.
    ///
    /// # Errors
    /// When it names an unknown node or release; the error lists the known ones.
    pub fn validate(&self, known: &KnownNames) -> Result<(), FaultError> {
        let (what, name, names) = match &self.kind {
            FaultKind::Node { node, .. } | FaultKind::Play { node } => ("node", node, &known.nodes),
            FaultKind::Release { name, .. } => ("release", name, &known.releases),
            FaultKind::Bcm(_)
            | FaultKind::Runai(_)
            | FaultKind::Source { .. }
            | FaultKind::Check { .. }
            | FaultKind::Crash { .. } => {
                return Ok(());
            }
        };
        if names.contains(name) {
            return Ok(());
        }
        let listed = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let attempt = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("`{near}`; known are {listed}"),
            None if listed.is_empty() => format!("a site file that has a {what}"),
            None => format!("one of {listed}"),
        };
        Err(FaultError { text: self.text.clone(), happened: format!("there is no {what} `{name}`"), attempt })
    }

    /// What the simulated BCM is to do wrong; for always if so asked.
    #[must_use]
    pub fn bcm(&self) -> Option<BcmFault> {
        let FaultKind::Bcm(fault) = &self.kind else { return None };
        let times = if self.always { u32::MAX } else { fault.times };
        Some(BcmFault { times, ..fault.clone() })
    }

    /// The journal record at which the process is to end itself.
    #[must_use]
    pub const fn crash_at(&self) -> Option<u64> {
        match self.kind {
            FaultKind::Crash { record } => Some(record),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let error = |happened: String| {
            let start = text.split([':', '@']).next().unwrap_or_default();
            FaultError { text: text.chars().take(120).collect(), happened, attempt: forms::near(text, start) }
        };
        let (body, always) = text.strip_suffix(":always").map_or((text, false), |body| (body, true));
        let kind = parse(body).map_err(error)?;
        if always && matches!(kind, FaultKind::Crash { .. }) {
            return Err(error("a crash at a record happens once by nature".to_owned()));
        }
        Ok(Self { text: text.to_owned(), kind, always })
    }
}

fn parse(body: &str) -> Result<FaultKind, String> {
    if let Some(record) = body.strip_prefix("crash@record:") {
        return Ok(FaultKind::Crash { record: number(record)? });
    }
    let parts: Vec<&str> = body.split(':').collect();
    match parts.as_slice() {
        ["bcm", rest @ ..] => parse_bcm(rest).map(FaultKind::Bcm),
        ["node", node, how] if !node.is_empty() => {
            Ok(FaultKind::Node { node: (*node).to_owned(), fault: parse_node(how)? })
        }
        ["play", node, "fails"] if !node.is_empty() => Ok(FaultKind::Play { node: (*node).to_owned() }),
        ["release", name, how] if !name.is_empty() => {
            Ok(FaultKind::Release { name: (*name).to_owned(), fault: parse_release(how)? })
        }
        ["source", host, "unreachable"] if !host.is_empty() => Ok(FaultKind::Source { host: (*host).to_owned() }),
        ["check", name, "fails"] if !name.is_empty() => Ok(FaultKind::Check { name: (*name).to_owned() }),
        ["check", _, other] => Err(format!("a check has no fault `{other}`")),
        ["source", _, other] => Err(format!("a source has no fault `{other}`")),
        ["runai", how] => parse_runai(how).map(FaultKind::Runai),
        _ => Err("it has none of the known forms".to_owned()),
    }
}

fn parse_bcm(parts: &[&str]) -> Result<BcmFault, String> {
    let (how, times) = match parts {
        [how] => (*how, 1),
        [how, times] if *how != "expired" => {
            (*how, u32::try_from(number(times)?).map_err(|_| format!("`{times}` is too large"))?)
        }
        _ => return Err("it has none of the known forms".to_owned()),
    };
    let kind = match how {
        "5xx" => BcmFaultKind::Status(503),
        "truncated" => BcmFaultKind::Truncated,
        "html" => BcmFaultKind::Html,
        "expired" => BcmFaultKind::SessionEnded(SessionEnd::Unauthorized),
        other => return Err(format!("BCM has no fault `{other}`")),
    };
    Ok(BcmFault { kind, times, after: 0, call: None })
}

fn parse_node(how: &str) -> Result<NodeFault, String> {
    let (name, operation) = match how.split_once('@') {
        Some((name, operation)) => (name, Some(operation.parse::<NodeOperation>()?)),
        None => (how, None),
    };
    match (name, operation) {
        ("unreachable", operation) => Ok(NodeFault::Unreachable(operation)),
        ("drop", Some(operation)) => Ok(NodeFault::Drop(operation)),
        ("drop", None) => Err("a drop needs the moment at which it happens: `drop@kubernetes`".to_owned()),
        ("host-key-changed", None) => Ok(NodeFault::HostKeyChanged),
        ("managed-elsewhere", None) => Ok(NodeFault::ManagedElsewhere),
        ("disk-full", None) => Ok(NodeFault::DiskFull),
        ("small-disk", None) => Ok(NodeFault::SmallDisk),
        (other, None) => Err(format!("a node has no fault `{other}`")),
        (other, Some(_)) => Err(format!("a node has no fault `{other}` with a moment")),
    }
}

fn parse_release(how: &str) -> Result<ReleaseFault, String> {
    match how {
        "timeout" => Ok(ReleaseFault::Timeout),
        "fails" => Ok(ReleaseFault::Fails),
        other => Err(format!("a release has no fault `{other}`")),
    }
}

fn parse_runai(how: &str) -> Result<RunaiFault, String> {
    match how {
        "issuer-mismatch" => Ok(RunaiFault::IssuerMismatch),
        "401" => Ok(RunaiFault::Unauthorized),
        "409" => Ok(RunaiFault::Conflict),
        "disconnected" => Ok(RunaiFault::Disconnected),
        other => Err(format!("Run:ai has no fault `{other}`")),
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("`{text}` is not a number from 1 up"))
}

impl NodeOperation {
    /// Its name in a fault.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            NodeOperation::Connect => "connect",
            NodeOperation::Account => "account",
            NodeOperation::Facts => "facts",
            NodeOperation::Storage => "storage",
            NodeOperation::Prepare => "prepare",
            NodeOperation::Registries => "registries",
            NodeOperation::Downloads => "downloads",
            NodeOperation::Kubernetes => "kubernetes",
        }
    }

    const ALL: [Self; 8] = [
        Self::Connect,
        Self::Account,
        Self::Facts,
        Self::Storage,
        Self::Prepare,
        Self::Registries,
        Self::Downloads,
        Self::Kubernetes,
    ];
}

impl FromStr for NodeOperation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::as_str);
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a moment; moments are {}", names.join(", ")))
    }
}
