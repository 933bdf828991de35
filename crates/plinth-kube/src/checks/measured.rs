//! What Prometheus has of the exporters of GPU metrics. It is asked through the API server's proxy for services, so nothing but the API
//! server need be reached. Not covered: a Prometheus behind a prefix or behind TLS of its own (`routePrefix`, `web`).

use super::cluster::first;
use crate::api::Call;
use crate::failure::{Cause, Failure};
use crate::object::kind;
use futures::{AsyncBufRead, AsyncReadExt as _};
use http::Request;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DynamicObject, ListParams};
use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::steps::Placed;
use plinth_model::{NodeName, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::Value;
use std::collections::BTreeSet;

/// Group and version of the Prometheus operator's kinds.
const OPERATOR: &str = "monitoring.coreos.com/v1";
/// Labels of a series that may name its node; which are there is up to exporter and configuration.
const NODE_LABELS: [&str; 4] = ["node", "kubernetes_node", "Hostname", "hostname"];

/// What is measured, and who says where.
pub(super) struct Exporter<'a> {
    pub(super) series: &'a str,
    pub(super) monitor: &'a Placed,
    /// Label selector of the exporters' pods.
    pub(super) pods: &'a str,
}

/// Where Prometheus answers.
pub(super) struct Server<'a> {
    pub(super) service: &'a Placed,
    pub(super) port: u16,
}

/// One pod of the exporter.
struct Running {
    pod: String,
    node: String,
    address: String,
    ready: bool,
    made: Option<Timestamp>,
}

/// One place that Prometheus reads.
struct Target {
    instance: String,
    pod: String,
    url: String,
    health: String,
    error: String,
}

/// Asks until each node is there; what has just started is given time.
pub(super) async fn check(
    call: &Call<'_>,
    nodes: &[NodeName],
    exporter: &Exporter<'_>,
    server: &Server<'_>,
) -> ClientResult<CheckSeen> {
    let labels = [&["instance", "pod"], &NODE_LABELS[..]].concat().join(", ");
    let query = [("query", format!("count by ({labels}) ({})", exporter.series))];
    let began = call.ctx().clock().elapsed();
    loop {
        let running = running(call, exporter).await?;
        let found = match server.ask(call, "query", &query).await {
            Ok(found) => found,
            Err(failure) if failure.is_about_the_way() => return Err(call.error(failure)),
            Err(failure) => return Ok(fails(None, vec![server.no_answer(&failure)])),
        };
        let measured: BTreeSet<&str> =
            rows(&found).iter().filter_map(|labels| node_of(labels, &running, nodes)).collect();
        let missing: Vec<&NodeName> = nodes.iter().filter(|node| !measured.contains(node.as_str())).collect();
        let counted = format!(
            "Prometheus has {} of {} of {}",
            exporter.series,
            nodes.len() - missing.len(),
            amount(nodes.len(), "node")
        );
        if missing.is_empty() {
            return Ok(CheckSeen::Holds(vec![counted]));
        }
        // What is made anew again and again stays young for ever.
        let is_over = call.ctx().clock().elapsed().saturating_sub(began) > deadlines::CHECK_MEASURED_MOST;
        if is_over || !may_still_come(call, &missing, &running, exporter).await? {
            let (code, lines) = why(call, &missing, &running, exporter, server).await?;
            return Ok(fails(code, std::iter::once(counted).chain(first(lines)).collect()));
        }
        call.ctx().progress(measured.len() as u64, nodes.len() as u64, format!("waiting for metrics: {counted}"));
        call.ctx().clock().sleep(deadlines::CHECK_MEASURED_LOOK).await;
    }
}

const fn fails(code: Option<Code>, evidence: Vec<String>) -> CheckSeen {
    CheckSeen::Fails { evidence, code }
}

impl Server<'_> {
    /// An answer of Prometheus's own interface, without what is around it.
    async fn ask(&self, call: &Call<'_>, what: &str, words: &[(&str, String)]) -> Result<Value, Failure> {
        let Placed { namespace, name } = self.service;
        let words = form_urlencoded::Serializer::new(String::new()).extend_pairs(words).finish();
        let path = format!("/api/v1/namespaces/{namespace}/services/{name}:{}/proxy/api/v1/{what}?{words}", self.port);
        let client = call.client();
        let ask = || async {
            let request = Request::get(&path).body(Vec::new()).map_err(kube::Error::HttpError)?;
            read(client.request_stream(request).await?, deadlines::PROMETHEUS_REPLY_MAX).await
        };
        let Some(mut answer) = call.patiently(ask).await? else {
            return Err(too_long(what, deadlines::PROMETHEUS_REPLY_MAX));
        };
        Ok(answer.get_mut("data").map(Value::take).unwrap_or_default())
    }

    /// What it reads behind the monitor. Asked for by pool, since a large site has thousands of others with all their labels; a release that
    /// does not know the word gives all, of which ours are taken once.
    async fn targets(&self, call: &Call<'_>, pool: &str, pools: &[String]) -> Result<Vec<Target>, Failure> {
        let active = ("state", "active".to_owned());
        if pools.is_empty() {
            return Ok(targets(&self.ask(call, "targets", &[active]).await?, pool));
        }
        let mut found = Vec::new();
        for one in pools {
            let words = [active.clone(), ("scrapePool", one.clone())];
            found.extend(targets(&self.ask(call, "targets", &words).await?, one));
        }
        Ok(found)
    }

    fn no_answer(&self, failure: &Failure) -> String {
        let Placed { namespace, name } = self.service;
        let answers = if failure.cause == Cause::Nonsense { "answers what cannot be used" } else { "gives no answer" };
        format!("Prometheus ({namespace}/{name}:{}) {answers}: {}", self.port, failure.happened)
    }
}

/// That it did answer, and with more than is read. Asked again it would say the same.
fn too_long(what: &str, limit: u64) -> Failure {
    let many = if what == "query" { "series" } else { "targets" };
    let happened = format!(
        "more than {limit} bytes, which is not read; ask that address for /api/v1/{what} yourself and see which {many} are so many"
    );
    Failure::new(Cause::Nonsense, happened)
}

/// An answer of at most so many bytes: Prometheus is not ours, and its answer is as long as what it was asked for. None: it is longer.
async fn read(answer: impl AsyncBufRead, limit: u64) -> kube::Result<Option<Value>> {
    let mut bytes = Vec::new();
    let mut answer = std::pin::pin!(answer.take(limit + 1));
    answer.read_to_end(&mut bytes).await.map_err(|error| kube::Error::Service(Box::new(error)))?;
    if bytes.len() as u64 > limit {
        return Ok(None);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(kube::Error::SerdeError)
}

async fn running(call: &Call<'_>, exporter: &Exporter<'_>) -> ClientResult<Vec<Running>> {
    let pods = Api::<Pod>::namespaced(call.client(), &exporter.monitor.namespace);
    let params = ListParams::default().labels(exporter.pods);
    let of = |pod: Pod| {
        let status = pod.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        Some(Running {
            pod: pod.metadata.name?,
            node: pod.spec?.node_name?,
            address: status.pod_ip.unwrap_or_default(),
            ready: conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True"),
            made: status.start_time.map(|time| time.0),
        })
    };
    Ok(call.read(|| pods.list(&params)).await?.items.into_iter().filter_map(of).collect())
}

/// Labels of each row of a vector.
fn rows(data: &Value) -> Vec<&Value> {
    let all = data.get("result").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(|row| row.get("metric")).collect()
}

/// Which node a row is of: by the address of the exporter's pod, by the pod, or by a label that names the node.
fn node_of<'a>(labels: &Value, running: &'a [Running], nodes: &'a [NodeName]) -> Option<&'a str> {
    let label = |name: &str| labels.get(name).and_then(Value::as_str).unwrap_or_default();
    let by_pod = running.iter().find(|one| one.is_at(label("instance")) || one.pod == label("pod"));
    let named = |node: &&NodeName| NODE_LABELS.iter().any(|name| label(name) == node.as_str());
    by_pod.map(|one| one.node.as_str()).or_else(|| nodes.iter().find(named).map(NodeName::as_str))
}

impl Running {
    /// Whether `10.0.0.1:9400` is this pod's.
    fn is_at(&self, instance: &str) -> bool {
        !self.address.is_empty() && instance.rsplit_once(':').is_some_and(|(host, _)| host == self.address)
    }
}

/// Whether something is so new that Prometheus may not have read it yet.
async fn may_still_come(
    call: &Call<'_>,
    missing: &[&NodeName],
    running: &[Running],
    exporter: &Exporter<'_>,
) -> ClientResult<bool> {
    let now = call.ctx().clock().now();
    let is_new = |made: Timestamp| {
        std::time::Duration::try_from(now.duration_since(made)).is_ok_and(|age| age < deadlines::CHECK_MEASURED)
    };
    let theirs = running.iter().filter(|one| missing.iter().any(|node| node.as_str() == one.node));
    if theirs.filter_map(|one| one.made).any(is_new) {
        return Ok(true);
    }
    let monitor = monitor(call, exporter.monitor).await?;
    Ok(monitor.and_then(|found| found.metadata.creation_timestamp).is_some_and(|time| is_new(time.0)))
}

async fn monitor(call: &Call<'_>, place: &Placed) -> ClientResult<Option<DynamicObject>> {
    let Some((resource, _)) = kind(call, OPERATOR, "ServiceMonitor").await? else { return Ok(None) };
    let all = Api::<DynamicObject>::namespaced_with(call.client(), &place.namespace, &resource);
    call.read(|| all.get_opt(&place.name)).await
}

/// Why these nodes are missing, and what the whole of it is called.
async fn why(
    call: &Call<'_>,
    missing: &[&NodeName],
    running: &[Running],
    exporter: &Exporter<'_>,
    server: &Server<'_>,
) -> ClientResult<(Option<Code>, Vec<String>)> {
    let Placed { namespace, name } = exporter.monitor;
    let Some(monitor) = monitor(call, exporter.monitor).await? else {
        return Ok((
            Some(code::GPU_MONITOR_NOT_SELECTED),
            vec![format!("there is no ServiceMonitor {namespace}/{name}")],
        ));
    };
    let pool = format!("serviceMonitor/{namespace}/{name}/");
    let pools = pools(call, server, &pool).await;
    let targets = match server.targets(call, &pool, &pools).await {
        Ok(targets) => targets,
        Err(failure) if failure.is_about_the_way() => return Err(call.error(failure)),
        Err(failure) => return Ok((None, vec![server.no_answer(&failure)])),
    };
    if targets.is_empty() && pools.is_empty() {
        let mut lines = vec![format!("Prometheus does not select ServiceMonitor {namespace}/{name}")];
        lines.push(format!("labels of the ServiceMonitor: {}", words(&monitor.metadata.labels)));
        // What was found does not go because this cannot be read.
        lines.extend(selectors(call, &server.service.namespace).await.unwrap_or_else(|error| vec![error.happened]));
        return Ok((Some(code::GPU_MONITOR_NOT_SELECTED), lines));
    }
    let lines: Vec<(bool, String)> = missing.iter().map(|node| of_node(node, running, &targets, exporter)).collect();
    let is_down = lines.iter().any(|(is_down, _)| *is_down);
    Ok((is_down.then_some(code::GPU_EXPORTER_NOT_READ), lines.into_iter().map(|(_, line)| line).collect()))
}

/// Where Prometheus would read what is behind the monitor, if anything were: one pool for each of its endpoints. None of one that is too old
/// to say so.
async fn pools(call: &Call<'_>, server: &Server<'_>, pool: &str) -> Vec<String> {
    let Ok(answer) = server.ask(call, "scrape_pools", &[]).await else { return Vec::new() };
    let all = answer.get("scrapePools").and_then(Value::as_array);
    let ours = all.into_iter().flatten().filter_map(Value::as_str).filter(|one| one.starts_with(pool));
    ours.map(str::to_owned).collect()
}

/// What each Prometheus of the namespace selects.
async fn selectors(call: &Call<'_>, namespace: &str) -> ClientResult<Vec<String>> {
    let Some((resource, _)) = kind(call, OPERATOR, "Prometheus").await? else { return Ok(Vec::new()) };
    let (all, params) =
        (Api::<DynamicObject>::namespaced_with(call.client(), namespace, &resource), ListParams::default());
    let line = |found: DynamicObject| {
        let name = found.metadata.name.clone().unwrap_or_default();
        let said = |key: &str| found.data.pointer(&format!("/spec/{key}")).unwrap_or(&Value::Null).to_string();
        let (monitors, namespaces) = (said("serviceMonitorSelector"), said("serviceMonitorNamespaceSelector"));
        format!("Prometheus {namespace}/{name} selects {monitors} in namespaces {namespaces}")
    };
    Ok(call.read(|| all.list(&params)).await?.items.into_iter().map(line).collect())
}

fn words(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn targets(data: &Value, pool: &str) -> Vec<Target> {
    let all = data.get("activeTargets").and_then(Value::as_array);
    let ours = all
        .into_iter()
        .flatten()
        .filter(|one| one.get("scrapePool").and_then(Value::as_str).is_some_and(|name| name.starts_with(pool)));
    let text = |one: &Value, pointer: &str| {
        one.pointer(pointer).and_then(Value::as_str).unwrap_or_default().chars().take(300).collect::<String>()
    };
    ours.map(|one| Target {
        instance: text(one, "/labels/instance"),
        pod: text(one, "/labels/pod"),
        url: text(one, "/scrapeUrl"),
        health: text(one, "/health"),
        error: text(one, "/lastError"),
    })
    .collect()
}

/// Whether the target of this node is down, and a line that says what is wrong.
fn of_node(node: &NodeName, running: &[Running], targets: &[Target], exporter: &Exporter<'_>) -> (bool, String) {
    let Some(pod) = running.iter().find(|one| one.node == node.as_str()) else {
        return (false, format!("{node}: no exporter runs there ({})", exporter.pods));
    };
    let target = targets.iter().find(|one| pod.is_at(&one.instance) || one.pod == pod.pod);
    match target {
        None if !pod.ready => (false, format!("{node}: its exporter {} is not ready", pod.pod)),
        None => (false, format!("{node}: its exporter {} is no target of Prometheus", pod.pod)),
        Some(target) if target.health == "up" => {
            (false, format!("{node}: its exporter {} is read, and gives no {}", pod.pod, exporter.series))
        }
        Some(target) => (true, format!("{node}: target {} is {}: {}", target.url, target.health, target.error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(node: &str, address: &str, ready: bool) -> Running {
        Running {
            pod: format!("exporter-{node}"),
            node: node.to_owned(),
            address: address.to_owned(),
            ready,
            made: None,
        }
    }

    #[tokio::test]
    async fn an_answer_is_read_to_its_limit_and_no_further() {
        let read = |text: &'static str, limit| async move { super::read(futures::io::Cursor::new(text), limit).await };
        assert_eq!(read("{\"data\": 1}", 11).await.unwrap(), Some(json!({"data": 1})));
        assert_eq!(read("{\"data\": 1}", 10).await.unwrap(), None);
        assert!(matches!(read("{\"data\": ", 10).await, Err(kube::Error::SerdeError(_))));
    }

    #[test]
    fn an_answer_that_is_too_long_cannot_be_used_and_is_not_asked_for_again() {
        let failure = too_long("query", 10);
        assert!(failure.transient().is_none() && !failure.is_about_the_way());
        let place = Placed { namespace: "prometheus".to_owned(), name: "operated".to_owned() };
        let server = Server { service: &place, port: 9090 };
        let line = "Prometheus (prometheus/operated:9090) answers what cannot be used: more than 10 bytes, which is not read; ask that address for /api/v1/query yourself and see which series are so many";
        assert_eq!(server.no_answer(&failure), line);
        let absent = Failure::new(Cause::Busy, "the API server answers 503: no endpoints available");
        assert!(
            server.no_answer(&absent).ends_with(" gives no answer: the API server answers 503: no endpoints available")
        );
    }

    #[test]
    fn a_row_is_of_the_node_whose_exporter_gave_it() {
        let running = [pod("dgx-05", "10.0.5.7", true), pod("dgx-06", "10.0.6.7", true)];
        let nodes = ["dgx-05", "dgx-06"].map(|name| NodeName::new(name).unwrap());
        let cases = [
            (json!({"instance": "10.0.6.7:9400"}), Some("dgx-06")),
            (json!({"instance": "dcgm", "pod": "exporter-dgx-05"}), Some("dgx-05")),
            (json!({"instance": "10.0.9.9:9400", "Hostname": "dgx-06"}), Some("dgx-06")),
            (json!({"instance": "10.0.9.9:9400", "Hostname": "dgx-07"}), None),
            (json!({}), None),
        ];
        for (labels, wanted) in cases {
            assert_eq!(node_of(&labels, &running, &nodes), wanted, "{labels}");
        }
    }

    #[test]
    fn what_is_missing_is_told_with_what_prometheus_got() {
        let place = Placed { namespace: "gpu-operator".to_owned(), name: "dcgm".to_owned() };
        let exporter = Exporter { series: "TEMP", monitor: &place, pods: "app=dcgm" };
        let answer = json!({"activeTargets": [
            {"scrapePool": "serviceMonitor/gpu-operator/dcgm/0", "scrapeUrl": "http://10.0.5.7:9400/metrics",
                "health": "down", "lastError": "connection refused", "labels": {"instance": "10.0.5.7:9400"}},
            {"scrapePool": "serviceMonitor/gpu-operator/dcgm/0", "health": "up", "labels": {"pod": "exporter-dgx-06"}},
            {"scrapePool": "serviceMonitor/gpu-operator/dcgm-2/0", "health": "up", "labels": {"pod": "exporter-dgx-07"}},
        ]});
        let targets = targets(&answer, "serviceMonitor/gpu-operator/dcgm/");
        assert_eq!(targets.len(), 2, "another monitor whose name begins alike is another");
        let running = [
            pod("dgx-05", "10.0.5.7", true),
            pod("dgx-06", "10.0.6.7", true),
            pod("dgx-07", "", false),
            pod("dgx-08", "10.0.8.7", true),
        ];
        let cases = [
            ("dgx-05", true, "dgx-05: target http://10.0.5.7:9400/metrics is down: connection refused"),
            ("dgx-06", false, "dgx-06: its exporter exporter-dgx-06 is read, and gives no TEMP"),
            ("dgx-07", false, "dgx-07: its exporter exporter-dgx-07 is not ready"),
            ("dgx-08", false, "dgx-08: its exporter exporter-dgx-08 is no target of Prometheus"),
            ("dgx-09", false, "dgx-09: no exporter runs there (app=dcgm)"),
        ];
        for (node, is_down, line) in cases {
            let node = NodeName::new(node).unwrap();
            assert_eq!(of_node(&node, &running, &targets, &exporter), (is_down, line.to_owned()));
        }
    }
}
