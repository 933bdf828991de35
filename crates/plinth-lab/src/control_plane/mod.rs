//! A Kubernetes API without nodes: etcd and the real API server as processes of this machine, for tests of what talks to it.

mod certificates;
mod commands;
mod played;

use crate::error::{LabError, LabResult};
use crate::owner::Owner;
use crate::parts::Parts;
use crate::program::run;
use crate::root::write_private;
use crate::tied::Tied;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use certificates::{Authority, Pair, Person};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long it may take until it is ready: 3 s on an idle machine.
const READY: Duration = Duration::from_secs(120);

/// Folder of all control planes.
const FOLDER: &str = "plinth-control-planes";

const ADMIN: Person = Person { name: "admin", group: Some("system:masters"), expired: false };
const NOBODY: Person = Person { name: "nobody", group: None, expired: false };
/// By roles, as kubeadm's `kubernetes-admin`; members of `system:masters` may do everything without any.
const OPERATOR: Person = Person { name: "operator", group: Some("operators"), expired: false };
const EXPIRED: Person = Person { expired: true, ..ADMIN };

/// How a control plane for tests is made: its address, and what runs beside the API server.
#[derive(Clone, Copy, Debug)]
pub struct ControlPlaneSpec {
    /// Where the API server listens.
    pub address: Ipv4Addr,
    /// Whether controllers and the scheduler run, too. Without them nothing happens by itself, and pods need no service
    /// account.
    pub controllers: bool,
}

impl Default for ControlPlaneSpec {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST, controllers: false }
    }
}

/// A control plane that is up: gone when this is dropped, and when its maker dies.
#[derive(Debug)]
pub struct ControlPlane {
    /// Ended in this order: who asks before who answers.
    programs: Mutex<Vec<Tied>>,
    folder: tempfile::TempDir,
    address: Ipv4Addr,
    port: u16,
    kubectl: PathBuf,
    /// How the API server is started.
    api_server: Option<Command>,
}

impl ControlPlane {
    /// etcd and the API server on loopback, or, within [`crate::Lab::inside`], on the loopback of the lab's network. Builds
    /// the programs when they are not there yet ([`Parts::have`]).
    pub fn up() -> LabResult<Self> {
        Self::of(ControlPlaneSpec::default())
    }

    /// As it was asked for; ready when this returns.
    pub fn of(spec: ControlPlaneSpec) -> LabResult<Self> {
        let parts = Parts::have()?;
        let folder = folder()?;
        let [port, client, peer] = free_ports(spec.address)?;
        let (address, at) = (spec.address, folder.path().to_owned());
        let layout = commands::Layout { folder: &at, address, port, client, peer };
        let authority = Authority::new()?;
        let kubectl = parts.program("kubectl")?;
        let mut plane = Self { programs: Mutex::default(), folder, address, port, kubectl, api_server: None };
        plane.write_files(&authority)?;
        for (name, arguments) in layout.programs(spec.controllers) {
            let mut command = Command::new(parts.program(name)?);
            command.args(arguments).current_dir(plane.folder.path());
            let log = plane.log(name);
            let program = Tied::start(&command, &format!("starting {name}"), &log)?;
            plane.programs().insert(0, program);
            if name == "kube-apiserver" {
                plane.api_server = Some(command);
                plane.await_ready()?;
            }
        }
        Ok(plane)
    }

    fn write_files(&self, authority: &Authority) -> LabResult<()> {
        let names = ["localhost", "127.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
        let mut names: Vec<String> = names.map(str::to_owned).to_vec();
        names.push(self.address.to_string());
        let server = authority.server(names)?;
        self.write("ca.crt", &authority.pem())?;
        self.write("server.crt", &server.certificate)?;
        self.write("server.key", &server.key)?;
        let [private, public] = certificates::signing_keys()?;
        self.write("accounts.key", &private)?;
        self.write("accounts.pub", &public)?;
        self.write("audit.yaml", commands::AUDIT)?;
        for (person, file) in
            [(ADMIN, "admin.conf"), (NOBODY, "nobody.conf"), (OPERATOR, "operator.conf"), (EXPIRED, "expired.conf")]
        {
            let pair = authority.client(person)?;
            self.write(file, &kubeconfig(&self.endpoint(), &authority.pem(), person.name, &pair))?;
        }
        Ok(())
    }

    /// Kubeconfig of someone who may do everything, 0600, with all certificates inside.
    #[must_use]
    pub fn admin(&self) -> PathBuf {
        self.file("admin.conf")
    }

    /// Kubeconfig of someone who is known and may do nothing.
    #[must_use]
    pub fn nobody(&self) -> PathBuf {
        self.file("nobody.conf")
    }

    /// Kubeconfig of someone of the group `operators`, which has the rights that are bound to it.
    #[must_use]
    pub fn operator(&self) -> PathBuf {
        self.file("operator.conf")
    }

    /// Kubeconfig with an administrator's certificate that expired long ago.
    #[must_use]
    pub fn expired(&self) -> PathBuf {
        self.file("expired.conf")
    }

    /// Certificate of the authority, PEM.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.file("ca.crt")
    }

    /// Such as `https://127.0.0.1:43567`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://{}:{}", self.address, self.port)
    }

    /// Every request that wants to change something, and all of the operator's, one JSON document a line (`audit.k8s.io/v1`, level
    /// Metadata).
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.file("audit.log")
    }

    /// kubectl as the administrator, to its end; gives its standard output. For a lab's control plane: inside the lab.
    pub fn kubectl(&self, words: &[&str]) -> LabResult<String> {
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(self.admin()).args(words);
        run(&mut command, &format!("running kubectl {}", words.join(" ")))
    }

    /// Ends the API server as a crash does; etcd stays. What was asked for meanwhile is refused at the port.
    pub fn kill_api_server(&self) {
        let mut programs = self.programs();
        // It was started second, so it stands before etcd, which is the last.
        if programs.len() > 1 {
            let at = programs.len() - 2;
            programs.remove(at);
        }
    }

    /// Starts the API server that was killed, and does not wait for it.
    pub fn start_api_server(&self) -> LabResult<()> {
        let doing = "starting kube-apiserver again";
        let failed = || LabError::new(doing, "it never ran".to_owned(), "make the control plane first");
        let command = self.api_server.as_ref().ok_or_else(failed)?;
        let program = Tied::start(command, doing, &self.log("kube-apiserver"))?;
        let mut programs = self.programs();
        let before_etcd = programs.len().saturating_sub(1);
        programs.insert(before_etcd, program);
        Ok(())
    }

    fn programs(&self) -> MutexGuard<'_, Vec<Tied>> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn await_ready(&self) -> LabResult<()> {
        let until = Instant::now() + READY;
        loop {
            let last = match self.kubectl(&["get", "--raw", "/readyz"]) {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if self.programs().iter().any(Tied::has_ended) || Instant::now() > until {
                let words = self.last_words();
                let doing = format!("waiting for the API server at {}", self.endpoint());
                return Err(LabError::new(doing, format!("{}; {words}", last.happened), "read its last words"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn last_words(&self) -> String {
        let last = |name: &str| {
            let text = std::fs::read_to_string(self.log(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{name}: {}", lines[lines.len().saturating_sub(4)..].join(" | "))
        };
        format!("{}; {}", last("etcd"), last("kube-apiserver"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.log"))
    }

    fn write(&self, name: &str, text: &str) -> LabResult<()> {
        let path = self.file(name);
        write_private(&path, text).map_err(LabError::at("writing", &path))
    }
}

/// A folder with the name of its owner in it. Those of dead owners are removed.
fn folder() -> LabResult<tempfile::TempDir> {
    let all = std::env::temp_dir().join(FOLDER);
    std::fs::create_dir_all(&all).map_err(LabError::at("making", &all))?;
    for entry in std::fs::read_dir(&all).map_err(LabError::at("listing", &all))?.flatten() {
        let record = std::fs::read_to_string(entry.path().join("owner.json")).unwrap_or_default();
        let owner = serde_json::from_str::<Owner>(&record);
        // One without a record is being made this moment.
        if owner.is_ok_and(|owner| !owner.lives()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let folder = tempfile::tempdir_in(&all).map_err(LabError::at("making a folder in", &all))?;
    let record = serde_json::to_string(&Owner::own()).unwrap_or_default();
    let path = folder.path().join("owner.json");
    write_private(&path, &record).map_err(LabError::at("writing", &path))?;
    Ok(folder)
}

/// Ports that nobody listens on at this moment.
fn free_ports(address: Ipv4Addr) -> LabResult<[u16; 3]> {
    let doing = || format!("looking for free ports at {address}");
    let failed = |error: std::io::Error| LabError::new(doing(), error.to_string(), "use an address of this machine");
    let bound = [address, Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST].map(|at| TcpListener::bind((at, 0)));
    let mut ports = [0; 3];
    // All are held until all are known, so that they differ.
    let mut held = Vec::new();
    for (port, listener) in ports.iter_mut().zip(bound) {
        let listener = listener.map_err(failed)?;
        *port = listener.local_addr().map_err(failed)?.port();
        held.push(listener);
    }
    Ok(ports)
}

fn free_port(address: Ipv4Addr) -> LabResult<u16> {
    free_ports(address).map(|[port, ..]| port)
}

fn kubeconfig(endpoint: &str, authority: &str, name: &str, pair: &Pair) -> String {
    let [authority, certificate, key] =
        [authority, &pair.certificate, &pair.key].map(|text| STANDARD.encode(text.as_bytes()));
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: lab\n  cluster:\n    server: {endpoint}\n    \
         certificate-authority-data: {authority}\nusers:\n- name: {name}\n  user:\n    \
         client-certificate-data: {certificate}\n    client-key-data: {key}\ncontexts:\n- name: {name}@lab\n  \
         context: {{cluster: lab, user: {name}}}\ncurrent-context: {name}@lab\n"
    )
}
