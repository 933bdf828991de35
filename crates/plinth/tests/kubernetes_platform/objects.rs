//! A component whose maker publishes one file of objects and no chart: proved before it is used, kept in order, and gone when it is not
//! wanted any more.

use crate::ground::{FEW, Ground, INGRESS, site};
use crate::repositories::{MIRROR, apply, repository, run};
use plinth_model::Digest;
use plinth_sim::files::{FileFault, FileServer};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A stand-in of the MPI operator with one ConfigMap of this name. Its definition stands last: whoever applies it in order finds the kind.
fn file(map: &str) -> String {
    format!(
        "apiVersion: v1
kind: Namespace
metadata: {{name: mpi-operator}}
---
apiVersion: kubeflow.org/v2beta1
kind: MPIJob
metadata: {{name: example, namespace: mpi-operator}}
spec: {{text: '{{{{ no template }}}}'}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: mpi-operator, namespace: mpi-operator}}
spec:
  selector: {{matchLabels: {{app: mpi-operator}}}}
  template:
    metadata: {{labels: {{app: mpi-operator}}}}
    spec:
      serviceAccountName: mpi-operator
      tolerations: [{{operator: Exists}}]
      containers: [{{name: mpi-operator, image: 'stand-in.invalid/mpi-operator:1'}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: mpi-operator, namespace: mpi-operator}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {map}, namespace: mpi-operator}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: mpijobs.kubeflow.org}}
spec:
  group: kubeflow.org
  scope: Namespaced
  names: {{plural: mpijobs, kind: MPIJob, singular: mpijob, listKind: MPIJobList}}
  versions:
    - name: v2beta1
      served: true
      storage: true
      schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"
    )
}

fn with(choice: &str) -> String {
    site(&format!("{{mirror: \"{MIRROR}\"}}"), &format!("{FEW}    mpi-operator: {choice}\n"))
}

fn version(number: &str, file: &str) -> String {
    with(&format!("{{enabled: true, version: {number}, digest: {}}}", Digest::of_bytes(file.as_bytes())))
}

/// The mirror: charts with their index, and two versions of the file.
fn mirror(ground: &Ground) -> BTreeMap<String, Vec<u8>> {
    let mut files = repository(ground);
    files.insert("/charts/mpi-operator-v0.6.9.yaml".to_owned(), file("first").into_bytes());
    files.insert("/charts/mpi-operator-v0.6.10.yaml".to_owned(), file("second").into_bytes());
    files
}

const STEP: [&str; 1] = ["platform/release/mpi-operator"];

/// Gone, cut, altered: named in time, and nothing is made of it.
fn refused_while_it_fails(ground: &Ground, server: &FileServer) {
    for (fault, words) in [
        (FileFault::Gone, "answered 404"),
        (FileFault::Truncated, "charts.unreachable"),
        (FileFault::Changed, "charts.digest"),
    ] {
        server.fail(Some(("mpi-operator-v0.6.9.yaml", fault.clone())));
        let began = Instant::now();
        apply(ground).exits(4).says(words).says(STEP[0]);
        assert!(began.elapsed() < Duration::from_secs(60), "{fault:?} took {:?}", began.elapsed());
        assert!(of(ground, "deployment/mpi-operator").is_empty(), "{fault:?}");
    }
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_file_of_objects_is_proved_installed_renewed_put_right_and_taken_away() {
    for helm in ["helm3", "helm4"] {
        Ground::with(helm, FEW, |ground| {
            ground.write("site.yaml", version("v0.6.9", &file("first")));
            let server = FileServer::start(&INGRESS.to_string(), (INGRESS, 443).into(), mirror(ground)).unwrap();
            ground.write("mirror-ca.pem", server.ca_pem());
            refused_while_it_fails(ground, &server);
            server.fail(None);
            apply(ground).exits(0);
            assert_eq!(ground.changed(), STEP);
            assert_eq!(of(ground, "configmap/first"), "configmap/first\n");
            let text = ground.plane.kubectl(&[
                "get",
                "mpijobs",
                "example",
                "-n",
                "mpi-operator",
                "-o",
                "jsonpath={.spec.text}",
            ]);
            assert_eq!(text.unwrap(), "{{ no template }}");
            run(ground, &["plan", "--preflight", "--detailed-exitcode"]).exits(0);

            // What somebody removed comes back, and what somebody changed is put right.
            let patch = ["patch", "mpijobs", "example", "-n", "mpi-operator", "--type=merge", "-p"];
            ground.plane.kubectl(&[&patch[..], &[r#"{"spec": {"text": "mine", "more": 1}}"#]].concat()).unwrap();
            let plan = run(ground, &["plan", "--preflight", "--detailed-exitcode", "--json"]).exits(2);
            assert!(plan.out.contains("~ MPIJob mpi-operator/example: spec.text"), "{}", plan.out);
            ground.plane.kubectl(&["delete", "deployment", "mpi-operator", "-n", "mpi-operator"]).unwrap();
            apply(ground).exits(0);
            assert_eq!(ground.changed(), STEP);
            let spec =
                ground.plane.kubectl(&["get", "mpijobs", "example", "-n", "mpi-operator", "-o", "jsonpath={.spec}"]);
            assert_eq!(spec.unwrap(), r#"{"more":1,"text":"{{ no template }}"}"#, "what is theirs stays");
            run(ground, &["plan", "--preflight", "--detailed-exitcode"]).exits(0);

            // A definition is none of helm's objects, and takes all objects of its kind with it.
            ground.plane.kubectl(&["delete", "crd", "mpijobs.kubeflow.org"]).unwrap();
            apply(ground).exits(0);
            assert_eq!(ground.changed(), STEP);
            assert_eq!(of(ground, "mpijobs/example"), "mpijob.kubeflow.org/example\n");
            run(ground, &["plan", "--preflight", "--detailed-exitcode"]).exits(0);

            // Another content than the one that the site names is refused.
            ground.write("site.yaml", version("v0.6.10", &file("third")));
            apply(ground).exits(4).says("charts.digest");
            ground.write("site.yaml", version("v0.6.10", &file("second")));
            apply(ground).exits(0);
            assert_eq!(ground.changed(), STEP);
            assert_eq!(
                (of(ground, "configmap/first").as_str(), of(ground, "configmap/second").as_str()),
                ("", "configmap/second\n")
            );

            ground.write("site.yaml", with("{enabled: false}"));
            apply(ground).exits(0);
            assert_eq!(ground.changed(), ["platform/remove/mpi-operator"]);
            assert_eq!(of(ground, "deployment/mpi-operator"), "");
            let kept =
                ground.plane.kubectl(&["get", "crd/mpijobs.kubeflow.org", "namespace/mpi-operator", "-o", "name"]);
            assert_eq!(kept.unwrap().lines().count(), 2, "definitions and namespaces stay");
            run(ground, &["plan", "--preflight", "--detailed-exitcode"]).exits(0);
        });
    }
}

/// The object, if it is there.
fn of(ground: &Ground, name: &str) -> String {
    ground
        .plane
        .kubectl(&["get", name, "-n", "mpi-operator", "--ignore-not-found", "-o", "name"])
        .unwrap()
        .replace("deployment.apps", "deployment")
}
