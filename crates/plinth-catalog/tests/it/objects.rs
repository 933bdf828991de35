//! Components whose makers publish one file of objects and no chart.

use crate::site::{catalog, choose, desired, with};
use plinth_catalog::{Resolution, ResolvedComponent};
use plinth_model::Severity;
use plinth_model::steps::Release;
use plinth_site::Desired;
use serde_json::{Value, json};

fn of<'a>(resolution: &'a Resolution, component: &str) -> &'a ResolvedComponent {
    resolution.components.iter().find(|c| c.name == component).unwrap_or_else(|| panic!("{component} is off"))
}

/// The release of a component, and what is told of it.
fn release(site: &Desired, changes: Value, component: &str) -> (Release, Vec<(String, Severity, String)>) {
    let resolution = catalog().resolve(site, &with(changes));
    let found = resolution.findings.iter();
    let found = found.filter(|finding| finding.subject.contains(component));
    let found =
        found.map(|finding| (finding.code.as_str().to_owned(), finding.severity, finding.subject.clone())).collect();
    (of(&resolution, component).release.clone(), found)
}

fn on(component: &str) -> Desired {
    let mut site = desired();
    choose(&mut site, component, |choice| choice.enabled = Some(true));
    site
}

const DIGEST: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

#[test]
fn the_line_of_runai_decides_which_version_comes() {
    for (minor, mpi, training) in [
        ("2.20", "v0.6.0", "v1.8.1"),
        ("2.21", "v0.6.0", "v1.9.2"),
        ("2.25", "v0.6.0", "v1.9.2"),
        ("3.0", "v0.8.0", "v1.9.4"),
    ] {
        let line = json!({"runai.version": format!("{minor}.1"), "runai.minor": minor});
        let (release, found) = release(&on("mpi-operator"), line.clone(), "mpi-operator");
        assert_eq!((release.version.to_string().as_str(), found.len(), release.of_objects), (mpi, 0, true), "{minor}");
        assert!(release.repository.contains(&format!("/{mpi}/")) && release.digest.is_some(), "{release:?}");
        let (release, found) = self::release(&on("training-operator"), line, "training-operator");
        assert_eq!((release.version.to_string().as_str(), release.repository.as_str()), (training, ""), "{minor}");
        let error = (
            "platform.objects-unproved".to_owned(),
            Severity::Error,
            "platform.components.training-operator.digest".to_owned(),
        );
        assert_eq!(found, [error], "nobody knows the content");
    }
}

#[test]
fn a_version_that_nobody_knows_needs_a_digest_of_the_site() {
    let mut site = on("mpi-operator");
    choose(&mut site, "mpi-operator", |choice| choice.version = Some("v0.8.2".parse().unwrap()));
    let (_, found) = release(&site, json!({}), "mpi-operator");
    assert!(
        found.iter().any(|(code, severity, _)| code == "platform.objects-unproved" && *severity == Severity::Error),
        "{found:?}"
    );
    choose(&mut site, "mpi-operator", |choice| choice.digest = Some(DIGEST.to_owned()));
    let (given, found) = release(&site, json!({}), "mpi-operator");
    assert!(found.iter().all(|(_, severity, _)| *severity == Severity::Info), "{found:?}");
    assert_eq!((given.digest.as_deref(), given.file_of_objects().as_str()), (Some(DIGEST), "mpi-operator-v0.8.2.yaml"));
    choose(&mut site, "mpi-operator", |choice| choice.version = Some("0.8".parse().unwrap()));
    let (_, found) = release(&site, json!({}), "mpi-operator");
    let line = (
        "platform.objects-unproved".to_owned(),
        Severity::Error,
        "platform.components.mpi-operator.version".to_owned(),
    );
    assert!(found.contains(&line), "{found:?}");
}

#[test]
fn the_catalogs_digest_binds_and_a_file_takes_no_values() {
    let mut site = on("mpi-operator");
    choose(&mut site, "mpi-operator", |choice| choice.digest = Some(DIGEST.to_owned()));
    let (release, found) = release(&site, json!({}), "mpi-operator");
    assert_eq!(
        found,
        [("charts.digest".to_owned(), Severity::Error, "platform.components.mpi-operator.digest".to_owned())]
    );
    assert_ne!(release.digest.as_deref(), Some(DIGEST));
    let mut site = on("mpi-operator");
    choose(&mut site, "mpi-operator", |choice| {
        choice.values = Some(plinth_model::Values::new(json!({"replicas": 2})).unwrap());
    });
    let (release, found) = self::release(&site, json!({}), "mpi-operator");
    assert_eq!(
        found,
        [("platform.refused-value".to_owned(), Severity::Error, "platform.components.mpi-operator.values".to_owned())]
    );
    assert_eq!(*release.values, json!({}));
    let mut chart = on("spark-operator");
    choose(&mut chart, "spark-operator", |choice| {
        choice.version = Some("2.5.2".parse().unwrap());
        choice.digest = Some(DIGEST.to_owned());
    });
    let (release, _) = self::release(&chart, json!({}), "spark-operator");
    assert_eq!(
        (release.digest.as_deref(), release.of_objects),
        (Some(DIGEST), false),
        "a chart of an unknown version is proved, too"
    );
}

#[test]
fn two_operators_that_bring_the_same_kind_are_told() {
    let mut site = on("mpi-operator");
    choose(&mut site, "training-operator", |choice| {
        choice.enabled = Some(true);
        choice.digest = Some(DIGEST.to_owned());
    });
    let (_, found) = release(&site, json!({}), "mpi-operator");
    assert!(found.iter().any(|(code, ..)| code == "platform.parts-clash"), "{found:?}");
}
