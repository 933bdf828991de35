//! What plinth brought into a cluster: folded from the events of all runs, so that a component that is switched off can be taken away
//! again. What others installed is not in here and is never touched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// An object of the API, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// `operator.knative.dev/v1beta1`.
    pub api_version: String,
    /// `KnativeServing`.
    pub kind: String,
    /// Empty for objects of the whole cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Unique among the objects of this kind in the namespace.
    pub name: String,
}

impl ObjectName {
    /// The name of a manifest; none when it lacks one of its parts.
    #[must_use]
    pub fn of(manifest: &Value) -> Option<Self> {
        let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            api_version: text("/apiVersion")?,
            kind: text("/kind")?,
            namespace: text("/metadata/namespace").unwrap_or_default(),
            name: text("/metadata/name")?,
        })
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        write!(f, "{} {}{slash}{}", self.kind, self.namespace, self.name)
    }
}

/// A Helm release, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseName {
    /// Where helm keeps its records; objects of the release may be elsewhere.
    pub namespace: String,
    /// helm's name for it, unique in the namespace.
    pub name: String,
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What a step changes about what is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "installed")]
pub enum InstalledChange {
    /// It brings these. Known before the effect begins, since a half-made release is there too.
    Brings(Parts),
    /// It takes these away. Known when it is done.
    Removes(Parts),
    /// It takes the whole cluster away.
    Clears,
}

/// Parts of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Parts {
    /// Name in the catalog.
    pub component: String,
    /// By helm's names. Empty where it only has objects.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub releases: BTreeSet<ReleaseName>,
    /// Objects beside them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub objects: BTreeSet<ObjectName>,
}

impl Parts {
    /// Whether nothing is left of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty() && self.objects.is_empty()
    }

    /// What is in here and not in the other one.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            component: self.component.clone(),
            releases: self.releases.difference(&other.releases).cloned().collect(),
            objects: self.objects.difference(&other.objects).cloned().collect(),
        }
    }
}

/// Everything that plinth brought into the cluster and did not take away again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    components: Vec<Parts>,
}

impl Installed {
    /// Parts by component, in the order in which the components were first installed.
    #[must_use]
    pub fn components(&self) -> &[Parts] {
        &self.components
    }

    /// Folds in what one step did, in the order of the events. A component of which nothing is left is forgotten.
    pub fn take(&mut self, change: &InstalledChange) {
        match change {
            InstalledChange::Brings(parts) => match self.components.iter_mut().find(|p| p.component == parts.component)
            {
                Some(known) => {
                    known.releases.extend(parts.releases.iter().cloned());
                    known.objects.extend(parts.objects.iter().cloned());
                }
                None => self.components.push(parts.clone()),
            },
            InstalledChange::Removes(parts) => {
                for known in self.components.iter_mut().filter(|known| known.component == parts.component) {
                    *known = known.without(parts);
                }
                self.components.retain(|known| !known.is_empty());
            }
            InstalledChange::Clears => self.components.clear(),
        }
    }
}

impl InstalledChange {
    /// Whether it brings something.
    #[must_use]
    pub const fn brings(&self) -> bool {
        matches!(self, Self::Brings(_))
    }

    /// Whether what another step of the journal did is undone by it, so that its record says nothing about today.
    #[must_use]
    pub fn undoes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Clears, Self::Brings(_) | Self::Removes(_)) => true,
            (Self::Brings(new), Self::Removes(old)) | (Self::Removes(new), Self::Brings(old)) => {
                !new.releases.is_disjoint(&old.releases) || !new.objects.is_disjoint(&old.objects)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(component: &str, releases: &[&str], objects: &[&str]) -> Parts {
        let release = |name: &&str| ReleaseName { namespace: component.to_owned(), name: (*name).to_owned() };
        let object = |name: &&str| ObjectName {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: component.to_owned(),
            name: (*name).to_owned(),
        };
        Parts {
            component: component.to_owned(),
            releases: releases.iter().map(release).collect(),
            objects: objects.iter().map(object).collect(),
        }
    }

    #[test]
    fn what_was_brought_stays_until_it_is_removed() {
        let mut installed = Installed::default();
        installed.take(&InstalledChange::Brings(parts("a", &["a"], &[])));
        installed.take(&InstalledChange::Brings(parts("b", &["b"], &[])));
        installed.take(&InstalledChange::Brings(parts("a", &[], &["x", "y"])));
        assert_eq!(installed.components(), [parts("a", &["a"], &["x", "y"]), parts("b", &["b"], &[])]);
        installed.take(&InstalledChange::Removes(parts("a", &["a"], &["x"])));
        assert_eq!(installed.components(), [parts("a", &[], &["y"]), parts("b", &["b"], &[])]);
        installed.take(&InstalledChange::Removes(parts("a", &[], &["y"])));
        assert_eq!(installed.components(), [parts("b", &["b"], &[])]);
        installed.take(&InstalledChange::Clears);
        assert_eq!(installed.components(), []);
    }

    #[test]
    fn a_removal_undoes_what_brought_the_same_and_the_other_way_round() {
        let (brings, removes) = (InstalledChange::Brings(parts("a", &["a"], &[])), |name: &str| {
            InstalledChange::Removes(parts("a", &[name], &[]))
        });
        assert!(removes("a").undoes(&brings) && brings.undoes(&removes("a")));
        assert!(!removes("other").undoes(&brings) && !brings.undoes(&brings));
        assert!(InstalledChange::Clears.undoes(&brings) && !brings.undoes(&InstalledChange::Clears));
    }
}
