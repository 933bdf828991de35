//! Files of the engine: fetched here once, pushed to nodes.

use super::outcome::{amount, compared, refused, todo};
use crate::behaviour::{Probe, StepEnv};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use plinth_model::download::{DownloadFile, DownloadImage, DownloadList, mirrored};
use plinth_model::finding::code;
use plinth_model::steps::{KubesprayRelease, NodeTarget};
use plinth_model::{Digest, Finding};
use plinth_world::ClientError;
use plinth_world::ansible::{Artifact, Download};
use plinth_world::node::PushFile;
use std::collections::HashSet;

const DOOR: &str = "fetch";
/// Files that are fetched at once: enough to hide slow answers, few enough for any mirror.
const AT_ONCE: usize = 4;

/// The list belongs to these inputs, and every file of it is here.
pub(super) async fn probe(env: &StepEnv, release: &KubesprayRelease, inputs: &Digest) -> Result<Probe, ClientError> {
    let Some(list) = listed(env, inputs).await? else {
        return todo(format!("+ files that Kubespray {} needs on nodes", release.tag));
    };
    let missing = env.clients.fetch.missing(&env.ctx, &list.files).await?;
    Ok(compared(missing.iter().map(|file| format!("+ {}", file.dest)).collect(), || {
        format!("{} here, verified", amount(list.files.len(), "file"))
    }))
}

/// The kept list, if it was made for these inputs.
async fn listed(env: &StepEnv, inputs: &Digest) -> Result<Option<DownloadList>, ClientError> {
    match env.clients.fetch.list(&env.ctx).await? {
        Some(list) => Ok(Some(list).filter(|list| list.inputs == *inputs)),
        None => Ok(None),
    }
}

/// Asks the engine what it needs, and fetches what is missing.
pub(super) async fn fetch(
    env: &StepEnv,
    release: &KubesprayRelease,
    inputs: &Digest,
    mirror: Option<&str>,
) -> Result<String, ClientError> {
    let downloads = env.clients.ansible.downloads(&env.ctx, release).await?;
    let list = list(downloads, inputs, mirror)
        .map_err(|finding| refused(DOOR, format!("reading what Kubespray {} needs", release.tag), *finding))?;
    env.clients.fetch.keep_list(&env.ctx, &list).await?;
    let missing = env.clients.fetch.missing(&env.ctx, &list.files).await?;
    let fetches: Vec<_> = missing.iter().map(|file| env.clients.fetch.fetch(&env.ctx, file)).collect();
    stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(format!("{} fetched and verified, {} needed", amount(missing.len(), "file"), list.files.len()))
}

/// What is asked for, as a list. A file without a checksum is left to the engine, which can prove it no more than we can. The same
/// content is fetched once, whatever it is called.
pub fn list(downloads: Vec<Download>, inputs: &Digest, mirror: Option<&str>) -> Result<DownloadList, Box<Finding>> {
    let mut list = DownloadList { inputs: inputs.clone(), files: Vec::new(), images: Vec::new() };
    let mut seen = HashSet::new();
    for Download { name, groups, what, .. } in downloads.into_iter().filter(|download| download.enabled) {
        match what {
            Artifact::Image { repo, tag } => {
                list.images.push(DownloadImage { name, image: format!("{repo}:{tag}"), groups });
            }
            Artifact::File { sha256: None, .. } => {}
            Artifact::File { url, dest, sha256: Some(sha256) } => {
                let sha256 = sha256.trim_start_matches("sha256:").to_owned();
                let file = DownloadFile { url: mirrored(&url, mirror), name, sha256, dest, groups };
                if !file.has_plain_name() || !file.has_checksum() {
                    return Err(Box::new(strange(&file)));
                }
                if seen.insert(file.dest.clone()) {
                    list.files.push(file);
                }
            }
        }
    }
    Ok(list)
}

fn strange(file: &DownloadFile) -> Finding {
    let message = format!("the engine names a file `{}` with the checksum `{}`", file.dest, file.sha256);
    Finding::error(code::FETCH_STRANGE_FILE, &*file.name, message)
        .evidence(file.url.clone())
        .fix("look at the variables of the site that concern downloads; both must be plain words")
}

/// What a node needs of the list is in its folder.
pub(super) async fn probe_node(
    env: &StepEnv,
    target: &NodeTarget,
    folder: &str,
    groups: &[String],
    inputs: &Digest,
) -> Result<Probe, ClientError> {
    let Some(list) = listed(env, inputs).await? else {
        return todo(format!("+ files of the engine in {folder}; which ones is not known yet"));
    };
    let files = needed(&list, groups);
    let missing = env.clients.node.missing_files(&env.ctx, target, folder, &files).await?;
    Ok(compared(missing.into_iter().map(|name| format!("+ {folder}/{name}")).collect(), || {
        format!("{} in {folder}, verified", amount(files.len(), "file"))
    }))
}

fn needed(list: &DownloadList, groups: &[String]) -> Vec<DownloadFile> {
    list.files.iter().filter(|file| file.is_for(groups)).cloned().collect()
}

/// Pushes what is missing, one file after the other: many nodes are served at once.
pub(super) async fn push(
    env: &StepEnv,
    target: &NodeTarget,
    folder: &str,
    groups: &[String],
    inputs: &Digest,
) -> Result<String, ClientError> {
    let Some(list) = listed(env, inputs).await? else {
        let doing = format!("pushing files to {}", target.node);
        let attempt = "run again: the step `kubernetes/downloads` makes it";
        return Err(ClientError::permanent(DOOR, doing, "the list of files is not here", attempt));
    };
    let files = needed(&list, groups);
    let missing = env.clients.node.missing_files(&env.ctx, target, folder, &files).await?;
    for file in files.iter().filter(|file| missing.contains(&file.dest)) {
        let source = env.clients.fetch.place(&file.sha256);
        let push = PushFile { source: &source, folder, name: &file.dest, sha256: &file.sha256 };
        env.clients.node.push_file(&env.ctx, target, &push).await?;
    }
    Ok(format!("{} pushed, {} needed", amount(missing.len(), "file"), files.len()))
}
