//! Opens the clients that are real in this release: BCM, recorded inventories, the site file itself.

use crate::input::Input;
use plinth_bcm::client::{BcmConfig, BcmProof, BcmTrust, CmdaemonClient};
use plinth_bcm::recorded;
use plinth_model::inventory::Inventory;
use plinth_model::{Exit, Problem, SecretRef};
use plinth_site::desired::{BcmAccess, BcmLogin, InventorySource, TlsTrust};
use plinth_world::bcm::BcmClient;
use plinth_world::secrets::{SecretError, Secrets};
use plinth_world::{ClientError, Context, SystemClock, files};
use std::path::Path;
use std::sync::Arc;

/// Clients that are not in this release, with what they are for.
pub(crate) const ABSENT: [(&str, &str); 2] = [("helm", "installs the components"), ("runai", "registers the cluster")];

/// Refuses a verb whose real clients are not there yet, before it does anything.
pub(crate) fn absent(verb: &str) -> Problem {
    let clients: Vec<String> = ABSENT.iter().map(|(client, purpose)| format!("{client} ({purpose})")).collect();
    Problem::new(
        Exit::Unreachable,
        format!("`plinth {verb}`"),
        "",
        format!("this release has not all clients that it needs. Missing: {}. Nothing was done", clients.join(", ")),
        "`plinth rehearse` runs the same plan against a simulated data centre; `plinth discover` and `plinth plan` work on the real BCM",
    )
}

/// A failed call, for people.
pub(crate) fn problem(error: &ClientError) -> Problem {
    Problem::new(error.cause.exit(), error.doing.clone(), "", &error.happened, error.attempt.clone())
}

/// A missing secret, for people.
fn secret_problem(error: &SecretError) -> Problem {
    Problem::new(
        Exit::Input,
        "reading secret",
        error.reference.to_string(),
        &error.happened,
        "set it and run the same command again",
    )
}

/// A runtime for verbs that talk to something.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| {
        Problem::new(Exit::Bug, "starting the runtime", "", error, "check the limits on threads and open files")
    })
}

/// The inventory: recorded, static, or from BCM.
pub(crate) fn inventory(
    input: &Input,
    recorded_file: Option<&Path>,
    secrets: &dyn Secrets,
) -> Result<Inventory, Problem> {
    if let Some(file) = recorded_file {
        return recorded_inventory(file);
    }
    match &input.site.desired.inventory {
        InventorySource::Static(nodes) => Ok(plinth_plan::static_inventory(nodes)),
        InventorySource::Bcm(access) => {
            let client = bcm(access, secrets, input.site.folder())?;
            let ctx = Context::quiet(Arc::new(SystemClock::new()));
            let clean = |error: ClientError| ClientError { happened: secrets.redact(&error.happened), ..error };
            runtime()?.block_on(client.inventory(&ctx)).map_err(|error| problem(&clean(error)))
        }
    }
}

/// A recorded inventory.
pub(crate) fn recorded_inventory(file: &Path) -> Result<Inventory, Problem> {
    recorded::load(file).map_err(|error| Problem { exit: Exit::Input, ..problem(&error) })
}

/// The real BCM client; relative names of files start at `folder`.
pub(crate) fn bcm(access: &BcmAccess, secrets: &dyn Secrets, folder: &Path) -> Result<CmdaemonClient, Problem> {
    let get = |reference: &SecretRef| secrets.get(reference).map_err(|error| secret_problem(&error));
    let proof = match &access.login {
        BcmLogin::Password { username, password } => {
            BcmProof::Password { username: get(username)?, password: get(password)? }
        }
        BcmLogin::Certificate { certificate, key } => {
            BcmProof::Certificate { certificate: read(&folder.join(certificate))?, key: get(key)? }
        }
    };
    let trust = match &access.tls {
        TlsTrust::System => BcmTrust::System,
        TlsTrust::CaFile(file) => BcmTrust::CaPem(read(&folder.join(file))?),
        TlsTrust::Insecure => BcmTrust::Insecure,
    };
    // Nobody was contacted: what is wrong here is the site file, or a file that it names.
    let unusable = |error: ClientError| Problem { exit: Exit::Input, ..problem(&error) };
    CmdaemonClient::new(BcmConfig::new(access.endpoint.clone(), proof, trust)).map_err(unusable)
}

/// Largest certificate file that is read, bytes. The bundle of all public authorities is about 300 KiB.
const LARGEST: usize = 4 * 1024 * 1024;

/// Reads a file that the site names.
fn read(file: &Path) -> Result<Vec<u8>, Problem> {
    files::read_up_to(file, LARGEST).map_err(|error| {
        Problem::new(
            Exit::Input,
            "reading",
            file.display().to_string(),
            error,
            "check the path; it counts from the site file's folder",
        )
    })
}
