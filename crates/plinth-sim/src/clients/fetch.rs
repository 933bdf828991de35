//! Simulated files of the web: checksums without content.

use super::Call;
use crate::data_centre::DataCentre;
use crate::timing;
use crate::world::Effect;
use async_trait::async_trait;
use plinth_model::download::{DownloadFile, DownloadList};
use plinth_world::fetch::FetchClient;
use plinth_world::{ClientResult, Context};
use std::path::PathBuf;
use std::sync::Arc;

const CLIENT: &str = "fetch";

/// Files of the web.
pub(crate) struct SimFetch {
    pub(crate) centre: Arc<DataCentre>,
}

#[async_trait]
impl FetchClient for SimFetch {
    async fn list(&self, _: &Context) -> ClientResult<Option<DownloadList>> {
        let list = self.centre.look(|state, _| state.controller.list.clone())?;
        Ok(list)
    }

    async fn keep_list(&self, _: &Context, list: &DownloadList) -> ClientResult<()> {
        if self.centre.look(|state, _| state.controller.list.as_ref() == Some(list))? {
            return Ok(());
        }
        self.centre.effect(Effect::ListKept { list: list.clone() })
    }

    async fn missing(&self, _: &Context, files: &[DownloadFile]) -> ClientResult<Vec<DownloadFile>> {
        self.centre.look(|state, _| {
            let held = &state.controller.held;
            files.iter().filter(|file| !held.contains(&file.sha256)).cloned().collect()
        })
    }

    async fn fetch(&self, ctx: &Context, file: &DownloadFile) -> ClientResult<()> {
        let call = Call::new(CLIENT, format!("fetching {}", file.url));
        if !file.has_checksum() {
            return Err(call.fails("no checksum is known for it", "use a release that has one"));
        }
        if self.missing(ctx, std::slice::from_ref(file)).await?.is_empty() {
            return Ok(());
        }
        self.centre.spend("fetch-file", &file.dest, timing::FILE).await;
        self.centre.effect(Effect::FileFetched { sha256: file.sha256.clone() })
    }

    async fn status(&self, _: &Context, url: &str) -> ClientResult<u16> {
        self.centre.spend("ask-source", url, timing::CONNECT).await;
        if self.centre.silent(url)? {
            let call = Call::new(CLIENT, format!("asking {url}"));
            return Err(call.fails("no answer in time", "check this machine's way to it (DNS, proxy, firewall)"));
        }
        Ok(200)
    }

    fn place(&self, sha256: &str) -> PathBuf {
        PathBuf::from(sha256)
    }
}
