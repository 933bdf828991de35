//! From desired state and facts to components in order.

use crate::choice::Chosen;
use crate::component::Need;
use crate::expression::all_hold;
use crate::render::Rendering;
use crate::site_path::path;
use crate::{Catalog, Facts, Resolution, ResolvedComponent, order};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::{Finding, Severity};
use plinth_site::Desired;
use serde_json::{Value, json};

impl Catalog {
    /// Decides which components are on, in which version, with which values, in which order, and why. Nothing is
    /// compared with other versions here: that is [`Catalog::check_versions`].
    #[must_use]
    pub fn resolve(&self, desired: &Desired, facts: &Facts) -> Resolution {
        let mut findings = Vec::new();
        let mut facts = facts.clone();
        facts.insert("kubernetes.containerd".to_owned(), json!(self.containerd(desired)));
        let chosen = self.choose(desired, &facts, &mut findings);
        let facts = with_own_facts(&facts, &chosen);
        let facts = self.derived(&facts, &mut findings);
        let mut components = Vec::new();
        for choice in chosen.values().filter(|choice| choice.on) {
            findings.extend(missing_needs(choice, &chosen, &facts, &desired.platform.accept));
            components.extend(self.render(choice, &facts, &chosen, &mut findings));
        }
        order::sort(&mut components);
        Resolution { components, findings: without_repeats(findings) }
    }

    fn render(
        &self,
        choice: &Chosen<'_>,
        facts: &Facts,
        all: &IndexMap<&str, Chosen<'_>>,
        findings: &mut Vec<Finding>,
    ) -> Option<ResolvedComponent> {
        let name = &choice.component.name;
        let Some(version) = &choice.version else {
            findings.push(
                Finding::error(code::CATALOG_NO_VERSION, path(name), format!("no version is known for {name}"))
                    .fix(format!("set {}.version", path(name))),
            );
            return None;
        };
        let facts = with_self(facts, choice);
        match (Rendering { catalog: self, chosen: choice, version, facts: &facts, findings: &mut *findings })
            .component()
        {
            Ok(mut component) => {
                let named = choice.component.needs.iter().flat_map(Need::any_of);
                component.needs = named.filter(|name| is_on(all, name)).map(str::to_owned).collect();
                Some(component)
            }
            Err(error) => {
                let fix = "this is a mistake in the catalog: correct it, or report it";
                findings.push(
                    Finding::error(
                        code::CATALOG_EXPRESSION,
                        path(name),
                        format!("the values of {name} cannot be made: {error}"),
                    )
                    .fix(fix),
                );
                None
            }
        }
    }
}

/// What was decided about components is itself a fact: `component.<name>.enabled`, `.namespace`, `.release`, `.version`.
fn with_own_facts(facts: &Facts, chosen: &IndexMap<&str, Chosen<'_>>) -> Facts {
    let mut all = facts.clone();
    for (name, choice) in chosen {
        let version = choice.version.as_ref().map(|version| version.version.to_string());
        all.insert(format!("component.{name}.enabled"), Value::Bool(choice.on));
        all.insert(format!("component.{name}.namespace"), Value::from(choice.namespace.as_str()));
        all.insert(format!("component.{name}.release"), Value::from(choice.component.release.as_str()));
        all.insert(format!("component.{name}.version"), version.map_or(Value::Null, Value::from));
    }
    all
}

/// What a component knows about itself: `self.namespace`, `self.version`, `self.bareVersion` (without `v`), `self.exact` (no line), `self.part.<name>`.
fn with_self(facts: &Facts, choice: &Chosen<'_>) -> Facts {
    let mut all = facts.clone();
    all.insert("self.namespace".to_owned(), Value::from(choice.namespace.as_str()));
    all.insert("self.release".to_owned(), Value::from(choice.component.release.as_str()));
    if let Some(chosen) = &choice.version {
        all.insert("self.version".to_owned(), Value::from(chosen.version.to_string()));
        all.insert("self.bareVersion".to_owned(), Value::from(chosen.version.bare()));
        all.insert("self.exact".to_owned(), Value::Bool(chosen.selector().exact().is_some()));
        let parts = choice.component.parts(&chosen.version);
        all.extend(
            parts.into_iter().map(|(name, version)| (format!("self.part.{name}"), Value::from(version.to_string()))),
        );
    }
    all
}

fn is_on(all: &IndexMap<&str, Chosen<'_>>, name: &str) -> bool {
    all.get(name).is_some_and(|other| other.on)
}

/// Required components that are off, with everything that would do as well. Accepting `<component>.needs.<need>` by name turns the error into a warning.
fn missing_needs(
    choice: &Chosen<'_>,
    all: &IndexMap<&str, Chosen<'_>>,
    facts: &Facts,
    accept: &[String],
) -> Vec<Finding> {
    // A condition that cannot be decided releases nobody from a need.
    let is_required = |need: &Need| need.required && all_hold(&need.when, facts).unwrap_or(true);
    let off = |need: &&Need| is_required(need) && !need.any_of().any(|name| is_on(all, name));
    let finding = |need: &Need| {
        let name = &choice.component.name;
        let rule = format!("{name}.needs.{}", need.component);
        let severity = if accept.contains(&rule) { Severity::Warning } else { Severity::Error };
        let any: Vec<&str> = need.any_of().collect();
        let off = if any.len() == 1 { "which is off" } else { "of which none is on" };
        let message = format!("{name} needs {}, {off}: {}", any.join(" or "), need.reason);
        let fix = format!(
            "switch {} on, or {name} off; if it is there by other means, add `{rule}` to platform.acceptIncompatible",
            need.component
        );
        Finding::new(severity, code::PLATFORM_MISSING_NEED, format!("{}.enabled", path(&need.component)), message)
            .fix(fix)
    };
    choice.component.needs.iter().filter(off).map(finding).collect()
}

/// Two charts of one product say the same thing once.
fn without_repeats(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !kept.contains(&finding) {
            kept.push(finding);
        }
    }
    kept
}
