//! Where credentials of charts stand.

use crate::site::{catalog, choose, desired, facts, values, with};
use indexmap::IndexMap;
use plinth_catalog::Resolution;
use plinth_model::steps::SecretContent;
use plinth_model::{SecretRef, Values};
use serde_json::{Value, json};

fn secret_of(resolution: &Resolution, component: &str, name: &str) -> Option<SecretContent> {
    let found = resolution.components.iter().find(|one| one.name == component).unwrap();
    found.secrets.iter().find(|secret| secret.name == name).map(|secret| secret.content.clone())
}

/// What stands in values stands in every revision that helm keeps.
#[test]
fn credentials_stand_in_secrets_where_the_chart_reads_one() {
    for minor in ["2.25", "2.26"] {
        let resolution = catalog().resolve(&desired(), &with(json!({"runai.minor": minor})));
        let plane = &values(&resolution, "runai-cluster")["controlPlane"];
        assert_eq!((plane.get("clientSecret"), plane.get("bootstrapToken")), (None, None), "{minor}");
        let name = plane["existingSecret"].as_str().unwrap();
        let key = plane["secretKeys"]["clientSecret"].as_str().unwrap().to_owned();
        let value = Values::as_reference(&facts()["runai.clientSecret"]).unwrap();
        let wanted = SecretContent::Value { key, value, beside: IndexMap::new() };
        assert_eq!(secret_of(&resolution, "runai-cluster", name), Some(wanted), "{minor}");
    }
    let older = catalog().resolve(&desired(), &with(json!({"runai.minor": "2.24"})));
    assert_eq!(secret_of(&older, "runai-cluster", "runai-cluster-credential"), None);
    assert_eq!(values(&older, "runai-cluster")["controlPlane"].get("existingSecret"), None);
}

#[test]
fn a_password_of_grafana_is_in_a_secret_and_never_in_values() {
    let given = |values: Value| {
        let mut site = desired();
        choose(&mut site, "kube-prometheus-stack", |choice| choice.values = Some(values.try_into().unwrap()));
        let resolution = catalog().resolve(&site, &facts());
        let secret = secret_of(&resolution, "kube-prometheus-stack", "grafana-admin");
        (secret, self::values(&resolution, "kube-prometheus-stack")["grafana"].clone())
    };
    let content = |value: SecretRef, user: &str| {
        let beside = IndexMap::from([("admin-user".to_owned(), user.to_owned())]);
        Some(SecretContent::Value { key: "admin-password".to_owned(), value, beside })
    };
    let made_up = Values::as_reference(&facts()["grafana.adminPassword"]).unwrap();
    let (secret, grafana) = given(json!({}));
    assert_eq!((secret, grafana.get("adminPassword")), (content(made_up, "admin"), None));
    let keys = json!({"existingSecret": "grafana-admin", "userKey": "admin-user", "passwordKey": "admin-password"});
    assert_eq!(grafana["admin"], keys);
    let own = SecretRef::Env("GRAFANA".to_owned());
    let (secret, grafana) =
        given(json!({"grafana": {"adminUser": "root", "adminPassword": {"$secret": {"env": "GRAFANA"}}}}));
    assert_eq!((secret, grafana.get("adminPassword")), (content(own, "root"), None), "the site's own password");
    let (secret, _) = given(json!({"grafana": {"admin": {"existingSecret": "mine"}}}));
    assert_eq!(secret, None, "a secret that the site has already");
    assert_eq!(given(json!({"grafana": {"enabled": false}})).0, None);
}

/// What the ingress of the cluster part looks for under a fixed name.
#[test]
fn host_names_of_workloads_get_their_certificate_where_the_site_wants_them() {
    let given = |values: Value| {
        let mut site = desired();
        choose(&mut site, "runai-cluster", |choice| choice.values = Some(values.try_into().unwrap()));
        let newer = with(json!({"runai.version": "2.25.10", "runai.minor": "2.25"}));
        let resolution = catalog().resolve(&site, &newer);
        let told = resolution.findings.iter().any(|finding| finding.code == "runai.workload-names");
        (secret_of(&resolution, "runai-cluster", "runai-cluster-domain-star-tls-secret"), told)
    };
    let wanted = SecretContent::Tls { certificate: "runai".to_owned() };
    assert_eq!(given(json!({"clusterConfig": {"global": {"subdomainSupport": true}}})), (Some(wanted), true));
    assert_eq!(given(json!({})), (None, false));
}
