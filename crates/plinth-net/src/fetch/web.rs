//! The real fetch client: HTTP with TLS that is verified, in pieces, resumed where a try stopped. Proxies are those of the
//! environment (`HTTPS_PROXY`, `NO_PROXY`).

use super::Store;
use crate::fault::{deepest, failed_request};
use crate::trust::{config_with_roots, system_roots};
use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable as _};
use plinth_model::download::{DownloadFile, DownloadList};
use plinth_model::finding::code;
use plinth_model::text::{host_of, without_login};
use plinth_model::{Finding, Owner};
use plinth_world::context::Paced;
use plinth_world::fetch::FetchClient;
use plinth_world::files::{read_up_to, write_whole};
use plinth_world::seam::Seam;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};
use rustls::RootCertStore;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const CLIENT: &str = "fetch";
/// Largest file that is taken, bytes. The largest that is known has 300 MB.
const LARGEST: u64 = 2 * 1024 * 1024 * 1024;
/// Largest list that is read, bytes.
const LARGEST_LIST: usize = 4 * 1024 * 1024;

/// Files of the web, below the state directory.
pub struct WebFiles {
    store: Store,
    list: PathBuf,
    client: Client,
    /// Contents that are being fetched, by checksum: files of one content grow as one part, so they come one after the other.
    growing: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl WebFiles {
    /// Contacts nobody yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(state: &Path) -> ClientResult<Self> {
        let failed = |happened: String| {
            ClientError::new(CLIENT, "setting up TLS")
                .happened(happened)
                .attempt("install this machine's authorities (ca-certificates)")
        };
        // A machine that trusts nobody can still have its files from a plain server of its own.
        let roots = system_roots().unwrap_or_else(|_| RootCertStore::empty());
        let client = Client::builder()
            .tls_backend_preconfigured(config_with_roots(roots).map_err(failed)?)
            .connect_timeout(deadlines::FETCH_CONNECT)
            .read_timeout(deadlines::FETCH_SILENCE)
            .user_agent(concat!("plinth/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(deepest(&error)))?;
        let folder = state.join("downloads");
        Ok(Self { list: folder.join("list.json"), store: Store::new(&folder), client, growing: Mutex::default() })
    }

    fn place_to_grow(&self, sha256: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(growing.entry(sha256.to_owned()).or_default())
    }

    /// One try, which goes on where the part ends.
    async fn attempt(&self, ctx: &Context, file: &DownloadFile) -> ClientResult<()> {
        let part = self.store.part(&file.sha256);
        let begun = std::fs::metadata(&part).map_or(0, |part| part.len());
        let mut request = self.client.get(&file.url);
        if begun > 0 {
            request = request.header(RANGE, format!("bytes={begun}-"));
        }
        let seam = Seam::request(CLIENT, || format!("GET {}", bare(&file.url)));
        let response = request.send().await.map_err(|error| lost(file, &error));
        tell(seam, &response);
        let response = response?;
        if begun > 0 && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return self.accept(file).await;
        }
        let response = answered(file, response)?;
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT && continues(&response, begun);
        let begun = if goes_on { begun } else { 0 };
        let mut sink = Sink::open(&part, begun).map_err(|error| disk(file, &error))?;
        self.copy(ctx, file, response, &mut sink).await?;
        sink.file.sync_all().map_err(|error| disk(file, &error))?;
        self.accept(file).await
    }

    async fn copy(
        &self,
        ctx: &Context,
        file: &DownloadFile,
        mut response: Response,
        sink: &mut Sink,
    ) -> ClientResult<()> {
        let total = response.content_length().map_or(0, |rest| rest.saturating_add(sink.written));
        let mut paced = Paced::new(ctx);
        while let Some(piece) = response.chunk().await.map_err(|error| lost(file, &error))? {
            sink.take(&piece).map_err(|error| disk(file, &error))?;
            if sink.written > LARGEST {
                let happened = format!("it is larger than {LARGEST} bytes");
                return Err(refused(file, happened, "check the address of this file"));
            }
            paced.report(sink.written, total, &file.dest);
        }
        Ok(())
    }

    async fn accept(&self, file: &DownloadFile) -> ClientResult<()> {
        let (store, sha256) = (self.store.clone(), file.sha256.clone());
        let summed = tokio::task::spawn_blocking(move || store.accept(&sha256)).await;
        match summed.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| disk(file, &error))? {
            Ok(()) => Ok(()),
            Err(found) => {
                let message = format!("what {} gives as {} is not that file", host_of(&file.url), file.dest);
                let fix = "look at the mirror or proxy in between: it gave another content, such as an error page; \
                           then run again";
                let finding = Finding::error(code::FETCH_CHECKSUM, &*file.dest, message.clone())
                    .evidence(format!("wanted SHA-256 {}", file.sha256))
                    .evidence(format!("got {found} from {}", file.url))
                    .owner(Owner::NetworkTeam)
                    .fix(fix);
                Err(ClientError::new(CLIENT, format!("fetching {}", file.url))
                    .happened(message)
                    .attempt(fix)
                    .finding(finding))
            }
        }
    }
}

/// The part as it grows.
struct Sink {
    file: std::fs::File,
    written: u64,
}

impl Sink {
    fn open(part: &Path, begun: u64) -> io::Result<Self> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(part)?;
        file.set_len(begun)?;
        Ok(Self { file, written: begun })
    }

    fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.written += piece.len() as u64;
        Ok(())
    }
}

#[async_trait]
impl FetchClient for WebFiles {
    async fn list(&self, _: &Context) -> ClientResult<Option<DownloadList>> {
        let doing = || format!("reading {}", self.list.display());
        match read_up_to(&self.list, LARGEST_LIST) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ClientError::new(CLIENT, doing())
                .happened(error.to_string())
                .attempt("make the state directory readable")),
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        }
    }

    async fn keep_list(&self, _: &Context, list: &DownloadList) -> ClientResult<()> {
        let failed = |happened: String| {
            let doing = format!("writing {}", self.list.display());
            ClientError::new(CLIENT, doing).happened(happened).attempt("make the state directory writable")
        };
        let bytes = serde_json::to_vec_pretty(list).map_err(|error| failed(error.to_string()))?;
        self.store.make().and_then(|()| write_whole(&self.list, &bytes)).map_err(|error| failed(error.to_string()))
    }

    async fn missing(&self, _: &Context, files: &[DownloadFile]) -> ClientResult<Vec<DownloadFile>> {
        let (store, files) = (self.store.clone(), files.to_vec());
        let look = move || {
            let mut missing = Vec::new();
            for file in files {
                if !store.holds(&file.sha256).map_err(|error| disk(&file, &error))? {
                    missing.push(file);
                }
            }
            Ok(missing)
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_else(|error| {
            Err(ClientError::new(CLIENT, "looking at fetched files")
                .happened(error.to_string())
                .attempt("report this: it is a defect"))
        })
    }

    async fn fetch(&self, ctx: &Context, file: &DownloadFile) -> ClientResult<()> {
        if !file.has_checksum() {
            return Err(refused(file, "no checksum is known for it".to_owned(), "use a release that has one"));
        }
        self.store.make().map_err(|error| disk(file, &error))?;
        let place = self.place_to_grow(&file.sha256);
        let _alone = place.lock().await;
        if self.missing(ctx, std::slice::from_ref(file)).await?.is_empty() {
            return Ok(());
        }
        let again = ExponentialBuilder::new()
            .with_min_delay(deadlines::FETCH_BACKOFF)
            .with_max_times(deadlines::FETCH_TRIES.saturating_sub(1));
        let passes = |error: &ClientError| error.transient.is_some();
        (|| self.attempt(ctx, file)).retry(again).sleep(ctx.pause()).when(passes).await
    }

    async fn status(&self, _: &Context, url: &str) -> ClientResult<u16> {
        let seam = Seam::request(CLIENT, || format!("GET {}", bare(url)));
        let answer = self.client.get(url).timeout(deadlines::SOURCE).send().await;
        tell(seam, &answer);
        answer.map(|response| response.status().as_u16()).map_err(|error| {
            let (happened, cause) = failed_request(&error);
            let attempt = "check this machine's way to it (DNS, proxy, firewall)";
            ClientError::new(CLIENT, format!("asking {}", without_login(url)))
                .happened(happened)
                .attempt(attempt)
                .because(cause)
        })
    }

    fn place(&self, sha256: &str) -> PathBuf {
        self.store.place(sha256)
    }
}

/// An address without its login and its query, which may hold secrets.
fn bare(url: &str) -> String {
    let url = without_login(url);
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn tell<E>(seam: Seam, answer: &Result<Response, E>) {
    match answer {
        Ok(answer) => seam.end(format_args!("HTTP {}", answer.status().as_u16())),
        Err(_) => seam.end("no answer"),
    }
}

/// Whether a partial answer begins where our part ends.
fn continues(response: &Response, begun: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
    range.strip_prefix("bytes ").is_some_and(|range| range.starts_with(&format!("{begun}-")))
}

fn answered(file: &DownloadFile, response: Response) -> ClientResult<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let happened = format!("{} answered {status}", host_of(&file.url));
    let attempt = match status {
        StatusCode::NOT_FOUND => {
            "put the file on the mirror (`plinth render mirror-list` names all), or correct its address"
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "let this machine read there, without a login",
        _ => "look at the server, then run again: what was fetched is kept",
    };
    let error = refused(file, happened, attempt);
    let passes =
        status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    Err(if passes { error.transient("a busy server answers later") } else { error })
}

fn refused(file: &DownloadFile, happened: String, attempt: &str) -> ClientError {
    let finding = Finding::error(code::FETCH_REFUSED, &*file.dest, happened.clone())
        .evidence(file.url.clone())
        .owner(Owner::NetworkTeam)
        .fix(attempt);
    ClientError::new(CLIENT, format!("fetching {}", file.url)).happened(happened).attempt(attempt).finding(finding)
}

/// No answer, or one that broke off.
fn lost(file: &DownloadFile, error: &reqwest::Error) -> ClientError {
    let (happened, cause) = failed_request(error);
    let attempt = "check this machine's way to it (DNS, proxy, firewall), or set `kubernetes.downloads.files` to a mirror; \
                   then run again: what was fetched is kept";
    let finding = Finding::error(code::FETCH_UNREACHABLE, host_of(&file.url), happened.clone())
        .evidence(file.url.clone())
        .owner(Owner::NetworkTeam)
        .fix(attempt);
    ClientError::new(CLIENT, format!("fetching {}", file.url))
        .happened(happened)
        .attempt(attempt)
        .because(cause)
        .transient("a connection that was lost can be made again, and goes on where it stopped")
        .finding(finding)
}

fn disk(file: &DownloadFile, error: &io::Error) -> ClientError {
    let attempt = "make room in the state directory, and let it be written";
    ClientError::new(CLIENT, format!("keeping {}", file.dest)).happened(error.to_string()).attempt(attempt)
}

#[cfg(test)]
#[path = "web_tests.rs"]
mod tests;
