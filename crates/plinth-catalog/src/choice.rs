//! Which components are on, in which version and namespace, and why.

use crate::component::{Chart, Component, Enabled, PinnedVersion};
use crate::expression::{Condition, ExpressionError, all_hold, is_empty};
use crate::site_path::path;
use crate::{Catalog, Facts};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::nearest::nearest;
use plinth_model::{ChartVersion, Finding, Values, Version};
use plinth_site::Desired;
use plinth_site::desired::ComponentChoice;
use serde_json::Value;

/// What was decided about one component.
pub(crate) struct Chosen<'a> {
    pub(crate) component: &'a Component,
    pub(crate) on: bool,
    pub(crate) why: String,
    pub(crate) version: Option<ChosenVersion<'a>>,
    pub(crate) namespace: String,
    pub(crate) user_values: Option<&'a Values>,
    /// Digest of the site file.
    pub(crate) digest: Option<&'a str>,
}

/// A version, and where it comes from.
pub(crate) struct ChosenVersion<'a> {
    pub(crate) version: Version,
    pub(crate) pin: Option<&'a PinnedVersion>,
    /// Path in the site file, when it is set there.
    pub(crate) path: Option<String>,
    pub(crate) why: String,
}

impl ChosenVersion<'_> {
    /// Whether the site file names exactly this version.
    pub(crate) fn is_named(&self) -> bool {
        self.path.is_some() && self.selector().exact().is_some()
    }

    /// What helm is given: the exact version, or a selector when only a line was written.
    pub(crate) fn selector(&self) -> ChartVersion {
        match (self.pin, self.version.numbers()) {
            (Some(pin), _) => ChartVersion::Exact(pin.version.clone()),
            (None, 3..) => ChartVersion::Exact(self.version.clone()),
            (None, _) => ChartVersion::Line(self.version.padded()),
        }
    }
}

impl Chart {
    /// The version that is taken when the site file names none.
    pub(crate) fn default_version(&self, facts: &Facts) -> Result<Option<&PinnedVersion>, ExpressionError> {
        for pin in self.versions.iter().filter(|pin| !pin.when.is_empty()) {
            for conditions in std::iter::once(&pin.when).chain(&pin.or_when) {
                if all_hold(conditions, facts)? {
                    return Ok(Some(pin));
                }
            }
        }
        Ok(self.versions.iter().find(|pin| pin.when.is_empty()))
    }
}

impl Component {
    /// What comes with a version: as listed; of an unlisted version, parts of the same line.
    pub(crate) fn parts(&self, version: &Version) -> IndexMap<String, Version> {
        if let Some(pin) = self.chart.versions.iter().find(|pin| pin.version == *version) {
            return pin.parts.clone();
        }
        let line: Version = version.minor().parse().unwrap_or_else(|_| version.clone());
        let names = self.chart.versions.iter().flat_map(|pin| pin.parts.keys().cloned());
        names.map(|name| (name, line.clone())).collect()
    }
}

impl Catalog {
    /// Decides about every component of the catalog.
    pub(crate) fn choose<'a>(
        &'a self,
        desired: &'a Desired,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) -> IndexMap<&'a str, Chosen<'a>> {
        findings.extend(self.unknown_components(desired));
        self.components
            .values()
            .map(|component| (component.name.as_str(), decide(component, desired, facts, findings)))
            .collect()
    }

    fn unknown_components(&self, desired: &Desired) -> Vec<Finding> {
        let unknown = desired.platform.components.keys().filter(|name| !self.components.contains_key(*name));
        let known: Vec<&str> = self.components.keys().map(String::as_str).collect();
        let finding = |name: &String| {
            let fix = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("write `{meant}`"),
                None => format!("use one of: {}", known.join(", ")),
            };
            Finding::error(
                code::PLATFORM_UNKNOWN_COMPONENT,
                path(name),
                format!("there is no component `{name}` in the catalog"),
            )
            .fix(fix)
        };
        unknown.map(finding).collect()
    }
}

fn decide<'a>(
    component: &'a Component,
    desired: &'a Desired,
    facts: &Facts,
    findings: &mut Vec<Finding>,
) -> Chosen<'a> {
    let choice = desired.platform.components.get(&component.name);
    let (on, why) = switch(component, choice, facts, findings);
    let namespace = namespace(component, choice, findings);
    let version = version(component, choice, facts).unwrap_or_else(|error| {
        findings.push(mistake(&component.name, &error));
        None
    });
    findings.extend(version.as_ref().filter(|_| on).and_then(|version| doubt(component, version, facts)));
    let user_values = choice.and_then(|choice| choice.values.as_ref());
    let digest = choice.and_then(|choice| choice.digest.as_deref());
    Chosen { component, on, why, version, namespace, user_values, digest }
}

/// On or off, and why.
fn switch(
    component: &Component,
    choice: Option<&ComponentChoice>,
    facts: &Facts,
    findings: &mut Vec<Finding>,
) -> (bool, String) {
    let asked = choice.and_then(|choice| choice.enabled);
    let (rule, input) = match &component.enabled {
        Enabled::Always => (true, None),
        Enabled::Never => (false, None),
        Enabled::WhenTrue(fact) => (facts.get(fact) == Some(&Value::Bool(true)), Some(fact)),
        Enabled::WhenNotEmpty(fact) => (facts.get(fact).is_some_and(|v| !is_empty(v)), Some(fact)),
        Enabled::When(conditions) => (by(conditions, true, facts, (component, findings)), None),
        Enabled::Unless(conditions) => (by(conditions, false, facts, (component, findings)), None),
    };
    let why = component.why(rule);
    match (asked, input) {
        (Some(true), Some(fact)) if !rule => {
            findings.push(without_input(component, fact));
            (false, why)
        }
        (Some(on), _) => (on, format!("switched {} in the site file", if on { "on" } else { "off" })),
        (None, _) => (rule, why),
    }
}

impl Component {
    /// Why it is on, or off, when the site file says nothing about it.
    fn why(&self, on: bool) -> String {
        let said = match (&self.enabled, &self.reason) {
            (Enabled::Always, _) => "part of every platform",
            (Enabled::Never, _) => "off unless asked for",
            (_, Some(reason)) if on => reason,
            _ => "nothing on this site asks for it",
        };
        said.to_owned()
    }
}

fn without_input(component: &Component, fact: &str) -> Finding {
    let enabled = format!("{}.enabled", path(&component.name));
    let message = format!("{} is switched on, but {fact} is not given", component.name);
    Finding::error(code::PLATFORM_COMPONENT_WITHOUT_INPUT, enabled.clone(), message)
        .fix(format!("give it, or remove {enabled}"))
}

/// On, or off, when all conditions hold; the site file may say otherwise.
fn by(
    conditions: &[Condition],
    on: bool,
    facts: &Facts,
    (component, findings): (&Component, &mut Vec<Finding>),
) -> bool {
    let hold = all_hold(conditions, facts).unwrap_or_else(|error| {
        findings.push(mistake(&component.name, &error));
        !on
    });
    hold == on
}

fn mistake(component: &str, error: &ExpressionError) -> Finding {
    let message = format!("whether and how {component} is installed cannot be decided: {error}");
    let fix = "this is a mistake in the catalog: correct it, or report it";
    Finding::error(code::CATALOG_EXPRESSION, path(component), message).fix(fix)
}

fn namespace(component: &Component, choice: Option<&ComponentChoice>, findings: &mut Vec<Finding>) -> String {
    let ours = &component.namespace;
    match (choice.and_then(|choice| choice.namespace.as_ref()), &ours.fixed) {
        (Some(theirs), Some(reason)) if *theirs != ours.name => {
            let message = format!("{} must live in namespace {}: {reason}", component.name, ours.name);
            let subject = format!("{}.namespace", path(&component.name));
            findings.push(Finding::error(code::PLATFORM_NAMESPACE_FIXED, subject, message).fix("remove the line"));
            ours.name.clone()
        }
        (Some(theirs), _) => theirs.clone(),
        (None, _) => ours.name.clone(),
    }
}

/// The version wanted. Fact `runai.version` is the site's `runai.version`, so that is where it is set.
fn version<'a>(
    component: &'a Component,
    choice: Option<&ComponentChoice>,
    facts: &Facts,
) -> Result<Option<ChosenVersion<'a>>, ExpressionError> {
    let asked = choice.and_then(|choice| choice.version.clone());
    Ok(Some(match (asked, &component.chart.version_from) {
        (Some(version), _) => {
            let pin = component.chart.versions.iter().find(|pin| pin.version == version && version.numbers() >= 3);
            ChosenVersion {
                version,
                pin,
                path: Some(format!("{}.version", path(&component.name))),
                why: "version of the site file".to_owned(),
            }
        }
        (None, Some(fact)) => {
            let written = facts.get(fact).and_then(Value::as_str);
            let Some(version) = written.and_then(|text| text.parse().ok()) else { return Ok(None) };
            ChosenVersion { version, pin: None, path: Some(fact.clone()), why: "version of the site file".to_owned() }
        }
        (None, None) => {
            let Some(pin) = component.chart.default_version(facts)? else { return Ok(None) };
            ChosenVersion { version: pin.version.clone(), pin: Some(pin), path: None, why: pin.reason.clone() }
        }
    }))
}

/// A line is not a pin; an unlisted version was not looked at.
fn doubt(component: &Component, chosen: &ChosenVersion<'_>, facts: &Facts) -> Option<Finding> {
    let subject = chosen.path.as_deref()?;
    if chosen.version.numbers() < 3 {
        let code = if subject.starts_with("runai.") {
            code::RUNAI_VERSION_NOT_PINNED
        } else {
            code::PLATFORM_VERSION_NOT_PINNED
        };
        let message = format!(
            "{} is not pinned: the newest of {} is chosen once, and stays until `plinth plan --refresh`",
            chosen.version,
            chosen.selector()
        );
        let fix = "write all three numbers to get the same result every time";
        return Some(Finding::info(code, subject, message).fix(fix));
    }
    let default = component.chart.default_version(facts).ok().flatten().filter(|_| chosen.pin.is_none())?;
    let message = format!(
        "the values of {} were checked against {}, not against {}",
        component.name, default.version, chosen.version
    );
    Some(
        Finding::info(code::PLATFORM_VERSION_NOT_CHECKED, subject, message)
            .fix(format!("read what `plinth render values` shows, or use {}", default.version)),
    )
}
