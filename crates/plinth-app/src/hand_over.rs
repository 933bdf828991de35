//! What is handed to the engine, to helm and to reviewers, as documents. Secrets stay references in all of them.

use crate::certificates;
use crate::failure::Failure;
use crate::goal::Goal;
use crate::operation::{Access, Operation, Planned};
use plinth_model::steps::{HelmRelease, KubeObjects, Release};
use plinth_model::{Plan, Problem, Work};
use plinth_plan::engines::{self, EngineFile};
use serde_json::{Map, Value};

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// The engine's inventory.
    Inventory,
    /// The same in INI form.
    InventoryIni,
    /// The engine's variables.
    Variables,
    /// Helm values of each component.
    Values,
    /// Objects beside the releases, of each component.
    Objects,
    /// Certificates for a review.
    Certificates,
    /// What a mirror must hold. The engine's programs may have to be fetched for it.
    MirrorList,
}

impl HandOver {
    /// What an operation may do for it.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::MirrorList => Access::Change,
            _ => Access::Read,
        }
    }

    /// What the operation is for.
    #[must_use]
    pub const fn goal(self) -> Goal {
        match self {
            Self::MirrorList => Goal::MirrorList,
            _ => Goal::Site,
        }
    }

    /// Whether each component has a document of its own.
    #[must_use]
    pub const fn is_by_component(self) -> bool {
        matches!(self, Self::Values | Self::Objects)
    }
}

/// A document with the name of its file, which may be in a folder of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `values/gpu-operator.yaml`
    pub name: String,
    /// The whole content of that file.
    pub text: String,
}

impl Document {
    fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Several documents of YAML as one text, or the one text as it is.
#[must_use]
pub fn joined(documents: &[Document]) -> String {
    let texts: Vec<&str> = documents.iter().map(|document| document.text.trim_end()).collect();
    texts.join("\n---\n")
}

/// Documents of JSON as one, by component.
///
/// # Errors
/// When one of them is no JSON, which is our bug.
pub fn by_component(documents: &[Document]) -> Result<Map<String, Value>, Problem> {
    let entry = |Document { name, text }: &Document| {
        let component = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".json").to_owned();
        let value =
            serde_json::from_str(text).map_err(|error| Problem::while_doing("writing").to(&component).bug(error))?;
        Ok((component, value))
    };
    documents.iter().map(entry).collect()
}

impl Operation<'_> {
    /// The documents of a plan, in JSON where there is a choice and `json` says so.
    ///
    /// # Errors
    /// When one cannot be written, or what it is made of cannot be had.
    pub async fn hand_over(&mut self, what: HandOver, planned: &Planned, json: bool) -> Result<Vec<Document>, Failure> {
        let plan = &planned.plan;
        Ok(match what {
            HandOver::Inventory => engine(plan, EngineFile::Inventory),
            HandOver::InventoryIni => {
                let text = plinth_plan::kubespray::inventory_ini(self.desired(), &planned.cluster);
                vec![Document::new("inventory.ini", text)]
            }
            HandOver::Variables => engine(plan, EngineFile::Variables),
            HandOver::Values => values(plan, json)?,
            HandOver::Objects => objects(plan, json)?,
            HandOver::Certificates => vec![self.certificate_review(planned, json)?],
            HandOver::MirrorList => {
                let list = self.mirror_list(planned).await?;
                vec![match json {
                    true => Document::new("mirror-list.json", list.json()),
                    false => Document::new("mirror-list.txt", list.text()),
                }]
            }
        })
    }

    fn certificate_review(&self, planned: &Planned, json: bool) -> Result<Document, Failure> {
        let reviews = self.certificates(planned)?;
        Ok(match json {
            true => Document::new("certificates.json", format!("{:#}\n", certificates::json(&reviews))),
            false => Document::new("certificates.txt", certificates::text(&reviews)),
        })
    }
}

fn engine(plan: &Plan, wanted: EngineFile) -> Vec<Document> {
    engines::file(plan, wanted).map(|(name, text)| Document::new(name, text)).into_iter().collect()
}

fn values(plan: &Plan, json: bool) -> Result<Vec<Document>, Problem> {
    let releases = plan.steps.iter().filter_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some(release),
        _ => None,
    });
    releases.map(|release| values_of(release, json)).collect()
}

fn values_of(release: &Release, json: bool) -> Result<Document, Problem> {
    let Release { component, chart, version, namespace, .. } = release;
    let values = plinth_plan::render::helm_values(&release.values);
    if json {
        return Ok(Document::new(format!("values/{component}.json"), plinth_plan::kubespray::json(&values)));
    }
    let bug = |error: String| Problem::while_doing("writing values of").to(component).bug(error);
    let text = plinth_plan::kubespray::yaml(&values).map_err(bug)?;
    let head = format!("# {chart} {version} in namespace {namespace}\n");
    Ok(Document::new(format!("values/{component}.yaml"), head + &text))
}

/// Objects that are applied beside releases, by component: a list in JSON and a document each in YAML, in the order in which they are applied.
/// Not in it: that each stage waits for the one before.
fn objects(plan: &Plan, json: bool) -> Result<Vec<Document>, Problem> {
    let mut by_component: Vec<(&str, Vec<&KubeObjects>)> = Vec::new();
    for step in &plan.steps {
        let Work::KubeObjects(objects) = &step.work else { continue };
        match by_component.iter_mut().find(|(component, _)| *component == objects.component) {
            Some((_, all)) => all.push(objects),
            None => by_component.push((&objects.component, vec![objects])),
        }
    }
    by_component.into_iter().map(|(component, all)| objects_of(component, &all, json)).collect()
}

fn objects_of(component: &str, all: &[&KubeObjects], json: bool) -> Result<Document, Problem> {
    let bug = |error: String| Problem::while_doing("writing objects of").to(component).bug(error);
    if json {
        let objects: Vec<&Value> = all.iter().flat_map(|one| &one.objects).collect();
        let text = serde_json::to_string_pretty(&objects).map_err(|error| bug(error.to_string()))?;
        return Ok(Document::new(format!("objects/{component}.json"), text));
    }
    let texts: Result<Vec<String>, _> = all.iter().map(|one| plinth_plan::render::manifests(one)).collect();
    Ok(Document::new(format!("objects/{component}.yaml"), texts.map_err(bug)?.join("---\n")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::Stage;
    use serde_json::json;

    #[test]
    fn objects_of_stages_are_one_document_in_their_order() {
        let stage = |kind: &str| KubeObjects {
            component: "network-operator".to_owned(),
            objects: vec![json!({"kind": kind})],
            health: Vec::new(),
            timeout_s: 1,
            stage: Stage::Platform,
            upgrade_path: None,
        };
        let (policies, networks) = (stage("Policy"), stage("Network"));
        let yaml = objects_of("network-operator", &[&policies, &networks], false).unwrap();
        assert_eq!(yaml, Document::new("objects/network-operator.yaml", "kind: Policy\n---\nkind: Network\n"));
        let json = objects_of("network-operator", &[&policies, &networks], true).unwrap();
        assert_eq!(
            by_component(&[json]).unwrap()["network-operator"],
            json!([{"kind": "Policy"}, {"kind": "Network"}])
        );
    }
}
