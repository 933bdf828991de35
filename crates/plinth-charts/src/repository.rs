//! Packages from a repository with an index.

use crate::address::plain;
use crate::failure::Failure;
use crate::index::{Entry, Index, LARGEST};
use crate::oci;
use crate::package;
use crate::place::Reference;
use crate::wanted::{Found, Trust, Wanted};
use crate::web::{Asked, Session};
use plinth_model::Digest;
use reqwest::Url;

/// Media types of an index; servers send what they like.
const INDEX: &str = "application/yaml, application/x-yaml, text/yaml, text/plain, */*";

/// Reads the index at the root of a repository.
pub(crate) async fn index(session: &mut Session<'_>, repository: &Url) -> Result<Index, Failure> {
    let url = repository.join("index.yaml").map_err(|_| Failure::input("the repository has no usable address"))?;
    let what = format!("the index of {}", plain(repository));
    let asked = Asked { accept: Some(INDEX), limit: LARGEST, eager: true, what: &what };
    let answer = session.get(&url, asked).await?;
    tokio::task::spawn_blocking(move || Index::read(&answer.bytes))
        .await
        .unwrap_or_else(|error| Err(Failure::nonsense(error.to_string())))
        .map_err(|failure| session.unreadable(&url, failure.evidence(plain(&url))))
}

/// Fetches what an entry names, from the first of its addresses that gives it.
pub(crate) async fn fetch(
    session: &mut Session<'_>,
    repository: &Url,
    entry: &Entry,
    wanted: &Wanted<'_>,
) -> Result<Found, Failure> {
    if let (Some(ours), Some(theirs)) = (wanted.digest.as_deref(), entry.digest.as_deref())
        && ours != theirs
    {
        return Err(Failure::digest(&format!("{} {} in the index", wanted.chart, entry.version), ours, theirs));
    }
    let digest = wanted.digest.clone().or_else(|| entry.digest.clone());
    let mut first = None;
    for address in &entry.urls {
        match one(session, repository, address, digest.as_deref(), wanted).await {
            Ok(found) => {
                let trust = wanted.trust().or_else(|| entry.digest.is_some().then_some(Trust::Repository));
                return Ok(Found { trust: trust.unwrap_or(Trust::FirstUse), ..found });
            }
            Err(failure) => first = first.or(Some(failure)),
        }
    }
    Err(first.unwrap_or_else(|| {
        Failure::nonsense(format!("the index has no address for {} {}", wanted.chart, entry.version))
    }))
}

async fn one(
    session: &mut Session<'_>,
    repository: &Url,
    address: &str,
    digest: Option<&str>,
    wanted: &Wanted<'_>,
) -> Result<Found, Failure> {
    if let Some(whole) = address.strip_prefix("oci://") {
        let reference = Reference::read(whole)?;
        return oci::fetch(session, &reference, &Wanted { digest: digest.map(str::to_owned), ..wanted.clone() }).await;
    }
    let mut url = repository.join(address).map_err(|_| Failure::nonsense("the index names an address that is none"))?;
    let _no_login_in_it = (url.set_username(""), url.set_password(None));
    let safe =
        url.scheme() == "https" || (url.scheme() == "http" && (digest.is_some() || repository.scheme() == "http"));
    if !safe {
        let failure =
            Failure::nonsense("the index names an address without TLS, and no digest that would prove the package");
        return Err(failure.evidence(plain(&url)));
    }
    let what = format!("{} from {}", wanted.chart, plain(&url));
    let answer = session.get(&url, Asked { limit: package::LARGEST, eager: true, what: &what, accept: None }).await?;
    let found = Digest::of_bytes(&answer.bytes).as_str().to_owned();
    match digest {
        Some(digest) if digest != found => Err(Failure::digest(&what, digest, &found)),
        _ => Ok(Found { file: None, bytes: answer.bytes, digest: found, manifest: None, trust: Trust::FirstUse }),
    }
}
