//! Packages from a registry of images (OCI distribution specification; Helm documentation, "Use OCI-based registries"): a manifest by
//! tag, and in it the layer that is the package.

use crate::failure::{Failure, Why};
use crate::index::{chosen, digest_of, newest};
use crate::package;
use crate::place::Reference;
use crate::wanted::{Found, Trust, Wanted};
use crate::web::{Asked, Session};
use plinth_model::{ChartVersion, Digest, Version};
use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};
use serde::Deserialize;

/// Media type of a package.
const PACKAGE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// Media types of manifests.
const MANIFEST: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// Largest manifest, bytes; registries take 4 MiB.
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;
/// Largest page of tags, bytes.
const LARGEST_PAGE: usize = 8 * 1024 * 1024;
/// Pages of tags that are read.
const PAGES: usize = 100;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

#[derive(Deserialize)]
struct Tags {
    /// Null where there is none.
    tags: Option<Vec<String>>,
}

/// Fetches a chart: of the tag that the reference names, else of the version that is wanted.
pub(crate) async fn fetch(
    session: &mut Session<'_>,
    reference: &Reference,
    wanted: &Wanted<'_>,
) -> Result<Found, Failure> {
    let manifest = manifest(session, reference, wanted).await?;
    let seen = Digest::of_bytes(&manifest);
    if let Some(pinned) = wanted.manifest.filter(|pinned| *pinned != seen.as_str()) {
        let what = format!("the manifest of {} {}", wanted.chart, wanted.selector);
        let attempt = "if this is a mirror, copy the chart as a whole (`oras cp`, `skopeo copy`): `helm push` makes another manifest";
        return Err(Failure::digest(&what, pinned, seen.as_str()).attempt(attempt));
    }
    let layer = package_layer(&manifest)?;
    if let Some(digest) = wanted.digest.as_deref().filter(|digest| *digest != layer) {
        return Err(Failure::digest(&format!("{} {} in the registry", wanted.chart, wanted.selector), digest, &layer));
    }
    let what = format!("{} from {}", wanted.chart, reference.host);
    let url = reference.url(&format!("blobs/sha256:{layer}"))?;
    let asked = Asked { limit: package::LARGEST, what: &what, ..Asked::default() };
    let answer = session.get(&url, asked).await?;
    let found = Digest::of_bytes(&answer.bytes).as_str().to_owned();
    if found != layer {
        return Err(Failure::digest(&what, &layer, &found));
    }
    let pinned = wanted.manifest.is_some().then_some(Trust::Manifest);
    let trust = wanted.trust().or(pinned).unwrap_or(Trust::Repository);
    Ok(Found { file: None, bytes: answer.bytes, digest: found, manifest: Some(seen.as_str().to_owned()), trust })
}

fn package_layer(manifest: &[u8]) -> Result<String, Failure> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|_| Failure::nonsense("the registry gives something else than a manifest"))?;
    let layer = manifest.layers.iter().find(|layer| layer.media_type == PACKAGE);
    let layer = layer.ok_or_else(|| Failure::nonsense("what the registry has under this name is no chart"))?;
    digest_of(&layer.digest)
        .filter(|_| layer.digest.starts_with("sha256:"))
        .ok_or_else(|| Failure::nonsense("the registry names the package by a digest that is no SHA-256"))
}

async fn manifest(session: &mut Session<'_>, reference: &Reference, wanted: &Wanted<'_>) -> Result<Vec<u8>, Failure> {
    let tags = match (&reference.tag, wanted.selector) {
        (Some(tag), _) => vec![tag.clone()],
        (None, ChartVersion::Exact(version)) => tags_of(version),
        (None, line @ ChartVersion::Line(_)) => vec![newest_tag(session, reference, line, wanted.chart).await?],
    };
    let what = format!("the manifest of {} at {}", wanted.chart, reference.host);
    let asked = Asked { accept: Some(MANIFEST), limit: LARGEST_MANIFEST, eager: false, what: &what };
    let mut absent = None;
    for tag in &tags {
        match session.get(&reference.url(&format!("manifests/{tag}"))?, asked).await {
            Ok(answer) => return Ok(answer.bytes),
            Err(failure) if failure.why == Why::Status(404) => absent = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    let there = all_tags(session, reference).await.unwrap_or_default();
    let failure =
        Failure::no_version(wanted.chart, &wanted.selector.to_string(), &newest(there.iter().map(|(_, v)| v)));
    Err(absent.map_or(failure.clone(), |_| failure))
}

/// A version is a tag literally; charts stand there with a leading `v`, without it, or both. `+` is no sign of a tag, so helm writes `_`.
fn tags_of(version: &Version) -> Vec<String> {
    let written = version.as_str().replace('+', "_");
    let other = match written.strip_prefix('v') {
        Some(bare) => bare.to_owned(),
        None => format!("v{written}"),
    };
    vec![written, other]
}

async fn newest_tag(
    session: &mut Session<'_>,
    reference: &Reference,
    line: &ChartVersion,
    chart: &str,
) -> Result<String, Failure> {
    let there = all_tags(session, reference).await?;
    let version = chosen(there.iter().map(|(_, version)| version), line);
    let tag = version.and_then(|version| there.iter().find(|(_, other)| other.as_str() == version.as_str()));
    tag.map(|(tag, _)| tag.clone())
        .ok_or_else(|| Failure::no_version(chart, &line.to_string(), &newest(there.iter().map(|(_, version)| version))))
}

async fn all_tags(session: &mut Session<'_>, reference: &Reference) -> Result<Vec<(String, Version)>, Failure> {
    let what = format!("the tags of {} at {}", reference.path, reference.host);
    let asked = Asked { limit: LARGEST_PAGE, what: &what, ..Asked::default() };
    let (mut found, mut next) = (Vec::new(), Some(reference.url("tags/list?n=1000")?));
    for _ in 0..PAGES {
        let Some(url) = next else { return Ok(found) };
        let answer = session.get(&url, asked).await?;
        let page: Tags = serde_json::from_slice(&answer.bytes)
            .map_err(|_| Failure::nonsense("the registry's list of tags cannot be read"))?;
        let versions = page.tags.unwrap_or_default().into_iter();
        found.extend(versions.filter_map(|tag| tag.replace('_', "+").parse().ok().map(|version| (tag, version))));
        next = next_page(&url, &answer.headers);
    }
    Err(Failure::nonsense("the registry's list of tags has no end"))
}

/// `Link: </v2/x/tags/list?n=1000&last=y>; rel="next"`. Another host is not asked.
fn next_page(url: &Url, headers: &HeaderMap) -> Option<Url> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let (address, rest) = link.strip_prefix('<')?.split_once('>')?;
    let next = url.join(address).ok()?;
    (rest.contains("next") && next.origin() == url.origin()).then_some(next)
}
