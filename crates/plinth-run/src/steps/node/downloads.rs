//! Files of the engine on a node.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::engines::kubespray::downloads::listed;
use crate::steps::outcome::{compared, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::amount;
use plinth_model::download::{DownloadFile, DownloadList};
use plinth_model::steps::NodeDownloads;
use plinth_world::ClientError;
use plinth_world::node::PushFile;

const CLIENT: &str = "fetch";

impl StepKind for NodeDownloads {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeDownloads::KIND,
        title: "The node has the files that Kubespray needs there.",
        probe: "Sums up the files in the folder where Kubespray looks before it fetches.",
        act: "Pushes what is missing over SSH, streamed and verified. A push that was interrupted goes on.",
    };

    /// What a node needs of the list is in its folder.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { target, folder, groups, inputs } = self;
        let Some(list) = listed(env, inputs).await? else {
            return todo(format!("+ files of the engine in {folder}; which ones is not known yet"));
        };
        let files = needed(&list, groups);
        let missing = env.clients.node.missing_files(&env.ctx, target, folder, &files).await?;
        Ok(compared(missing.into_iter().map(|name| format!("+ {folder}/{name}")).collect(), || {
            format!("{} in {folder}, verified", amount(files.len(), "file"))
        }))
    }

    /// Pushes what is missing, one file after the other: many nodes are served at once.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { target, folder, groups, inputs } = self;
        let Some(list) = listed(env, inputs).await? else {
            let doing = format!("pushing files to {}", target.node);
            let attempt = "run again: the step `kubernetes/downloads` makes it";
            return Err(ClientError::new(CLIENT, doing).happened("the list of files is not here").attempt(attempt));
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
}

fn needed(list: &DownloadList, groups: &[String]) -> Vec<DownloadFile> {
    list.files.iter().filter(|file| file.is_for(groups)).cloned().collect()
}
