//! What the API server wrote down of one user's wishes to change something.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The user as whom plinth and its helm come.
const USER: &str = "operator";

/// A place in the log, from which on it is read.
pub(crate) struct Audit {
    file: PathBuf,
    from: usize,
}

impl Audit {
    /// From now on.
    pub(crate) fn from_now(file: &Path) -> Self {
        Self { file: file.to_path_buf(), from: std::fs::read(file).unwrap().len() }
    }

    /// Everything that the user asked to change since, but what changes nothing.
    pub(crate) fn writes(&self) -> Vec<String> {
        let text = std::fs::read(&self.file).unwrap();
        let text = String::from_utf8_lossy(&text[self.from..]);
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let own = records.filter(|record| record["user"]["username"] == USER && !is_harmless(record));
        own.map(|record| format!("{} {}", record["verb"], record["requestURI"])).collect()
    }
}

/// What the API server calls a write and stores nothing.
fn is_harmless(record: &Value) -> bool {
    let uri = record["requestURI"].as_str().unwrap_or_default();
    let object = &record["objectRef"];
    // Objects beside releases are compared by a server-side dry run.
    let is_dry = uri.split(['?', '&']).any(|part| part == "dryRun=All");
    // A connection to a pod's port, by which CoreDNS is asked.
    let is_forward = object["subresource"] == "portforward";
    // A question whether one may do something, which is a POST.
    let is_question =
        object["resource"] == "selfsubjectaccessreviews" || object["resource"] == "selfsubjectrulesreviews";
    is_dry || is_forward || is_question
}
