//! Everything that stands ready before ansible-playbook starts: configuration, variables, plugin, keys, known hosts.

use crate::folder::{EVENTS, RunFolder};
use crate::program::{self, CLIENT, Hidden};
use crate::settings;
use plinth_model::steps::{Credential, INVENTORY_FILE, NodeTarget, VARIABLES_FILE};
use plinth_model::text::template;
use plinth_world::node::KnownHosts;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, files};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Largest inventory or variables, bytes: a host takes under 1 KiB.
const LARGEST: usize = 64 * 1024 * 1024;
/// The plugin that tells what a play does. A file of its own, under its own licence.
const PLUGIN: &str = include_str!("py/plinth_events.py");
/// The program that supervises a play.
const SUPERVISOR: &str = include_str!("py/supervisor.py");

pub(super) struct Stage {
    pub(super) folder: RunFolder,
    venv: PathBuf,
    source: PathBuf,
    inventory: PathBuf,
    hidden: Hidden,
}

/// What a stage is made of.
pub(super) struct Props<'a> {
    pub(super) state: &'a Path,
    pub(super) venv: PathBuf,
    pub(super) source: PathBuf,
    pub(super) hidden: Hidden,
    pub(super) doing: &'a str,
}

impl Stage {
    /// Without keys: for what contacts no node.
    pub(super) fn quiet(props: Props<'_>) -> ClientResult<Self> {
        let Props { state, venv, source, hidden, doing } = props;
        let folder = RunFolder::make(state, doing)?;
        let stage = Self { folder, venv, source, inventory: state.join(INVENTORY_FILE), hidden };
        let hosts = stage.furnish(state).map_err(|error| failed(doing, &error))?;
        let text = settings::ansible_cfg(stage.folder.path(), hosts);
        stage.folder.write("ansible.cfg", &text).map_err(|error| failed(doing, &error))?;
        Ok(stage)
    }

    /// With everything that reaches these nodes.
    pub(super) fn reaching(
        props: Props<'_>,
        targets: &[NodeTarget],
        nodes: &dyn KnownHosts,
        secrets: &dyn Secrets,
    ) -> ClientResult<Self> {
        let doing = props.doing.to_owned();
        let stage = Self::quiet(props)?;
        let pins = nodes.pinned(targets).map_err(|error| failed(&doing, &error))?;
        stage.folder.write("known_hosts", &pins).map_err(|error| failed(&doing, &error))?;
        let mut keys: Vec<(Credential, String)> = Vec::new();
        for credential in credentials(targets) {
            keys.extend(stage.key(credential, keys.len(), secrets, &doing)?.map(|path| (credential.clone(), path)));
        }
        let file =
            |credential: &Credential| keys.iter().find(|(known, _)| known == credential).map(|(_, path)| path.clone());
        let text = settings::ssh_config(stage.folder.path(), targets, file);
        stage.folder.write("ssh_config", &text).map_err(|error| failed(&doing, &error))?;
        Ok(stage)
    }

    /// Variables, plugin and supervisor; answers how many hosts the inventory has.
    fn furnish(&self, state: &Path) -> io::Result<usize> {
        let inventory = read(&self.inventory)?;
        let variables = read(&state.join(VARIABLES_FILE))?;
        for value in [&inventory, &variables] {
            without_templates(value)?;
        }
        let folder = &self.folder;
        folder.write("variables.json", &everywhere(&variables, &inventory).to_string())?;
        folder.write("plugins/plinth_events.py", PLUGIN)?;
        folder.write("supervisor.py", SUPERVISOR)?;
        folder.write("ssh_config", "")?;
        std::os::unix::fs::symlink(&self.source, folder.join("source"))?;
        Ok(inventory["all"]["hosts"].as_object().map_or(0, Map::len))
    }

    /// Writes the file of a private key.
    fn key(
        &self,
        credential: &Credential,
        number: usize,
        secrets: &dyn Secrets,
        doing: &str,
    ) -> ClientResult<Option<String>> {
        let reference = match credential {
            Credential::Agent => return Ok(None),
            Credential::Key(reference) => reference,
            Credential::Password(_) => {
                let happened = "Ansible logs in with keys here, never with passwords";
                let attempt = "let the account log in with a key (access.account.key), or through an agent";
                return Err(ClientError::new(CLIENT, doing).happened(happened).attempt(attempt));
            }
        };
        let key = secrets.get(reference).map_err(|error| {
            ClientError::new(CLIENT, doing)
                .happened(error.to_string())
                .attempt("check the secret that the site file names")
        })?;
        let mut text = key.expose().trim_end().to_owned();
        text.push('\n');
        let path = self.folder.write(&format!("key-{number}"), &text).map_err(|error| failed(doing, &error))?;
        Ok(Some(path.display().to_string()))
    }

    /// ansible-playbook over the written inventory, as words.
    pub(super) fn words(&self, playbook: &Path, more: &[OsString]) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![
            self.venv.join("bin/python").into(),
            self.venv.join("bin/ansible-playbook").into(),
            "-i".into(),
            self.inventory.clone().into(),
            "-e".into(),
            format!("@{}", self.folder.join("variables.json").display()).into(),
        ];
        words.extend(more.iter().cloned());
        words.push(playbook.into());
        words
    }

    /// A file of Kubespray.
    pub(super) fn playbook(&self, name: &str) -> PathBuf {
        self.source.join(name)
    }

    /// A command that ends by itself.
    pub(super) fn short(&self, words: &[OsString]) -> Command {
        let mut words = words.iter();
        let mut command = program::command(words.next().cloned().unwrap_or_default(), &self.hidden);
        command.args(words);
        self.dress(&mut command);
        command
    }

    /// The same under the supervisor: it waits for the lock, and ends when standard input ends. With the last one of a stage its folder
    /// goes.
    pub(super) fn kept(&self, words: &[OsString], lock: &Path, patience: u32, last: bool) -> Command {
        let mut command = program::command(self.venv.join("bin/python"), &self.hidden);
        command.arg("-I").arg(self.folder.join("supervisor.py")).arg(lock).arg(patience.to_string());
        command.arg(self.folder.path()).arg(if last { "clear" } else { "keep" }).args(words);
        self.dress(&mut command);
        command.stdin(std::process::Stdio::piped()).kill_on_drop(false).process_group(0);
        command
    }

    fn dress(&self, command: &mut Command) {
        let mut path = vec![self.venv.join("bin")];
        path.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        if let Ok(path) = std::env::join_paths(path) {
            command.env("PATH", path);
        }
        command.current_dir(&self.source);
        command.env("ANSIBLE_CONFIG", self.folder.join("ansible.cfg")).env("ANSIBLE_NOCOLOR", "1");
        command.env("PLINTH_EVENTS", self.folder.join(EVENTS)).env("PYTHONUTF8", "1");
        // Compiled Python stays out of the source, whose tree must not change.
        command.env("PYTHONPYCACHEPREFIX", self.venv.join("pycache")).env("TMPDIR", self.folder.join("tmp"));
    }
}

fn failed(doing: &str, error: &io::Error) -> ClientError {
    let attempt = match error.kind() {
        io::ErrorKind::InvalidData => {
            "look who changed the inventory or the variables in the state directory; `plinth apply` writes them again"
        }
        _ => "see that inventory and variables are written, and the disk has room",
    };
    ClientError::new(CLIENT, doing).happened(error.to_string()).attempt(attempt)
}

fn read(path: &Path) -> io::Result<Value> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let text = files::read_up_to(path, LARGEST).map_err(named)?;
    serde_json::from_slice(&text).map_err(|error| named(io::Error::other(error)))
}

/// The last wall before Ansible: a template in a value may start programs here. The plan refuses such values with their place in the
/// site file, so what is found here was written by somebody else.
fn without_templates(value: &Value) -> io::Result<()> {
    template(value).map_or(Ok(()), |text| {
        let text: String = text.chars().take(80).collect();
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{text}` is a template of Jinja; plinth hands none to Ansible"),
        ))
    })
}

/// Variables that are given with `-e`, where they win over everything: also over a host's own. Those that a host has for itself
/// are therefore left to the files beside the inventory, which a host's own win over.
fn everywhere(variables: &Value, inventory: &Value) -> Value {
    let hosts = inventory["all"]["hosts"].as_object().into_iter().flatten();
    let own: BTreeSet<&String> = hosts.filter_map(|(_, vars)| vars.as_object()).flat_map(Map::keys).collect();
    let all = variables.as_object().into_iter().flatten();
    let left = all.filter(|(name, _)| !own.contains(name)).map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(left.collect())
}

fn credentials(targets: &[NodeTarget]) -> Vec<&Credential> {
    let mut all: Vec<&Credential> = Vec::new();
    let of = |target| {
        let NodeTarget { credential, jump, .. }: &NodeTarget = target;
        std::iter::once(credential).chain(jump.as_ref().map(|jump| &jump.credential))
    };
    for credential in targets.iter().flat_map(of) {
        if !all.contains(&credential) {
            all.push(credential);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_template_comes_to_ansible() {
        for value in [json!({"a": ["{{ lookup('pipe', 'id') }}"]}), json!({"all": {"hosts": {"{% raw %}": {}}}})] {
            assert!(without_templates(&value).unwrap_err().to_string().contains("template"));
        }
        without_templates(&json!({"a": "{ {", "b": [1, null]})).unwrap();
    }

    #[test]
    fn what_a_host_has_for_itself_is_not_forced_on_it() {
        let inventory = json!({"all": {"hosts": {"n1": {"ip": "10.0.0.1"}, "n2": {"storage": "/big"}}}});
        let left = everywhere(&json!({"storage": "/var", "dns_mode": "coredns"}), &inventory);
        assert_eq!(left, json!({"dns_mode": "coredns"}));
    }
}
