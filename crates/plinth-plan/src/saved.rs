//! Saved plans: written as JSON, read back with suspicion.

use crate::lint;
use plinth_model::plan::{Plan, SCHEMA};
use plinth_model::{Problem, SiteName};
use serde::Deserialize;

/// Largest plan that is read, bytes. A plan of 10,000 nodes is about 100 MB.
pub const LARGEST: usize = 256 * 1024 * 1024;

/// The plan as JSON, with a line break at the end.
///
/// # Errors
/// When it cannot be written as JSON, which would be our mistake.
pub fn write(plan: &Plan) -> Result<String, Problem> {
    serde_json::to_string_pretty(plan)
        .map(|text| text + "\n")
        .map_err(|error| Problem::while_doing("writing the plan of").to(plan.site.as_str()).bug(error))
}

/// Reads a saved plan. `from` is its path, for messages; with a `site`, a plan of another site is refused.
///
/// # Errors
/// With one clear message: too large, not JSON, not a plan, a newer schema, another site, edited by hand, not sound.
pub fn read(from: &str, bytes: &[u8], site: Option<&SiteName>) -> Result<Plan, Problem> {
    let refuse = |happened: String, attempt: &str| {
        Problem::while_doing("reading the saved plan").to(from).wrong_input(happened).try_this(attempt)
    };
    if bytes.len() > LARGEST {
        let text = format!("it has {} bytes, and at most {LARGEST} are read", bytes.len());
        return Err(refuse(text, "check that this file is a plan"));
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => refuse("it is JSON, but not a plan".into(), ANEW),
        _ => refuse(format!("it is not JSON: {error}"), ANEW),
    })?;
    if head.schema != SCHEMA {
        let text = format!("it has schema {}, and this plinth knows schema {SCHEMA}", head.schema);
        let attempt = if head.schema > SCHEMA { "use the plinth that made it, or make a new plan" } else { ANEW };
        return Err(refuse(text, attempt));
    }
    if let Some(site) = site.filter(|site| site.as_str() != head.site) {
        let text = format!("it is a plan of site {}, not of {site}", shown(&head.site));
        return Err(refuse(text, "give the plan's own site file with -f"));
    }
    let plan: Plan = serde_json::from_slice(bytes)
        .map_err(|error| refuse(format!("it is not a plan: {}", shown(&error.to_string())), ANEW))?;
    if plan.hash != plan.content_hash() {
        return Err(refuse("its hash does not fit its content: it was edited by hand".into(), ANEW));
    }
    match lint::content(&plan).first() {
        Some(flaw) => Err(refuse(format!("it is not valid ({}): {}: {}", flaw.code, flaw.subject, flaw.message), ANEW)),
        None => Ok(plan),
    }
}

/// What to try when a file cannot be used.
const ANEW: &str = "make a new one with `plinth plan --out FILE`";

/// The part that every schema will have.
#[derive(Deserialize)]
struct Head {
    schema: u32,
    site: String,
}

/// A text of a stranger's file, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
