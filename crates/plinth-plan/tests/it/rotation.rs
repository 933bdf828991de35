//! The exchange of a certificate and its authority, as a plan.

use crate::fixture::{inventory as data, site, unseen};
use plinth_model::Work;
use plinth_model::steps::{Outgoing, RotationPhase};
use plinth_plan::{Installed, Rotation, plan, rotation};

/// Ids of the steps, in their order.
fn ids(serves: bool, until: Option<RotationPhase>) -> Vec<String> {
    let (desired, catalog) = (site::basepod(), plinth_catalog::Catalog::embedded().unwrap());
    let mut observed = unseen(data::basepod());
    let site = plan(&desired, &observed, &catalog).unwrap();
    let certificate = site.steps.iter().find_map(|step| match &step.work {
        Work::Certificate(certificate) => Some(certificate.clone()),
        _ => None,
    });
    let rotation_ = Rotation {
        certificate: certificate.unwrap(),
        outgoing: Outgoing { leaf: "aa".to_owned(), authorities: vec!["bb".to_owned()] },
        exchanges_authority: true,
        installed: Installed { namespaces: ["runai", "runai-backend"].map(str::to_owned).into(), whole: true },
        serves,
        until,
        missing: Vec::new(),
    };
    let made = rotation(&desired, &mut observed, &catalog, &site, &[rotation_]).unwrap();
    made.steps.iter().map(|step| step.id.to_string()).collect()
}

#[test]
fn with_an_expired_leaf_nobody_waits_for_who_cannot_be_served() {
    let at = |ids: &[String], id: &str| ids.iter().position(|known| known == id);
    let restart = "platform/restart/trust-both.runai.runai-ca-cert";
    let (leaf, served) = ("platform/secret/new-leaf.runai.runai-cluster-domain-tls-secret", "platform/served/runai");
    let usual = ids(true, None);
    assert!(at(&usual, restart) < at(&usual, leaf) && at(&usual, restart).is_some(), "{usual:#?}");
    let expired = ids(false, None);
    assert!(at(&expired, restart) > at(&expired, leaf) && at(&expired, restart) < at(&expired, served), "{expired:#?}");
    assert_eq!(at(&expired, "runai/connected/trust-both.bcm-gpu-cluster"), None);
    assert_eq!(usual.len(), expired.len() + 1, "nothing else is left out");
}

#[test]
fn a_rotation_that_is_to_stop_has_nothing_behind_that_phase() {
    for (until, last) in [
        (RotationPhase::TrustBoth, "runai/connected/trust-both.bcm-gpu-cluster"),
        (RotationPhase::NewLeaf, "runai/connected/new-leaf.bcm-gpu-cluster"),
        (RotationPhase::TrustNew, "runai/connected/trust-new.bcm-gpu-cluster"),
    ] {
        let ids = ids(true, Some(until));
        assert_eq!(ids.last().map(String::as_str), Some(last));
        assert!(!ids.contains(&"platform/rotation/finished.runai".to_owned()), "its record says that it goes on");
    }
    assert_eq!(ids(true, None).last().map(String::as_str), Some("platform/rotation/finished.runai"));
}
