//! `cargo xtask charts` with stand-in packages, one right and one wrong in each respect: `cargo xtask test --tier kubernetes`, which builds
//! both helms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::path::Path;
use std::process::Command;

const IMAGE: &str = "registry.k8s.io/metrics-server/metrics-server:v0.8.0";

/// A chart of the metrics server that is right: it has what proves its health, its image, and something of each value.
fn right() -> Vec<(&'static str, String)> {
    vec![
        ("Chart.yaml", "apiVersion: v2\nname: metrics-server\nversion: 3.13.0\n".to_owned()),
        ("values.yaml", "{}\n".to_owned()),
        (
            "templates/values.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v}\ndata: {v: {{ toJson .Values | quote }}}\n"
                .to_owned(),
        ),
        ("templates/workload.yaml", workload("metrics-server", IMAGE)),
        (
            "templates/service.yaml",
            "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1beta1.metrics.k8s.io}\n"
                .to_owned(),
        ),
    ]
}

fn workload(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{template: {{spec: {{containers: [{{name: c, image: '{image}'}}]}}}}}}\n"
    )
}

fn pack(folder: &Path, files: &[(&str, String)]) {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, Path::new("metrics-server").join(name), text.as_bytes()).unwrap();
    }
    std::fs::write(folder.join("metrics-server-3.13.0.tgz"), archive.into_inner().unwrap().finish().unwrap()).unwrap();
}

/// Whether all was right, and what was said.
fn looked(folder: &Path, more: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["charts", "--component", "metrics-server", "--source"]).arg(folder).args(more);
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    (ended.status.success(), said)
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_package_that_is_right_passes_and_one_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, said) = looked(folder.path(), &[]);
    assert!(!fine && said.contains("not here"), "{said}");
    assert!(looked(folder.path(), &["--some"]).0);

    pack(folder.path(), &right());
    let (fine, said) = looked(folder.path(), &["--any-digest"]);
    assert!(fine && said.contains("alive"), "{said}");
    let (fine, said) = looked(folder.path(), &[]);
    assert!(!fine && said.contains("package: ") && said.contains("the catalog knows"), "{said}");

    let replaced = |name: &str, text: String| {
        let mut files = right();
        files.retain(|(other, _)| *other != name);
        let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
        files.push((name, text));
        files
    };
    let some_values = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v}\ndata: {v: {{ toJson (omit .Values \"args\") | quote }}}\n";
    for (files, words) in [
        (replaced("templates/workload.yaml", "{{ fail \"not today\" }}\n".to_owned()), "not today"),
        (replaced("values.schema.json", r#"{"type": "object", "required": ["nothing"]}"#.to_owned()), "schema"),
        (replaced("templates/values.yaml", some_values.to_owned()), "key: args changes nothing"),
        (
            replaced("templates/workload.yaml", workload("other", IMAGE)),
            "health: Deployment metrics-server/metrics-server",
        ),
        (
            replaced("templates/workload.yaml", workload("metrics-server", "registry.k8s.io/other:1")),
            "registry.k8s.io/other:1 is not listed",
        ),
        (
            replaced("templates/workload.yaml", workload("metrics-server", "registry.k8s.io/other:1")),
            "metrics-server:v0.8.0 is listed, and nothing names it",
        ),
    ] {
        pack(folder.path(), &files);
        let (fine, said) = looked(folder.path(), &["--any-digest"]);
        assert!(!fine && said.contains(words), "`{words}` is missing:\n{said}");
    }
}
