//! The example files are what people start from.

use plinth_model::SecretRef;
use plinth_model::steps::CertificateSource;
use plinth_site::desired::{
    ArtifactSource, BcmLogin, ChartSource, Desired, InventorySource, ProductionNetwork, Selector, TlsTrust,
};
use plinth_site::{load, secret_refs};
use std::path::{Path, PathBuf};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn desired(name: &str) -> Desired {
    match load(&folder().join(name)) {
        Ok(site) => {
            assert_eq!(site.findings, [], "{name}");
            site.desired
        }
        Err(rejected) => panic!(
            "{name}:\n{}",
            plinth_site::render::findings_text(&rejected.findings, &rejected.source, &rejected.file, false)
        ),
    }
}

#[test]
fn every_example_is_valid_without_a_single_finding() {
    let files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let sites = files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    let names: Vec<&str> = sites.map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        desired(name);
    }
}

#[test]
fn the_basepod_is_read_as_it_is_written() {
    let site = desired("basepod.yaml");
    let InventorySource::Bcm(bcm) = &site.inventory else { panic!("not BCM") };
    assert_eq!(bcm.endpoint, "https://bcm-head-01:8081");
    assert!(matches!(&bcm.login, BcmLogin::Password { username: SecretRef::Env(name), .. } if name == "BCM_USERNAME"));
    assert_eq!(bcm.tls, TlsTrust::CaFile("bcm-ca.pem".to_owned()));
    assert_eq!(site.networks.production, ProductionNetwork::Cidr("10.184.162.0/24".parse().unwrap()));
    assert_eq!(site.nodes.control_plane[0], Selector::Name("cpu-03".to_owned()));
    assert_eq!(site.nodes.gpu, [Selector::Glob("dgx-*".to_owned())]);
    assert_eq!((site.access.account.uid, site.access.account.home.as_str()), (60000, "/home/ansiblebcm"));
    assert_eq!(site.access.account.key, SecretRef::Generated("ssh-key".to_owned()));
    assert_eq!(site.platform.components["gpu-operator"].version.as_ref().unwrap().as_str(), "v25.3.3");
    let runai = site.runai.as_ref().unwrap();
    assert_eq!((runai.port, runai.source, runai.cluster.as_str()), (30443, ArtifactSource::Jfrog, "bcm-gpu-cluster"));
    assert_eq!(site.registries.mirrors[0].registry, "docker.io");
}

#[test]
fn other_examples_show_the_other_ways() {
    let site = desired("static.yaml");
    assert!(matches!(&site.inventory, InventorySource::Static(nodes) if nodes.len() == 3));
    assert_eq!(site.nodes.workers, [Selector::Category("dgx-h100".to_owned())]);
    assert_eq!(site.nodes.overrides["dgx-02"].storage.as_deref(), Some("/raid/containerd"));
    let runai = site.runai.unwrap();
    assert_eq!(runai.port, 443, "a load balancer gives the ingress an address of its own");
    assert!(matches!(runai.certificate, CertificateSource::Files { .. }));

    let site = desired("no-runai.yaml");
    assert!(site.runai.is_none());
    assert_eq!(site.networks.production, ProductionNetwork::Name("internalnet".to_owned()));
    assert_eq!((site.platform.gpu.time_slicing, site.run.node_failures), (Some(4), 0));

    let site = desired("airgapped.yaml");
    let Some(ChartSource::Mirror { address, login: Some(login) }) = &site.platform.charts else { panic!() };
    assert_eq!(
        (address.as_str(), login.registry.as_str()),
        ("https://mirror.example.com/charts", "mirror.example.com")
    );
    let named = secret_refs(&site);
    assert!(named.iter().any(|(path, _)| path == "platform.charts.login.password"), "{named:?}");
    let runai = site.runai.unwrap();
    assert_eq!((runai.source, runai.mirror.as_deref()), (ArtifactSource::Airgapped, Some("mirror.example.com/runai")));
}

#[test]
fn all_references_to_secrets_are_named_with_their_paths() {
    let refs: Vec<String> =
        secret_refs(&desired("basepod.yaml")).iter().map(|(path, reference)| format!("{path}: {reference}")).collect();
    assert_eq!(
        refs,
        [
            "inventory.bcm.username: env BCM_USERNAME",
            "inventory.bcm.password: env BCM_PASSWORD",
            "access.bootstrap.password: env BOOTSTRAP_PASSWORD",
            "runai.registry.token: env RUNAI_REGISTRY_TOKEN",
            "runai.admin.password: env RUNAI_ADMIN_PASSWORD",
        ]
    );
}

#[test]
fn the_digest_ignores_comments_order_and_spelled_out_defaults() {
    let digest = |text: &str| crate::read(text).unwrap().desired.digest();
    let plain = digest(crate::GOOD);
    assert_eq!(digest(&format!("# note\n{}", crate::GOOD)), plain);
    assert_eq!(digest(&crate::changed(&[("kubernetes:\n", "kubernetes:\n  engine: kubespray\n")])), plain);
    assert_eq!(
        digest(&crate::changed(&[("apiVersion: plinth/v1\nkind: Site", "kind: Site\napiVersion: plinth/v1")])),
        plain
    );
    assert_ne!(digest(&crate::changed(&[("v1.31.9", "v1.31.8")])), plain);
}

#[test]
fn positions_of_paths_lead_to_the_file() {
    let site = crate::read(crate::GOOD).unwrap();
    let at = |path: &str| site.position(path).map(|place| (place.line, place.column));
    assert_eq!(at("kubernetes.version"), Some((16, 12)));
    assert_eq!(at("nodes.workers[1]"), Some((11, 21)));
    assert_eq!(at("kubernetes.kubespray.version"), Some((15, 1)), "the nearest parent that is there");
    let values = "platform:\n  components:\n    strange: {enabled: false}\n";
    let site = crate::read(crate::changed(&[("platform:\n", values)])).unwrap();
    let key = site.position("platform.components.strange").map(|p| (p.line, p.column, p.end - p.start));
    assert_eq!(key, Some((20, 5, "strange".len())), "a mapping is pointed at by its key");
    assert_eq!(at("dgx-05"), None, "not a path of the file");
}
