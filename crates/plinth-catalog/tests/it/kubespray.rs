//! Choice of a Kubespray release.

use crate::site::{catalog, desired};
use plinth_catalog::KubernetesVersionForm::{Bare, Prefixed};

#[test]
fn the_default_when_it_can_else_the_newest_that_can() {
    let cases = [
        ("v1.31.9", None, "v2.27.1", Prefixed, "v1.31.9"),
        ("1.30.4", None, "v2.27.1", Prefixed, "v1.30.4"),
        ("v1.31.12", None, "v2.29.1", Bare, "1.31.12"),
        ("v1.32.5", None, "v2.30.0", Bare, "1.32.5"),
        ("v1.28.15", None, "v2.26.1", Prefixed, "v1.28.15"),
        ("v1.35.4", None, "v2.31.0", Bare, "1.35.4"),
        ("v1.32.5", Some("2.28.1"), "v2.28.1", Bare, "1.32.5"),
    ];
    for (kubernetes, chosen, tag, form, written) in cases {
        let mut desired = desired();
        desired.kubernetes.version = Some(kubernetes.parse().unwrap());
        desired.kubernetes.kubespray = chosen.map(|tag| tag.parse().unwrap());
        let (release, got, why) = catalog().kubespray(&desired).unwrap();
        assert_eq!((release.tag.as_str(), got), (tag, form), "{kubernetes}");
        assert_eq!(form.write(desired.kubernetes.version.as_ref().unwrap()), written);
        assert!(why.contains(tag.trim_start_matches('v')), "{why}");
    }
}

#[test]
fn a_release_is_pinned_to_the_last_digit() {
    let (release, _, _) = catalog().kubespray(&desired()).unwrap();
    assert_eq!(release.commit, "45140b558266014296ddc6075b0518662a4d4cbe");
    assert_eq!(release.tree, "80b1a72e851debab268ac20a4e3c44f7ecd42a35");
    assert_eq!(
        (release.python.as_str(), release.ansible_core.as_str(), release.ansible.as_str()),
        (">=3.10.0, <3.13.0", ">=2.16.4, <2.17.0", "9.13.0")
    );
    for pin in &catalog().kubespray_pins().releases {
        assert!(pin.commit.len() == 40 && pin.tree.len() == 40, "{}", pin.tag);
        assert_eq!(pin.form == Bare, pin.tag >= "v2.28.0".parse().unwrap(), "{}", pin.tag);
    }
}

#[test]
fn what_cannot_be_installed_is_refused_with_the_nearest() {
    let cases = [
        ("v1.33.0", Some("v2.27.1"), "kubernetes.version", "v1.31.9", "v2.31.0"),
        ("v1.31.10", Some("v2.27.1"), "kubernetes.version", "v1.31.9", "v2.29.1"),
        ("v1.31.9", Some("v2.27.5"), "kubernetes.kubespray", "v2.27.1", ""),
        ("v1.31", None, "kubernetes.version", "v1.31.14", ""),
        ("v1.36.0", None, "kubernetes.version", "v1.35.4", ""),
        ("v1.20.0", None, "kubernetes.version", "v1.26.15", ""),
    ];
    for (kubernetes, chosen, subject, nearest, other) in cases {
        let mut desired = desired();
        desired.kubernetes.version = Some(kubernetes.parse().unwrap());
        desired.kubernetes.kubespray = chosen.map(|tag| tag.parse().unwrap());
        let finding = catalog().kubespray(&desired).unwrap_err();
        assert!(finding.is_error());
        assert_eq!(finding.subject, subject, "{kubernetes}");
        assert!(finding.fix.contains(nearest) && finding.fix.contains(other), "{kubernetes}: {}", finding.fix);
    }
}
