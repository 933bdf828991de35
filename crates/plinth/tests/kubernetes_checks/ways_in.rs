//! The ways into the platform: a service with an address of a load balancer, and the ingress controller behind a port of the nodes. A real pod
//! serves them, kube-proxy leads there, and the test gives the address as MetalLB would: in the service's status, and on a node of the lab.

use crate::ground::{Ground, NGINX, namespace, pod};
use serde_json::json;
use std::net::Ipv4Addr;

const NAMESPACE: &str = "ingress-nginx";
const SERVICE: &str = "ingress-nginx-controller";
/// A server that knows nothing, as the default backend of an ingress controller.
const CONFIG: &str = "error_log /dev/stderr;\npid /tmp/nginx.pid;\nevents {}\nhttp {\naccess_log off;\nserver {\nlisten 8080;\nreturn 404;\n}\n}\n";

fn stands(ground: &Ground) {
    let command = ["/usr/sbin/nginx", "-c", "/etc/standin/nginx.conf", "-g", "daemon off; user nobody nogroup;"];
    let mut server = pod((NAMESPACE, "ingress"), &json!({"standin": "ingress"}), NGINX, &command);
    server["spec"]["volumes"] = json!([{"name": "config", "configMap": {"name": "ingress"}}]);
    server["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "config", "mountPath": "/etc/standin"}]);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": NAMESPACE, "name": "ingress"},
        "data": {"nginx.conf": CONFIG}});
    let ports = json!([{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080}]);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": NAMESPACE, "name": SERVICE},
        "spec": {"type": "LoadBalancer", "selector": {"standin": "ingress"}, "ports": ports}});
    ground.apply(&[namespace(NAMESPACE), map, server, service]);
    ground.kubectl(&["wait", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=120s", "pod/ingress"]);
}

/// What MetalLB would say.
fn given(ground: &Ground, address: Ipv4Addr) {
    let status =
        json!({"status": {"loadBalancer": {"ingress": [{"ip": address.to_string(), "ipMode": "VIP"}]}}}).to_string();
    ground.kubectl(&[
        "patch",
        "service",
        SERVICE,
        "-n",
        NAMESPACE,
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ]);
    // kube-proxy follows within a moment.
    std::thread::sleep(std::time::Duration::from_secs(3));
}

fn leads_to(ground: &Ground, standin: &str) {
    let patch = json!({"spec": {"selector": {"standin": standin}}}).to_string();
    ground.kubectl(&["patch", "service", SERVICE, "-n", NAMESPACE, "--type=merge", "-p", &patch]);
    std::thread::sleep(std::time::Duration::from_secs(5));
}

fn host(ground: &Ground, last: u8) -> Ipv4Addr {
    let [a, b, c, _] = ground.bench.lab.node("n2").unwrap().address().octets();
    Ipv4Addr::new(a, b, c, last)
}

/// The address is announced by n2; then nobody announces another one; then there is no pod, no address, or one of somebody else.
pub(crate) fn load_balancer(ground: &Ground) {
    const CODE: &str = "ingress.address-does-not-answer";
    let (first, second, last, foreign) = (host(ground, 200), host(ground, 201), host(ground, 209), host(ground, 220));
    let pool = json!({"loadBalancer": {"addresses": [format!("{first}-{last}")]}});
    ground.site(&pool, &["ingress-nginx", "metallb"], &json!({}));
    ground.fails("load-balancer", CODE, &[&format!("there is no service {NAMESPACE}/{SERVICE}")]);
    stands(ground);
    ground.fails("load-balancer", CODE, &["has no address from a load balancer"]);

    let announce = format!("ip address add {first}/24 dev host0");
    ground.bench.lab.node("n2").unwrap().exec(&["sh", "-euc", &announce]).unwrap();
    given(ground, first);
    ground.holds("load-balancer", &[&format!("{SERVICE} has {first}"), &format!("{first}:80 answers this machine")]);

    given(ground, second);
    ground.holds("load-balancer", &[&format!("{second}:80 answers a pod, and not this machine")]);
    leads_to(ground, "nobody");
    ground.fails("load-balancer", CODE, &[&format!("{second}:80 answers neither this machine")]);
    given(ground, first);
    ground.fails("load-balancer", CODE, &[&format!("{first}:80 does not answer this machine: nothing listens there")]);
    leads_to(ground, "ingress");
    given(ground, foreign);
    ground.fails(
        "load-balancer",
        CODE,
        &[&format!("has {foreign}, which is not of platform.loadBalancer.addresses: {first}-{last}")],
    );
}

/// Without a load balancer a port of the nodes leads there.
pub(crate) fn controller(ground: &Ground) {
    ground.site(&json!({}), &["ingress-nginx"], &json!({}));
    let node = ground.bench.lab.node("n1").unwrap().address();
    ground.holds("ingress", &[&format!("{node}:30080 answers this machine with 404")]);
    leads_to(ground, "nobody");
    ground.fails(
        "ingress",
        "ingress.does-not-answer",
        &[&format!("{node}:30080 does not answer this machine: nothing listens there")],
    );
}
