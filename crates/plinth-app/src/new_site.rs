//! A new site file: which name it may have, what BCM fills in, and that nothing is written over.

use crate::world::{Obstacle, ask_bcm};
use plinth_model::finding::{Code, code};
use plinth_model::inventory::Inventory;
use plinth_model::{Problem, SecretRef, SiteName};
use plinth_plan::endpoint_host;
use plinth_site::desired::{BcmAccess, BcmLogin, TlsTrust};
use plinth_site::template::{self, InitAnswers, SCHEMA_FILE};
use plinth_world::Cause;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Most times that nodes which discovery refuses are taken out of the guess.
const ROUNDS: usize = 5;

/// Advice while nobody is trusted for BCM.
const TRUST: &str = "copy the certificate of BCM's authority from the head node and name it with `--ca-file FILE` (on BCM 10 and 11 it is \
                     /cm/local/apps/cmd/etc/cacert.pem), or accept any certificate with `--insecure`";

/// What to try while there is no site file, where plinth otherwise names keys of one.
const ADVICE: [(Code, &str); 10] = [
    (
        code::BCM_UNREACHABLE,
        "check that CMDaemon (service `cmd`) runs on the head node, that `--from-bcm` names its TLS port, usually 8081, and that there is \
         a way to it from this machine",
    ),
    (code::BCM_NO_SUCH_HOST, "correct the host in the address of `--from-bcm`, or give its address"),
    (
        code::BCM_TLS_UNKNOWN_AUTHORITY,
        "get the certificate of BCM's authority from the head node as it is now, and name that with `--ca-file`",
    ),
    (code::BCM_TLS_WRONG_NAME, "use a name that the certificate has in the address of `--from-bcm`"),
    (
        code::BCM_TLS_BAD_CERTIFICATE,
        "give BCM a valid server (leaf) certificate; or name exactly the one it has with `--ca-file`, which then counts as a pin of it; or \
         give `--insecure`",
    ),
    (
        code::BCM_TLS_NOT_SPOKEN,
        "check that CMDaemon (service `cmd`) runs on the head node and that `--from-bcm` names its TLS port, usually 8081",
    ),
    (
        code::BCM_TLS_REFUSED,
        "let what answers there speak TLS 1.2 or 1.3: BCM 9.0 and newer do, so look whether `--from-bcm` names something else, such as a \
         proxy or a BMC",
    ),
    (code::BCM_CREDENTIALS, "check user name and password in BCM_USERNAME and BCM_PASSWORD"),
    (code::BCM_REDIRECT, "name the head node itself with `--from-bcm`; redirects are never followed with credentials"),
    (
        code::BCM_BAD_REPLY,
        "check with `curl` what answers at the address of `--from-bcm`; if it is BCM, report its release and this message to the makers of plinth",
    ),
];

/// A site file that is not there yet.
#[derive(Clone, Copy, Debug)]
pub struct NewSite<'a> {
    /// Where it will be.
    pub file: &'a Path,
    /// The BCM that fills it in, `https://HEAD:8081`; none: it is filled in by hand.
    pub bcm: Option<&'a str>,
    /// Certificates to trust for that.
    pub ca_file: Option<&'a Path>,
    /// Any certificate of BCM is accepted.
    pub insecure: bool,
}

/// A site file as text.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The whole file, YAML with comments.
    pub text: String,
    /// Nodes of the inventory without a role, each with the reason.
    pub left_out: Vec<(String, String)>,
}

impl Draft {
    /// Lines that a person has to fill in.
    #[must_use]
    pub fn to_fill_in(&self) -> usize {
        self.text.matches("# TODO").count()
    }
}

impl NewSite<'_> {
    /// Refuses, before anything is asked, what would be written over, and an address with a login in it: the file, which keeps the
    /// address, must not hold one, so it is not repeated either.
    ///
    /// # Errors
    /// When it is so.
    pub fn check(&self) -> Result<(), Problem> {
        if self.bcm.is_some_and(|endpoint| endpoint.contains('@')) {
            return Err(Problem::while_doing("asking BCM")
                .to("the address of `--from-bcm`")
                .wrong_input("it holds a login")
                .try_this(
                    "write it like `https://HEAD:8081`; user and password come from BCM_USERNAME and BCM_PASSWORD",
                ));
        }
        if self.file.exists() { Err(not_written(self.file, "it is there already")) } else { Ok(()) }
    }

    /// The name that is offered: the first part of BCM's host name, unless that is an address or this machine.
    #[must_use]
    pub fn offered_name(&self) -> Option<String> {
        let host = endpoint_host(self.bcm?);
        let first = host.split('.').next()?.to_lowercase();
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        (!is_address && first != "localhost" && SiteName::new(&first).is_ok()).then_some(first)
    }

    /// Writes the file's text; BCM is asked if it fills it in.
    ///
    /// # Errors
    /// When BCM's login or a certificate cannot be had, or BCM does not answer.
    pub async fn draft(&self, name: &SiteName) -> Result<Draft, Problem> {
        let mut answers = InitAnswers::named(name.as_str());
        let Some(endpoint) = self.bcm else {
            return Ok(Draft { text: template::init(&answers), left_out: Vec::new() });
        };
        answers.endpoint = Some(endpoint.to_owned());
        answers.ca_file = self.ca_file.map(|file| named_from(self.file, file)).transpose()?;
        answers.insecure = self.insecure;
        let inventory = self.asked(endpoint, name).await?;
        Ok(of_inventory(&inventory, answers))
    }

    /// Writes the file, and beside it the schema for editors unless there is one; answers the schema's place, and whether it was written.
    ///
    /// # Errors
    /// When something is there by now, or the folder cannot be written.
    pub fn write(&self, draft: &Draft) -> Result<(PathBuf, bool), Problem> {
        write(self.file, &draft.text)?;
        let schema = self.file.with_file_name(SCHEMA_FILE);
        let is_new = std::fs::symlink_metadata(&schema).is_err();
        if is_new {
            write(&schema, &format!("{:#}\n", plinth_site::schema()))?;
        }
        Ok((schema, is_new))
    }

    /// Asks BCM, with the login that the written file will name.
    async fn asked(&self, endpoint: &str, name: &SiteName) -> Result<Inventory, Problem> {
        let login = BcmLogin::Password {
            username: SecretRef::Env("BCM_USERNAME".to_owned()),
            password: SecretRef::Env("BCM_PASSWORD".to_owned()),
        };
        let tls = match self.ca_file {
            Some(file) => TlsTrust::CaFile(file.display().to_string()),
            None if self.insecure => TlsTrust::Insecure,
            None => TlsTrust::System,
        };
        let access = BcmAccess { endpoint: endpoint.to_owned(), login, tls };
        ask_bcm(&access, name, |obstacle| self.advice(obstacle)).await
    }

    /// What somebody who has no site file yet is to try; none: no key of one is named in what is advised otherwise.
    fn advice(&self, obstacle: Obstacle<'_>) -> Option<String> {
        match obstacle {
            Obstacle::CaFile => {
                Some("check the name that `--ca-file` was given; it counts from the current folder".to_owned())
            }
            Obstacle::Client(error) if error.cause == Cause::Input => {
                let file = if self.ca_file.is_some() { ", and look into the file of `--ca-file`" } else { "" };
                Some(format!("write the address of `--from-bcm` as https://HEAD:8081{file}"))
            }
            Obstacle::Client(error) => {
                let code = error.finding.as_ref()?.code;
                if code == code::BCM_TLS_UNKNOWN_AUTHORITY && self.ca_file.is_none() {
                    return Some(TRUST.to_owned());
                }
                ADVICE.iter().find(|(known, _)| *known == code).map(|(_, advice)| (*advice).to_owned())
            }
        }
    }
}

/// The site file of an inventory that discovery accepts: nodes that it refuses get no role, and the file says why.
fn of_inventory(inventory: &Inventory, mut answers: InitAnswers) -> Draft {
    let mut text = template::from_inventory(inventory, &answers);
    for _ in 0..ROUNDS {
        let Ok(site) = plinth_site::parse(&text, Path::new("site.yaml")) else { break };
        let discovery = plinth_plan::discover(&site.desired, inventory);
        let refused = discovery.nodes.iter().filter(|node| !node.roles.is_empty() && node.address.is_none());
        let found = answers.refused.len();
        answers.refused.extend(refused.map(|node| (node.name.clone(), node.passed_over.join("; "))));
        if answers.refused.len() == found {
            break;
        }
        text = template::from_inventory(inventory, &answers);
    }
    Draft { text, left_out: answers.refused.into_iter().collect() }
}

/// The name of a file as the site file must write it: relative names there start at the site file's own folder.
fn named_from(site: &Path, file: &Path) -> Result<String, Problem> {
    let beside = site.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder == Path::new("."));
    let named = if beside { Ok(file.to_owned()) } else { std::path::absolute(file) };
    named.map(|file| file.display().to_string()).map_err(|error| not_written(site, error))
}

fn write(file: &Path, text: &str) -> Result<(), Problem> {
    let new = OpenOptions::new().write(true).create_new(true).open(file);
    let written = new.and_then(|mut new| new.write_all(text.as_bytes()));
    written.map_err(|error| not_written(file, error))
}

fn not_written(file: &Path, happened: impl Display) -> Problem {
    Problem::while_doing("writing the site file")
        .to(file.display())
        .wrong_input(happened)
        .try_this("name another file with `-f FILE`, or move this one away; nothing was changed")
}
