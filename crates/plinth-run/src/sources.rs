//! Asks every source of a plan whether it answers, before anything is changed: from this machine, and from the nodes by what they said
//! while their facts were read.

use crate::behaviour::StepEnv;
use futures::stream::{self, StreamExt as _};
use plinth_model::facts::NodeFacts;
use plinth_model::finding::code;
use plinth_model::text::{host_of, without_login};
use plinth_model::{Finding, NodeName, Severity};
use plinth_plan::source::{AskedFrom, Source, SourceKind};
use plinth_world::deadlines;
use std::collections::BTreeMap;

/// Sources that are asked at once.
const AT_ONCE: usize = 16;
/// Nodes that are named in a finding.
const NAMED: usize = 8;

/// How an address answered.
enum Answer {
    /// With this HTTP status.
    Status(u16),
    /// Not at all, in words.
    None(String),
}

/// A finding for each source that does not answer, all at once. `index` is the package index that this machine is set up for.
pub async fn ask(
    sources: &[Source],
    facts: &BTreeMap<NodeName, NodeFacts>,
    index: &str,
    env: &StepEnv,
) -> Vec<Finding> {
    let asked = stream::iter(sources).map(|source| async move {
        match source.from {
            AskedFrom::Here => from_here(source, index, env).await,
            AskedFrom::Nodes => from_nodes(source, facts),
        }
    });
    asked.buffered(AT_ONCE).filter_map(std::future::ready).collect().await
}

/// The first address that is good enough counts.
async fn from_here(source: &Source, index: &str, env: &StepEnv) -> Option<Finding> {
    let of_machine = [format!("{}/", index.trim_end_matches('/'))];
    let urls = if source.urls.is_empty() { of_machine.as_slice() } else { source.urls.as_slice() };
    let mut findings = Vec::new();
    for url in urls {
        let finding = match answer(url, env).await {
            Answer::Status(status) => refusal(source, url, status)?,
            Answer::None(happened) => silence(source, url, "this machine").evidence(happened),
        };
        findings.push(finding.evidence(without_login(url)));
    }
    findings.into_iter().next()
}

/// Two tries: one lost packet is no missing internet.
async fn answer(url: &str, env: &StepEnv) -> Answer {
    let first = env.clients.fetch.status(&env.ctx, url).await;
    let answer = match first {
        Ok(status) => return Answer::Status(status),
        Err(_) => {
            env.ctx.clock().sleep(deadlines::FETCH_BACKOFF).await;
            env.clients.fetch.status(&env.ctx, url).await
        }
    };
    match answer {
        Ok(status) => Answer::Status(status),
        Err(error) => Answer::None(env.secrets.redact(&error.happened)),
    }
}

/// What is wrong with a status, if anything is. Files and registries answer their roots as they like; a repository and an index have to
/// know what is asked for.
fn refusal(source: &Source, url: &str, status: u16) -> Option<Finding> {
    let knows = matches!(source.kind, SourceKind::Git | SourceKind::Packages);
    let severity = match status {
        407 | 500.. => severity(source.kind),
        401 | 403 if knows => Severity::Warning,
        404 | 410 if knows => Severity::Error,
        _ => return None,
    };
    let text = format!("{} answers {status}, asked for {}", host_of(url), source.what);
    Some(
        Finding::new(severity, code::SOURCE_REFUSED, host_of(url), text)
            .fix(format!("look at it; or set {}", source.setting)),
    )
}

/// Images may be on the nodes already, and charts are wanted last: these are told, and stop nothing.
const fn severity(kind: SourceKind) -> Severity {
    match kind {
        SourceKind::Images | SourceKind::Charts => Severity::Warning,
        SourceKind::Git | SourceKind::Packages | SourceKind::Files => Severity::Error,
    }
}

fn silence(source: &Source, url: &str, asked_by: &str) -> Finding {
    let text = format!("no answer from {}, needed for {}; asked from {asked_by}", host_of(url), source.what);
    let fix = format!("open the way there (DNS, firewall, web proxy), or set {}", source.setting);
    Finding::new(severity(source.kind), code::SOURCE_UNREACHABLE, host_of(url), text).fix(fix)
}

/// A node that has no program to ask with, or was not asked, is not known to have no way.
fn from_nodes(source: &Source, facts: &BTreeMap<NodeName, NodeFacts>) -> Option<Finding> {
    let first = source.urls.first()?;
    let is_silent = |facts: &NodeFacts| {
        let statuses: Vec<u16> = source.urls.iter().filter_map(|url| facts.answers.get(url).copied()).collect();
        !statuses.is_empty() && statuses.iter().all(|status| *status == 0)
    };
    let silent: Vec<&str> = facts.iter().filter(|(_, facts)| is_silent(facts)).map(|(node, _)| node.as_str()).collect();
    if silent.is_empty() {
        return None;
    }
    let more = silent.len().saturating_sub(NAMED);
    let named = silent.get(..silent.len() - more).unwrap_or_default().join(", ");
    let named = if more > 0 { format!("{named} and {more} more") } else { named };
    Some(silence(source, first, &named).evidence(source.urls.join(", ")))
}
