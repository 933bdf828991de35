//! What is in the stand-in charts beside names and versions: pods that do what a check asks them for.

use crate::charts::{Files, Told};
use crate::ground::WORKER;
use crate::objects::{
    account, another, claims, configuration, http, idles, is_root, mounts, operates, pod, scripted, serves, service,
};
use base64::Engine as _;
use plinth_lab::OPERATOR;
use plinth_model::steps::Release;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// A program of the lab on the GPU node, for the pod of the device plugin.
pub(crate) const DEVICE_PLUGIN: &str = "/usr/local/bin/lab-device-plugin";
const PROVISIONER: &str = include_str!("scripts/provisioner.sh");
const BALANCER: &str = include_str!("scripts/balancer.sh");
const SPEAKER: &str = include_str!("scripts/speaker.sh");
const PROMETHEUS: &str = include_str!("scripts/prometheus.sh");
const EXPORTER: &str = include_str!("scripts/exporter.sh");
const INGRESS: &str = include_str!("scripts/ingress.sh");
const GPUS: &str = include_str!("scripts/gpus.sh");

/// Gives the pods of a chart something to do.
pub(crate) fn really(release: &Release, files: &mut Files, told: &[Told], bridge: Ipv4Addr) {
    let mut chart = Chart { files: std::mem::take(files), component: release.component.clone(), more: Vec::new() };
    let says = said_of(&release.component, told);
    chart.each(|object| match object["kind"].as_str().unwrap() {
        "Deployment" | "StatefulSet" | "DaemonSet" => idles(object),
        "Job" if release.component == "haproxy-ingress" => succeeds_the_second_time(object),
        "Job" => scripted(object, "exit 0"),
        _ => (),
    });
    match release.component.as_str() {
        "metrics-server" => chart.api("metrics-server", "metrics.k8s.io", &usage()),
        "prometheus-adapter" => chart.api("prometheus-adapter", "custom.metrics.k8s.io", ""),
        "local-path-provisioner" => chart.volumes(),
        "metallb" => chart.balancer(),
        "kube-prometheus-stack" => chart.prometheus(&says),
        "gpu-operator" => chart.gpus(&says),
        "haproxy-ingress" => chart.ingress(),
        "runai-control-plane" => chart.control_plane(bridge),
        "runai-cluster" => chart.cluster_part(&says),
        "knative-operator" => chart.operator("knative-operator", &says),
        _ => assert_eq!(says, "", "{}: nobody says it", release.component),
    }
    *files = chart.done();
    if release.component == "haproxy-ingress" {
        let hook = files.get_mut("templates/hook.yaml").unwrap();
        *hook = or_fails(hook);
    }
}

/// What an operator says of its objects once they are there: lines of a script.
fn said_of(component: &str, told: &[Told]) -> String {
    let mut script = String::new();
    for one in told.iter().filter(|one| one.component == component) {
        let object = format!("{}.{} {}", one.kind.plural, one.kind.group, one.name);
        let place = if one.namespace.is_empty() { String::new() } else { format!("-n {}", one.namespace) };
        let status = &one.status;
        writeln!(
            script,
            "until kubectl patch {object} {place} --subresource=status --type=merge -p '{status}'; do sleep 1; done"
        )
        .unwrap();
    }
    script
}

/// A hook whose program fails at its first start, as one does whose webhook is not there yet.
fn succeeds_the_second_time(job: &mut Value) {
    scripted(job, "if [ -e /tmp/tried ]; then exit 0; fi; touch /tmp/tried; exit 1");
    pod(job)["restartPolicy"] = json!("OnFailure");
    job["spec"]["backoffLimit"] = json!(3);
}

/// The same when the site says that it shall fail for good.
fn or_fails(job: &str) -> String {
    let mut failing: Value = serde_json::from_str(job).unwrap();
    scripted(&mut failing, "echo no kind may be written today; exit 1");
    pod(&mut failing)["restartPolicy"] = json!("Never");
    failing["spec"]["backoffLimit"] = json!(0);
    format!("{{{{ if (.Values.standIn).fails }}}}\n{failing}\n{{{{ else }}}}\n{job}\n{{{{ end }}}}\n")
}

/// A certificate of its own, and its key.
fn certificate(name: &str) -> [String; 2] {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    [made.cert.pem(), made.signing_key.serialize_pem()]
}

/// What the metrics API says of both nodes.
fn usage() -> String {
    let node = |name: &str| json!({"metadata": {"name": name}, "usage": {"cpu": "1", "memory": "1Gi"}});
    let list =
        json!({"kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "items": [node("n1"), node(WORKER)]});
    format!("location = /apis/metrics.k8s.io/v1beta1/nodes {{ return 200 '{list}'; }}")
}

struct Chart {
    files: Files,
    component: String,
    more: Vec<Value>,
}

impl Chart {
    fn each(&mut self, mut change: impl FnMut(&mut Value)) {
        for (_, text) in self.files.iter_mut().filter(|(name, _)| name.starts_with("templates/")) {
            let mut object = serde_json::from_str(text).unwrap();
            change(&mut object);
            *text = object.to_string();
        }
    }

    /// Changes the object of this kind and name, which is there; answers it.
    fn change(&mut self, kind: &str, name: &str, mut change: impl FnMut(&mut Value)) -> Value {
        let mut found = None;
        self.each(|object| {
            if object["kind"] == kind && object["metadata"]["name"] == name {
                change(object);
                found = Some(object.clone());
            }
        });
        found.unwrap_or_else(|| panic!("{} has no {kind} {name}", self.component))
    }

    fn done(mut self) -> Files {
        for (number, object) in self.more.iter().enumerate() {
            self.files.insert(format!("templates/more-{number}.yaml"), object.to_string());
        }
        self.files
    }

    /// The workload of an operator that does no more than to speak of its objects.
    fn operator(&mut self, name: &str, says: &str) {
        self.change("Deployment", name, |object| operates(object, &format!("{says}\nexec sleep 1000000")));
        self.more.extend(account(&self.component));
    }

    /// An API behind the API server.
    fn api(&mut self, name: &str, group: &str, locations: &str) {
        let resources = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{group}/v1beta1"),
            "resources": [{"name": "nodes", "namespaced": false, "kind": "NodeMetrics", "verbs": ["get", "list"]}]});
        let config = http(&format!(
            "server {{\nlisten 8443 ssl;\nssl_certificate /tls/tls.crt;\nssl_certificate_key /tls/tls.key;\n\
             default_type application/json;\nlocation = /apis/{group}/v1beta1 {{ return 200 '{resources}'; }}\n{locations}\n}}"
        ));
        let served = self.change("Deployment", name, |object| {
            serves(object, &config);
            mounts(object, json!({"name": "tls", "secret": {"secretName": name}}), "/tls");
        });
        let [chain, key] = certificate(name).map(|pem| base64::engine::general_purpose::STANDARD.encode(pem));
        self.more.push(configuration(&served, &config));
        self.more.push(json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": name}, "data": {"tls.crt": chain, "tls.key": key}}));
        self.more.push(service(name, 443, (name, 8443)));
        self.change("APIService", &format!("v1beta1.{group}"), |object| {
            object["spec"]["insecureSkipTLSVerify"] = json!(true);
            object["spec"]["service"] = json!({"name": name, "namespace": "{{ .Release.Namespace }}"});
        });
    }

    fn volumes(&mut self) {
        let class = self.change("StorageClass", "local-path", |class| {
            class["volumeBindingMode"] = json!("{{ .Values.storageClass.volumeBindingMode }}");
        });
        let script = PROVISIONER.replace("PROVISIONER", class["provisioner"].as_str().unwrap());
        self.operator("local-path-provisioner", &script);
    }

    fn balancer(&mut self) {
        self.operator("metallb-controller", BALANCER);
        self.change("DaemonSet", "metallb-speaker", |object| {
            operates(object, SPEAKER);
            is_root(object, true);
        });
    }

    fn prometheus(&mut self, says: &str) {
        let name = "prometheus-kube-prometheus-stack-prometheus";
        let waits =
            format!("kubectl rollout status -n {{{{ .Release.Namespace }}}} statefulset {name} --timeout=600s\n");
        let operator = "kube-prometheus-stack-operator";
        let mut server = self.change("Deployment", operator, |_| ());
        self.operator(operator, &format!("{waits}{says}"));
        server = another(&server, "StatefulSet", name);
        operates(&mut server, PROMETHEUS);
        claims(&mut server, "/prometheus");
        let wget = json!({"exec": {"command": ["test", "-e", "/tmp/www/api/v1/query"]}, "periodSeconds": 1});
        pod(&mut server)["containers"][0]["readinessProbe"] = wget;
        pod(&mut server)["securityContext"]["fsGroup"] = json!(65532);
        let mut operated = service("prometheus-operated", 9090, (name, 9090));
        operated["spec"]["clusterIP"] = json!("None");
        self.more.extend([server, operated]);
    }

    fn gpus(&mut self, says: &str) {
        let script = format!("{}{says}", GPUS.replace("WORKER", WORKER));
        let plain = self.change("Deployment", "gpu-operator", |_| ());
        let of = |name: &str| {
            let mut set = another(&plain, "DaemonSet", name);
            pod(&mut set)["nodeSelector"] = json!({"nvidia.com/gpu.present": "true"});
            set
        };
        let mut plugin = of("nvidia-device-plugin-daemonset");
        scripted(&mut plugin, "exec /host/lab-device-plugin nvidia.com/gpu 2 env:NVIDIA_VISIBLE_DEVICES=%");
        is_root(&mut plugin, false);
        mounts(&mut plugin, json!({"name": "host", "hostPath": {"path": "/usr/local/bin"}}), "/host");
        let sockets = "/var/lib/kubelet/device-plugins";
        mounts(&mut plugin, json!({"name": "sockets", "hostPath": {"path": sockets}}), sockets);
        let mut exporter = of("nvidia-dcgm-exporter");
        scripted(&mut exporter, EXPORTER);
        let monitor = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "metadata": {"name": "nvidia-dcgm-exporter"}, "spec": {}});
        self.more.extend([plugin, exporter, monitor]);
        self.operator("gpu-operator", &script);
    }

    /// TLS ends in its pod, by the certificate that its neighbour there found in the cluster.
    fn ingress(&mut self) {
        let config = http(
            "resolver 10.96.0.10 valid=5s;\nmap $ssl_server_name $folder { default /tls; }\nserver {\nlisten 8443 ssl;\n\
             ssl_certificate $folder/tls.crt;\nssl_certificate_key $folder/tls.key;\nlocation / {\n\
             set $behind backend.runai-backend.svc.cluster.local;\nproxy_pass https://$behind:8443;\n\
             proxy_http_version 1.1;\nproxy_set_header Host $host;\n}\n}",
        );
        let served = self.change("Deployment", "kubernetes-ingress", |object| {
            let mut beside = object.clone();
            serves(object, &config);
            operates(&mut beside, INGRESS);
            for one in [&mut *object, &mut beside] {
                mounts(one, json!({"name": "tls", "emptyDir": {}}), "/tls");
            }
            for key in ["serviceAccountName", "automountServiceAccountToken"] {
                pod(object)[key] = pod(&mut beside)[key].clone();
            }
            let mut controller = pod(&mut beside)["containers"][0].clone();
            controller["name"] = json!("controller");
            pod(object)["containers"].as_array_mut().unwrap().push(controller);
        });
        self.more.push(configuration(&served, &config));
        self.more.extend(account(&self.component));
        let mut entry = service("kubernetes-ingress", 443, ("kubernetes-ingress", 8443));
        entry["spec"]["type"] = json!("{{ .Values.controller.service.type }}");
        let wanted = "{{ index .Values.controller.service.annotations `metallb.io/loadBalancerIPs` }}";
        entry["metadata"]["annotations"] = json!({"metallb.io/loadBalancerIPs": wanted});
        self.more.push(entry);
    }

    /// Run:ai's simulator stands on the bridge, and is reached through this pod alone.
    fn control_plane(&mut self, simulator: Ipv4Addr) {
        let config = format!(
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\npid /tmp/nginx.pid;\nevents {{}}\n\
             stream {{\nserver {{\nlisten 8443;\nproxy_pass {simulator}:443;\n}}\n}}\n"
        );
        let served = self.change("StatefulSet", "keycloak", |object| {
            serves(object, &config);
            claims(object, "/data");
        });
        self.more.push(configuration(&served, &config));
        self.more.push(service("backend", 8443, ("keycloak", 8443)));
    }

    /// Its hook asks the control plane by its name, with the authority that it was given; and its agent waits for that too.
    fn cluster_part(&mut self, says: &str) {
        let asks = "kubectl --token=none --server={{ .Values.controlPlane.url }} --certificate-authority=/ca/runai-ca.pem get --raw /_version";
        self.change("Job", "pre-install", |job| {
            let container = &mut pod(job)["containers"][0];
            container["image"] = json!(OPERATOR);
            container["command"] = json!(["sh", "-c", asks]);
            mounts(job, json!({"name": "ca", "secret": {"secretName": "runai-ca-cert"}}), "/ca");
        });
        self.operator("runai-agent", says);
    }
}
