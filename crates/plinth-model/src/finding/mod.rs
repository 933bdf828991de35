//! Findings: something wrong or doubtful, with who should fix it and how.

pub mod code;

pub use code::{Code, Declaration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad a finding is. Ordered: `Info < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Probably not what you want; plinth goes on.
    Warning,
    /// plinth does not go on.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// Who can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The person who runs plinth.
    You,
    /// Whoever runs networks, DNS and firewalls of the site.
    NetworkTeam,
    /// The administrator of Base Command Manager.
    BcmAdmin,
    /// Whoever can give access to NVIDIA or Run:ai artefacts.
    Vendor,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Owner::You => "you",
            Owner::NetworkTeam => "network team",
            Owner::BcmAdmin => "BCM admin",
            Owner::Vendor => "vendor",
        })
    }
}

/// A place in a file. Lines and columns count from 1, columns in characters; `start..end` are byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Byte offset of the first byte pointed at.
    pub start: usize,
    /// Byte offset behind the last byte pointed at.
    pub end: usize,
}

/// Something wrong or doubtful. The machine shape (`--json`) is: `code, severity, subject, message, evidence, owner, fix`, and
/// from a file also `line` and `column`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable name such as `site.unknown-key`; `plinth explain CODE` tells more.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What it is about: a path in the site file (`nodes.workers[1]`), a node, a component.
    pub subject: String,
    /// One sentence.
    pub message: String,
    /// What was seen.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Who can fix it.
    pub owner: Owner,
    /// What to do, in the imperative; may be empty for severity info.
    pub fix: String,
    /// Line in the site file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in the site file, in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The place in the file, for the printer; not part of the machine shape.
    #[serde(skip)]
    #[schemars(skip)]
    pub position: Option<Position>,
}

impl Finding {
    /// A finding for whoever the registry names as owner of the code, without evidence or fix yet.
    pub fn new(severity: Severity, code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        let owner = code.declaration().map_or(Owner::You, |declaration| declaration.owner);
        Self {
            code,
            severity,
            subject: subject.into(),
            message: message.into(),
            evidence: Vec::new(),
            owner,
            fix: String::new(),
            line: None,
            column: None,
            position: None,
        }
    }

    /// [`Self::new`] with a severity at which plinth does not go on.
    pub fn error(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, subject, message)
    }

    /// [`Self::new`] with a severity at which plinth goes on, and people are told.
    pub fn warning(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, subject, message)
    }

    /// Something worth knowing.
    pub fn info(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, code, subject, message)
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Says who can fix it, where this is not the owner that the registry names.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = owner;
        self
    }

    /// Adds one line of evidence.
    #[must_use]
    pub fn evidence(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// Points into a file.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.line = Some(position.line);
        self.column = Some(position.column);
        self.position = Some(position);
        self
    }

    /// Whether plinth must not go on.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
