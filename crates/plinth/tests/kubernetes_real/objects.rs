//! Pods of the stand-ins, and what belongs to them.

use plinth_lab::{BUSYBOX, OPERATOR};
use serde_json::{Value, json};

pub(crate) const NGINX: &str = "docker.io/library/nginx:1.28.0-alpine";
/// The account in whose name scripts ask the cluster.
const ACCOUNT: &str = "stand-in";

/// The pod's part of a workload or a job.
pub(crate) fn pod(object: &mut Value) -> &mut Value {
    &mut object["spec"]["template"]["spec"]
}

/// What the first container of a workload runs.
fn runs(object: &mut Value, image: &str, command: &Value) {
    let one = &mut pod(object)["containers"][0];
    one["image"] = json!(image);
    one["command"] = command.clone();
    mounts(object, json!({"name": "tmp", "emptyDir": {}}), "/tmp");
}

/// This volume is in the first container, in place of what may have its name.
pub(crate) fn mounts(object: &mut Value, volume: Value, folder: &str) {
    let mount = json!({"name": volume["name"], "mountPath": folder});
    let spec = pod(object);
    put(&mut spec["volumes"], volume);
    put(&mut spec["containers"][0]["volumeMounts"], mount);
}

fn put(list: &mut Value, one: Value) {
    let mut all = list.as_array().cloned().unwrap_or_default();
    all.retain(|other| other["name"] != one["name"]);
    all.push(one);
    *list = all.into();
}

/// It does nothing, and does it for real.
pub(crate) fn idles(object: &mut Value) {
    runs(object, BUSYBOX, &json!(["sh", "-c", "exec sleep 1000000"]));
}

/// It runs a script that needs nothing of the cluster.
pub(crate) fn scripted(object: &mut Value, script: &str) {
    runs(object, BUSYBOX, &json!(["sh", "-c", script]));
}

/// It runs a script that may do everything in the cluster.
pub(crate) fn operates(object: &mut Value, script: &str) {
    runs(object, OPERATOR, &json!(["sh", "-c", script]));
    let spec = pod(object);
    spec["serviceAccountName"] = json!(ACCOUNT);
    spec["automountServiceAccountToken"] = json!(true);
    // kubectl keeps there what it learned of the cluster's kinds.
    spec["containers"][0]["env"] = json!([
        {"name": "HOME", "value": "/tmp"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]);
}

/// It is root on its node.
pub(crate) fn is_root(object: &mut Value, host_network: bool) {
    let spec = pod(object);
    spec["securityContext"] = json!({"runAsUser": 0});
    spec["hostNetwork"] = json!(host_network);
    if host_network {
        spec["dnsPolicy"] = json!("ClusterFirstWithHostNet");
    }
    spec["containers"][0]["securityContext"] = json!({"privileged": true});
}

/// The account of [`operates`].
pub(crate) fn account(component: &str) -> [Value; 2] {
    let subject = json!({"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "{{ .Release.Namespace }}"});
    [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("stand-in-{component}")}, "subjects": [subject],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}),
    ]
}

/// It serves by nginx's configuration, on port 8443; ready when that is open.
pub(crate) fn serves(object: &mut Value, config: &str) {
    let name = format!("{}-nginx", object["metadata"]["name"].as_str().unwrap());
    runs(
        object,
        NGINX,
        &json!(["/usr/sbin/nginx", "-e", "stderr", "-c", "/etc/stand-in/nginx.conf", "-g", "daemon off;"]),
    );
    assert!(config.contains("listen 8443"), "{config}");
    mounts(object, json!({"name": "config", "configMap": {"name": name}}), "/etc/stand-in");
    pod(object)["containers"][0]["readinessProbe"] = json!({"tcpSocket": {"port": 8443}, "periodSeconds": 1});
}

/// The map of [`serves`].
pub(crate) fn configuration(object: &Value, config: &str) -> Value {
    let name = format!("{}-nginx", object["metadata"]["name"].as_str().unwrap());
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"nginx.conf": config}})
}

/// nginx's configuration around these lines of `http`, as a user without rights runs it.
pub(crate) fn http(lines: &str) -> String {
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders: String = kinds.map(|kind| format!("{kind}_temp_path /tmp/{kind};\n")).concat();
    format!("pid /tmp/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}{lines}\n}}\n")
}

/// A service whose port 443 or 8443 leads to the pods of a workload.
pub(crate) fn service(name: &str, port: u16, to: (&str, u16)) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": to.0}, "ports": [{"name": "main", "port": port, "targetPort": to.1}]}})
}

/// A workload of the chart's own, with pods as those of its others.
pub(crate) fn another(of: &Value, kind: &str, name: &str) -> Value {
    let mut object = of.clone();
    let labels = json!({"app": name});
    object["kind"] = json!(kind);
    object["metadata"] = json!({"name": name});
    object["spec"] = json!({"selector": {"matchLabels": labels}, "template": of["spec"]["template"]});
    object["spec"]["template"]["metadata"]["labels"] = labels;
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = json!(name);
    }
    object
}

/// A claim of the default class for each pod, where the container has it.
pub(crate) fn claims(object: &mut Value, folder: &str) {
    object["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    }]);
    let mounts = &mut pod(object)["containers"][0]["volumeMounts"];
    mounts.as_array_mut().unwrap().push(json!({"name": "data", "mountPath": folder}));
}
