//! The catalog as a whole.

use crate::adapters::Adapters;
use crate::compatibility::Compatibility;
use crate::component::{Component, Enabled, Need};
use crate::keys::KeyIndex;
use crate::known::Known;
use crate::known_bad::KnownBad;
use crate::kubespray::{self, KubesprayPins};
use crate::runai::RunaiNames;
use crate::source::{self, Files, decode};
use crate::{CatalogError, Facts, order};
use indexmap::IndexMap;
use plinth_model::Digest;
use plinth_model::download::HelmPin;
use std::collections::BTreeMap;
use std::path::Path;

/// Everything that is known about components and what goes together. Immutable once read.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(crate) components: IndexMap<String, Component>,
    pub(crate) compatibility: Compatibility,
    pub(crate) kubespray: KubesprayPins,
    pub(crate) known: Known,
    pub(crate) known_bad: KnownBad,
    pub(crate) runai: RunaiNames,
    pub(crate) adapters: Adapters,
    helm: HelmPin,
    keys: BTreeMap<String, KeyIndex>,
    digest: Digest,
}

impl Catalog {
    /// The catalog inside the binary.
    ///
    /// # Errors
    /// When it does not hold together; the tests of this crate make sure it does.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::from_files(&source::embedded()?)
    }

    /// A catalog in a folder, laid out as `catalog/` is.
    ///
    /// # Errors
    /// When a file cannot be read, does not fit, or the files do not fit each other. The first problem is reported.
    pub fn load(folder: &Path) -> Result<Self, CatalogError> {
        Self::from_files(&source::folder(folder)?)
    }

    fn from_files(files: &Files) -> Result<Self, CatalogError> {
        let catalog = Self {
            components: components(files)?,
            compatibility: decode(files, "compatibility.yaml")?,
            kubespray: decode(files, "kubespray.yaml")?,
            known: Known::read(files)?,
            known_bad: decode(files, "known-bad-values.yaml")?,
            runai: decode(files, "runai.yaml")?,
            adapters: decode(files, "adapters.yaml")?,
            helm: decode(files, "helm.yaml")?,
            keys: key_indexes(files),
            digest: Digest::of(files),
        };
        catalog.check()?;
        Ok(catalog)
    }

    /// Digest of all data of the catalog.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Components by name, in the order of their names.
    #[must_use]
    pub fn components(&self) -> &IndexMap<String, Component> {
        &self.components
    }

    /// Compatibility data.
    #[must_use]
    pub fn compatibility(&self) -> &Compatibility {
        &self.compatibility
    }

    /// Wrong settings that circulate.
    #[must_use]
    pub fn known_bad(&self) -> &KnownBad {
        &self.known_bad
    }

    /// Which Kubespray releases can be used, each with the commit and tree that prove it: `kubespray.yaml`.
    #[must_use]
    pub fn kubespray_pins(&self) -> &KubesprayPins {
        &self.kubespray
    }

    /// The helm program that is fetched where a machine has none that fits.
    #[must_use]
    pub fn helm_pin(&self) -> &HelmPin {
        &self.helm
    }

    /// Keys that a chart version knows, if they are known here.
    #[must_use]
    pub fn keys(&self, component: &str, version: &str) -> Option<&KeyIndex> {
        self.keys.get(&format!("{component}-{version}"))
    }

    fn check(&self) -> Result<(), CatalogError> {
        let schemas = [
            ("compatibility.yaml", self.compatibility.schema),
            ("kubespray.yaml", self.kubespray.schema),
            ("runai.yaml", self.runai.schema),
            ("adapters.yaml", self.adapters.schema),
            ("helm.yaml", self.helm.schema),
            ("known-bad-values.yaml", self.known_bad.schema),
            ("kubespray/versions.yaml", self.known.versions.schema),
        ];
        if let Some((file, schema)) = schemas.into_iter().find(|(_, schema)| *schema != 1) {
            return Err(CatalogError::content(
                file,
                format!("schema {schema} is not known; this plinth reads schema 1"),
            ));
        }
        kubespray::check(&self.kubespray, &self.compatibility.kubespray)?;
        for pin in &self.kubespray.releases {
            self.known.check(pin.tag.as_str())?;
        }
        for component in self.components.values() {
            self.check_component(component)?;
        }
        order::check(&self.components)
    }

    fn check_component(&self, component: &Component) -> Result<(), CatalogError> {
        let error = |happened: String| Err(CatalogError::content(file_of(&component.name), happened));
        if component.chart.versions.is_empty() == component.chart.version_from.is_none() {
            return error("chart: give either versions or versionFrom".to_owned());
        }
        if let Some(file) = &component.chart.objects {
            let named = component.chart.repository.is_some() || component.chart.version_from.is_some();
            let whole = file.address.as_deref().is_none_or(|url| url.starts_with("https://") && url.ends_with(".yaml"));
            if named || !whole {
                return error(
                    "chart.objects: an https address that ends with .yaml, no repository and no versionFrom".to_owned(),
                );
            }
        }
        let has_rule = !matches!(component.enabled, Enabled::Always | Enabled::Never);
        if has_rule != component.reason.is_some() {
            return error("reason: a component has one exactly when `enabled` has conditions".to_owned());
        }
        let mut needed = component.needs.iter().flat_map(Need::any_of);
        if let Some(need) = needed.find(|need| !self.components.contains_key(*need)) {
            return error(format!("needs: there is no component `{need}`"));
        }
        let is_oci = component.chart.name.starts_with("oci://");
        if let Some(pin) = component.chart.versions.iter().find(|pin| pin.manifest_digest.is_some() && !is_oci) {
            return error(format!(
                "chart.versions: {} has a manifestDigest, and only a registry has manifests",
                pin.version
            ));
        }
        if let Some(other) = component.replaces.iter().find(|other| !self.components.contains_key(*other)) {
            return error(format!("replaces: there is no component `{other}`"));
        }
        if component.drops_first && component.variants.iter().any(|variant| !variant.stages.is_empty()) {
            return error("dropsFirst: nobody says which of the stages waits".to_owned());
        }
        match component.compatibility.as_deref() {
            Some(table) if table != "runai" && self.compatibility.table(table).is_none() => {
                error(format!("compatibility: there is no table `{table}`"))
            }
            _ => Ok(()),
        }
    }

    /// What Run:ai fixes by name.
    #[must_use]
    pub const fn runai(&self) -> &RunaiNames {
        &self.runai
    }

    /// InfiniBand interfaces that the site or its model of machine names; empty without InfiniBand.
    #[must_use]
    pub fn interfaces(&self, facts: &Facts) -> Vec<String> {
        self.adapters.named(facts)
    }
}

const FOLDER: &str = "components/";

fn file_of(component: &str) -> String {
    format!("{FOLDER}{component}.yaml")
}

fn components(files: &Files) -> Result<IndexMap<String, Component>, CatalogError> {
    let mut components = IndexMap::new();
    for file in files.keys().filter(|name| name.starts_with(FOLDER)) {
        let component: Component = decode(files, file)?;
        if *file != file_of(&component.name) {
            return Err(CatalogError::content(file, format!("the component inside is called `{}`", component.name)));
        }
        components.insert(component.name.clone(), component);
    }
    Ok(components)
}

fn key_indexes(files: &Files) -> BTreeMap<String, KeyIndex> {
    let named = |name: &str| Some(name.strip_prefix("keys/")?.strip_suffix(".txt")?.to_owned());
    files.iter().filter_map(|(name, text)| Some((named(name)?, KeyIndex::parse(text)))).collect()
}
