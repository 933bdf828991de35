//! What a mirror must hold, made from recorded tables of two releases of Kubespray.

use indexmap::IndexMap;
use plinth_model::Digest;
use plinth_model::download::DownloadList;
use plinth_model::steps::RunInputs;
use plinth_plan::engines::MirrorList;
use plinth_run::steps::downloads;
use plinth_site::Desired;
use plinth_world::ansible::{Artifact, Download};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Variables of base addresses in the recorded tables, and what they stand for.
const BASES: [(&str, &str); 4] = [
    ("{github_url}", "https://github.com"),
    ("{dl_k8s_io_url}", "https://dl.k8s.io"),
    ("{storage_googleapis_url}", "https://storage.googleapis.com"),
    ("{get_helm_url}", "https://get.helm.sh"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a release asks for, from its recorded table; with a mirror, as the release then names it.
fn recorded(tag: &str, mirror: Option<&str>) -> Vec<Download> {
    let file = root().join(format!("crates/plinth/tests/data/kubespray/artifacts-{tag}.json"));
    let table: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let download = |row: &Value| {
        let what = if row["kind"] == "file" {
            let url = BASES.iter().fold(text(row, "url"), |url, (name, base)| {
                let there = mirror
                    .map_or_else(|| (*base).to_owned(), |m| format!("{m}/{}", base.trim_start_matches("https://")));
                url.replace(name, &there)
            });
            let dest = text(row, "dest").replace("{local_release_dir}/", "");
            Artifact::File { url, dest, sha256: Some(text(row, "sha256")) }
        } else {
            let image = text(row, "image");
            let (repo, tag) = image.rsplit_once(':').unwrap();
            let repo = mirror.map_or_else(|| repo.to_owned(), |_| repo.replace("quay.io/", "mirror.example.com/quay/"));
            Artifact::Image { repo, tag: tag.to_owned() }
        };
        let groups = row["groups"].as_array().unwrap().iter().map(|g| g.as_str().unwrap().to_owned()).collect();
        Download { name: text(row, "name"), groups, enabled: true, what }
    };
    table["artifacts"].as_array().unwrap().iter().map(download).collect()
}

fn listed(tag: &str, example: &str) -> (Desired, DownloadList) {
    let desired = plinth_site::load(&root().join("examples").join(example)).unwrap().desired;
    let mirror = desired.kubernetes.downloads.files.as_deref();
    let list = downloads::list(recorded(tag, mirror), &Digest::of(tag), mirror).unwrap();
    (desired, list)
}

fn made(tag: &str, example: &str) -> MirrorList {
    let (desired, list) = listed(tag, example);
    let version = desired.kubernetes.version.clone().unwrap();
    let run = RunInputs { tag: tag.parse().unwrap(), version, variables: Digest::of(tag), hosts: IndexMap::new() };
    MirrorList::new(&desired, &run, list)
}

#[test]
fn lists_of_two_releases() {
    for tag in ["v2.27.1", "v2.29.1"] {
        insta::assert_snapshot!(format!("text_{tag}"), made(tag, "static.yaml").text());
    }
    insta::assert_snapshot!("json_v2.27.1", made("v2.27.1", "static.yaml").json());
}

#[test]
fn a_site_that_has_its_mirror_gets_the_same_list() {
    let (plain, mirrored) = (made("v2.27.1", "static.yaml"), made("v2.27.1", "cluster-settings.yaml"));
    let (_, list) = listed("v2.27.1", "cluster-settings.yaml");
    assert!(list.files.iter().all(|file| file.url.starts_with("https://mirror.example.com/files/")));
    assert_eq!(mirrored.text(), plain.text());
    assert_eq!(mirrored.json(), plain.json());
}

#[test]
fn the_charts_of_the_platform_and_helm_are_named_as_their_makers_have_them() {
    let desired = plinth_site::load(&root().join("examples/airgapped.yaml")).unwrap().desired;
    let made_up = plinth_app::world::synthetic(&desired, None).unwrap();
    let discovery = plinth_plan::discover(&made_up.desired, &made_up.inventory);
    let (cluster, _) = plinth_plan::Cluster::new(&made_up.desired, &discovery);
    let catalog = plinth_catalog::Catalog::embedded().unwrap();
    let charts = plinth_plan::charts::listed(&made_up.desired, &cluster, &catalog);
    let list = made("v2.27.1", "static.yaml").with_charts(charts, catalog.helm_pin().clone());
    let (text, json) = (list.text(), list.json());
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("chart  ")).collect();
    assert!(lines.iter().all(|line| line.split("  ").count() == 5), "{lines:#?}");
    assert!(lines.contains(&"chart  lws  v0.7.0  -  oci://registry.k8s.io/lws/charts/lws"), "{lines:#?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("chart  metallb  ") && line.ends_with("  https://metallb.github.io/metallb"))
    );
    assert!(!lines.iter().any(|line| line.contains("mirror.example.com/charts")), "{lines:#?}");
    for arch in ["amd64", "arm64"] {
        let path = format!("  get.helm.sh/helm-v3.18.6-linux-{arch}.tar.gz");
        assert!(text.lines().any(|line| line.ends_with(&path) && line.len() == 64 + path.len()), "{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["charts"].as_array().unwrap().len(), lines.len());
    assert!(
        json["charts"].as_array().unwrap().iter().any(|row| row["name"] == "lws" && row["manifestSha256"].is_string())
    );
}

#[test]
fn the_list_says_what_it_cannot_name_and_names_what_test_pods_are_made_of() {
    let text = std::fs::read_to_string(root().join("examples/airgapped.yaml")).unwrap();
    let text = text + "\nchecks: {image: quay.io/test/small:1, gpuImage: quay.io/test/gpu:2, skip: [storage]}\n";
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("site.yaml");
    std::fs::write(&file, text).unwrap();
    let desired = plinth_site::load(&file).unwrap().desired;
    let made_up = plinth_app::world::synthetic(&desired, None).unwrap();
    let catalog = plinth_catalog::Catalog::embedded().unwrap();
    let observed = plinth_plan::Observed::new(made_up.inventory.clone());
    let plan = plinth_plan::plan(&made_up.desired, &observed, &catalog).unwrap();
    let discovery = plinth_plan::discover(&made_up.desired, &made_up.inventory);
    let (cluster, _) = plinth_plan::Cluster::new(&made_up.desired, &discovery);
    let facts = plinth_plan::facts::facts(&made_up.desired, &cluster);
    let resolution = catalog.resolve(&made_up.desired, &facts);
    let list = made("v2.27.1", "static.yaml").with_platform(&resolution).with_checks(&plan);
    let (text, json) = (list.text(), serde_json::from_str::<serde_json::Value>(&list.json()).unwrap());
    for image in ["image  quay.io/test/small:1", "image  quay.io/test/gpu:2"] {
        assert_eq!(text.lines().filter(|line| *line == image).count(), 1, "{text}");
    }
    assert_eq!(json["checks"], serde_json::json!(["quay.io/test/gpu:2", "quay.io/test/small:1"]));
    assert!(text.lines().any(|line| line.starts_with("# unknown  runai-cluster  ")), "{text}");
    let unknown: Vec<&str> =
        json["unknown"].as_array().unwrap().iter().map(|row| row["component"].as_str().unwrap()).collect();
    assert!(unknown.contains(&"runai-control-plane") && !unknown.contains(&"lws"), "{unknown:?}");
}

#[test]
fn every_line_of_a_file_is_one_that_sha256sum_reads() {
    let text = made("v2.27.1", "static.yaml").text();
    let files: Vec<&str> = text.lines().filter(|line| !line.starts_with(['#', 'i'])).collect();
    assert_eq!(files.len(), 11);
    for line in files {
        let (sum, path) = line.split_once("  ").unwrap();
        assert!(sum.len() == 64 && !path.starts_with('/') && !path.contains("://"), "{line}");
    }
}

/// A cluster that is there needs no Kubernetes, and its platform needs charts and images all the same.
#[test]
fn the_platform_of_a_cluster_that_is_there_is_listed_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let site = "apiVersion: plinth/v1\nkind: Site\nmetadata: {name: there}\ninventory: {static: [{name: n1, address: 10.0.0.1}, {name: n2, address: 10.0.0.2}]}
networks: {production: 10.0.0.0/24}\nnodes: {controlPlane: [n1], workers: [n2]}
kubernetes: {engine: existing, kubeconfig: given.conf, version: v1.31.9}\n";
    std::fs::write(folder.path().join("site.yaml"), site).unwrap();
    let listed = |more: &[&str]| {
        let words = [&["render", "mirror-list", "--state", "state"], more].concat();
        crate::support::plinth(folder.path(), &words).exits(0)
    };
    let text = listed(&[]).stdout;
    let begins = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
    assert!(begins("chart  ") > 5 && begins("image  ") > 10, "{text}");
    assert!(text.contains("chart  metrics-server  3.13.0  ") && text.contains("  get.helm.sh/helm-"), "{text}");
    assert!(!text.to_lowercase().contains("kubespray") && !text.contains("kubelet"), "{text}");
    let json = listed(&["--json"]).json();
    assert_eq!(
        (json["kubespray"].is_null(), json["kubernetes"].is_null(), &json["images"]),
        (true, true, &serde_json::json!([]))
    );
    assert_eq!(json["charts"].as_array().unwrap().len(), begins("chart  "));
}
