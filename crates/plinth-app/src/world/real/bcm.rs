//! The real BCM: its client and recorded inventories.

use crate::failure::client_problem;
use crate::overwrite;
use plinth_bcm::client::{BcmConfig, BcmProof, BcmTrust, CmdaemonClient};
use plinth_bcm::recorded;
use plinth_keystore::SiteSecrets;
use plinth_model::inventory::Inventory;
use plinth_model::{Exit, Problem, SecretRef, SiteName};
use plinth_site::desired::{BcmAccess, BcmLogin, TlsTrust};
use plinth_world::bcm::BcmClient;
use plinth_world::secrets::{SecretError, Secrets};
use plinth_world::{ClientError, Context, SystemClock, files};
use std::path::Path;
use std::sync::Arc;

/// A missing secret, for people.
fn secret_problem(error: &SecretError) -> Problem {
    Problem::while_doing("reading secret")
        .to(&error.reference)
        .wrong_input(&error.happened)
        .try_this("set it and run the same command again")
}

/// A recorded inventory.
///
/// # Errors
/// When the file cannot be read, or is none.
pub fn recorded_inventory(file: &Path) -> Result<Inventory, Problem> {
    recorded::load(file).map_err(|error| Problem { exit: Exit::Input, ..client_problem(&error) })
}

/// Keeps an inventory in a file, for use without BCM.
///
/// # Errors
/// When the file holds something else, or cannot be written.
pub fn record_inventory(inventory: &Inventory, file: &Path) -> Result<(), Problem> {
    overwrite::replaceable(file, overwrite::is_inventory)?;
    recorded::save(inventory, file).map_err(|error| Problem { exit: Exit::Input, ..client_problem(&error) })
}

/// The client of a BCM; relative names of files start at `folder`. Contacts nobody.
///
/// # Errors
/// When a secret or a file that it needs cannot be had.
pub(crate) fn bcm_client(access: &BcmAccess, secrets: &dyn Secrets, folder: &Path) -> Result<CmdaemonClient, Problem> {
    let (proof, trust) = (proof(access, secrets, folder)?, trust(access, folder)?);
    CmdaemonClient::new(BcmConfig::new(access.endpoint.clone(), proof, trust)).map_err(|error| unusable(&error))
}

fn proof(access: &BcmAccess, secrets: &dyn Secrets, folder: &Path) -> Result<BcmProof, Problem> {
    let get = |reference: &SecretRef| secrets.get(reference).map_err(|error| secret_problem(&error));
    Ok(match &access.login {
        BcmLogin::Password { username, password } => {
            BcmProof::Password { username: get(username)?, password: get(password)? }
        }
        BcmLogin::Certificate { certificate, key } => {
            BcmProof::Certificate { certificate: read(&files::named(folder, certificate))?, key: get(key)? }
        }
    })
}

fn trust(access: &BcmAccess, folder: &Path) -> Result<BcmTrust, Problem> {
    Ok(match &access.tls {
        TlsTrust::System => BcmTrust::System,
        TlsTrust::CaFile(file) => BcmTrust::CaPem(read(&files::named(folder, file))?),
        TlsTrust::Insecure => BcmTrust::Insecure,
    })
}

/// Nobody was contacted: what is wrong here is the site file, or a file that it names.
fn unusable(error: &ClientError) -> Problem {
    Problem { exit: Exit::Input, ..client_problem(error) }
}

/// Largest certificate file that is read, bytes. The bundle of all public authorities is about 300 KiB.
const LARGEST: usize = 4 * 1024 * 1024;

/// Reads a file that the site names.
fn read(file: &Path) -> Result<Vec<u8>, Problem> {
    files::read_up_to(file, LARGEST).map_err(|error| {
        Problem::while_doing("reading")
            .to(file.display())
            .wrong_input(error)
            .try_this("check the name; this is the place that was looked at")
    })
}

/// What kept a BCM from being asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Obstacle<'a> {
    /// The file of certificates to trust cannot be read.
    CaFile,
    /// The client, or what answered it.
    Client(&'a ClientError),
}

/// Asks a BCM that no site file names yet, for `plinth init`. Errors name keys of a site file in what they advise: `advice` says what
/// is to be tried instead; none where that holds without a site file too.
///
/// # Errors
/// When its login or a certificate cannot be had, or it does not answer.
pub(crate) async fn ask_bcm(
    access: &BcmAccess,
    site: &SiteName,
    advice: impl Fn(Obstacle<'_>) -> Option<String>,
) -> Result<Inventory, Problem> {
    let (secrets, here) = (SiteSecrets::new(&crate::state::directory(None, site)?), Path::new(""));
    let advised =
        |obstacle: Obstacle<'_>, problem: Problem| advice(obstacle).into_iter().fold(problem, Problem::try_this);
    let proof = proof(access, &secrets, here)?;
    let trust = trust(access, here).map_err(|problem| advised(Obstacle::CaFile, problem))?;
    let client = CmdaemonClient::new(BcmConfig::new(access.endpoint.clone(), proof, trust));
    let client = client.map_err(|error| advised(Obstacle::Client(&error), unusable(&error)))?;
    let all = all(&client, |text| secrets.redact(text)).await;
    all.map_err(|error| advised(Obstacle::Client(&error), client_problem(&error)))
}

/// Asks a BCM for all it knows; `redact` takes secrets out of what it says when it fails.
pub(crate) async fn inventory(client: &dyn BcmClient, redact: impl Fn(&str) -> String) -> Result<Inventory, Problem> {
    all(client, redact).await.map_err(|error| client_problem(&error))
}

async fn all(client: &dyn BcmClient, redact: impl Fn(&str) -> String) -> Result<Inventory, ClientError> {
    let ctx = Context::quiet(Arc::new(SystemClock::new()));
    client.inventory(&ctx).await.map_err(|error| ClientError { happened: redact(&error.happened), ..error })
}
