//! Facts that follow from those of the site by the catalog's own data.

use crate::expression::ExpressionError;
use crate::{Catalog, Facts, adapters, placement};
use plinth_model::Finding;
use plinth_model::finding::code;
use serde_json::Value;

impl Catalog {
    /// The site's facts and those that follow from them by the catalog's own data.
    pub(crate) fn derived(&self, facts: &Facts, findings: &mut Vec<Finding>) -> Facts {
        let mut all = facts.clone();
        all.extend(placement::of_site(facts, &self.runai.node_roles));
        all.extend(self.default_classes(facts));
        let (made, doubts) = self.adapters.of_site(facts);
        all.insert("infiniband.adapters".to_owned(), made);
        all.insert("infiniband.blockSize".to_owned(), adapters::block_size(facts));
        findings.extend(doubts);
        for component in self.components.values() {
            for fact in &component.facts {
                match fact.value(facts) {
                    Ok(Some(value)) => drop(all.insert(fact.name.clone(), value)),
                    Ok(None) => {}
                    Err(error) => findings.push(mistake(&fact.name, &error)),
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

fn mistake(fact: &str, error: &ExpressionError) -> Finding {
    let message = format!("the fact `{fact}` cannot be made: {error}");
    Finding::error(code::CATALOG_EXPRESSION, fact, message)
        .fix("this is a mistake in the catalog: correct it, or report it")
}
