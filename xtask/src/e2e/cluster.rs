//! Proof that a cluster works, by kubectl of our own and not by what plinth says: nodes Ready, a pod on every node, names, and
//! every pod reached from every other, by its address and through a service. Exit codes and Ready nodes alone prove none of it.

use super::ground::{Ground, until};
use crate::commands::{self, Failure};
use plinth_lab::PROBE;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

const READY: Duration = Duration::from_secs(120);

/// Asks of a service until every pod behind it has answered; which one does is left to chance.
const ASKS: usize = 60;

/// Answers that a name must have one after the other: several servers answer, and one that has just started may know less than the others
/// for a moment.
const IN_A_ROW: usize = 10;

/// A cluster, seen by its administrator.
pub(super) struct Cluster<'a> {
    ground: &'a Ground,
}

impl<'a> Cluster<'a> {
    /// Takes the administrator's file from the first node.
    pub(super) fn of(ground: &'a Ground) -> Result<Self, Failure> {
        let node = ground.lab.nodes().next().ok_or("the lab has no nodes")?;
        let text = node.exec(&["cat", "/etc/kubernetes/admin.conf"]).map_err(|error| error.to_string())?;
        ground.write("admin.conf", &text)?;
        Ok(Self { ground })
    }

    fn kubectl(&self, words: &[&str]) -> Result<String, Failure> {
        let mut command = self.command()?;
        commands::text(command.args(words))
    }

    fn command(&self) -> Result<Command, Failure> {
        let node = self.ground.lab.nodes().next().ok_or("the lab has no nodes")?;
        let mut command = self.ground.lab.command(&self.ground.mirror.kubectl().to_string_lossy());
        command.arg("--kubeconfig").arg(self.ground.path("admin.conf"));
        // The file may name an address that is only good on the node itself.
        command.arg(format!("--server=https://{}:6443", node.address())).arg("--request-timeout=20s");
        Ok(command)
    }

    fn json(&self, words: &[&str]) -> Result<Value, Failure> {
        let text = self.kubectl(&[words, &["-o", "json"]].concat())?;
        serde_json::from_str(&text).map_err(|error| format!("kubectl {}: {error}", words.join(" ")))
    }

    /// All of it; gives the proof in a sentence.
    pub(super) fn proved(&self, names: &[String]) -> Result<String, Failure> {
        let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        until("all nodes are Ready", READY, || Ok(self.ready()? == wanted.iter().map(ToString::to_string).collect()))?;
        for node in self.ground.lab.nodes().filter(|node| wanted.contains(node.name())) {
            node.exec(&["nerdctl", "-n", "k8s.io", "pull", PROBE]).map_err(|error| error.to_string())?;
        }
        let manifest = self.ground.write("probe.json", &format!("{:#}\n", probe()))?;
        self.kubectl(&["apply", "-f", &manifest.to_string_lossy()])?;
        until("a pod runs on every node", READY, || Ok(self.pods()?.len() == names.len()))?;
        let pods = self.pods()?;
        for (pod, _) in &pods {
            self.reaches(pod, &pods)?;
        }
        self.kubectl(&["delete", "-f", &manifest.to_string_lossy(), "--wait=true", "--timeout=60s"])?;
        Ok(format!(
            "{} nodes Ready; a pod on each, reached from each by address, by name and through a service",
            names.len()
        ))
    }

    fn ready(&self) -> Result<BTreeSet<String>, Failure> {
        let nodes = self.json(&["get", "nodes"])?;
        let is_ready = |node: &&Value| {
            let conditions = node["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
            conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        Ok(items(&nodes).iter().filter(is_ready).map(|node| text(&node["metadata"]["name"])).collect())
    }

    /// Names and addresses of the probes that run.
    fn pods(&self) -> Result<Vec<(String, String)>, Failure> {
        let pods = self.json(&["get", "pods", "-l", "app=plinth-e2e"])?;
        let runs = |pod: &&Value| pod["status"]["containerStatuses"][0]["ready"] == true;
        let seen = |pod: &Value| (text(&pod["metadata"]["name"]), text(&pod["status"]["podIP"]));
        Ok(items(&pods).iter().filter(runs).map(seen).collect())
    }

    /// The servers of names and what they wrote last, for an error.
    fn names_servers(&self) -> String {
        let system = ["-n", "kube-system"];
        let pods = self.kubectl(&[&system[..], &["get", "pods", "-o", "wide"]].concat());
        let logs = self.kubectl(&[&system[..], &["logs", "-l", "k8s-app=kube-dns", "--prefix", "--tail=20"]].concat());
        [pods, logs].map(|said| said.unwrap_or_else(|error| error)).join("\n")
    }

    /// From one pod to all others.
    fn reaches(&self, pod: &str, pods: &[(String, String)]) -> Result<(), Failure> {
        let ask = |words: &[&str]| self.kubectl(&[&["exec", pod, "--", "/usr/local/bin/probe"], words].concat());
        let name = "plinth-e2e.default.svc.cluster.local";
        until("names are answered, many times in a row", READY, || {
            (0..IN_A_ROW).try_fold(true, |so, _| Ok(so && ask(&["resolve", name])?.contains("10.233.")))
        })
        .map_err(|error| format!("{error}\n{}", self.names_servers()))?;
        for (_, address) in pods {
            ask(&["get", &format!("http://{address}:8080/")])?;
        }
        let mut answered = BTreeSet::new();
        for _ in 0..ASKS {
            answered.insert(ask(&["get", &format!("http://{name}/")])?.trim().to_owned());
            if answered.len() == pods.len() {
                return Ok(());
            }
        }
        Err(format!("from {pod} only {answered:?} answered for the service, of {pods:?}"))
    }
}

fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A probe on every node, and a service for them all.
fn probe() -> Value {
    let labels = json!({"app": "plinth-e2e"});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "plinth-e2e"}, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "terminationGracePeriodSeconds": 1,
                "tolerations": [{"operator": "Exists"}],
                "containers": [{"name": "probe", "image": PROBE, "imagePullPolicy": "Never"}],
            }},
        }},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "plinth-e2e"}, "spec": {
            "selector": labels, "ports": [{"port": 80, "targetPort": 8080}],
        }},
    ]})
}
