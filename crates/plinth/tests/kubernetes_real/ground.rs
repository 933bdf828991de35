//! A cluster of n1, which controls it, and n2 with two GPUs; a site whose charts are stand-ins; and Run:ai's simulator on the bridge.

use crate::charts::{pack_with, plan_of, told};
use crate::cluster::Cluster;
use crate::standins;
use crate::support::said;
use plinth_lab::Parts;
use plinth_model::Work;
use plinth_model::steps::HelmRelease;
use plinth_sim::runai::{RunaiServer, RunaiSetup};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Where the load balancer has the ingress.
pub(crate) const INGRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 3, 200);
pub(crate) const DOMAIN: &str = "runai.lab.example";
/// The node with GPUs.
pub(crate) const WORKER: &str = "n2";
/// Namespace of the project.
pub(crate) const PROJECT: &str = "runai-team-a";
/// Why a pod has no node.
const PLACED: &str = ".status.conditions[?(@.type==\"PodScheduled\")].message";
const PASSWORD: &str = "Adm1n-word-of-these-tests-9b1f";

pub(crate) struct Ground {
    pub(crate) cluster: Cluster,
    pub(crate) runai: RunaiServer,
}

/// What a run left.
pub(crate) struct Ran {
    exit: Option<i32>,
    pub(crate) out: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.exit, Some(code), "{}", self.out);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "`{text}` is missing:\n{}", self.out);
        self
    }
}

impl Ground {
    /// Makes it, and does the work in it, while Run:ai's simulator hears of the cluster part.
    pub(crate) fn with(work: impl FnOnce(&Self)) {
        let cluster = Cluster::up("real", 2);
        let setup = RunaiSetup {
            listen: (cluster.bench.lab.bridge(), 443).into(),
            ..RunaiSetup::new(DOMAIN, "2.25".parse().unwrap(), plinth_model::Secret::new(PASSWORD.to_owned()))
        };
        let runai = cluster.bench.lab.inside(|| RunaiServer::start(setup, Vec::new())).unwrap().unwrap();
        let ground = Self { cluster, runai };
        ground.furnish();
        let ends = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| ground.plays(&ends));
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&ground)));
            ends.store(true, Ordering::Relaxed);
            if let Err(panic) = done {
                eprintln!("{}", ground.pods());
                std::panic::resume_unwind(panic);
            }
        });
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.cluster.bench.folder.path().join(name)
    }

    fn furnish(&self) {
        std::fs::create_dir(self.path("bin")).unwrap();
        let helm = Parts::helm().unwrap().program("helm3").unwrap();
        std::os::unix::fs::symlink(helm, self.path("bin/helm")).unwrap();
        for (name, secret) in [("registry-token", "registry-token-of-these-tests-77c3"), ("admin-password", PASSWORD)] {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::write(self.path(name), secret).unwrap();
            std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let program = std::fs::read(Parts::devices().unwrap().program("device-plugin").unwrap()).unwrap();
        let worker = self.cluster.bench.lab.node(WORKER).unwrap();
        worker.write_file(standins::DEVICE_PLUGIN, "0755", &program).unwrap();
        self.site(&json!({}));
        let plan = plan_of(&self.path("site.yaml"));
        let (told, bridge) = (told(&plan), self.cluster.bench.lab.bridge());
        pack_with(&plan, &self.path("charts"), |release, files| standins::really(release, files, &told, bridge));
    }

    /// The site; more of its components is merged into it. Where the catalog knows the digest of the version that it would take, a
    /// stand-in cannot be that version, so its neighbour is asked for.
    pub(crate) fn site(&self, more: &Value) {
        let lab = &self.cluster.bench.lab;
        let node = |node: plinth_lab::Node<'_>| json!({"name": node.name(), "address": node.address()});
        let nodes: Vec<Value> = lab.nodes().map(node).collect();
        let mut components = json!({
            "metrics-server": {"version": "3.13.1"}, "local-path-provisioner": {"version": "0.0.36"},
            "metallb": {"version": "0.15.3"}, "knative-operator": {"version": "v1.19.5"},
        });
        components.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let site = json!({
            "apiVersion": "plinth/v1", "kind": "Site", "metadata": {"name": "real"},
            "inventory": {"static": nodes}, "networks": {"production": lab.network()},
            "nodes": {"controlPlane": ["n1"], "workers": [WORKER], "gpu": [WORKER]},
            "kubernetes": {"engine": "existing", "kubeconfig": "kubeconfig"},
            // Nothing outside the lab can be resolved in it.
            "checks": {"names": []},
            "platform": {
                "charts": {"folder": "charts"}, "loadBalancer": {"addresses": [INGRESS]}, "components": components,
            },
            "runai": {
                "version": "2.25", "domain": DOMAIN, "registry": {"token": {"file": "registry-token"}},
                "admin": {"email": "admin@example.com", "password": {"file": "admin-password"}},
                "cluster": {"name": "real"},
                "departments": [{"name": "research", "gpus": 2, "projects": [{"name": "team-a", "gpus": 2}]}],
            },
        });
        std::fs::write(self.path("site.yaml"), format!("{site:#}\n")).unwrap();
    }

    /// Runs plinth; both its streams are what it said, in their order.
    pub(crate) fn run(&self, doing: &str, words: &[&str]) -> Ran {
        let began = Instant::now();
        let file = std::fs::File::create(self.path(&format!("{doing}.txt"))).unwrap();
        let mut command = self.cluster.bench.lab.command(env!("CARGO_BIN_EXE_plinth"));
        command.args(words).args(["-f", "site.yaml", "--state", "state"]).current_dir(self.path(""));
        command.env("HOME", self.path("")).env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()));
        command.stdin(std::process::Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let exit = command.status().unwrap().code();
        eprintln!("{doing}: exit {exit:?} after {:.1} s", began.elapsed().as_secs_f64());
        Ran { exit, out: std::fs::read_to_string(self.path(&format!("{doing}.txt"))).unwrap() }
    }

    /// Applies the site.
    pub(crate) fn apply(&self, doing: &str) -> Ran {
        self.run(doing, &["apply", "--yes", "--events", "events.ndjson"])
    }

    fn events(&self) -> Vec<Value> {
        self.cluster.bench.events()
    }

    /// Steps of the last run that changed something.
    pub(crate) fn changed(&self) -> Vec<String> {
        let all = self.events();
        let ended = all.iter().filter(|event| event["event"] == "step.finished" && event["outcome"] == "changed");
        ended.map(|event| event["step"].as_str().unwrap().to_owned()).collect()
    }

    /// All releases of the site, and no others, are deployed.
    pub(crate) fn all_deployed(&self) {
        let mut command = self.cluster.bench.lab.command(self.path("bin/helm").to_str().unwrap());
        command.arg("--kubeconfig").arg(self.path("kubeconfig"));
        let output = command.args(["list", "--all-namespaces", "-o", "json"]).output().unwrap();
        let there: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        let there: BTreeSet<(&str, &str)> = there
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["name"].as_str().unwrap(), one["status"].as_str().unwrap()))
            .collect();
        let plan = plan_of(&self.path("site.yaml"));
        let wanted = plan.steps.iter().filter_map(|step| match &step.work {
            Work::HelmRelease(HelmRelease { release, .. }) => Some((release.release.as_str(), "deployed")),
            _ => None,
        });
        assert_eq!(there, wanted.collect::<BTreeSet<_>>());
    }

    /// Every check of the site is carried out, and holds.
    pub(crate) fn proved(&self) {
        let ran = self.run("check", &["check", "--out", "proof"]).exits(0);
        let proof: Value = serde_json::from_slice(&std::fs::read(self.path("proof/checks.json")).unwrap()).unwrap();
        let all = proof["checks"].as_array().unwrap();
        assert!(all.iter().all(|one| one["proof"] == "holds"), "none is left out: {proof:#}\n{}", ran.out);
        let ids = all.iter().map(|one| one["id"].as_str().unwrap());
        let carried_out: BTreeSet<&str> = ids.filter_map(|id| id.split('/').nth(1)).collect();
        let wanted = [
            "dns",
            "gpu-capacity",
            "gpu-metrics",
            "gpu-pod",
            "ingress",
            "load-balancer",
            "metrics",
            "nodes",
            "pod-network",
            "runai",
            "runai-workload",
            "storage",
            "system",
        ];
        assert_eq!(carried_out.into_iter().collect::<Vec<_>>(), wanted, "{}", ran.out);
    }

    /// What the parts of Run:ai do that are not there: the cluster part calls, and the scheduler places.
    fn plays(&self, ends: &AtomicBool) {
        let (mut placed, mut known) = (false, String::new());
        while !ends.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_secs(1));
            self.connects(&mut known);
            placed = self.schedules(placed);
        }
    }

    /// A cluster part that runs and has the right credential is connected; one that ran is not any more.
    fn connects(&self, known: &mut String) {
        let agent = ["get", "deployment", "runai-agent", "-n", "runai", "-o", "jsonpath={.status.readyReplicas}"];
        if self.cluster.try_kubectl(&agent).stdout != b"1" {
            if !known.is_empty() {
                self.runai.reports(known, json!({"state": "Disconnected", "conditions": []}), &[(WORKER, 2)]);
            }
            return;
        }
        let all = "go-template={{with .data}}{{.secret | base64decode}}|{{.uid | base64decode}}|{{.url | base64decode}}|{{.existing | base64decode}}|{{.key | base64decode}}{{end}}";
        let words = ["get", "secret", "stand-in-credential", "-n", "runai", "-o", all];
        let shown = String::from_utf8(self.cluster.try_kubectl(&words).stdout).unwrap();
        let [secret, uid, url, existing, key] = shown.split('|').collect::<Vec<_>>()[..] else { return };
        // The credential itself, or where it stands.
        let secret = match existing {
            "" => secret.to_owned(),
            existing => {
                let named = format!("go-template={{{{index .data \"{key}\" | base64decode}}}}");
                let words = ["get", "secret", existing, "-n", "runai", "-o", &named];
                String::from_utf8(self.cluster.try_kubectl(&words).stdout).unwrap()
            }
        };
        if self.runai.secrets_given().contains(&secret) && self.runai.url() == url {
            uid.clone_into(known);
            self.runai.reports(uid, json!({"state": "Connected", "conditions": []}), &[(WORKER, 2)]);
        }
    }

    /// A training that somebody started becomes a pod, and is what that pod is.
    fn schedules(&self, placed: bool) -> bool {
        let place = ["training", "-n", PROJECT];
        let Some(spec) = self.runai.trainings().into_iter().next() else {
            // The next one waits until it is placed.
            self.runai.schedules("Pending", "");
            if placed {
                self.cluster.kubectl(&[&["delete", "pod", "--wait=false", "--ignore-not-found"], &place[..]].concat());
            }
            return false;
        };
        if !placed {
            self.runai.schedules("Pending", "");
            let command = ["sh", "-c", &format!("exec sh {}", spec["args"].as_str().unwrap())];
            let one = json!({"name": "main", "image": spec["image"], "command": command,
                "resources": {"limits": {"nvidia.com/gpu": spec["compute"]["gpuDevicesRequest"]}}});
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": place[0], "namespace": PROJECT},
                "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [one]}});
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROJECT}});
            self.cluster.apply(&[namespace]);
            std::fs::write(self.path("training.json"), pod.to_string()).unwrap();
            let made = self.cluster.try_kubectl(&["create", "-f", self.path("training.json").to_str().unwrap()]);
            if !made.status.success() {
                self.runai.schedules("Failed", said(&made).trim());
                return false;
            }
        }
        let pod = [&["pod"], &place[..]].concat();
        self.runai.schedules(&self.cluster.text(&pod, ".status.phase"), &self.cluster.text(&pod, PLACED));
        true
    }

    /// What became of the pods, for a test that fails.
    fn pods(&self) -> String {
        let get = |words: &[&str]| said(&self.cluster.try_kubectl(words));
        let events = get(&["get", "events", "-A", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"]);
        format!("{}\n{events}", get(&["get", "pods", "-A", "-o", "wide"]))
    }
}
