//! From the file as written to what is wanted, defaults put in.

mod kubernetes;

use crate::defaults;
use crate::desired::{
    Access, ArtifactSource, BcmAccess, BcmLogin, ChartSource, Checks, ComponentChoice, Department, Desired, GpuSharing,
    Infiniband, Ingress, InventorySource, Keep, Login, Networks, NodeOverride, Nodes, Occasion, Platform,
    ProductionNetwork, Project, Registries, RemoteControlPlane, RunLimits, Runai, StaticNode, Storage, TlsTrust,
    Webhook, WebhookFormat,
};
use crate::diagnostics::Diagnostics;
use crate::raw;
use crate::raw::nodes::Selector;
use crate::raw::secret::SecretSource;
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::{Account, CertificateSource, Credential, Jump, KeyAlgorithm, Mirror, RegistryLogin};
use plinth_model::text::host_of;
use plinth_model::{Finding, SecretRef, Values};
use serde_json::Value;

/// Everything wanted. None, with a finding, where the file does not decide it.
pub(crate) fn resolve(site: &raw::Site, diagnostics: &mut Diagnostics<'_>) -> Option<Desired> {
    let runai = site.runai.as_ref().map_or(Some(None), |runai| self::runai(site, runai).map(Some))?;
    Some(Desired {
        name: site.metadata.name.0.clone(),
        inventory: inventory(&site.inventory)?,
        networks: networks(&site.networks, diagnostics)?,
        nodes: nodes(&site.nodes),
        access: site.access.as_ref().map_or_else(no_access, access)?,
        kubernetes: kubernetes::resolve(&site.kubernetes, runai.as_ref()),
        registries: registries(site.registries.as_ref()),
        storage: storage(site.storage.as_ref()),
        checks: checks(site.checks.as_ref()),
        platform: platform(site.platform.as_ref())?,
        runai,
        run: run(site.run.as_ref()),
        notify: site.notify.iter().flat_map(|notify| &notify.webhooks).map(webhook).collect(),
    })
}

/// The reference as plans have it. Names of files stay as they are written: they start at the folder of the site file, whoever
/// reads them and wherever that folder is.
fn secret(source: &SecretSource) -> SecretRef {
    source.0.clone()
}

fn inventory(inventory: &raw::inventory::Inventory) -> Option<InventorySource> {
    match inventory {
        raw::inventory::Inventory::Bcm(bcm) => bcm_access(bcm).map(InventorySource::Bcm),
        raw::inventory::Inventory::Static(nodes) => {
            Some(InventorySource::Static(nodes.iter().map(static_node).collect()))
        }
    }
}

fn static_node(node: &raw::inventory::StaticNode) -> StaticNode {
    StaticNode {
        name: node.name.0.clone(),
        address: node.address.0,
        category: node.category.clone().unwrap_or_default(),
    }
}

fn bcm_access(bcm: &raw::inventory::Bcm) -> Option<BcmAccess> {
    let login = match (&bcm.username, &bcm.password, &bcm.certificate, &bcm.key) {
        (Some(username), Some(password), None, None) => {
            BcmLogin::Password { username: secret(username), password: secret(password) }
        }
        (None, None, Some(certificate), Some(key)) => {
            BcmLogin::Certificate { certificate: certificate.0.0.clone(), key: secret(key) }
        }
        _ => return None,
    };
    let endpoint = bcm.endpoint.0.0.trim_end_matches('/').to_owned();
    Some(BcmAccess { endpoint, login, tls: tls(bcm.tls.as_ref()) })
}

fn tls(tls: Option<&raw::inventory::Tls>) -> TlsTrust {
    match tls {
        Some(raw::inventory::Tls { insecure: Some(true), .. }) => TlsTrust::Insecure,
        Some(raw::inventory::Tls { ca_file: Some(file), .. }) => TlsTrust::CaFile(file.0.0.clone()),
        _ => TlsTrust::System,
    }
}

fn networks(networks: &raw::inventory::Networks, diagnostics: &mut Diagnostics<'_>) -> Option<Networks> {
    let text = &networks.production;
    let production = match text.parse() {
        Ok(net) => ProductionNetwork::Cidr(net),
        Err(_) if !text.trim().is_empty() => ProductionNetwork::Name(text.clone()),
        Err(_) => {
            let finding = Finding::error(
                code::SITE_PRODUCTION_NETWORK,
                "networks.production",
                "the production network is not named",
            );
            diagnostics.report(finding.fix("write its range, or its name in BCM"));
            return None;
        }
    };
    Some(Networks { production, forbidden: networks.forbidden.iter().map(|net| net.0).collect() })
}

fn nodes(nodes: &raw::nodes::Nodes) -> Nodes {
    let chosen = |selectors: &[Selector]| selectors.iter().map(|selector| selector.0.clone()).collect();
    Nodes {
        control_plane: chosen(&nodes.control_plane),
        workers: chosen(&nodes.workers),
        etcd: nodes.etcd.as_deref().map(chosen),
        gpu: chosen(&nodes.gpu),
        system: chosen(&nodes.system),
        exclude: chosen(&nodes.exclude),
        overrides: nodes.overrides.iter().map(|(name, over)| (name.0.clone(), node_override(over))).collect(),
    }
}

fn node_override(over: &raw::nodes::Override) -> NodeOverride {
    NodeOverride {
        address: over.address.map(|address| address.0),
        labels: over.labels.clone(),
        taints: over.taints.clone(),
        storage: over.storage.as_ref().map(|path| path.0.clone()),
    }
}

/// What stands where no node is ever reached: it leads nowhere, and holds no secret.
fn no_access() -> Option<Access> {
    Some(Access {
        bootstrap: Login { user: "nobody".to_owned(), credential: Credential::Agent },
        account: account(&raw::access::Account::default())?,
        port: 22,
        jump: None,
        legacy_keys: Vec::new(),
    })
}

fn access(access: &raw::access::Access) -> Option<Access> {
    let login = &access.bootstrap;
    let proof = credential(login.password.as_ref(), login.key.as_ref(), login.agent)?;
    Some(Access {
        bootstrap: Login { user: login.user.0.0.clone(), credential: proof },
        account: account(&access.account.clone().unwrap_or_default())?,
        port: access.port.unwrap_or(22),
        jump: access.jump.as_ref().and_then(jump),
        legacy_keys: access.legacy_keys.iter().map(|glob| glob.0.0.clone()).collect(),
    })
}

fn jump(jump: &raw::access::Jump) -> Option<Jump> {
    Some(Jump {
        host: jump.host.0.0.clone(),
        port: jump.port.unwrap_or(22),
        user: jump.user.0.0.clone(),
        credential: credential(jump.password.as_ref(), jump.key.as_ref(), jump.agent)?,
    })
}

/// The one proof that is given.
fn credential(password: Option<&SecretSource>, key: Option<&SecretSource>, agent: Option<bool>) -> Option<Credential> {
    match (password, key, agent) {
        (Some(password), None, None | Some(false)) => Some(Credential::Password(secret(password))),
        (None, Some(key), None | Some(false)) => Some(Credential::Key(secret(key))),
        (None, None, Some(true)) => Some(Credential::Agent),
        _ => None,
    }
}

/// None: never, since the name of a user is one of a folder too.
fn account(account: &raw::access::Account) -> Option<Account> {
    let name = account.name.as_ref().map_or("plinth", |name| &name.0.0).to_owned();
    let uid = account.uid.unwrap_or(defaults::UID);
    let home = match &account.home {
        Some(home) => home.0.clone(),
        None => defaults::HOMES.join(&name).ok()?,
    };
    Some(Account {
        uid,
        gid: account.gid.unwrap_or(uid),
        home,
        shell: account.shell.as_ref().map_or(defaults::SHELL, |shell| shell.0.clone()),
        key: account.key.as_ref().map_or_else(|| SecretRef::Generated(defaults::KEY.to_owned()), secret),
        key_algorithm: match account.key_algorithm {
            None | Some(raw::access::KeyAlgorithm::Rsa4096) => KeyAlgorithm::Rsa4096,
            Some(raw::access::KeyAlgorithm::Ed25519) => KeyAlgorithm::Ed25519,
        },
        authorized_keys: account.authorized_keys.clone(),
        name,
    })
}

fn registries(registries: Option<&raw::inventory::Registries>) -> Registries {
    let Some(registries) = registries else { return Registries::default() };
    let mirror = |mirror: &raw::inventory::Mirror| Mirror {
        registry: mirror.registry.0.0.clone(),
        endpoints: mirror.endpoints.iter().map(|endpoint| endpoint.0.0.trim_end_matches('/').to_owned()).collect(),
    };
    let login = |login: &raw::inventory::Login| RegistryLogin {
        registry: login.registry.0.0.clone(),
        username: login.username.clone(),
        password: secret(&login.password),
    };
    Registries {
        mirrors: registries.mirrors.iter().map(mirror).collect(),
        logins: registries.logins.iter().map(login).collect(),
    }
}

fn storage(storage: Option<&raw::inventory::Storage>) -> Storage {
    let storage = storage.cloned().unwrap_or_default();
    Storage {
        images: storage.images.map_or(defaults::IMAGES, |path| path.0),
        images_gib: storage.images_gib.unwrap_or(100),
        larger: storage.larger.map_or(defaults::LARGER, |path| path.0),
    }
}

fn checks(checks: Option<&raw::platform::Checks>) -> Checks {
    let checks = checks.cloned().unwrap_or_default();
    Checks {
        image: checks.image.map_or_else(|| defaults::CHECK_IMAGE.to_owned(), |image| image.0.0),
        gpu_image: checks.gpu_image.map_or_else(|| defaults::CHECK_GPU_IMAGE.to_owned(), |image| image.0.0),
        names: checks.names.map(|names| names.into_iter().map(|name| name.0.to_string()).collect()),
        skip: checks.skip.iter().map(|check| check.as_str().to_owned()).collect(),
    }
}

fn platform(platform: Option<&raw::platform::Platform>) -> Option<Platform> {
    let platform = platform.cloned().unwrap_or_default();
    let ingress = platform.ingress.unwrap_or_default();
    let balancer = platform.load_balancer.unwrap_or_default();
    let component =
        |(name, choice): (&String, &raw::platform::Component)| component(choice).map(|choice| (name.clone(), choice));
    Some(Platform {
        ingress: Ingress {
            http: ingress.http.unwrap_or(defaults::HTTP),
            https: ingress.https.unwrap_or(defaults::HTTPS),
            address: ingress.address.map(|address| address.0),
        },
        load_balancer: balancer.addresses.into_iter().map(|range| pool(range.0.0)).collect(),
        charts: platform.charts.as_ref().map_or(Some(None), |given| charts(given).map(Some))?,
        helm: platform.helm.and_then(|helm| helm.source),
        components: platform.components.iter().map(component).collect::<Option<_>>()?,
        gpu: gpu(platform.gpu.unwrap_or_default()),
        infiniband: platform.infiniband.as_ref().map(infiniband),
        accept: platform.accept_incompatible,
    })
}

/// None when neither or both are given; the checks have said so.
fn charts(charts: &raw::platform::Charts) -> Option<ChartSource> {
    match (&charts.mirror, &charts.folder) {
        (Some(mirror), None) => {
            let address = mirror.0.0.trim_end_matches('/').to_owned();
            let login = charts.login.as_ref().map(|login| RegistryLogin {
                registry: host_of(&address).to_owned(),
                username: login.username.clone(),
                password: secret(&login.password),
            });
            Some(ChartSource::Mirror { address, login })
        }
        (None, Some(folder)) => Some(ChartSource::Folder(folder.0.0.clone())),
        _ => None,
    }
}

/// MetalLB takes networks and ranges, no single addresses.
fn pool(range: String) -> String {
    if range.contains(['/', '-']) { range } else { format!("{range}/32") }
}

/// None when its values hold a reference that cannot be read; the checks have said so.
fn component(choice: &raw::platform::Component) -> Option<ComponentChoice> {
    let json =
        |values: &IndexMap<String, Value>| values.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Some(ComponentChoice {
        enabled: choice.enabled,
        version: choice.version.as_ref().map(|version| version.0.clone()),
        digest: choice.digest.as_ref().map(|digest| {
            let digits = &digest.0.0;
            digits.strip_prefix("sha256:").unwrap_or(digits).to_lowercase()
        }),
        namespace: choice.namespace.as_ref().map(|name| name.0.0.clone()),
        values: choice.values.as_ref().map(|values| Values::new(Value::Object(json(values)))).transpose().ok()?,
    })
}

fn gpu(gpu: raw::platform::Gpu) -> GpuSharing {
    let mig = match gpu.mig {
        None | Some(raw::platform::Mig::None) => "none",
        Some(raw::platform::Mig::Single) => "single",
        Some(raw::platform::Mig::Mixed) => "mixed",
    };
    GpuSharing {
        mig: mig.to_owned(),
        time_slicing: gpu.time_slicing,
        rename_shared: gpu.rename_shared.unwrap_or(false),
        driver_on_host: gpu.driver_on_host,
    }
}

fn infiniband(wanted: &raw::platform::Infiniband) -> Infiniband {
    Infiniband {
        model: wanted.model.as_ref().map(|model| model.0.0.clone()),
        interfaces: wanted.interfaces.iter().map(|interface| interface.0.0.clone()).collect(),
        addresses: wanted.addresses.0,
        virtual_functions: wanted.virtual_functions.unwrap_or(defaults::VIRTUAL_FUNCTIONS),
        max_unavailable: wanted.max_unavailable.unwrap_or(1),
    }
}

fn runai(site: &raw::Site, runai: &raw::runai::Runai) -> Option<Runai> {
    let login = login(runai)?;
    let source = match runai.source.unwrap_or_else(|| defaults::source(runai)) {
        raw::runai::Source::Jfrog => ArtifactSource::Jfrog,
        raw::runai::Source::Ngc => ArtifactSource::Ngc,
        raw::runai::Source::Oss => ArtifactSource::Oss,
        raw::runai::Source::Airgapped => ArtifactSource::Airgapped,
    };
    if source == ArtifactSource::Airgapped && runai.mirror.is_none() {
        return None;
    }
    let registry = runai.registry.as_ref();
    let cluster = runai.cluster.as_ref().and_then(|cluster| cluster.name.as_ref());
    Some(Runai {
        version: runai.version.0.clone(),
        domain: runai.domain.0.clone(),
        control_plane: runai.control_plane.as_ref().map(control_plane),
        port: runai.port.unwrap_or_else(|| runai_port(site)),
        source,
        mirror: runai.mirror.as_ref().map(|mirror| mirror.0.0.clone()),
        registry_user: registry.and_then(|registry| registry.user.clone()),
        registry_token: registry.and_then(|registry| registry.token.as_ref()).map(secret),
        admin_email: login.0,
        admin_password: login.1,
        cluster: cluster.map_or_else(|| site.metadata.name.as_str().to_owned(), |name| name.0.0.clone()),
        inference_domain: runai.inference_domain.as_ref().map(|domain| domain.0.clone()),
        certificate: certificate(runai.certificate.as_ref()),
        departments: runai.departments.iter().map(department).collect(),
    })
}

/// Who signs in, and with what; the checks have said so when nobody does.
fn login(runai: &raw::runai::Runai) -> Option<(String, SecretRef)> {
    let account = runai.control_plane.as_ref().and_then(|elsewhere| elsewhere.service_account.as_ref());
    match (account, &runai.admin) {
        (Some(account), _) => Some((account.id.clone(), secret(&account.secret))),
        (None, Some(admin)) => Some((admin.email.0.0.clone(), secret(&admin.password))),
        (None, None) => None,
    }
}

fn control_plane(elsewhere: &raw::runai::ControlPlane) -> RemoteControlPlane {
    let url = elsewhere.url.0.0.trim_end_matches('/').to_owned();
    let realm = elsewhere.realm.as_ref().map(|realm| realm.0.0.clone());
    let service_account = elsewhere.service_account.is_some();
    let authority = elsewhere.authority.as_ref().map(|pem| format!("{}\n", pem.0.0.trim()));
    RemoteControlPlane { realm: realm.or_else(|| tenant(&url)), url, service_account, authority }
}

/// `acme` of `https://acme.run.ai`: the realm of a tenant has its name (NVIDIA Run:ai docs, SaaS).
fn tenant(url: &str) -> Option<String> {
    let host = host_of(url);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let name = host.strip_suffix(".run.ai")?;
    (!name.is_empty() && !name.contains('.')).then(|| name.to_owned())
}

fn department(department: &raw::runai::Department) -> Department {
    let project = |project: &raw::runai::Project| Project { name: project.name.0.0.clone(), gpus: project.gpus };
    Department {
        name: department.name.0.0.clone(),
        gpus: department.gpus,
        projects: department.projects.iter().map(project).collect(),
    }
}

/// 443 where a load balancer gives the ingress an address of its own, else the node port.
fn runai_port(site: &raw::Site) -> u16 {
    let platform = site.platform.as_ref();
    let balanced = platform.and_then(|p| p.load_balancer.as_ref()).is_some_and(|lb| !lb.addresses.is_empty());
    let https = platform.and_then(|p| p.ingress.as_ref()).and_then(|i| i.https);
    if balanced { 443 } else { https.unwrap_or(defaults::HTTPS) }
}

fn certificate(certificate: Option<&raw::runai::Certificate>) -> CertificateSource {
    match certificate {
        Some(raw::runai::Certificate::Files(files)) => CertificateSource::Files {
            certificate: files.certificate.0.0.clone(),
            key: secret(&files.key),
            authority: files.authority.as_ref().map(|authority| authority.0.0.clone()),
        },
        Some(raw::runai::Certificate::Generate(generate)) => generated(generate),
        None => generated(&raw::runai::Generate::default()),
    }
}

fn generated(generate: &raw::runai::Generate) -> CertificateSource {
    CertificateSource::Generated {
        authority_days: generate.authority_days.unwrap_or(3650),
        leaf_days: generate.leaf_days.unwrap_or(365),
    }
}

fn webhook(webhook: &raw::notify::Webhook) -> Webhook {
    let format = match webhook.format {
        Some(raw::notify::Format::Slack) => WebhookFormat::Slack,
        Some(raw::notify::Format::Teams) => WebhookFormat::Teams,
        Some(raw::notify::Format::Json) | None => WebhookFormat::Json,
    };
    let occasion = |on: &raw::notify::Occasion| match on {
        raw::notify::Occasion::Start => Occasion::Start,
        raw::notify::Occasion::Failure => Occasion::Failure,
        raw::notify::Occasion::Gate => Occasion::Gate,
        raw::notify::Occasion::Finish => Occasion::Finish,
    };
    Webhook {
        name: webhook.name.0.0.clone(),
        url: secret(&webhook.url),
        format,
        key: webhook.key.as_ref().map(secret),
        on: webhook.on.iter().flatten().map(occasion).collect(),
        ca_file: webhook.ca_file.as_ref().map(|file| file.0.0.clone()),
    }
}

fn run(run: Option<&raw::platform::Run>) -> RunLimits {
    let run = run.cloned().unwrap_or_default();
    RunLimits {
        parallel: run.parallel.unwrap_or(64),
        node_failures: run.node_failures.unwrap_or(1),
        without: Vec::new(),
        unfit: Vec::new(),
        keep: keep(run.keep.as_ref()),
    }
}

fn keep(keep: Option<&raw::platform::Keep>) -> Keep {
    let usual = Keep::default();
    keep.map_or(usual, |keep| Keep { runs: keep.runs.unwrap_or(usual.runs), mib: keep.mib.unwrap_or(usual.mib) })
}
