//! `runai.yaml`: what Run:ai fixes by name.

use crate::expression::{Condition, ExpressionError, all_hold, render};
use crate::{Catalog, Facts, placement};
use plinth_model::Finding;
use plinth_model::finding::code;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which of Run:ai's two parts a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RunaiPart {
    /// The control plane.
    ControlPlane,
    /// The part in the cluster, which registers with the control plane.
    Cluster,
}

/// What Run:ai fixes by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunaiNames {
    pub(crate) schema: u32,
    /// Keycloak realm.
    pub realm: String,
    /// Name under which the certificate of the domain is kept.
    pub certificate: String,
    /// Labels of nodes.
    pub node_roles: NodeRoles,
    facts: Vec<DerivedFact>,
}

/// Labels by which Run:ai places its parts and workloads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRoles {
    /// Nodes of its system services.
    pub system: String,
    /// Workers with GPUs.
    pub gpu: String,
    /// Workers without.
    pub cpu: String,
}

/// A fact that follows from others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DerivedFact {
    name: String,
    #[serde(default)]
    when: Vec<Condition>,
    value: Value,
}

impl Catalog {
    /// What Run:ai fixes by name.
    #[must_use]
    pub const fn runai(&self) -> &RunaiNames {
        &self.runai
    }

    /// The site's facts and those that follow from them by the catalog's own data.
    pub(crate) fn derived(&self, facts: &Facts, findings: &mut Vec<Finding>) -> Facts {
        let mut all = facts.clone();
        all.extend(placement::of_site(facts, &self.runai.node_roles));
        let (adapters, doubts) = self.adapters.of_site(facts);
        all.insert("infiniband.adapters".to_owned(), adapters);
        findings.extend(doubts);
        for component in self.components.values() {
            for (name, value) in &component.facts {
                match render(value, facts) {
                    Ok(value) => drop(all.insert(name.clone(), value)),
                    Err(error) => findings.push(mistake(name, &error)),
                }
            }
        }
        if facts.get("runai.enabled") == Some(&Value::Bool(true)) {
            all.insert("runai.certificate".to_owned(), Value::from(self.runai.certificate.as_str()));
            for fact in &self.runai.facts {
                match fact.value(&all) {
                    Ok(Some(value)) => drop(all.insert(fact.name.clone(), value)),
                    Ok(None) => {}
                    Err(error) => findings.push(mistake(&fact.name, &error)),
                }
            }
        }
        all
    }
}

impl DerivedFact {
    fn value(&self, facts: &Facts) -> Result<Option<Value>, ExpressionError> {
        all_hold(&self.when, facts)?.then(|| render(&self.value, facts)).transpose()
    }
}

fn mistake(fact: &str, error: &ExpressionError) -> Finding {
    let message = format!("the fact `{fact}` cannot be made: {error}");
    Finding::error(code::CATALOG_EXPRESSION, fact, message)
        .fix("this is a mistake in the catalog: correct it, or report it")
}
