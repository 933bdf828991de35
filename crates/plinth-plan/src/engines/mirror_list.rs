//! What a mirror must hold so that Kubernetes and the platform can be installed from it, for programs and for people.

use indexmap::IndexMap;
use plinth_catalog::{Resolution, ResolvedComponent};
use plinth_model::amount;
use plinth_model::download::{DownloadList, HelmPin};
use plinth_model::steps::{AcceptanceCheck, KubesprayRun, Release, RunInputs};
use plinth_model::{Digest, Plan, Step, Work};
use plinth_site::Desired;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What a mirror must hold.
#[derive(Clone, Debug)]
pub struct MirrorList {
    /// Kubespray's release, and the Kubernetes that it installs; none: plinth installs no Kubernetes there.
    engine: Option<(String, String)>,
    list: DownloadList,
    /// Mirror of files that the site has.
    files: Option<String>,
    /// Registries to their mirrors.
    images: IndexMap<String, String>,
    /// Images of the platform with their components, as far as the catalog knows them.
    platform: Vec<(String, String)>,
    /// What of the platform's images the catalog does not know.
    unknown: Vec<Unlisted>,
    /// Images of test pods.
    checks: BTreeSet<String>,
    /// Charts, as their makers have them.
    charts: Vec<Release>,
    /// The helm program.
    helm: Option<HelmPin>,
}

/// Images of a component that are pulled although the catalog cannot name them.
#[derive(Clone, Debug)]
struct Unlisted {
    component: String,
    version: String,
    /// Which of its images.
    what: String,
}

impl MirrorList {
    /// Of what the plan's engine fetches; none when it fetches nothing.
    #[must_use]
    pub fn of_plan(desired: &Desired, plan: &Plan, list: DownloadList) -> Option<Self> {
        let parts = plan.steps.iter().find_map(|step| match &step.work {
            Work::KubesprayRun(KubesprayRun { parts, .. }) => Some(parts),
            _ => None,
        })?;
        Some(Self::new(desired, parts, list).with_checks(plan))
    }

    /// From a list, with what the site replaces taken back: a mirror is filled from where its content comes from.
    #[must_use]
    pub fn new(desired: &Desired, run: &RunInputs, list: DownloadList) -> Self {
        let downloads = &desired.kubernetes.downloads;
        Self {
            engine: Some((run.tag.prefixed(), run.version.prefixed())),
            list,
            files: downloads.files.clone(),
            images: downloads.images.clone(),
            ..Self::without_engine()
        }
    }

    /// Of a cluster that is there already: for the platform alone.
    #[must_use]
    pub fn of_platform(plan: &Plan) -> Self {
        Self::without_engine().with_checks(plan)
    }

    fn without_engine() -> Self {
        Self {
            engine: None,
            list: DownloadList { inputs: Digest::of_bytes(&[]), files: Vec::new(), images: Vec::new() },
            files: None,
            images: IndexMap::new(),
            platform: Vec::new(),
            unknown: Vec::new(),
            checks: BTreeSet::new(),
            charts: Vec::new(),
            helm: None,
        }
    }

    /// With the images of these components, and with what is not known of them.
    #[must_use]
    pub fn with_platform(self, resolution: &Resolution) -> Self {
        let of = |component: &ResolvedComponent| {
            let images = component.images.iter().map(|image| (component.name.clone(), image.clone()));
            images.collect::<Vec<_>>()
        };
        let unlisted = |component: &ResolvedComponent| {
            let what = component.unlisted_images.clone()?;
            Some(Unlisted { component: component.name.clone(), version: component.release.version.to_string(), what })
        };
        Self {
            platform: resolution.components.iter().flat_map(of).collect(),
            unknown: resolution.components.iter().filter_map(unlisted).collect(),
            ..self
        }
    }

    /// With the images of the pods that prove the platform at its end.
    #[must_use]
    pub fn with_checks(self, plan: &Plan) -> Self {
        let image = |step: &Step| match &step.work {
            Work::AcceptanceCheck(AcceptanceCheck { check }) => check.image().map(str::to_owned),
            _ => None,
        };
        Self { checks: plan.steps.iter().filter_map(image).collect(), ..self }
    }

    /// With the charts of the platform, and the program that installs them.
    #[must_use]
    pub fn with_charts(self, charts: Vec<Release>, helm: HelmPin) -> Self {
        Self { charts, helm: Some(helm), ..self }
    }

    /// Archives of helm: SHA-256 and address.
    fn archives(&self) -> Vec<(String, String)> {
        let archive = |pin: &HelmPin| -> Vec<(String, String)> {
            let name = |arch: &str| format!("{}/helm-{}-linux-{arch}.tar.gz", pin.source, pin.version.prefixed());
            pin.archives.iter().map(|(arch, sha256)| (sha256.clone(), name(arch))).collect()
        };
        self.helm.as_ref().map(archive).unwrap_or_default()
    }

    fn origin(&self, url: &str) -> String {
        let there = self.files.as_ref().and_then(|mirror| url.strip_prefix(&format!("{mirror}/")));
        there.map_or_else(|| url.to_owned(), |rest| format!("https://{rest}"))
    }

    fn image(&self, image: &str) -> String {
        let found = self
            .images
            .iter()
            .find_map(|(registry, mirror)| Some((registry, image.strip_prefix(&format!("{mirror}/"))?)));
        found.map_or_else(|| image.to_owned(), |(registry, rest)| format!("{registry}/{rest}"))
    }

    /// The list as JSON, for programs that fill a mirror.
    #[must_use]
    pub fn json(&self) -> String {
        let files: Vec<Value> = self
            .list
            .files
            .iter()
            .map(|file| {
                let url = self.origin(&file.url);
                let path = place(&url);
                json!({"name": file.name, "url": url, "sha256": file.sha256, "path": path, "groups": file.groups})
            })
            .collect();
        let helm = self.archives().into_iter().map(
            |(sha256, url)| json!({"name": "helm", "url": url, "sha256": sha256, "path": place(&url), "groups": []}),
        );
        let files: Vec<Value> = files.into_iter().chain(helm).collect();
        let charts: Vec<Value> = self.charts.iter().map(chart).collect();
        let images: Vec<Value> = self
            .list
            .images
            .iter()
            .map(|image| json!({"name": image.name, "image": self.image(&image.image), "groups": image.groups}))
            .collect();
        let platform: Vec<Value> =
            self.platform.iter().map(|(component, image)| json!({"component": component, "image": image})).collect();
        let unknown: Vec<Value> = self
            .unknown
            .iter()
            .map(|of| json!({"component": of.component, "version": of.version, "what": of.what}))
            .collect();
        let mut document = json!({
            "schema": 1,
            "kubespray": self.engine.as_ref().map(|(tag, _)| tag),
            "kubernetes": self.engine.as_ref().map(|(_, version)| version),
            "files": files,
            "images": images,
            "platform": platform,
            "unknown": unknown,
            "checks": self.checks,
        });
        if !charts.is_empty() {
            document["charts"] = charts.into();
        }
        format!("{document:#}\n")
    }

    /// For people and for shells: a line a file (`SHA-256  PATH`, as `sha256sum -c` wants it in the mirror's folder), then a line an
    /// image. The path with `https://` before it is where the file comes from.
    #[must_use]
    pub fn text(&self) -> String {
        let (files, images) = (&self.list.files, &self.list.images);
        let mut text = match &self.engine {
            Some((kubespray, kubernetes)) => format!(
                "# Kubernetes {kubernetes} by Kubespray {kubespray}: {}, {}\n",
                amount(files.len(), "file"),
                amount(images.len(), "image")
            ),
            None => {
                "# the cluster is there already: nothing of Kubernetes is fetched, and this is for the platform alone\n"
                    .to_owned()
            }
        };
        text.push_str(
            "# files: SHA-256, and the place below the mirror, which with https:// before it is the address\n",
        );
        for file in files {
            let _ = writeln!(text, "{}  {}", file.sha256, place(&self.origin(&file.url)));
        }
        for (sha256, url) in self.archives() {
            let _ = writeln!(text, "{sha256}  {}", place(&url));
        }
        if self.engine.is_some() {
            text.push_str("# images\n");
        }
        for image in images {
            let _ = writeln!(text, "image  {}", self.image(&image.image));
        }
        self.platform_text(&mut text);
        if !self.charts.is_empty() {
            text.push_str("# charts: name, version, SHA-256 of the package where it is known, repository or address\n");
        }
        if self.charts.iter().any(|release| release.of_objects) {
            text.push_str("# objects: one file instead of a chart, beside the charts as NAME-VERSION.yaml; without an address it is made by hand\n");
        }
        for release in &self.charts {
            let digest = release.digest.as_deref().unwrap_or("-");
            let (name, place) = (chart_name(release), chart_place(release));
            let what = if release.of_objects { "objects" } else { "chart" };
            let _ = writeln!(text, "{what}  {name}  {}  {digest}  {place}", release.version);
        }
        text
    }

    /// Lines of the platform's images, of those that cannot be named, and of the images of test pods.
    fn platform_text(&self, text: &mut String) {
        if !self.platform.is_empty() {
            text.push_str("# images of the platform, as far as known\n");
        }
        for (_, image) in &self.platform {
            let _ = writeln!(text, "image  {image}");
        }
        if !self.unknown.is_empty() {
            text.push_str("# pulled too, and not known here: `helm template` of the chart or its maker's list says what they are\n");
        }
        for of in &self.unknown {
            let _ = writeln!(text, "# unknown  {}  {}  {}", of.component, of.version, of.what);
        }
        if !self.checks.is_empty() {
            text.push_str("# images of test pods\n");
        }
        for image in &self.checks {
            let _ = writeln!(text, "image  {image}");
        }
    }
}

/// A chart for programs.
fn chart(release: &Release) -> Value {
    let mut row = json!({
        "component": release.component,
        "name": chart_name(release),
        "version": release.version,
        "from": chart_place(release),
        "sha256": release.digest,
    });
    if release.of_objects {
        row["file"] = release.file_of_objects().into();
    }
    if let Some(manifest) = &release.manifest_digest {
        row["manifestSha256"] = manifest.as_str().into();
    }
    row
}

fn chart_name(release: &Release) -> &str {
    release.chart.rsplit('/').next().unwrap_or_default()
}

/// The repository, or the whole address of a chart in a registry.
fn chart_place(release: &Release) -> &str {
    if release.repository.is_empty() && !release.of_objects { &release.chart } else { &release.repository }
}

/// Host and path of an address: the place of the file below a mirror.
fn place(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}
