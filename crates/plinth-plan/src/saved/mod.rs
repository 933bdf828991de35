//! Saved plans: written as JSON, a line a step, read back with suspicion. What steps have in common stands once, in a table at the end.

mod share;

use crate::lint;
use plinth_model::plan::{Gate, MadeFrom, Plan, SCHEMA, Step};
use plinth_model::{Digest, Finding, Problem, SiteName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use share::{Census, Shared, Table};

/// Largest plan that is read, bytes, also when everything that is shared is in its place again. A plan of 10,000 nodes has about 50 MB then.
pub const LARGEST: usize = 256 * 1024 * 1024;

/// The plan as JSON, with a line break at the end.
///
/// # Errors
/// When it cannot be written as JSON, which would be our mistake.
pub fn write(plan: &Plan) -> Result<String, Problem> {
    lines(plan).map_err(|error| Problem::while_doing("writing the plan of").to(plan.site.as_str()).bug(error))
}

fn lines(plan: &Plan) -> serde_json::Result<String> {
    let Plan { schema, hash, site, made_from, steps, gates, findings, expected: _ } = plan;
    let mut census = Census::default();
    steps.iter().try_for_each(|step| serde_json::to_value(step).map(|mut value| census.count(&mut value)))?;
    gates.iter().try_for_each(|gate| serde_json::to_value(gate).map(|mut value| census.count(&mut value)))?;
    let mut table = census.table();
    let mut text = format!(
        "{{\"schema\":{schema},\"hash\":{},\"site\":{},\"madeFrom\":{},\n",
        serde_json::to_string(hash)?,
        serde_json::to_string(site)?,
        serde_json::to_string(made_from)?
    );
    list(&mut text, "steps", steps, &mut table)?;
    list(&mut text, "gates", gates, &mut table)?;
    text += &format!(
        "\"findings\":{},\n\"shared\":[\n{}\n]}}\n",
        serde_json::to_string(findings)?,
        table.texts.iter().map(String::as_str).collect::<Vec<_>>().join(",\n")
    );
    Ok(text)
}

/// A list, a line an entry.
fn list<T: Serialize>(text: &mut String, name: &str, entries: &[T], table: &mut Table) -> serde_json::Result<()> {
    *text += &format!("\"{name}\":[");
    for (at, entry) in entries.iter().enumerate() {
        let mut value = serde_json::to_value(entry)?;
        table.share(&mut value);
        *text += if at == 0 { "\n" } else { ",\n" };
        *text += &value.to_string();
    }
    *text += "],\n";
    Ok(())
}

/// The file, before what is shared is in its place again. The same fields without sharing, as `plan --json` prints them, are a plan too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    schema: u32,
    hash: Digest,
    site: SiteName,
    made_from: MadeFrom,
    steps: Vec<Value>,
    gates: Vec<Value>,
    findings: Vec<Finding>,
    #[serde(default)]
    shared: Vec<Value>,
}

impl File {
    fn plan(self) -> Result<Plan, String> {
        let Self { schema, hash, site, made_from, steps, gates, findings, shared } = self;
        let mut shared = Shared::new(shared, LARGEST);
        let steps: Vec<Step> = restored(steps, &mut shared)?;
        let gates: Vec<Gate> = restored(gates, &mut shared)?;
        Ok(Plan { schema, hash, site, made_from, steps, gates, findings, expected: None })
    }
}

fn restored<T: DeserializeOwned>(values: Vec<Value>, shared: &mut Shared) -> Result<Vec<T>, String> {
    let restore = |mut value: Value| {
        shared.restore(&mut value)?;
        serde_json::from_value(value).map_err(|error| error.to_string())
    };
    values.into_iter().map(restore).collect()
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
    let file: Result<File, _> = serde_json::from_slice(bytes).map_err(|error| error.to_string());
    let plan =
        file.and_then(File::plan).map_err(|error| refuse(format!("it is not a plan: {}", shown(&error)), ANEW))?;
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
