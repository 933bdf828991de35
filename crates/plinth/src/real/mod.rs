//! The real site: its clients, its secrets, and what is known of its nodes.

mod absent;
pub(crate) mod known;
pub(crate) mod survey;

use crate::args::Common;
use crate::clients::{self, ABSENT};
use crate::input::Input;
use crate::printer::Printer;
use absent::Absent;
use plinth_ansible::{LocalAnsible, PackageSource};
use plinth_keystore::{FileKeystore, SiteSecrets};
use plinth_kube::KubeApi;
use plinth_model::{Problem, SecretRef};
use plinth_net::fetch::WebFiles;
use plinth_run::steps::Kinds;
use plinth_run::{RunWorld, StepEnv};
use plinth_site::desired::{InventorySource, KubesprayTools};
use plinth_ssh::{KeptNodeKey, SshConfig, SshNodes};
use plinth_world::bcm::BcmClient;
use plinth_world::node::NodeClient;
use plinth_world::secrets::Secrets;
use plinth_world::{Clients, Context, SystemClock};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The real site.
pub(crate) struct Real {
    /// Context of calls: the machine's clock.
    pub(crate) ctx: Context,
    /// Clients; those that are not in this release refuse.
    pub(crate) clients: Clients,
    /// Secrets.
    pub(crate) secrets: Arc<SiteSecrets>,
}

impl Real {
    /// Opens every client, contacting nobody. All secrets of the site that cannot be had are named at once.
    pub(crate) fn open(common: &Common, input: &Input, directory: &Path, printer: &Printer) -> Result<Self, Problem> {
        let desired = &input.site.desired;
        let folder = input.site.folder();
        let secrets = Arc::new(SiteSecrets::new(directory).below(folder));
        let wanted: Vec<(String, SecretRef)> = plinth_site::secret_refs(desired);
        input.need_secrets(common, printer, &secrets, &wanted)?;
        let shared: Arc<dyn Secrets> = Arc::<SiteSecrets>::clone(&secrets);
        let bcm: Arc<dyn BcmClient> = match &desired.inventory {
            InventorySource::Bcm(access) => Arc::new(clients::bcm(access, &*secrets, folder)?),
            InventorySource::Static(_) => Arc::new(Absent::new("bcm", "asks BCM, since the site names none")),
        };
        let ssh = SshConfig { parallel: desired.run.parallel, ..SshConfig::new(directory) };
        let ssh = ssh.known_hosts(known_hosts());
        let nodes = SshNodes::new(ssh, Arc::clone(&shared));
        let packages = packages(&desired.kubernetes.kubespray_tools);
        let ansible = LocalAnsible::new(directory, folder, packages, Arc::new(nodes.clone()), Arc::clone(&shared));
        let node: Arc<dyn NodeClient> = Arc::new(nodes);
        let keystore = Arc::new(FileKeystore::new(directory, Arc::clone(&shared)).below(folder));
        let kube = KubeApi::new(
            directory,
            &desired.name,
            node.clone(),
            Arc::<FileKeystore>::clone(&keystore),
            Arc::clone(&shared),
        );
        let clients = Clients {
            bcm,
            node,
            fetch: Arc::new(WebFiles::new(directory).map_err(|error| clients::problem(&error))?),
            ansible: Arc::new(ansible),
            kube: Arc::new(kube),
            helm: missing("helm"),
            runai: missing("runai"),
            keystore,
            node_key: Arc::new(KeptNodeKey::new(directory, shared)),
        };
        Ok(Self { ctx: Context::quiet(Arc::new(SystemClock::new())), clients, secrets })
    }

    /// For the executor and for looking.
    pub(crate) fn world(&self) -> RunWorld {
        let secrets: Arc<dyn Secrets> = Arc::<SiteSecrets>::clone(&self.secrets);
        let env = StepEnv { ctx: self.ctx.clone(), clients: self.clients.clone(), secrets };
        RunWorld { env, behaviour: Arc::new(Kinds) }
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

fn missing(client: &'static str) -> Arc<Absent> {
    let purpose = ABSENT.iter().find(|(name, _)| *name == client).map_or("does this", |(_, purpose)| purpose);
    Arc::new(Absent::new(client, purpose))
}
