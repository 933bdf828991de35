//! What a mirror must hold so that Kubernetes and the platform can be installed from it, for programs and for people.

use indexmap::IndexMap;
use plinth_catalog::{Resolution, ResolvedComponent};
use plinth_model::amount;
use plinth_model::download::DownloadList;
use plinth_model::steps::{KubesprayRun, RunInputs};
use plinth_model::{Plan, Work};
use plinth_site::Desired;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a mirror must hold.
#[derive(Clone, Debug)]
pub struct MirrorList {
    kubespray: String,
    kubernetes: String,
    list: DownloadList,
    /// Mirror of files that the site has.
    files: Option<String>,
    /// Registries to their mirrors.
    images: IndexMap<String, String>,
    /// Images of the platform with their components, as far as the catalog knows them.
    platform: Vec<(String, String)>,
}

impl MirrorList {
    /// Of what the plan's engine fetches; none when it fetches nothing.
    #[must_use]
    pub fn of_plan(desired: &Desired, plan: &Plan, list: DownloadList) -> Option<Self> {
        let parts = plan.steps.iter().find_map(|step| match &step.work {
            Work::KubesprayRun(KubesprayRun { parts, .. }) => Some(parts),
            _ => None,
        })?;
        Some(Self::new(desired, parts, list))
    }

    /// Of a list, with what the site replaces taken back: a mirror is filled from where its content comes from.
    #[must_use]
    pub fn new(desired: &Desired, run: &RunInputs, list: DownloadList) -> Self {
        let downloads = &desired.kubernetes.downloads;
        Self {
            kubespray: run.tag.prefixed(),
            kubernetes: run.version.prefixed(),
            list,
            files: downloads.files.clone(),
            images: downloads.images.clone(),
            platform: Vec::new(),
        }
    }

    /// With the images of these components.
    #[must_use]
    pub fn with_platform(self, resolution: &Resolution) -> Self {
        let of = |component: &ResolvedComponent| {
            let images = component.images.iter().map(|image| (component.name.clone(), image.clone()));
            images.collect::<Vec<_>>()
        };
        Self { platform: resolution.components.iter().flat_map(of).collect(), ..self }
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

    /// For programs.
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
        let images: Vec<Value> = self
            .list
            .images
            .iter()
            .map(|image| json!({"name": image.name, "image": self.image(&image.image), "groups": image.groups}))
            .collect();
        let platform: Vec<Value> =
            self.platform.iter().map(|(component, image)| json!({"component": component, "image": image})).collect();
        let document = json!({
            "schema": 1,
            "kubespray": self.kubespray,
            "kubernetes": self.kubernetes,
            "files": files,
            "images": images,
            "platform": platform,
        });
        format!("{document:#}\n")
    }

    /// For people and for shells: a line a file (`SHA-256  PATH`, as `sha256sum -c` wants it in the mirror's folder), then a line an
    /// image. The path with `https://` before it is where the file comes from.
    #[must_use]
    pub fn text(&self) -> String {
        let (files, images) = (&self.list.files, &self.list.images);
        let mut text = format!(
            "# Kubernetes {} by Kubespray {}: {}, {}\n",
            self.kubernetes,
            self.kubespray,
            amount(files.len(), "file"),
            amount(images.len(), "image")
        );
        text.push_str(
            "# files: SHA-256, and the place below the mirror, which with https:// before it is the address\n",
        );
        for file in files {
            let _ = writeln!(text, "{}  {}", file.sha256, place(&self.origin(&file.url)));
        }
        text.push_str("# images\n");
        for image in images {
            let _ = writeln!(text, "image  {}", self.image(&image.image));
        }
        if !self.platform.is_empty() {
            text.push_str("# images of the platform, as far as known\n");
        }
        for (_, image) in &self.platform {
            let _ = writeln!(text, "image  {image}");
        }
        text
    }
}

/// Host and path of an address: the place of the file below a mirror.
fn place(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}
