//! What is asked over TLS: the metrics API behind the API server, and the ingress in front of the platform, both served by real pods.

use crate::ground::{Ground, NGINX, pod};
use plinth_keystore::{FileKeystore, SiteSecrets};
use plinth_kube::KubeApi;
use plinth_model::steps::{CertificateSource, Check};
use plinth_model::{SiteName, finding::code};
use plinth_ssh::{SshConfig, SshNodes};
use plinth_world::keystore::{CertificateFiles as _, CertificatePart, Keystore as _};
use plinth_world::kube::{CheckSeen, KubeChecks as _};
use plinth_world::secrets::Secrets;
use plinth_world::{Context, SystemClock};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

const DOMAIN: &str = "runai.lab.example";

/// A server in a pod with a certificate that is kept in this folder under `name`.
fn server(folder: &Path, place: (&str, &str), certificate: &str, locations: &str) -> Vec<Value> {
    let keystore = keystore(folder);
    let part = |part| keystore.read(certificate, part).unwrap().expose().to_owned();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"namespace": place.0, "name": place.1},
        "stringData": {"tls.crt": part(CertificatePart::Chain), "tls.key": part(CertificatePart::Key)},
    });
    let config = format!(
        "error_log /dev/stderr;\npid /tmp/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\nserver {{\nlisten 8443 ssl;\n\
         ssl_certificate /etc/tls/tls.crt;\nssl_certificate_key /etc/tls/tls.key;\ndefault_type application/json;\n{locations}\n}}\n}}\n"
    );
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": place.0, "name": place.1},
        "data": {"nginx.conf": config},
    });
    let command = ["/usr/sbin/nginx", "-c", "/etc/standin/nginx.conf", "-g", "daemon off; user nobody nogroup;"];
    let mut served = pod(place, &json!({"standin": place.1}), NGINX, &command);
    served["spec"]["volumes"] = json!([
        {"name": "config", "configMap": {"name": place.1}}, {"name": "tls", "secret": {"secretName": place.1}},
    ]);
    served["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "config", "mountPath": "/etc/standin"}, {"name": "tls", "mountPath": "/etc/tls"}]);
    vec![secret, map, served]
}

fn keystore(folder: &Path) -> Arc<FileKeystore> {
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder).below(folder));
    Arc::new(FileKeystore::new(folder, secrets))
}

/// A certificate of an authority of its own.
fn made(folder: &Path, name: &str, domain: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ctx = Context::quiet(Arc::new(SystemClock::new()));
    let names = [domain.to_owned().try_into().unwrap()];
    runtime.block_on(keystore(folder).make_certificate(&ctx, name, &names, &generated())).unwrap();
}

fn serves(ground: &Ground, namespace: &str, service: &str, standin: &str) {
    let patch = json!({"spec": {"selector": {"standin": standin}}}).to_string();
    ground.kubectl(&["patch", "service", service, "-n", namespace, "--type=merge", "-p", &patch]);
    let address = || match standin {
        "nobody" => String::new(),
        pod => ground.text(&["pod", pod, "-n", namespace], ".status.podIP"),
    };
    let of = format!("kubernetes.io/service-name={service}");
    let slice = ["endpointslices", "-n", namespace, "-l", &of];
    ground.until("the service leads there", || ground.text(&slice, ".items[*].endpoints[*].addresses[*]") == address());
    // kube-proxy follows within a moment.
    std::thread::sleep(std::time::Duration::from_secs(3));
}

/// The aggregated API of metrics.
pub(crate) fn metrics(ground: &Ground) {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), "metrics", "metrics-server.kube-system.svc");
    let node = |name: &str| json!({"metadata": {"name": name}, "usage": {"cpu": "1", "memory": "1Gi"}});
    let list =
        |nodes: &[Value]| json!({"kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "items": nodes});
    let resources = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "metrics.k8s.io/v1beta1",
        "resources": [{"name": "nodes", "namespaced": false, "kind": "NodeMetrics", "verbs": ["get", "list"]}]});
    let locations = |nodes: &[Value]| {
        format!(
            "location = /apis/metrics.k8s.io/v1beta1 {{ return 200 '{resources}'; }}\n\
             location = /apis/metrics.k8s.io/v1beta1/nodes {{ return 200 '{}'; }}",
            list(nodes)
        )
    };
    let mut all = server(folder.path(), ("kube-system", "all-nodes"), "metrics", &locations(&[node("n1"), node("n2")]));
    all.extend(server(folder.path(), ("kube-system", "one-node"), "metrics", &locations(&[node("n1")])));
    all.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "kube-system", "name": "metrics-server"},
        "spec": {"selector": {"standin": "all-nodes"}, "ports": [{"port": 443, "targetPort": 8443}]}}));
    all.push(json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": {"name": "metrics-server", "namespace": "kube-system"}},
    }));
    ground.apply(&all);
    let pods = ["pod/all-nodes", "pod/one-node"];
    ground.kubectl(&[&["wait", "-n", "kube-system", "--for=condition=Ready", "--timeout=120s"], &pods[..]].concat());
    ground.kubectl(&["wait", "--for=condition=Available", "--timeout=120s", "apiservice/v1beta1.metrics.k8s.io"]);
    ground.site(&json!({}), &["metrics-server"], &json!({}));
    ground.holds("metrics", &["metrics of 2 of 2 nodes"]);
    // The API server keeps its connection for as long as the pod is there.
    let ends = |pod: &str| ground.kubectl(&["delete", "pod", pod, "-n", "kube-system", "--wait"]);
    serves(ground, "kube-system", "metrics-server", "one-node");
    ends("all-nodes");
    ground.fails("metrics", "kubernetes.metrics-missing", &["n2: no metrics"]);
    serves(ground, "kube-system", "metrics-server", "nobody");
    ends("one-node");
    ground.fails("metrics", "kubernetes.metrics-missing", &["the metrics API gives no answer"]);
    // The API server would ask for it wherever it lists its kinds.
    ground.kubectl(&["delete", "apiservice", "v1beta1.metrics.k8s.io"]);
}

/// TLS ends in a pod behind a node port, with the certificate that is kept, and then with another.
pub(crate) fn ingress(ground: &Ground) {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), "platform", DOMAIN);
    made(folder.path(), "fake", DOMAIN);
    let answer = "location / { return 200 'the platform'; }";
    let mut all = server(folder.path(), ("default", "ingress"), "platform", answer);
    all.extend(server(folder.path(), ("default", "fake"), "fake", answer));
    let ports = json!([{"port": 443, "targetPort": 8443, "nodePort": 30443}]);
    all.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "default", "name": "ingress"},
        "spec": {"type": "NodePort", "selector": {"standin": "ingress"}, "ports": ports}}));
    ground.apply(&all);
    ground.kubectl(&["wait", "--for=condition=Ready", "--timeout=120s", "pod/ingress", "pod/fake"]);
    let address = ground.bench.lab.node("n2").unwrap().address();
    serves(ground, "default", "ingress", "ingress");
    let holds = asked(ground, folder.path(), address);
    let CheckSeen::Holds(evidence) = &holds else { panic!("{holds:?}") };
    assert!(evidence[0].contains("answers 200 over verified TLS"), "{evidence:?}");

    serves(ground, "default", "ingress", "fake");
    let fake = asked(ground, folder.path(), address);
    let CheckSeen::Fails { evidence, code } = &fake else { panic!("{fake:?}") };
    assert!(evidence[0].contains(DOMAIN) && code.is_none(), "the certificate is told: {evidence:?}");

    serves(ground, "default", "ingress", "nobody");
    let nobody = asked(ground, folder.path(), address);
    let CheckSeen::Fails { code, .. } = &nobody else { panic!("{nobody:?}") };
    assert_eq!(*code, Some(code::INGRESS_NOBODY_BEHIND), "{nobody:?}");
}

fn asked(ground: &Ground, folder: &Path, address: Ipv4Addr) -> CheckSeen {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder).below(folder));
        let nodes = Arc::new(SshNodes::new(SshConfig::new(folder), Arc::clone(&secrets)));
        let kube = KubeApi::new(folder, &SiteName::new("proofs").unwrap(), nodes, keystore(folder), secrets);
        let ctx = Context::quiet(Arc::new(SystemClock::new()));
        let url = format!("https://{DOMAIN}:30443");
        let check = Check::Ingress {
            url,
            address: Some(address),
            certificate: Some("platform".to_owned()),
            nobody_behind: false,
        };
        runtime.block_on(kube.run_check(&ctx, &check)).unwrap()
    };
    ground.bench.lab.inside(ask).unwrap()
}

const fn generated() -> CertificateSource {
    CertificateSource::Generated { authority_days: 3650, leaf_days: 365 }
}
