//! Files of objects, of which charts are made.

use super::pack::sha256;
use super::server::{Reply, Sends, Server};
use super::{Trial, release};
use plinth_model::steps::Release;
use plinth_world::Cause;
use plinth_world::charts::ChartPackages as _;
use plinth_world::packed::{Budget, each_file};
use std::collections::BTreeMap;
use std::fs;

const FILE: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
---
# nothing
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: demo}, data: {text: '{{ no template }}'}}
  - {apiVersion: apps/v1, kind: Deployment, metadata: {name: b, namespace: demo}}
";

fn wanted(repository: &str, file: &str) -> Release {
    Release { of_objects: true, digest: Some(sha256(file.as_bytes())), ..release("demo", repository, "v1.0.0") }
}

fn content(package: &[u8]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    each_file(package, &Budget::of(1 << 20, 100), |mut file| {
        let name = file.path.display().to_string();
        files.insert(name, file.text(1 << 20)?);
        Ok::<(), std::io::Error>(())
    })
    .unwrap();
    files
}

#[tokio::test]
async fn a_chart_is_made_of_a_file_and_is_always_the_same() {
    let trial = Trial::new();
    let folder = trial.folder.path().join("charts-of-site");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("demo-v1.0.0.yaml"), FILE).unwrap();
    let wanted = wanted("charts-of-site", FILE);
    assert_eq!(trial.charts.at_hand(&trial.ctx, &wanted).await.unwrap(), None, "a look makes nothing");
    let made = trial.package(&wanted).await.unwrap();
    assert_eq!(made.version.as_str(), "v1.0.0");
    let files = content(&fs::read(&made.file).unwrap());
    assert!(files["demo/crds/000.yaml"].contains("things.example.com"), "{files:?}");
    let objects = &files["demo/objects.yaml"];
    assert!(objects.contains("ConfigMap") && objects.contains("Deployment") && objects.contains("{{ no template }}"));
    assert!(!objects.contains("Namespace\"") && !objects.contains("CustomResourceDefinition"), "{objects}");
    assert!(!files["demo/templates/objects.yaml"].contains("ConfigMap"), "what is in the file is no template");
    fs::remove_file(folder.join("demo-v1.0.0.yaml")).unwrap();
    assert_eq!(trial.charts.at_hand(&trial.ctx, &wanted).await.unwrap().as_ref(), Some(&made));
    fs::remove_file(&made.file).unwrap();
    let trial = trial.next_process();
    assert_eq!(trial.package(&wanted).await.unwrap(), made, "the file is kept, and gives the same package");
}

#[tokio::test]
async fn a_file_is_fetched_from_its_address_and_from_a_mirror() {
    let server = Server::start(|request| match request.path.as_str() {
        "/v1.0.0/deploy/demo.yaml" | "/charts/demo-v1.0.0.yaml" => Reply::ok(FILE),
        _ => Reply::status(404),
    })
    .await;
    let (own, mirrored) = (server.url("/v1.0.0/deploy/demo.yaml"), server.url("/charts"));
    for address in [&own, &mirrored] {
        let trial = Trial::new();
        trial.package(&wanted(address, FILE)).await.unwrap();
        server.forget();
        trial.package(&wanted(address, FILE)).await.unwrap();
        assert!(server.paths().is_empty(), "what is here is not asked for");
    }
}

#[tokio::test]
async fn a_file_that_is_gone_cut_or_altered_is_named_and_never_used() {
    let altered = FILE.replace("name: b", "name: c");
    let cases: [(Reply, &str, Cause); 4] = [
        (Reply::status(404), "charts.refused", Cause::Refused),
        (Reply::ok(FILE).sending(Sends::Cut(100)), "charts.unreachable", Cause::Unreachable),
        (Reply::ok(FILE[..100].to_owned()), "charts.digest", Cause::BadAnswer),
        (Reply::ok(altered), "charts.digest", Cause::BadAnswer),
    ];
    for (reply, code, cause) in cases {
        let answer = reply.clone();
        let server = Server::start(move |_| answer.clone()).await;
        let trial = Trial::new();
        let (said, error) = trial.refused(&wanted(&server.url("/charts"), FILE)).await;
        assert_eq!((said.as_str(), error.cause), (code, cause), "{reply:?}");
        assert!(!trial.folder.path().join("charts/objects").exists(), "{reply:?}");
    }
}

#[tokio::test]
async fn what_is_no_file_of_objects_is_refused_and_so_is_one_that_nobody_proves() {
    let trial = Trial::new();
    let folder = trial.folder.path().to_str().unwrap().to_owned();
    for file in ["", "a: [", "kind: A\n", "- 1\n", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"] {
        fs::write(trial.folder.path().join("demo-v1.0.0.yaml"), file).unwrap();
        let (code, error) = trial.refused(&wanted(&folder, file)).await;
        assert_eq!((code.as_str(), error.cause), ("charts.unreadable", Cause::BadAnswer), "{file}");
    }
    let without = Release { digest: None, ..wanted(&folder, FILE) };
    let (code, error) = trial.refused(&without).await;
    assert_eq!((code.as_str(), error.cause), ("charts.place", Cause::Input));
    for place in ["", "oci://r.example.com/charts"] {
        let (code, error) = trial.refused(&wanted(place, FILE)).await;
        assert_eq!((code.as_str(), error.cause), ("charts.place", Cause::Input), "{place}");
        assert!(error.attempt.contains("demo-v1.0.0.yaml"), "{}", error.attempt);
    }
    let (code, error) = trial.refused(&wanted("nowhere", FILE)).await;
    assert_eq!(code, "charts.not-found");
    assert!(error.attempt.contains("demo-v1.0.0.yaml"), "{}", error.attempt);
}
