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
    let get = |reference: &SecretRef| secrets.get(reference).map_err(|error| secret_problem(&error));
    let proof = match &access.login {
        BcmLogin::Password { username, password } => {
            BcmProof::Password { username: get(username)?, password: get(password)? }
        }
        BcmLogin::Certificate { certificate, key } => {
            BcmProof::Certificate { certificate: read(&files::named(folder, certificate))?, key: get(key)? }
        }
    };
    let trust = match &access.tls {
        TlsTrust::System => BcmTrust::System,
        TlsTrust::CaFile(file) => BcmTrust::CaPem(read(&files::named(folder, file))?),
        TlsTrust::Insecure => BcmTrust::Insecure,
    };
    // Nobody was contacted: what is wrong here is the site file, or a file that it names.
    let unusable = |error: ClientError| Problem { exit: Exit::Input, ..client_problem(&error) };
    CmdaemonClient::new(BcmConfig::new(access.endpoint.clone(), proof, trust)).map_err(unusable)
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

/// Asks a BCM that no site file names yet, for `plinth init`.
///
/// # Errors
/// When its login or a certificate cannot be had, or it does not answer.
pub async fn ask_bcm(access: &BcmAccess, site: &SiteName) -> Result<Inventory, Problem> {
    let secrets = SiteSecrets::new(&crate::state::directory(None, site)?);
    let client = bcm_client(access, &secrets, Path::new(""))?;
    inventory(&client, |text| secrets.redact(text)).await
}

/// Asks a BCM for all it knows; `redact` takes secrets out of what it says when it fails.
pub(crate) async fn inventory(client: &dyn BcmClient, redact: impl Fn(&str) -> String) -> Result<Inventory, Problem> {
    let ctx = Context::quiet(Arc::new(SystemClock::new()));
    let clean = |error: ClientError| ClientError { happened: redact(&error.happened), ..error };
    client.inventory(&ctx).await.map_err(|error| client_problem(&clean(error)))
}
