//! `helm template`: what a chart would bring, worked out on this machine. No cluster is asked, nothing is fetched but the package where
//! that is allowed, and no secret takes part: something else stands in for each, so what is rendered can be told and kept in memory.
//! Not covered: what a chart looks up in the cluster while it renders, which is empty here.

use crate::client::for_yaml;
use crate::documents::objects;
use crate::failure::{self, CLIENT};
use crate::folder::Folder;
use crate::local::absolute;
use crate::package::{defaults, definitions};
use crate::program::{bare, template};
use async_trait::async_trait;
use plinth_model::steps::Release;
use plinth_model::text::visible;
use plinth_model::{Digest, Secret, SecretRef};
use plinth_world::charts::{ChartPackage, ChartPackages};
use plinth_world::helm::{ChartDefaults, Helm, HelmPrograms, ManifestRenderer, Rendered, Rendering};
use plinth_world::seam::Seam;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Most manifests of one chart that are read, bytes; the largest that are known have some 5 MB.
const LARGEST: u64 = 64 << 20;
/// Most of helm's complaints that is read, bytes.
const COMPLAINTS: u64 = 64 << 10;
/// Lines of them that are told.
const LINES: usize = 12;
/// Longest line that is told, characters.
const LINE: usize = 300;
/// Stands where a secret would. Long enough, and of characters that every form of password takes.
const IN_PLACE: &str = "stands-in-for-a-secret-Aa1";
/// How helm begins the complaint of a chart's schema.
const BY_SCHEMA: &str = "don't meet the specifications of the schema";

/// helm on this machine, as far as it needs no cluster. What was rendered is kept for as long as it lives.
pub struct Renderer {
    packages: Arc<dyn ChartPackages>,
    program: Arc<dyn HelmPrograms>,
    rendered: Mutex<HashMap<Digest, Rendered>>,
}

#[async_trait]
impl ManifestRenderer for Renderer {
    async fn render(&self, ctx: &Context, release: &Release, how: &Rendering) -> ClientResult<Rendered> {
        let Some(helm) = self.program.at_hand(ctx).await? else {
            return Ok(Rendered::NotHere(
                "no helm that fits is on this machine, and none is fetched for a look".to_owned(),
            ));
        };
        let Some(package) = self.package_for(ctx, release, how.may_fetch).await? else {
            return Ok(Rendered::NotHere("its package is not on this machine yet".to_owned()));
        };
        let in_place = &mut |_: &SecretRef| Ok::<_, Infallible>(Secret::new(IN_PLACE.to_owned()));
        let Ok(values) = release.values.resolve(in_place);
        let question = (&package.digest, &helm.version, values.expose(), how, &release.release, &release.namespace);
        let question = Digest::of(&format!("{question:?}"));
        if let Some(known) = self.known(&question) {
            return Ok(known);
        }
        let doing = format!("rendering {}", release.component);
        ctx.progress(0, 0, doing.clone());
        let answer = match one(&helm, &package, release, how, &for_yaml(&values), &doing).await? {
            Rendered::Refused { lines, .. } if names_stand_in(&lines, &values) => {
                Rendered::Refused { by_schema: false, lines }
            }
            answer => answer,
        };
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner).insert(question, answer.clone());
        Ok(answer)
    }

    async fn defaults(&self, ctx: &Context, release: &Release, may_fetch: bool) -> ClientResult<Option<ChartDefaults>> {
        let Some(package) = self.package_for(ctx, release, may_fetch).await? else { return Ok(None) };
        let (file, doing) = (absolute(&package.file), format!("reading the default values of {}", release.component));
        let shown = file.clone();
        let unreadable = |why: String| {
            ClientError::new(CLIENT, doing.clone())
                .happened(format!("package {} cannot be read: {why}", shown.display()))
                .attempt("remove it: it is fetched again")
        };
        let read = tokio::task::spawn_blocking(move || defaults(&file));
        read.await.map_err(|error| unreadable(error.to_string()))?.map(Some).map_err(unreadable)
    }
}

impl Renderer {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(packages: Arc<dyn ChartPackages>, program: Arc<dyn HelmPrograms>) -> Self {
        Self { packages, program, rendered: Mutex::default() }
    }

    fn known(&self, question: &Digest) -> Option<Rendered> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    async fn package_for(
        &self,
        ctx: &Context,
        release: &Release,
        may_fetch: bool,
    ) -> ClientResult<Option<ChartPackage>> {
        if may_fetch {
            return self.packages.package(ctx, release).await.map(Some);
        }
        self.packages.at_hand(ctx, release).await
    }
}

/// Whether a line is about a value in which something else stands in for a secret: what a schema says of that is no word about the site.
fn names_stand_in(lines: &[String], values: &Secret) -> bool {
    let Ok(values) = serde_json::from_str::<Value>(values.expose()) else { return true };
    let mut places = Vec::new();
    stand_ins(&values, String::new(), &mut places);
    // helm writes `/a/b` or, in older releases, `a.b`.
    let dotted = |place: &str| place.trim_start_matches('/').replace('/', ".");
    places.iter().any(|place| lines.iter().any(|line| line.contains(place) || line.contains(&dotted(place))))
}

/// Places of all stand-ins: `/global/password`.
fn stand_ins(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains(IN_PLACE) => places.push(place),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(index, one)| stand_ins(one, format!("{place}/{index}"), places));
        }
        Value::Object(all) => all.iter().for_each(|(key, one)| stand_ins(one, format!("{place}/{key}"), places)),
        _ => {}
    }
}

async fn one(
    helm: &Helm,
    package: &ChartPackage,
    release: &Release,
    how: &Rendering,
    values: &Secret,
    doing: &str,
) -> ClientResult<Rendered> {
    let file = absolute(&package.file);
    let words = template(release, &file, how);
    let (status, out, err) = run(helm, &words, values, doing).await?;
    if !status.success() {
        let lines = complaints(&err);
        if status.code().is_none() || lines.is_empty() {
            // That is no word about the chart.
            return Err(ClientError::new(CLIENT, doing)
                .happened(format!("helm ended with {status}"))
                .attempt("run again; look whether this machine is short of memory"));
        }
        return Ok(Rendered::Refused { by_schema: err.contains(BY_SCHEMA), lines });
    }
    let unreadable = |why: String| {
        ClientError::new(CLIENT, doing)
            .happened(format!("what helm renders cannot be read: {why}"))
            .attempt(format!("look at it: `helm template` with the package {}", file.display()))
    };
    let (folder, values) = (file.clone(), release.values.clone());
    let read = tokio::task::spawn_blocking(move || {
        let definitions = definitions(&folder, &values)?;
        Ok::<_, String>((objects(&out)?, definitions))
    });
    let (objects, definitions) = read.await.map_err(|error| unreadable(error.to_string()))?.map_err(unreadable)?;
    Ok(Rendered::Manifests { objects, definitions })
}

/// Values on standard input, manifests from standard output: nothing of it touches a disk.
async fn run(
    helm: &Helm,
    words: &[OsString],
    values: &Secret,
    doing: &str,
) -> ClientResult<(ExitStatus, String, String)> {
    let local = |what: &'static str| move |error: io::Error| failure::local(doing, what, &error);
    let folder = Folder::make().map_err(local("no private folder can be made for helm"))?;
    let mut command = bare(&helm.program, &folder);
    command.args(words).process_group(0).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let shown = || words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let seam = Seam::program(CLIENT, || format!("helm {}", shown()));
    let mut child = command.spawn().map_err(local("helm cannot be started"))?;
    let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let work = async {
        let feed = async {
            if let Some(mut input) = input {
                // What a helm that has ended already does not read is told by how it ended.
                let _unread = input.write_all(values.expose().as_bytes()).await;
            }
        };
        let ((), out, err) = tokio::join!(feed, whole(out, LARGEST), whole(err, COMPLAINTS));
        Ok::<_, io::Error>((child.wait().await?, out?, err?))
    };
    let seconds = deadlines::HELM_RENDER.as_secs();
    match timeout(deadlines::HELM_RENDER, work).await {
        Ok(ended) => {
            let ended = ended.map_err(local("helm cannot be read"))?;
            seam.end(ended.0);
            Ok(ended)
        }
        Err(_) => Err(ClientError::new(CLIENT, doing)
            .happened(format!("helm template did not end within {seconds} s"))
            .attempt("look at the load of this machine; the run itself does not depend on it")),
    }
}

/// A stream to its end; of what is longer only the beginning is kept, and the rest is read so that helm does not wait.
async fn whole(stream: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<String> {
    let Some(mut stream) = stream else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    (&mut stream).take(most).read_to_end(&mut bytes).await?;
    if tokio::io::copy(&mut stream, &mut tokio::io::sink()).await? > 0 && most == LARGEST {
        return Err(io::Error::other(format!("it is larger than {LARGEST} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What helm says for people, without warnings and without its hint at debugging.
fn complaints(text: &str) -> Vec<String> {
    let of_interest = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with("WARNING")
            && !line.starts_with("Use --debug")
            && !line.starts_with("level=")
    };
    let lines = text.lines().filter(of_interest).map(|line| {
        let line = line.trim().trim_start_matches("Error: ");
        visible(line).chars().take(LINE).collect::<String>()
    });
    lines.take(LINES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_told_without_what_stands_around_them() {
        let text = "WARNING: old kubeconfig\nError: values don't meet the specifications of the schema(s) in the following chart(s):\na:\n\
            - at '/n': got string, want integer\n\nUse --debug flag to render out invalid YAML\n";
        let lines = complaints(text);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(text.contains(BY_SCHEMA) && lines[2] == "- at '/n': got string, want integer", "{lines:?}");
    }
}
