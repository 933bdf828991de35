//! A Prometheus that answers what it is told, in the form of the real one, from real pods; and an exporter of which it tells.

use crate::ground::{BUSYBOX, Ground, namespace, pod};
use serde_json::{Value, json};

const MONITOR: &str = "gpu-operator/nvidia-dcgm-exporter";

/// A kind of the Prometheus operator, without its rules.
fn definition(plural: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
        "spec": {
            "group": "monitoring.coreos.com", "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    })
}

/// What one Prometheus answers: a map with its answers, and a pod that serves it.
fn answering(name: &str, query: &Value, targets: &Value, pools: &Value) -> [Value; 2] {
    let answer = |data: &Value| json!({"status": "success", "data": data}).to_string();
    let data = json!({"query": answer(query), "targets": answer(targets), "pools": answer(pools)});
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "prometheus", "name": name}, "data": data,
    });
    let command = ["httpd", "-f", "-p", "9090", "-h", "/www"];
    let mut served = pod(("prometheus", name), &json!({"standin": name}), BUSYBOX, &command);
    let items = [("query", "query"), ("targets", "targets"), ("pools", "scrape_pools")]
        .map(|(key, path)| json!({"key": key, "path": format!("api/v1/{path}")}));
    served["spec"]["volumes"] = json!([{"name": "www", "configMap": {"name": name, "items": items}}]);
    served["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "www", "mountPath": "/www"}]);
    [map, served]
}

/// The exporter on n2 and three Prometheus, of which the service chooses one. What is new is given time by the check, so they are made first.
pub(crate) fn stands(ground: &Ground) {
    ground.apply(&[
        namespace("gpu-operator"),
        namespace("prometheus"),
        definition("servicemonitors", "ServiceMonitor"),
        definition("prometheuses", "Prometheus"),
        pod(("gpu-operator", "exporter"), &json!({"app": "nvidia-dcgm-exporter"}), BUSYBOX, &["sleep", "100000"]),
    ]);
    ground.kubectl(&[
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "crd/servicemonitors.monitoring.coreos.com",
    ]);
    ground.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/prometheuses.monitoring.coreos.com"]);
    let place = |namespace: &str, name: &str| json!({"namespace": namespace, "name": name, "labels": {"app": name}});
    let selector = json!({"matchLabels": {"release": "kube-prometheus-stack"}});
    ground.apply(&[
        json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "metadata": place("gpu-operator", "nvidia-dcgm-exporter"), "spec": {}}),
        json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus",
            "metadata": place("prometheus", "one"), "spec": {"serviceMonitorSelector": selector}}),
    ]);
    ground.kubectl(&["wait", "-n", "gpu-operator", "--for=condition=Ready", "--timeout=120s", "pod/exporter"]);
    let address = ground.text(&["pod", "exporter", "-n", "gpu-operator"], ".status.podIP");
    let instance = format!("{address}:9400");
    let row = json!({"metric": {"instance": instance, "pod": "exporter"}, "value": [1_700_000_000, "2"]});
    let rows = |rows: &[&Value]| json!({"resultType": "vector", "result": rows});
    let pool = format!("serviceMonitor/{MONITOR}/0");
    let target = |health: &str, error: &str| {
        json!({"activeTargets": [{
            "scrapePool": pool, "scrapeUrl": format!("http://{instance}/metrics"), "health": health,
            "lastError": error, "labels": {"instance": instance, "pod": "exporter"},
        }]})
    };
    let pools = json!({"scrapePools": [pool]});
    let refused = format!("Get \"http://{instance}/metrics\": dial tcp {instance}: connect: connection refused");
    let all = [
        answering("well", &rows(&[&row]), &target("up", ""), &pools),
        answering("down", &rows(&[]), &target("down", &refused), &pools),
        answering("blind", &rows(&[]), &json!({"activeTargets": []}), &json!({"scrapePools": []})),
    ];
    ground.apply(all.as_flattened());
    ground.apply(&[json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "prometheus", "name": "prometheus-operated"},
        "spec": {"clusterIP": "None", "selector": {"standin": "well"}, "ports": [{"port": 9090, "targetPort": 9090}]},
    })]);
    ground.kubectl(&["wait", "-n", "prometheus", "--for=condition=Ready", "--timeout=120s", "pod", "--all"]);
}

/// Who is asked from now on.
fn asked(ground: &Ground, name: &str) {
    let patch = json!({"spec": {"selector": {"standin": name}}}).to_string();
    ground.kubectl(&["patch", "service", "prometheus-operated", "-n", "prometheus", "--type=merge", "-p", &patch]);
    let wanted = || match name {
        "nobody" => String::new(),
        name => ground.text(&["pod", name, "-n", "prometheus"], ".status.podIP"),
    };
    let slice = ["endpointslices", "-n", "prometheus"];
    let path = ".items[*].endpoints[*].addresses[*]";
    ground.until("the service leads there", || ground.text(&slice, path) == wanted());
}

/// It has the series; then the exporter is down, the monitor is not selected, and Prometheus is gone.
pub(crate) fn measured(ground: &Ground) {
    ground.site(&json!({}), &["gpu-operator", "kube-prometheus-stack"], &json!({}));
    ground.holds("gpu-metrics", &["Prometheus has DCGM_FI_DEV_GPU_TEMP of 1 of 1 node"]);
    asked(ground, "down");
    ground.fails("gpu-metrics", "gpu.exporter-not-read", &["n2: target http://", "is down", "connection refused"]);
    asked(ground, "blind");
    let blind = [
        "Prometheus does not select ServiceMonitor gpu-operator/nvidia-dcgm-exporter",
        "kube-prometheus-stack",
        "Prometheus prometheus/one selects",
    ];
    ground.fails("gpu-metrics", "gpu.monitor-not-selected", &blind);
    asked(ground, "nobody");
    ground.fails(
        "gpu-metrics",
        "gpu.not-measured",
        &["Prometheus (prometheus/prometheus-operated:9090) gives no answer"],
    );
    asked(ground, "well");
    ground.kubectl(&["delete", "pod", "exporter", "-n", "gpu-operator", "--wait"]);
    ground.kubectl(&["delete", "servicemonitor", "nvidia-dcgm-exporter", "-n", "gpu-operator"]);
    ground.site(&json!({}), &["gpu-operator", "kube-prometheus-stack"], &json!({}));
    ground.fails(
        "gpu-metrics",
        "gpu.monitor-not-selected",
        &["there is no ServiceMonitor gpu-operator/nvidia-dcgm-exporter"],
    );
}
