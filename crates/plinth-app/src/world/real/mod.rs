//! The real site: its secrets and its clients, each made when it is first needed.

pub(crate) mod bcm;
mod late_bcm;
pub(crate) mod missing;

use crate::admin_password;
use crate::failure::client_problem;
use crate::input::Input;
use crate::state::mark::Mark;
use crate::world::real::late_bcm::LateBcm;
use plinth_ansible::{LocalAnsible, PackageSource};
use plinth_charts::{Charts, HelmProgram};
use plinth_helm::{LocalHelm, Renderer};
use plinth_keystore::{FileKeystore, SiteSecrets};
use plinth_kube::KubeApi;
use plinth_model::download::HelmPin;
use plinth_model::inventory::Inventory;
use plinth_model::{Finding, Problem, SecretRef};
use plinth_net::fetch::WebFiles;
use plinth_run::StepEnv;
use plinth_runai::RunaiRest;
use plinth_site::Desired;
use plinth_site::desired::{BcmAccess, InventorySource, KubesprayTools};
use plinth_ssh::{KeptNodeKey, SshConfig, SshNodes};
use plinth_world::bcm::BcmClient;
use plinth_world::engine::FileRecords;
use plinth_world::keystore::CertificateFiles;
use plinth_world::node::NodeClient;
use plinth_world::secrets::Secrets;
use plinth_world::{Clients, Clock, Context};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The real site. Making it reads no secret and contacts nobody.
pub(crate) struct Real {
    folder: PathBuf,
    directory: PathBuf,
    secrets: Arc<SiteSecrets>,
    bcm: OnceLock<Arc<LateBcm>>,
    env: OnceLock<StepEnv>,
    charts: OnceLock<Arc<Charts>>,
    program: OnceLock<Arc<HelmProgram>>,
    /// The helm that is fetched when this machine has none.
    helm: HelmPin,
    /// Nodes that another state directory manages become ours.
    takes_over: bool,
    /// What steps wait by.
    clock: Arc<dyn Clock>,
}

impl Real {
    /// Of a site, whose state is in this directory.
    pub(crate) fn new(input: &Input, directory: &Path, clock: Arc<dyn Clock>) -> Self {
        let folder = input.site.folder().to_path_buf();
        Self {
            folder,
            directory: directory.to_path_buf(),
            secrets: Arc::new(input.secrets(directory)),
            bcm: OnceLock::new(),
            env: OnceLock::new(),
            charts: OnceLock::new(),
            program: OnceLock::new(),
            helm: input.catalog.helm_pin().clone(),
            takes_over: false,
            clock,
        }
    }

    /// Resolves the secrets of the site that stand below this path of its file (empty: all); a finding for each that cannot be had.
    pub(crate) fn missing_secrets(&self, desired: &Desired, path: &str) -> Vec<Finding> {
        let all = plinth_site::secret_refs(desired);
        let needed: Vec<(String, SecretRef)> = all.into_iter().filter(|(at, _)| at.starts_with(path)).collect();
        let mut found = self.secrets.check_all(&needed);
        found.extend(admin_password::weak(&self.secrets, desired, path));
        found
    }

    /// What is doubtful about the secrets that were read so far.
    pub(crate) fn secret_warnings(&self) -> Vec<Finding> {
        self.secrets.warnings()
    }

    /// The one secret store of the operation; it knows what must not be written anywhere.
    pub(crate) fn secrets(&self) -> Arc<dyn Secrets> {
        Arc::<SiteSecrets>::clone(&self.secrets)
    }

    /// What the site file names as its inventory: itself, or BCM.
    pub(crate) async fn inventory(&self, desired: &Desired) -> Result<Inventory, Problem> {
        match &desired.inventory {
            InventorySource::Static(nodes) => Ok(plinth_plan::static_inventory(nodes)),
            InventorySource::Bcm(access) => {
                let client = self.late_bcm(access).client()?;
                bcm::inventory(&*client, |text| self.secrets.redact(text)).await
            }
        }
    }

    /// Takes nodes over from another state directory. Before the first client is made.
    pub(crate) fn take_over(&mut self) {
        self.takes_over = true;
    }

    /// The client of this BCM. With a recorded inventory nobody may ever ask it.
    fn late_bcm(&self, access: &BcmAccess) -> Arc<LateBcm> {
        let make = || Arc::new(LateBcm::new(access.clone(), Arc::clone(&self.secrets), self.folder.clone()));
        Arc::clone(self.bcm.get_or_init(make))
    }

    fn bcm(&self, desired: &Desired) -> Arc<dyn BcmClient> {
        match &desired.inventory {
            InventorySource::Bcm(access) => self.late_bcm(access),
            InventorySource::Static(_) => Arc::new(missing::NoBcm),
        }
    }

    /// Packages of charts, for the Helm client and for whoever asks a selector anew.
    pub(crate) fn charts(&self) -> Result<Arc<Charts>, Problem> {
        if let Some(charts) = self.charts.get() {
            return Ok(Arc::clone(charts));
        }
        let charts = Charts::new(&self.directory, &self.folder, self.secrets());
        let charts = Arc::new(charts.map_err(|error| client_problem(&error))?);
        Ok(Arc::clone(self.charts.get_or_init(|| charts)))
    }

    /// The program of the Helm client: that of this machine, or the catalog's pinned one.
    fn helm_program(&self, desired: &Desired) -> Result<Arc<HelmProgram>, Problem> {
        if let Some(program) = self.program.get() {
            return Ok(Arc::clone(program));
        }
        let pin = &self.helm;
        let fetch = Arc::new(WebFiles::new(&self.directory).map_err(|error| client_problem(&error))?);
        let source = plinth_plan::charts::helm_source(desired, pin);
        let program = HelmProgram::new(&self.directory, &self.folder, pin.clone(), Some(source), fetch);
        Ok(Arc::clone(self.program.get_or_init(|| Arc::new(program))))
    }

    /// What renders manifests. No secret is got for it, and nobody is contacted.
    pub(crate) fn renderer(&self, desired: &Desired) -> Result<Renderer, Problem> {
        Ok(Renderer::new(self.charts()?, self.helm_program(desired)?))
    }

    /// Clients, secrets and clock for steps.
    pub(crate) fn env(&self, desired: &Desired) -> Result<StepEnv, Problem> {
        if let Some(env) = self.env.get() {
            return Ok(env.clone());
        }
        let clients = self.clients(desired)?;
        let ctx = Context::quiet(Arc::clone(&self.clock));
        Ok(self.env.get_or_init(|| StepEnv::new(ctx, clients, self.secrets())).clone())
    }

    fn clients(&self, desired: &Desired) -> Result<Clients, Problem> {
        let directory = &self.directory;
        let ssh = SshConfig { parallel: desired.run.parallel, ..SshConfig::new(directory) };
        let nodes = SshNodes::new(ssh.known_hosts(known_hosts()), self.secrets());
        let mark = Mark::read(directory)?.map(|mark| mark.of_site(&desired.name, directory, self.takes_over));
        let nodes = match &mark {
            None => nodes,
            Some(mark) => nodes.managed_by(mark.clone()),
        };
        let packages = packages(&desired.kubernetes.kubespray_tools);
        let ansible = LocalAnsible::new(directory, &self.folder, packages, Arc::new(nodes.clone()), self.secrets());
        let node: Arc<dyn NodeClient> = Arc::new(nodes);
        let keystore = Arc::new(FileKeystore::new(directory, self.secrets()).below(&self.folder));
        let certificates: Arc<dyn CertificateFiles> = Arc::<FileKeystore>::clone(&keystore);
        let runai = RunaiRest::new(Arc::clone(&certificates), self.secrets());
        let kube =
            KubeApi::new(directory, &desired.name, Arc::<dyn NodeClient>::clone(&node), certificates, self.secrets());
        let kube = kube.below(&self.folder);
        let kube = Arc::new(match mark {
            None => kube,
            Some(mark) => kube.managed_by(mark),
        });
        let helm = LocalHelm::new(
            directory,
            &KubeApi::kept_in(directory),
            Arc::<KubeApi>::clone(&kube),
            self.charts()?,
            self.helm_program(desired)?,
            self.secrets(),
        );
        Ok(Clients {
            bcm: self.bcm(desired),
            node,
            fetch: Arc::new(WebFiles::new(directory).map_err(|error| client_problem(&error))?),
            ansible: Arc::new(ansible),
            records: Arc::new(FileRecords::of(directory)),
            existing: Arc::<KubeApi>::clone(&kube),
            kube,
            helm: Arc::new(helm),
            runai: Arc::new(runai),
            node_key: Arc::new(KeptNodeKey::new(directory, self.secrets())),
            keystore,
        })
    }
}

fn packages(tools: &KubesprayTools) -> PackageSource {
    let KubesprayTools { python, index, wheels, .. } = tools.clone();
    PackageSource { python, index, wheels: wheels.map(PathBuf::from) }
}

/// The person's own known hosts, as OpenSSH finds them.
fn known_hosts() -> Vec<PathBuf> {
    let home = etcetera::home_dir().ok();
    home.into_iter().map(|home| home.join(".ssh/known_hosts")).collect()
}
