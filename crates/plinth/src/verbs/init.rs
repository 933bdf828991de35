//! `plinth init`.

use crate::args::{Common, Init};
use crate::printer::Printer;
use plinth_app::Failure;
use plinth_app::world::ask_bcm;
use plinth_model::inventory::Inventory;
use plinth_model::{Exit, Problem, SecretRef, SiteName};
use plinth_site::desired::{BcmAccess, BcmLogin, TlsTrust};
use plinth_site::template::{self, InitAnswers};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Writes a commented site file. Never over an existing one.
pub(crate) async fn run(common: &Common, verb: &Init, printer: &Printer) -> Result<Exit, Failure> {
    let name = SiteName::new(&verb.name)
        .map_err(|error| Problem::new(Exit::Input, "naming the site", "", error, "give another one with `--name`"))?;
    if common.file.exists() {
        return Err(written(&common.file, "it is there already").into());
    }
    let mut answers = InitAnswers::named(name.as_str());
    let text = match &verb.from_bcm {
        None => template::init(&answers),
        Some(endpoint) => {
            if endpoint.contains('@') {
                return Err(login_in_endpoint().into());
            }
            answers.endpoint = Some(endpoint.clone());
            answers.ca_file = verb.ca_file.as_deref().map(|file| named_from(&common.file, file)).transpose()?;
            answers.insecure = verb.insecure;
            template::from_inventory(&asked(verb, endpoint, &name).await?, &answers)
        }
    };
    write(&common.file, &text)?;
    printer.talk(&format!("wrote {}; look through it, then: plinth validate -f {0}", common.file.display()));
    Ok(Exit::Done)
}

/// The name of a file as the site file must write it: relative names there start at the site file's own folder.
fn named_from(site: &Path, file: &Path) -> Result<String, Problem> {
    let beside = site.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder == Path::new("."));
    let named = if beside { Ok(file.to_owned()) } else { std::path::absolute(file) };
    named.map(|file| file.display().to_string()).map_err(|error| written(site, error))
}

/// Never repeats the endpoint: the file, which keeps it, must not hold a login.
fn login_in_endpoint() -> Problem {
    Problem::new(
        Exit::Input,
        "asking BCM",
        "the address of `--from-bcm`",
        "it holds a login",
        "write it like `https://HEAD:8081`; user and password come from BCM_USERNAME and BCM_PASSWORD",
    )
}

/// Asks BCM, with the login that the written file will name.
async fn asked(verb: &Init, endpoint: &str, name: &SiteName) -> Result<Inventory, Problem> {
    let login = BcmLogin::Password {
        username: SecretRef::Env("BCM_USERNAME".to_owned()),
        password: SecretRef::Env("BCM_PASSWORD".to_owned()),
    };
    let tls = match &verb.ca_file {
        Some(file) => TlsTrust::CaFile(file.display().to_string()),
        None if verb.insecure => TlsTrust::Insecure,
        None => TlsTrust::System,
    };
    let access = BcmAccess { endpoint: endpoint.to_owned(), login, tls };
    ask_bcm(&access, name).await
}

fn write(file: &Path, text: &str) -> Result<(), Problem> {
    let mut new = OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| written(file, error))?;
    new.write_all(text.as_bytes()).map_err(|error| written(file, error))
}

fn written(file: &Path, happened: impl std::fmt::Display) -> Problem {
    Problem::new(
        Exit::Input,
        "writing the site file",
        file.display().to_string(),
        happened,
        "name another file with `-f FILE`, or move this one away; nothing was changed",
    )
}
