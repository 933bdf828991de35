//! `plinth init`.

use crate::args::{Common, Init};
use crate::printer::Printer;
use plinth_app::Failure;
use plinth_app::world::ask_bcm;
use plinth_model::inventory::Inventory;
use plinth_model::{Exit, Problem, SecretRef, SiteName, amount};
use plinth_plan::endpoint_host;
use plinth_site::desired::{BcmAccess, BcmLogin, TlsTrust};
use plinth_site::template::{self, InitAnswers, SCHEMA_FILE};
use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Most times that nodes which discovery refuses are taken out of the guess.
const ROUNDS: usize = 5;

/// Writes a commented site file, and the schema for editors beside it. Never over an existing file.
pub(crate) async fn run(common: &Common, verb: &Init, printer: &Printer) -> Result<Exit, Failure> {
    if verb.from_bcm.as_deref().is_some_and(|endpoint| endpoint.contains('@')) {
        return Err(login_in_endpoint().into());
    }
    if common.file.exists() {
        return Err(written(&common.file, "it is there already").into());
    }
    let name = named(verb, printer).await?;
    let mut answers = InitAnswers::named(name.as_str());
    let text = match &verb.from_bcm {
        None => template::init(&answers),
        Some(endpoint) => {
            answers.endpoint = Some(endpoint.clone());
            answers.ca_file = verb.ca_file.as_deref().map(|file| named_from(&common.file, file)).transpose()?;
            answers.insecure = verb.insecure;
            let inventory = asked(verb, endpoint, &name).await.map_err(|problem| without_site_file(problem, verb))?;
            from_bcm(&inventory, answers, printer)
        }
    };
    write(&common.file, &text)?;
    let schema = beside(&common.file);
    if !schema.exists() {
        write(&schema, &format!("{:#}\n", plinth_site::schema()))?;
    }
    printer.talk(&format!("wrote {}, and {} with which editors check it", common.file.display(), schema.display()));
    printer.talk(&format!("{}, then: plinth validate -f {}", to_do(&text), common.file.display()));
    Ok(Exit::Done)
}

fn beside(site: &Path) -> PathBuf {
    site.with_file_name(SCHEMA_FILE)
}

fn to_do(text: &str) -> String {
    match text.matches("# TODO").count() {
        0 => "look through it".to_owned(),
        count => format!("fill in {} marked TODO", amount(count, "line")),
    }
}

/// The name that was given, or an answer to the question. It is also the name of the state folder, so it is never made up.
async fn named(verb: &Init, printer: &Printer) -> Result<SiteName, Problem> {
    let derived = verb.from_bcm.as_deref().and_then(of_host);
    let name = match (&verb.name, derived) {
        (Some(name), _) => name.clone(),
        (None, derived) if Printer::can_ask() => {
            let offered = derived.as_deref().map(|name| format!(" [{name}]")).unwrap_or_default();
            let answer = printer.ask_text(&format!("Name of the site{offered}:")).await;
            if answer.is_empty() { derived.unwrap_or_default() } else { answer }
        }
        (None, Some(derived)) => derived,
        (None, None) => {
            return Err(Problem::while_doing("naming the site")
                .wrong_input("it has no name, and there is no terminal to ask at")
                .try_this(
                    "give it with `--name NAME`; it is also the name of the folder in which plinth keeps what it knows",
                ));
        }
    };
    SiteName::new(&name).map_err(|error| {
        Problem::while_doing("naming the site").wrong_input(error).try_this("give another one with `--name`")
    })
}

/// The first part of BCM's host name, unless it is an address or this machine.
fn of_host(endpoint: &str) -> Option<String> {
    let host = endpoint_host(endpoint);
    let first = host.split('.').next()?.to_lowercase();
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    (!is_address && first != "localhost" && SiteName::new(&first).is_ok()).then_some(first)
}

/// The site file of an inventory that discovery accepts: nodes that it refuses get no role, and the file says why.
fn from_bcm(inventory: &Inventory, mut answers: InitAnswers, printer: &Printer) -> String {
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
    for (node, why) in &answers.refused {
        printer.talk(&format!("left out {node}: {why}"));
    }
    text
}

/// The name of a file as the site file must write it: relative names there start at the site file's own folder.
fn named_from(site: &Path, file: &Path) -> Result<String, Problem> {
    let beside = site.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder == Path::new("."));
    let named = if beside { Ok(file.to_owned()) } else { std::path::absolute(file) };
    named.map(|file| file.display().to_string()).map_err(|error| written(site, error))
}

/// Never repeats the endpoint: the file, which keeps it, must not hold a login.
fn login_in_endpoint() -> Problem {
    Problem::while_doing("asking BCM")
        .to("the address of `--from-bcm`")
        .wrong_input("it holds a login")
        .try_this("write it like `https://HEAD:8081`; user and password come from BCM_USERNAME and BCM_PASSWORD")
}

/// The same problem with advice for somebody who has no site file yet.
fn without_site_file(problem: Problem, verb: &Init) -> Problem {
    let about_trust = problem.attempt.contains("caFile") && verb.ca_file.is_none();
    let about_file = problem.attempt.contains("the place that was looked at");
    if about_trust {
        let fix = "copy the certificate of BCM's authority from the head node and name it with `--ca-file FILE` (on BCM 10 and 11 it is \
                   /cm/local/apps/cmd/etc/cacert.pem), or accept any certificate with `--insecure`";
        return problem.try_this(fix);
    }
    if about_file {
        problem.try_this("check the name that `--ca-file` was given; it counts from the current folder")
    } else {
        problem
    }
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
    Problem::while_doing("writing the site file")
        .to(file.display())
        .wrong_input(happened)
        .try_this("name another file with `-f FILE`, or move this one away; nothing was changed")
}
