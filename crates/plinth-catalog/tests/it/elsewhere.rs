//! The cluster part, with a control plane elsewhere and when it goes.

use crate::site::{catalog, desired, facts, values, with};
use plinth_model::steps::SecretContent;
use serde_json::json;

/// One elsewhere has a release of its own: what its answer had decides, whatever is installed here. Its own authority is trusted.
#[test]
fn the_cluster_part_of_a_control_plane_elsewhere_takes_what_was_kept() {
    for minor in ["2.25", "3.0"] {
        let changes = json!({"runai.minor": minor, "runai.selfHosted": false, "runai.controlPlaneAuthority": "PEM"});
        let resolution = catalog().resolve(&desired(), &with(changes));
        let values = values(&resolution, "runai-cluster");
        for name in ["clientSecret", "bootstrapToken"] {
            assert_eq!(values["controlPlane"][name], facts()[&format!("runai.{name}IfKept")], "{minor}");
        }
        assert_eq!(values["global"]["customCA"]["enabled"], true, "{minor}");
        let part = resolution.components.iter().find(|component| component.name == "runai-cluster").unwrap();
        let bundle = SecretContent::Bundle { pem: "PEM".to_owned(), key: "runai-ca.pem".to_owned() };
        let trusted: Vec<_> = part.secrets.iter().filter(|secret| secret.name == "runai-ca-cert").collect();
        assert_eq!((trusted.len(), &trusted[0].content), (1, &bundle));
    }
}

/// Its operator clears the finalizer of its own settings, so they go while it lives.
#[test]
fn the_settings_of_the_cluster_part_go_before_it() {
    let resolution = catalog().resolve(&desired(), &facts());
    let part = resolution.components.iter().find(|component| component.name == "runai-cluster").unwrap();
    let names: Vec<String> = part.release.remove_first.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["RunaiConfig runai/runai"]);
}
