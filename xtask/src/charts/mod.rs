//! `cargo xtask charts --source DIR`: the catalog against real packages of charts in a folder, of which nothing is kept. For every example
//! and its variants each component is rendered with helm 3 and 4; its values, health rules and images are held against what comes out.

mod helm;
mod judge;
mod sites;
mod table;

use crate::commands::Failure;
use crate::scratch::Scratch;
use helm::{Helm, Question};
use plinth_catalog::{Catalog, ResolvedComponent};
use plinth_model::steps::Release;
use plinth_model::{Digest, Secret, SecretRef};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use table::Row;

/// Long enough, and of characters that every form of password takes.
const IN_PLACE: &str = "stands-in-for-a-secret-Aa1";

/// For sites that name none: helm alone would take one that is many years old for it.
const KUBERNETES: &str = "v1.33.5";

/// What is looked at.
#[derive(Debug, clap::Args)]
pub(crate) struct Charts {
    /// Folder of packages, `NAME-VERSION.tgz`, and of files of objects, `NAME-VERSION.yaml`
    #[arg(long = "source", value_name = "DIR")]
    source: PathBuf,
    /// Only these components
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// Packages that are not in the folder are no failure
    #[arg(long)]
    some: bool,
    /// Packages may have another content than the one that the catalog knows: for stand-ins
    #[arg(long)]
    any_digest: bool,
}

/// Prints the table and what is wrong; answers whether all is right.
pub(crate) fn run(charts: &Charts) -> Result<bool, Failure> {
    let catalog = Catalog::embedded().map_err(|error| error.to_string())?;
    if let Some(name) = charts.components.iter().find(|name| !catalog.components().contains_key(*name)) {
        return Err(format!("there is no component `{name}`"));
    }
    let scratch = Scratch::new("charts")?;
    let helms = helm::both(scratch.path())?;
    let wanted =
        |component: &ResolvedComponent| charts.components.is_empty() || charts.components.contains(&component.name);
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let cases = sites::cases(&catalog)?;
    let kinds = kinds(&cases, charts, &helms, wanted)?;
    for case in &cases {
        for component in case.components.iter().filter(|component| wanted(component)) {
            let release = &component.release;
            let key = (component.name.clone(), release.version.to_string());
            let row = rows.entry(key).or_default();
            let Some(file) = package(&charts.source, release) else {
                row.absent = true;
                continue;
            };
            if !charts.any_digest {
                row.digest(&file, release)?;
            }
            let look = Look {
                component,
                file: &file,
                kubernetes: Some(case.kubernetes.as_deref().unwrap_or(KUBERNETES)),
                kinds: &kinds,
                case: &case.name,
            };
            if release.of_objects {
                // No program makes anything of it: it is what will be applied.
                let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                look.objects(&text, row)?;
            } else {
                look.judge(&helms, row)?;
            }
        }
    }
    print!("{}", table::table(&rows));
    Ok(rows.values().all(|row| row.is_right(charts.some)))
}

/// Kinds that the packages of the folder define: a chart asks which are served.
fn kinds(
    cases: &[sites::Case],
    charts: &Charts,
    helms: &[Helm],
    wanted: impl Fn(&ResolvedComponent) -> bool,
) -> Result<Vec<String>, Failure> {
    let (mut kinds, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let Some(helm) = helms.first() else { return Ok(Vec::new()) };
    for component in cases.iter().flat_map(|case| &case.components).filter(|component| wanted(component)) {
        let Some(file) = package(&charts.source, &component.release) else { continue };
        if component.release.of_objects || !seen.insert(file.clone()) {
            continue;
        }
        let question = Question { release: &component.release, file: &file, kubernetes: Some(KUBERNETES), kinds: &[] };
        if let Ok(text) = helm.template(&question, &values(&component.release))? {
            kinds.extend(helm::objects(&text)?.iter().flat_map(helm::defines));
        }
    }
    Ok(kinds.into_iter().collect())
}

/// The package of a release, with and without the `v` of its version, or its file of objects.
fn package(folder: &Path, release: &Release) -> Option<PathBuf> {
    if release.of_objects {
        return Some(folder.join(release.file_of_objects())).filter(|file| file.is_file());
    }
    let (name, version) = (release.chart.rsplit('/').next().unwrap_or_default(), release.version.version());
    let forms = [version.to_string(), version.prefixed(), version.prefixed().trim_start_matches('v').to_owned()];
    forms.iter().map(|form| folder.join(format!("{name}-{form}.tgz"))).find(|file| file.is_file())
}

/// Values without secrets.
fn values(release: &Release) -> Value {
    let in_place = &mut |_: &SecretRef| Ok::<_, Infallible>(Secret::new(IN_PLACE.to_owned()));
    let Ok(values) = release.values.resolve(in_place);
    serde_json::from_str(values.expose()).unwrap_or_default()
}

/// One component of one site, with its package.
struct Look<'a> {
    component: &'a ResolvedComponent,
    file: &'a Path,
    kubernetes: Option<&'a str>,
    kinds: &'a [String],
    case: &'a str,
}

impl Look<'_> {
    fn judge(&self, helms: &[Helm], row: &mut Row) -> Result<(), Failure> {
        let values = values(&self.component.release);
        let namespace = &self.component.release.namespace;
        if !row.is_new(&Digest::of(&(
            &values,
            self.kubernetes,
            namespace,
            &self.component.images,
            self.component.all_objects().collect::<Vec<_>>(),
        ))) {
            return Ok(());
        }
        let mut first = None;
        for helm in helms {
            match helm.template(&self.question(), &values)? {
                Ok(text) => {
                    row.rendered(helm.name);
                    first = first.or(Some((helm, text)));
                }
                Err(lines) => row.refused(helm.name, self.case, &lines),
            }
        }
        let Some((helm, text)) = first else { return Ok(()) };
        self.objects(&text, row)?;
        self.keys(helm, &values, &text, row)
    }

    fn question(&self) -> Question<'_> {
        Question { release: &self.component.release, file: self.file, kubernetes: self.kubernetes, kinds: self.kinds }
    }

    fn objects(&self, text: &str, row: &mut Row) -> Result<(), Failure> {
        let mut all = helm::objects(text)?;
        let component = self.component;
        let named = plinth_plan::manifests::named_images(all.iter().chain(component.all_objects()));
        // Of a package whose images nobody listed there is nothing to compare.
        if component.unlisted_images.is_none() {
            for image in judge::unlisted(&named, &component.images, &component.idle_images) {
                row.images.entry(format!("{image} is not listed")).or_insert_with(|| self.case.to_owned());
            }
            for image in &component.images {
                *row.listed.entry(image.clone()).or_default() |= judge::is_named_by(image, &named, text);
            }
        }
        all.extend(component.all_objects().cloned());
        let of_stages = component.stages.iter().flat_map(|stage| &stage.health);
        let of_objects = component.objects_health.iter().chain(of_stages);
        let rules: Vec<_> = component.release.health.iter().chain(of_objects).cloned().collect();
        let wrong = judge::unfounded(&rules, &component.release.namespace, &all);
        for line in wrong {
            row.health.entry(line).or_insert_with(|| self.case.to_owned());
        }
        Ok(())
    }

    /// A key is dead when neither taking it away nor changing it changes anything, on any site.
    fn keys(&self, helm: &Helm, values: &Value, text: &str, row: &mut Row) -> Result<(), Failure> {
        let again = helm.template(&self.question(), values)?.unwrap_or_default();
        for path in judge::leaves(values) {
            let name = path.join(".");
            if row.alive.contains(&name) {
                continue;
            }
            let mut acts = false;
            for other in [judge::without(values, &path), judge::changed(values, &path)] {
                acts = acts
                    || match helm.template(&self.question(), &other)? {
                        // What the chart refuses, it knows.
                        Err(_) => true,
                        Ok(other) => judge::acts(text, &again, &other),
                    };
            }
            if acts {
                row.dead.remove(&name);
                row.alive.insert(name);
            } else {
                row.dead.insert(name);
            }
        }
        Ok(())
    }
}
