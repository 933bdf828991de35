//! Files of the engine, fetched here once.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, refused, todo};
use crate::steps::{Explanation, StepKind};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use plinth_model::amount;
use plinth_model::download::{DownloadFile, DownloadImage, DownloadList, mirrored};
use plinth_model::finding::code;
use plinth_model::steps::KubesprayDownloads;
use plinth_model::{Digest, Finding, Step};
use plinth_world::ClientError;
use plinth_world::ansible::{Artifact, Download};
use std::collections::HashSet;

const CLIENT: &str = "fetch";
/// Files that are fetched at once: enough to hide slow answers, few enough for any mirror.
const AT_ONCE: usize = 4;

impl StepKind for KubesprayDownloads {
    const EXPLANATION: Explanation = Explanation {
        kind: KubesprayDownloads::KIND,
        title: "The files that Kubespray needs on nodes are here.",
        probe: "Looks at the list that was made for this inventory and these variables, and sums up every file of it.",
        act: "Asks Kubespray which files it needs, and fetches what is missing, from the mirror where there is one. What was fetched in part goes on; a wrong checksum is never kept.",
    };

    /// The list belongs to these inputs, and every file of it is here.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { release, inputs, .. } = self;
        let Some(list) = listed(env, inputs).await? else {
            return todo(format!("+ files that Kubespray {} needs on nodes", release.tag));
        };
        let missing = env.clients.fetch.missing(&env.ctx, &list.files).await?;
        Ok(compared(missing.iter().map(|file| format!("+ {}", file.dest)).collect(), || {
            format!("{} here, verified", amount(list.files.len(), "file"))
        }))
    }

    /// Asks the engine what it needs, and fetches what is missing.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { release, inputs, mirror } = self;
        let downloads = env.clients.ansible.downloads(&env.ctx, release).await?;
        let list = list(downloads, inputs, mirror.as_deref())
            .map_err(|finding| refused(CLIENT, format!("reading what Kubespray {} needs", release.tag), *finding))?;
        env.clients.fetch.keep_list(&env.ctx, &list).await?;
        let missing = env.clients.fetch.missing(&env.ctx, &list.files).await?;
        let fetches: Vec<_> = missing.iter().map(|file| env.clients.fetch.fetch(&env.ctx, file)).collect();
        stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(format!("{} fetched and verified, {} needed", amount(missing.len(), "file"), list.files.len()))
    }
}

/// The kept list, if it was made for these inputs.
pub(in crate::steps) async fn listed(env: &StepEnv, inputs: &Digest) -> Result<Option<DownloadList>, ClientError> {
    match env.clients.fetch.list(&env.ctx).await? {
        Some(list) => Ok(Some(list).filter(|list| list.inputs == *inputs)),
        None => Ok(None),
    }
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
