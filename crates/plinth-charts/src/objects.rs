//! Charts that are made here, where a maker publishes one file of objects instead: the file is proved by its digest, kept under it, and
//! packed. helm then orders the objects, remembers what was applied, takes away what a newer file no longer has, and removes all of it.
//! Definitions of kinds lie beside the templates, so they are applied first and stay when the release goes. Objects of kind Namespace are
//! left out: plinth makes namespaces itself, with their Pod Security level, and a release that owned one would take what others keep in it.

use crate::address::plain;
use crate::charts::{Charts, Task, blocking};
use crate::failure::{Failure, Why};
use crate::package;
use crate::place::Place;
use crate::web::Asked;
use flate2::Compression;
use flate2::write::GzEncoder;
use plinth_model::{Digest, Version};
use plinth_world::charts::ChartPackage;
use plinth_world::{Context, files};
use reqwest::Url;
use serde_json::Value;
use std::io;
use std::path::Path;

/// Largest file of objects that is read, bytes. The MPI operator's has some 600 kB.
const LARGEST: usize = 16 * 1024 * 1024;
/// Takes no values at all.
const SCHEMA: &str = r#"{"type": "object", "additionalProperties": false}"#;
/// Puts the objects in as they are: braces in them mean nothing.
const TEMPLATE: &str = "{{ .Files.Get \"objects.yaml\" }}\n";

impl Charts {
    /// The package, made of the file that is here already and right, or else fetched.
    pub(crate) async fn made(&self, ctx: &Context, task: &Task<'_>) -> Result<ChartPackage, Failure> {
        let (version, digest) = task.of_objects()?;
        let store = (self.files.clone(), digest.to_owned());
        let kept = blocking(move || store.0.read(&store.1).map_err(|error| Failure::disk(&error))).await?;
        let is_here = kept.is_some();
        let bytes = match kept {
            Some(bytes) => bytes,
            None => self.file(ctx, task, digest).await?,
        };
        let (name, version, digest) = (task.name.clone(), version.clone(), digest.to_owned());
        let (files, store) = (self.files.clone(), self.store.clone());
        let package = blocking(move || {
            let packed = packed(&name, &version, &bytes)?;
            let of_package = Digest::of_bytes(&packed).as_str().to_owned();
            let disk = |error: io::Error| Failure::disk(&error);
            if store.read(&of_package).map_err(disk)?.is_none() {
                store.keep(&of_package, &packed).map_err(disk)?;
            }
            if !is_here {
                files.keep(&digest, &bytes).map_err(disk)?;
            }
            Ok(ChartPackage { file: store.place(&of_package), version, digest: of_package })
        });
        package.await
    }

    /// The package, if file and package are here. Nothing is written.
    pub(crate) async fn made_before(&self, task: &Task<'_>) -> Result<Option<ChartPackage>, Failure> {
        let (version, digest) = task.of_objects()?;
        let (name, version, digest) = (task.name.clone(), version.clone(), digest.to_owned());
        let (files, store) = (self.files.clone(), self.store.clone());
        let package = blocking(move || {
            let disk = |error: io::Error| Failure::disk(&error);
            let Some(bytes) = files.read(&digest).map_err(disk)? else { return Ok(None) };
            let digest = Digest::of_bytes(&packed(&name, &version, &bytes)?).as_str().to_owned();
            let there = store.read(&digest).map_err(disk)?;
            Ok(there.map(|_| ChartPackage { file: store.place(&digest), version, digest }))
        });
        package.await
    }

    /// The file from where it is, proved.
    async fn file(&self, ctx: &Context, task: &Task<'_>, digest: &str) -> Result<Vec<u8>, Failure> {
        ctx.progress(0, 0, format!("fetching {} {} from {}", task.name, task.release.version, task.key.place));
        let (what, bytes) = match &task.place {
            Place::Folder(folder) => {
                let (folder, name) = (folder.clone(), task.release.file_of_objects());
                blocking(move || from_folder(&folder, &name)).await?
            }
            Place::File(url) => self.fetched(ctx, task, url).await?,
            Place::Repository(_) | Place::Registry(_) => {
                return Err(Failure::input("a file of objects is in no repository of charts"));
            }
        };
        let found = Digest::of_bytes(&bytes);
        if found.as_str() == digest { Ok(bytes) } else { Err(Failure::digest(&what, digest, found.as_str())) }
    }

    async fn fetched(&self, ctx: &Context, task: &Task<'_>, url: &Url) -> Result<(String, Vec<u8>), Failure> {
        let what = format!("{} from {}", task.name, plain(url));
        let mut session = self.web.session(ctx, self.login(task)?);
        let answer = session.get(url, Asked { limit: LARGEST, eager: true, what: &what, accept: None }).await?;
        Ok((what, answer.bytes))
    }
}

impl Task<'_> {
    /// Its version and the digest of its file.
    fn of_objects(&self) -> Result<(&Version, &str), Failure> {
        let name = &self.name;
        let version = self.release.version.exact();
        let version =
            version.ok_or_else(|| Failure::input(format!("{name} is a file of objects, and a line names none")))?;
        let digest = self.digest.as_deref();
        let unproved = || Failure::input(format!("nobody says the digest of the file of objects of {name}"));
        Ok((version, digest.ok_or_else(|| unproved().attempt(format!("give `platform.components.{name}.digest`")))?))
    }
}

fn from_folder(folder: &Path, name: &str) -> Result<(String, Vec<u8>), Failure> {
    let file = folder.join(name);
    match files::read_up_to(&file, LARGEST) {
        Ok(bytes) => Ok((file.display().to_string(), bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = format!("there is no {name} in {}", folder.display());
            Err(Failure::new(Why::NotThere, text)
                .attempt(format!("put {name} there (`plinth render mirror-list` names all)")))
        }
        Err(error) => Err(Failure::input(format!("{} cannot be read: {error}", file.display()))),
    }
}

/// A package of these objects. The same file always gives the same package.
pub(crate) fn packed(name: &str, version: &Version, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::nonsense("the file of objects is no text"))?;
    let Objects { definitions, others } = objects(text)?;
    let about = serde_json::json!({"apiVersion": "v2", "name": name, "version": version.as_str(),
        "description": "made by plinth of the objects that its maker publishes"});
    let mut files = vec![
        ("Chart.yaml".to_owned(), about.to_string()),
        ("values.yaml".to_owned(), "{}\n".to_owned()),
        ("values.schema.json".to_owned(), SCHEMA.to_owned()),
        ("templates/objects.yaml".to_owned(), TEMPLATE.to_owned()),
        ("objects.yaml".to_owned(), documents(&others)),
    ];
    let numbered = definitions.iter().enumerate();
    files.extend(numbered.map(|(at, one)| (format!("crds/{at:03}.yaml"), documents(std::slice::from_ref(one)))));
    let packed = archive(name, &files).map_err(|error| Failure::disk(&error))?;
    let read = package::about(&packed)?;
    if read.name == name && read.version == *version {
        Ok(packed)
    } else {
        Err(Failure::nonsense("the package is not whole"))
    }
}

/// JSON is YAML, and has no line that begins with `---`.
fn documents(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

fn archive(name: &str, files: &[(String, String)]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (file, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, Path::new(name).join(file), text.as_bytes())?;
    }
    archive.into_inner()?.finish()
}

/// What a file holds, without namespaces.
#[derive(Debug, Default)]
struct Objects {
    definitions: Vec<Value>,
    others: Vec<Value>,
}

fn objects(text: &str) -> Result<Objects, Failure> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        let first = error.to_string().lines().next().unwrap_or_default().chars().take(200).collect::<String>();
        Failure::nonsense(format!("the file of objects cannot be read: {first}"))
    })?;
    let mut objects = Objects::default();
    for document in all.into_iter().filter(|document| !document.is_null()) {
        let items = match (document["kind"].as_str(), document["items"].as_array()) {
            (Some(kind), Some(items)) if kind.ends_with("List") => items.clone(),
            _ => vec![document],
        };
        items.into_iter().try_for_each(|item| objects.take(item))?;
    }
    if objects.definitions.is_empty() && objects.others.is_empty() {
        return Err(Failure::nonsense("the file of objects holds none"));
    }
    Ok(objects)
}

impl Objects {
    fn take(&mut self, object: Value) -> Result<(), Failure> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (Some(_), Some(kind), Some(_)) = (text("/apiVersion"), text("/kind"), text("/metadata/name")) else {
            return Err(Failure::nonsense("the file of objects has one without apiVersion, kind or metadata.name"));
        };
        match kind {
            "Namespace" => {}
            "CustomResourceDefinition" => self.definitions.push(object),
            _ => self.others.push(object),
        }
        Ok(())
    }
}
