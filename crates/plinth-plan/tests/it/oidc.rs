use crate::fixture::catalog::Shelf;
use crate::fixture::{codes, inventory as data, site, unseen};
use plinth_plan::facts::url;
use plinth_plan::plan;
use plinth_site::desired::Oidc;

/// Findings about the issuer that the API server is told.
fn said(issuer: &str) -> Vec<String> {
    let mut desired = site::basepod();
    desired.kubernetes.oidc = Some(Oidc {
        issuer: issuer.to_owned(),
        client: "runai".to_owned(),
        username_claim: None,
        username_prefix: Some("-".to_owned()),
        groups_claim: None,
        groups_prefix: None,
        authority: None,
    });
    let findings = plan(&desired, &unseen(data::basepod()), &Shelf::default()).map_or_else(|f| f, |plan| plan.findings);
    codes(&findings).into_iter().filter(|code| *code == "runai.oidc-issuer").map(str::to_owned).collect()
}

#[test]
fn an_issuer_at_run_ais_own_host_is_exactly_the_one_in_its_tokens() {
    let runai = site::basepod().runai.unwrap();
    assert_ne!(runai.port, 443, "a port that can be forgotten");
    assert_eq!(said(&format!("{}/auth/realms/runai", url(&runai))), [""; 0]);
    for wrong in [
        format!("https://{}/auth/realms/runai", runai.domain),
        format!("{}/auth/realms/runai/", url(&runai)),
        format!("{}/auth/realms/other", url(&runai)),
    ] {
        assert_eq!(said(&wrong), ["runai.oidc-issuer"], "{wrong}");
    }
    assert_eq!(said("https://login.example.com/realms/company"), [""; 0], "somebody else's");
}

#[test]
fn an_issuer_whose_authority_nodes_do_not_know_is_told_with_the_way() {
    let with = |authority: Option<&str>| {
        let mut desired = site::basepod();
        let issuer = desired.runai.as_ref().unwrap().issuer();
        desired.kubernetes.oidc = Some(Oidc {
            issuer,
            client: "runai".to_owned(),
            username_claim: None,
            username_prefix: Some("-".to_owned()),
            groups_claim: None,
            groups_prefix: None,
            authority: authority.map(str::to_owned),
        });
        plan(&desired, &unseen(data::basepod()), &Shelf::default()).map_or_else(|f| f, |plan| plan.findings)
    };
    let found = with(None);
    let told = found.iter().find(|finding| finding.code == "runai.oidc-authority").unwrap();
    assert!(!told.is_error() && told.fix.contains("plinth render certs"), "an API server starts without it: {told:?}");
    assert!(with(Some("PEM")).iter().all(|finding| finding.code != "runai.oidc-authority"));
}
