//! What can go wrong with a chart, in words that a person can act on.

use plinth_model::finding::code;
use plinth_model::{Code, Finding, Owner};
use plinth_world::{Cause, ClientError};

/// Name of this client in errors.
pub(crate) const CLIENT: &str = "charts";
/// Versions that are named when the wanted one is not there.
const NAMED: usize = 6;

/// Why a chart could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// No answer, or one that broke off.
    Lost(Cause),
    /// The server says no with this HTTP status.
    Status(u16),
    /// The server says no to the login that was given.
    Login,
    /// It answers, and has no such chart or version.
    NotThere,
    /// The content is another one than the wanted one.
    Digest,
    /// The content makes no sense, is too large, or leads somewhere unsafe.
    Nonsense,
    /// What the site file or the catalog says cannot be used.
    Input,
    /// Our own disk.
    Disk,
}

/// A chart that could not be had.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) why: Why,
    /// What happened, in one sentence.
    pub(crate) happened: String,
    /// What to try, where it is not the usual thing.
    attempt: Option<String>,
    evidence: Vec<String>,
}

impl Failure {
    pub(crate) fn new(why: Why, happened: impl Into<String>) -> Self {
        Self { why, happened: happened.into(), attempt: None, evidence: Vec::new() }
    }

    pub(crate) fn nonsense(happened: impl Into<String>) -> Self {
        Self::new(Why::Nonsense, happened)
    }

    pub(crate) fn input(happened: impl Into<String>) -> Self {
        Self::new(Why::Input, happened)
    }

    pub(crate) fn disk(error: &std::io::Error) -> Self {
        Self::new(Why::Disk, error.to_string())
    }

    /// Another content than the wanted one.
    pub(crate) fn digest(what: &str, wanted: &str, found: &str) -> Self {
        Self::new(Why::Digest, format!("{what} has another content than the one that is wanted"))
            .evidence(format!("wanted SHA-256 {wanted}"))
            .evidence(format!("got {found}"))
    }

    /// No such version; the newest of those that are there are named.
    pub(crate) fn no_version(chart: &str, wanted: &str, there: &[String]) -> Self {
        let failure = Self::new(Why::NotThere, format!("there is no version {wanted} of the chart `{chart}`"));
        if there.is_empty() {
            return failure;
        }
        let named = there.get(..NAMED.min(there.len())).unwrap_or_default().join(", ");
        failure.evidence(format!("the newest that are there: {named}"))
    }

    pub(crate) fn attempt(mut self, attempt: impl Into<String>) -> Self {
        self.attempt = Some(attempt.into());
        self
    }

    pub(crate) fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Why it may pass by itself; none when it will not.
    pub(crate) const fn transient(&self) -> Option<&'static str> {
        match self.why {
            Why::Lost(Cause::Unreachable | Cause::Timeout) => Some("a connection that was lost can be made again"),
            Why::Status(408 | 429 | 500..) => Some("a busy server answers later"),
            _ => None,
        }
    }

    /// Dressed for people: what was being done, and to which chart.
    pub(crate) fn error(self, doing: impl Into<String>, chart: &str) -> ClientError {
        let attempt = self.attempt.clone().unwrap_or_else(|| self.usual_attempt().to_owned());
        let mut finding = Finding::error(self.code(), chart, self.happened.clone()).owner(self.owner()).fix(&*attempt);
        finding.evidence.extend(self.evidence.iter().cloned());
        let error = ClientError::new(CLIENT, doing)
            .happened(self.happened.clone())
            .attempt(attempt)
            .because(self.cause())
            .finding(finding);
        match self.transient() {
            Some(why) => error.transient(why),
            None => error,
        }
    }

    const fn code(&self) -> Code {
        match self.why {
            Why::Lost(_) => code::CHARTS_UNREACHABLE,
            Why::Status(_) | Why::Login => code::CHARTS_REFUSED,
            Why::NotThere => code::CHARTS_NOT_FOUND,
            Why::Digest => code::CHARTS_DIGEST,
            Why::Nonsense => code::CHARTS_UNREADABLE,
            Why::Input => code::CHARTS_PLACE,
            Why::Disk => code::CHARTS_NOT_KEPT,
        }
    }

    const fn cause(&self) -> Cause {
        match self.why {
            Why::Lost(cause) => cause,
            Why::Login => Cause::Credentials,
            Why::Status(_) | Why::NotThere => Cause::Refused,
            Why::Digest | Why::Nonsense => Cause::BadAnswer,
            Why::Input => Cause::Input,
            Why::Disk => Cause::Other,
        }
    }

    const fn owner(&self) -> Owner {
        match self.why {
            Why::Lost(_) | Why::Status(_) | Why::Digest | Why::Nonsense => Owner::NetworkTeam,
            Why::Login | Why::NotThere | Why::Input | Why::Disk => Owner::You,
        }
    }

    const fn usual_attempt(&self) -> &'static str {
        match self.why {
            Why::Lost(_) => {
                "check this machine's way to it (DNS, proxy, firewall), or set `platform.charts` to a mirror or a folder; \
                 then run again"
            }
            Why::Status(401 | 403) => {
                "give a login for it (`platform.charts.login`; for Run:ai's own charts `runai.registry`)"
            }
            Why::Status(_) => "check the address, or set `platform.charts` to a mirror or a folder that has the chart",
            Why::Login => "check user name and secret of the login; for Run:ai's own charts it is `runai.registry`",
            Why::NotThere => {
                "put the chart there (`plinth render mirror-list` names all), or choose a version that is there"
            }
            Why::Digest => {
                "look at the mirror or proxy in between: it gives another package under this version. Do not use it \
                 until somebody knows why"
            }
            Why::Nonsense => {
                "look at what the address gives: a proxy's error page, a mirror that was filled half; then run again"
            }
            Why::Input => "correct `platform.charts`, or the chart of the component",
            Why::Disk => "make room in the state directory, and let it be written",
        }
    }
}
