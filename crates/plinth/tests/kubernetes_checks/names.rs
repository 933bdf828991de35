//! Names in pods, through the real CoreDNS: those of others than the cluster, and the platform's own behind a cache on each node.

use crate::ground::{BUSYBOX, Ground};
use plinth_keystore::{FileKeystore, SiteSecrets};
use plinth_kube::KubeApi;
use plinth_model::steps::Check;
use plinth_model::{Domain, NodeName, SiteName};
use plinth_ssh::{SshConfig, SshNodes};
use plinth_world::kube::{CheckSeen, ClusterDns as _, KubeChecks as _, NameSeen};
use plinth_world::secrets::Secrets;
use plinth_world::{Context, SystemClock, private_file};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::Arc;

const NAME: &str = "head.outside.example";

/// The real DNS of the cluster knows one name of others, and not another.
pub(crate) fn outside(ground: &Ground) {
    let of_map = ["configmap", "coredns", "-n", "kube-system"];
    let before = ground.text(&of_map, ".data.Corefile");
    let text = format!("{NAME}:53 {{\n    hosts {{\n        192.0.2.7 {NAME}\n    }}\n}}\n{before}");
    let patch = json!({"data": {"Corefile": text}}).to_string();
    ground.kubectl(&["patch", "configmap", "coredns", "-n", "kube-system", "--type=merge", "-p", &patch]);
    let deployment = ["-n", "kube-system", "deployment/coredns"];
    ground.kubectl(&[&["rollout", "restart"], &deployment[..]].concat());
    ground.kubectl(&[&["rollout", "status", "--timeout=120s"], &deployment[..]].concat());
    let names = |names: &[&str]| ground.site(&json!({}), &[], &json!({"names": names}));
    names(&[NAME]);
    let lines = ["2 kinds of nodes asked", "control plane, Debian", "GPUs, Debian", &format!("{NAME} is 192.0.2.7")];
    ground.holds("dns-out", &lines);

    names(&[NAME, "nobody.outside.example"]);
    let told = ["does not resolve nobody.outside.example", "the cluster's own names resolve there", "a pod on n2"];
    ground.fails("dns-out", "dns.others-do-not-resolve", &told);

    // CoreDNS is gone.
    names(&[NAME]);
    ground.kubectl(&[&["scale", "--replicas=0"], &deployment[..]].concat());
    let pods = || ground.kubectl(&["get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "json"]);
    let is_none = || serde_json::from_str::<Value>(&pods()).unwrap()["items"].as_array().unwrap().is_empty();
    ground.until("CoreDNS ends", is_none);
    ground.fails(
        "dns-out",
        "dns.others-do-not-resolve",
        &[&format!("does not resolve {NAME}"), "nor the cluster's own"],
    );
    ground.kubectl(&[&["scale", "--replicas=1"], &deployment[..]].concat());
}

/// The platform's name, and where it must lead.
const OWN: &str = "runai.lab.example";
const LEADS_TO: Ipv4Addr = Ipv4Addr::new(10, 184, 162, 5);
/// Where Kubespray's cache listens on each node.
const CACHE: &str = "169.254.25.10";

/// A cache on each node, as Kubespray places one: CoreDNS in the network of the node, which pods ask, and which asks the cluster's servers for the
/// cluster's own zone only.
fn cache() -> Vec<Value> {
    let corefile = format!(
        "cluster.local:53 {{\n    errors\n    cache 30\n    reload 5s\n    bind {CACHE}\n    forward . 10.96.0.10 {{\n        force_tcp\n    }}\n}}\n\
         .:53 {{\n    errors\n    cache 30\n    reload 5s\n    bind {CACHE}\n    forward . /etc/resolv.conf\n}}\n"
    );
    let labels = json!({"k8s-app": "node-local-dns"});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "kube-system", "name": "nodelocaldns"},
        "data": {"Corefile": corefile}});
    let set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"namespace": "kube-system", "name": "nodelocaldns"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "hostNetwork": true, "dnsPolicy": "Default", "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{
                "name": "cache", "image": "registry.k8s.io/coredns/coredns:v1.12.1", "imagePullPolicy": "IfNotPresent",
                "args": ["-conf", "/etc/coredns/Corefile"],
                "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
            }],
            "volumes": [{"name": "config", "configMap": {"name": "nodelocaldns"}}],
        }}},
    });
    vec![map, set]
}

/// The name is put into CoreDNS alone, which says that all is well, and pods do not find it. Then it is put in as plinth does.
pub(crate) fn behind_a_cache(ground: &Ground) {
    let lead = "ip address add 169.254.25.10/32 dev lo; sed -i 's/^- 10[.]96[.]0[.]10$/- 169.254.25.10/' /var/lib/kubelet/config.yaml; \
                grep -q 169.254 /var/lib/kubelet/config.yaml; systemctl restart kubelet";
    for name in ["n1", "n2"] {
        ground.bench.lab.node(name).unwrap().exec(&["sh", "-euc", lead]).unwrap();
    }
    ground.apply(&cache());
    ground.kubectl(&["rollout", "status", "-n", "kube-system", "daemonset/nodelocaldns", "--timeout=120s"]);

    let of_map = ["configmap", "coredns", "-n", "kube-system"];
    let before = ground.text(&of_map, ".data.Corefile");
    let text = format!("{OWN}:53 {{\n    hosts {{\n        {LEADS_TO} {OWN}\n    }}\n}}\n{before}");
    let give = |text: &str| {
        let patch = json!({"data": {"Corefile": text}}).to_string();
        ground.kubectl(&["patch", "configmap", "coredns", "-n", "kube-system", "--type=merge", "-p", &patch]);
        let deployment = ["-n", "kube-system", "deployment/coredns"];
        ground.kubectl(&[&["rollout", "restart"], &deployment[..]].concat());
        ground.kubectl(&[&["rollout", "status", "--timeout=120s"], &deployment[..]].concat());
    };
    give(&text);
    let seen = ground.dns(async |kube, ctx| kube.look_up(ctx, OWN).await.unwrap());
    let apart = vec![("nodelocaldns".to_owned(), Vec::new())];
    assert_eq!(
        seen,
        NameSeen { addresses: vec![LEADS_TO], caches: apart },
        "the servers have it, and the cache has not"
    );
    let CheckSeen::Fails { evidence, .. } = leads(ground) else { panic!("pods cannot find it") };
    assert!(evidence.iter().any(|line| line.contains("a pod on n1") && line.contains(OWN)), "{evidence:?}");
    assert!(
        evidence.iter().any(|line| line.contains("a pod on n2") && line.contains("own names resolve")),
        "{evidence:?}"
    );

    give(&before);
    ground.dns(async |kube, ctx| kube.set_entry(ctx, Some((OWN, LEADS_TO))).await.unwrap());
    // Kubelets bring the new maps in their time, and then the servers read them.
    ground.until("pods do not find it", || matches!(leads(ground), CheckSeen::Holds(_)));
    let seen = leads(ground);
    let CheckSeen::Holds(evidence) = &seen else { panic!("{seen:?}") };
    assert!(evidence.contains(&format!("{OWN} is {LEADS_TO}")), "{evidence:?}");
    let look = || ground.dns(async |kube, ctx| kube.look_up(ctx, OWN).await.unwrap());
    ground.until("the cluster's servers have not read it", || look().addresses == [LEADS_TO]);
    let seen = look();
    assert_eq!(seen.caches, [("nodelocaldns".to_owned(), vec![LEADS_TO])]);
}

fn leads(ground: &Ground) -> CheckSeen {
    let nodes = ["n1", "n2"].map(|node| NodeName::new(node).unwrap()).into();
    let check = Check::Dns { name: Domain::fixed(OWN), address: LEADS_TO, nodes, image: BUSYBOX.to_owned() };
    ground.dns(async |kube, ctx| kube.run_check(ctx, &check).await.unwrap())
}

impl Ground {
    /// Something is done with plinth's client, in the lab.
    fn dns<T: Send>(&self, work: impl AsyncFnOnce(&KubeApi, &Context) -> T + Send) -> T {
        let folder = tempfile::tempdir().unwrap();
        let config = std::fs::read(self.bench.folder.path().join("kubeconfig")).unwrap();
        private_file::write(&KubeApi::kept_in(folder.path()), &config).unwrap();
        let act = || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder.path()).below(folder.path()));
            let nodes = Arc::new(SshNodes::new(SshConfig::new(folder.path()), Arc::clone(&secrets)));
            let keystore = Arc::new(FileKeystore::new(folder.path(), Arc::clone(&secrets)));
            let kube = KubeApi::new(folder.path(), &SiteName::new("proofs").unwrap(), nodes, keystore, secrets);
            runtime.block_on(work(&kube, &Context::quiet(Arc::new(SystemClock::new()))))
        };
        self.bench.lab.inside(act).unwrap()
    }
}
