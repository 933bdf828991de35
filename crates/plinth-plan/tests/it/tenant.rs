//! A control plane elsewhere: a tenant of the service, or another site's.

use crate::fixture::{inventory as data, site, unseen};
use plinth_model::plan::{Plan, Step};
use plinth_model::steps::{AcceptanceCheck, Check, RunaiTarget};
use plinth_model::{SecretRef, Work};
use plinth_plan::plan;
use plinth_site::desired::{ArtifactSource, RemoteControlPlane};

fn step<'a>(plan: &'a Plan, id: &str) -> &'a Step {
    plan.steps.iter().find(|s| s.id.as_str() == id).unwrap_or_else(|| panic!("no step {id}"))
}

fn has(plan: &Plan, id: &str) -> bool {
    plan.steps.iter().any(|s| s.id.as_str() == id)
}

#[test]
fn with_a_control_plane_elsewhere_the_cluster_is_registered_there() {
    let mut desired = site::basepod();
    let runai = desired.runai.as_mut().unwrap();
    runai.control_plane = Some(RemoteControlPlane {
        url: "https://acme.run.ai".into(),
        realm: Some("acme".into()),
        service_account: false,
        authority: None,
    });
    runai.registry_token = None;
    let catalog = plinth_catalog::Catalog::embedded().unwrap();
    let plan = plan(&desired, &unseen(data::basepod()), &catalog).unwrap();
    for id in [
        "runai/issuer/bcm-head-01.eth.cluster",
        "platform/release/runai-control-plane",
        "platform/namespace/runai-backend",
    ] {
        assert!(!has(&plan, id), "{id}");
    }
    let Work::RunaiRegister(register) = &step(&plan, "runai/register/bcm-gpu-cluster").work else { panic!() };
    let target = &register.target;
    assert_eq!((target.url.as_str(), target.realm.as_str()), ("https://acme.run.ai", "acme"));
    assert_eq!((target.address, target.authority.as_ref()), (None, None), "its name and certificate are public");
    assert!(target.cluster_url.as_ref().unwrap().starts_with("https://bcm-head-01.eth.cluster"));
    assert!(has(&plan, "platform/release/runai-cluster") && has(&plan, "checks/runai/bcm-gpu-cluster"));
    assert!(has(&plan, "platform/secret/runai.runai-cluster-domain-tls-secret"));
    let ingress = step(&plan, "checks/ingress/bcm-head-01.eth.cluster");
    let Work::AcceptanceCheck(AcceptanceCheck { check: Check::Ingress { url, certificate, nobody_behind, .. } }) =
        &ingress.work
    else {
        panic!("{ingress:?}")
    };
    assert!(
        *nobody_behind && url.starts_with("https://bcm-head-01.eth.cluster"),
        "the cluster's URL, and no control plane behind it"
    );
    assert_eq!(certificate.as_deref(), Some("runai"), "its certificate is the site's own");
    assert!(ingress.needs.iter().any(|id| id.as_str() == "runai/connected/bcm-gpu-cluster"), "{:?}", ingress.needs);
}

#[test]
fn nvidias_registry_asks_for_a_token_for_its_charts_wherever_the_control_plane_is() {
    let names = plinth_catalog::Catalog::embedded().unwrap();
    let refused = |source: ArtifactSource| {
        let mut desired = site::basepod();
        let runai = desired.runai.as_mut().unwrap();
        let url = "https://acme.run.ai".to_owned();
        runai.control_plane =
            Some(RemoteControlPlane { url, realm: Some("acme".into()), service_account: false, authority: None });
        (runai.source, runai.registry_token) = (source, None);
        let seen = unseen(data::basepod());
        let found = plan(&desired, &seen, &names).map_or_else(|found| found, |plan| plan.findings);
        found.into_iter().find(|finding| finding.code == "site.registry-token").map(|finding| finding.message)
    };
    let said = "charts and images of Run:ai cannot be fetched without a registry token";
    assert_eq!(refused(ArtifactSource::Ngc).as_deref(), Some(said));
    assert_eq!(refused(ArtifactSource::Jfrog), None, "it gave the cluster part to everybody");
}

#[test]
fn a_service_account_signs_in_as_its_line_of_versions_has_it() {
    let target = |version: &str| -> RunaiTarget {
        let mut desired = site::basepod();
        let runai = desired.runai.as_mut().unwrap();
        let url = "https://acme.run.ai".to_owned();
        runai.control_plane =
            Some(RemoteControlPlane { url, realm: Some("acme".into()), service_account: true, authority: None });
        (runai.admin_email, runai.admin_password) = ("plinth-ab12".into(), SecretRef::Env("ACCOUNT_SECRET".into()));
        (runai.version, runai.registry_token) = (version.parse().unwrap(), None);
        let names = plinth_catalog::Catalog::embedded().unwrap();
        // What else a version asks for is not the question here.
        let seen = unseen(data::basepod());
        match plan(&desired, &seen, &names) {
            Ok(plan) => {
                let Work::RunaiRegister(register) = &step(&plan, "runai/register/bcm-gpu-cluster").work else {
                    panic!()
                };
                register.target.clone()
            }
            Err(found) => panic!("{version}: {found:#?}"),
        }
    };
    let one = target("2.21");
    assert_eq!((one.admin.as_str(), &one.password), ("plinth-ab12", &SecretRef::Env("ACCOUNT_SECRET".into())));
    let names = plinth_catalog::Catalog::embedded().unwrap();
    let ways = |version: &str| {
        let api = names.runai().account_api(&version.parse().unwrap());
        let grant = |way: &plinth_model::steps::TokenWay| {
            let grant = way.fields.get("grantType").or_else(|| way.fields.get("grant_type")).unwrap();
            format!("{} {grant}", way.path)
        };
        api.tokens.iter().map(grant).collect::<Vec<_>>()
    };
    assert_eq!(ways("2.18"), ["/api/v1/token app_token"]);
    assert_eq!(ways("2.21"), ["/api/v1/token client_credentials", "/api/v1/token app_token"]);
    assert_eq!(ways("2.24"), ["/api/v2/token client_credentials", "/api/v1/token client_credentials"]);
    assert_eq!(ways("3.0"), ways("2.24"));
    assert_eq!(one.api, names.runai().account_api(&"2.21".parse().unwrap()));
    let api = names.runai().account_api(&"3.0".parse().unwrap());
    assert_eq!(api.credential, plinth_model::steps::ClusterCredential::BootstrapToken, "all else is as for a person");
}
