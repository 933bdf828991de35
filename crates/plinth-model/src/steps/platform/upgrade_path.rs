//! A version that moves by one minor at a time.

use crate::{ObjectName, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An object whose operator takes its version one minor further, and no more at once. What is wanted stands at `spec.version`, what is
/// there at `status.version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradePath {
    /// The object.
    pub object: ObjectName,
    /// What it is a version of, for people: `Knative Serving`.
    pub title: String,
    /// What a site lists in `platform.acceptIncompatible` to take a version of it that Run:ai does not: `runai.knative-serving`.
    pub rule: String,
    /// The version that the site gets in the end.
    pub wanted: Version,
    /// Lines that the release of the operator carries, oldest first.
    pub carried: Vec<Version>,
    /// What other releases of the operator carry that are known, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Carrier>,
}

/// A release of an operator, and the lines that it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Carrier {
    /// Version of the release.
    pub version: Version,
    /// Lines that it carries, oldest first.
    pub carried: Vec<Version>,
}

/// The next version on the path is carried by another release of the operator only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeGap {
    /// The next line on the path.
    pub next: String,
    /// The release to use for it, if one is known.
    pub by: Option<Version>,
}

impl UpgradePath {
    /// The line to go to before the wanted version, from the one that is there; none where the wanted version is next itself.
    ///
    /// # Errors
    /// When the operator's release does not carry that line.
    pub fn next(&self, there: &Version) -> Result<Option<Version>, UpgradeGap> {
        let (from, to) = (there.semver(), self.wanted.semver());
        if from.major != to.major || from.minor.abs_diff(to.minor) < 2 {
            return Ok(None);
        }
        let minor = if from.minor < to.minor { from.minor + 1 } else { from.minor - 1 };
        let next = format!("{}.{minor}", from.major);
        let has = |carried: &[Version]| carried.iter().find(|line| line.minor() == next).cloned();
        match has(&self.carried) {
            Some(line) => Ok(Some(line)),
            None => {
                let by = self.others.iter().rev().find(|other| has(&other.carried).is_some());
                Err(UpgradeGap { next, by: by.map(|other| other.version.clone()) })
            }
        }
    }

    /// All lines between, in the order in which they are gone through; as far as the release carries them.
    #[must_use]
    pub fn between(&self, there: &Version) -> Vec<Version> {
        let mut lines: Vec<Version> = Vec::new();
        while let Ok(Some(line)) = self.next(lines.last().unwrap_or(there)) {
            lines.push(line);
        }
        lines
    }

    /// The manifests with another version in this object.
    #[must_use]
    pub fn with_version(&self, objects: &[Value], version: &Version) -> Vec<Value> {
        let mut objects = objects.to_vec();
        for object in objects.iter_mut().filter(|object| ObjectName::of(object).as_ref() == Some(&self.object)) {
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                spec.insert("version".to_owned(), Value::from(version.bare()));
            }
        }
        objects
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn versions(texts: &[&str]) -> Vec<Version> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn upgrade_path(wanted: &str, carried: &[&str]) -> UpgradePath {
        let manifest = json!({"apiVersion": "operator.knative.dev/v1beta1", "kind": "KnativeServing", "metadata": {"name": "s", "namespace": "n"}});
        let carrier =
            |version: &str, lines: &[&str]| Carrier { version: version.parse().unwrap(), carried: versions(lines) };
        UpgradePath {
            object: ObjectName::of(&manifest).unwrap(),
            title: "Knative Serving".to_owned(),
            rule: "runai.knative-serving".to_owned(),
            wanted: wanted.parse().unwrap(),
            carried: versions(carried),
            others: vec![carrier("v1.16.0", &["1.15", "1.16"]), carrier("v1.19.6", &["1.16", "1.17", "1.18", "1.19"])],
        }
    }

    #[test]
    fn it_goes_by_one_minor_at_a_time_and_only_over_what_is_carried() {
        let carried = ["1.16", "1.17", "1.18", "1.19"];
        let to = |wanted: &str, there: &str| upgrade_path(wanted, &carried).next(&there.parse().unwrap());
        for (wanted, there) in [("1.19", "1.19.3"), ("1.19", "1.18.0"), ("1.18.1", "1.19.0"), ("2.0", "1.16.0")] {
            assert_eq!(to(wanted, there), Ok(None), "{there} → {wanted}");
        }
        assert_eq!(to("1.19", "1.16.0"), Ok(Some("1.17".parse().unwrap())));
        assert_eq!(to("1.16", "1.19.6"), Ok(Some("1.18".parse().unwrap())), "also back");
        assert_eq!(upgrade_path("1.19", &carried).between(&"1.16.0".parse().unwrap()), versions(&["1.17", "1.18"]));
        let newer = upgrade_path("1.21", &["1.18", "1.19", "1.20", "1.21"]);
        let gap = UpgradeGap { next: "1.17".to_owned(), by: Some("v1.19.6".parse().unwrap()) };
        assert_eq!(newer.next(&"1.16.3".parse().unwrap()), Err(gap));
        assert_eq!(newer.next(&"1.2.0".parse().unwrap()).unwrap_err().by, None, "no release is known for it");
    }

    #[test]
    fn only_the_version_of_this_object_changes() {
        let upgrade_path = upgrade_path("1.19", &[]);
        let object = json!({"apiVersion": "operator.knative.dev/v1beta1", "kind": "KnativeServing",
            "metadata": {"name": "s", "namespace": "n"}, "spec": {"version": "1.19", "config": {}}});
        let other = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "s"}, "spec": {"version": "1.19"}});
        let changed = upgrade_path.with_version(&[object.clone(), other.clone()], &"v1.17".parse().unwrap());
        assert_eq!(changed[0].pointer("/spec/version"), Some(&json!("1.17")));
        assert_eq!((&changed[0]["spec"]["config"], &changed[1]), (&object["spec"]["config"], &other));
    }
}
