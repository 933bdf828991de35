//! The fetch client: files of the web, known by their content, kept once for all nodes. The real one is in `plinth-net`.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::download::{DownloadFile, DownloadList};
use std::path::PathBuf;

/// Files that are fetched here and pushed to nodes.
#[async_trait]
pub trait FetchClient: Send + Sync {
    /// The list that was kept last.
    async fn list(&self, ctx: &Context) -> ClientResult<Option<DownloadList>>;
    /// Keeps a list for later runs, in place of the one before.
    async fn keep_list(&self, ctx: &Context, list: &DownloadList) -> ClientResult<()>;
    /// Those of the files that are not held with the right content.
    async fn missing(&self, ctx: &Context, files: &[DownloadFile]) -> ClientResult<Vec<DownloadFile>>;
    /// Fetches a file, goes on where an earlier try stopped, and keeps it only when its checksum is right. Reports bytes as
    /// progress. Harmless to repeat.
    async fn fetch(&self, ctx: &Context, file: &DownloadFile) -> ClientResult<()>;
    /// Asks an address, and answers the HTTP status that it says. Waits no longer than [`crate::deadlines::SOURCE`]; what stands behind
    /// the status is not read.
    async fn status(&self, ctx: &Context, url: &str) -> ClientResult<u16>;
    /// Where the content of a checksum is kept, whether or not it is there.
    fn place(&self, sha256: &str) -> PathBuf;
}
