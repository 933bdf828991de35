//! A webhook that takes no two pools with one address, as MetalLB's own: the address of the ingress moves, goes, and comes back all the same.

use crate::charts;
use crate::ground::{FEW, Ground, plan_of, site};
use base64::Engine as _;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const POOLS: &str = "ipaddresspools.metallb.io";
/// Names with addresses.
type Pools = [(String, String)];

/// The site with this address of the ingress; none: the first of the balancer's.
fn with_address(address: Option<&str>) -> String {
    let ingress = address.map(|address| format!("  ingress: {{address: {address}}}\n")).unwrap_or_default();
    site("{folder: charts}", FEW)
        .replace("    metallb: {enabled: false}\n", "    metallb: {version: 0.15.3}\n")
        .replace("gpu-pod, storage", "gpu-pod, dns, ingress, storage")
        .replace(
            "  components:\n",
            &format!("  loadBalancer: {{addresses: [10.20.0.100-10.20.0.110]}}\n{ingress}  components:\n"),
        )
}

/// Its server; it is asked as long as the runtime lives.
struct Webhook {
    authority: String,
    port: u16,
    _runtime: tokio::runtime::Runtime,
}

impl Webhook {
    fn up(kubeconfig: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        runtime.spawn(async move {
            let options = kube::config::KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(file, &options).await.unwrap();
            let client = Client::try_from(config).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, client) = (acceptor.clone(), client.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let asked = body(&mut stream).await;
                    let answer = review(&client, &asked).await.to_string();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                        answer.len()
                    );
                    let _the_asker_went = stream.write_all((head + &answer).as_bytes()).await;
                    let _the_asker_went = stream.shutdown().await;
                });
            }
        });
        Self { authority: made.cert.pem(), port, _runtime: runtime }
    }

    fn configuration(&self) -> Value {
        let bundle = base64::engine::general_purpose::STANDARD.encode(&self.authority);
        let rules = json!([{"apiGroups": ["metallb.io"], "apiVersions": ["v1beta1"], "operations": ["CREATE", "UPDATE"],
            "resources": ["ipaddresspools"]}]);
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "no-overlap"},
            "webhooks": [{"name": "no-overlap.stand-in.invalid", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "failurePolicy": "Fail", "rules": rules,
                "clientConfig": {"url": format!("https://127.0.0.1:{}/validate", self.port), "caBundle": bundle}}],
        })
    }
}

/// The body of one request.
async fn body(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Value {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap_or(0);
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok());
        if whole.is_some() || read == 0 {
            return whole.unwrap_or_default();
        }
    }
}

/// Whether the pool holds no address of another one that is there.
async fn review(client: &Client, asked: &Value) -> Value {
    let pool = &asked["request"]["object"];
    let resource = ApiResource {
        group: "metallb.io".to_owned(),
        version: "v1beta1".to_owned(),
        api_version: "metallb.io/v1beta1".to_owned(),
        kind: "IPAddressPool".to_owned(),
        plural: "ipaddresspools".to_owned(),
    };
    let there = Api::<DynamicObject>::all_with(client.clone(), &resource).list(&Default::default()).await;
    let there = there.map(|list| list.items).unwrap_or_default();
    let clash = there.iter().find(|other| {
        other.metadata.name.as_deref() != pool["metadata"]["name"].as_str()
            && ranges(&other.data).iter().any(|(first, last)| {
                ranges(pool).iter().any(|(other_first, other_last)| first <= other_last && other_first <= last)
            })
    });
    let message = clash.map(|other| format!("overlaps with pool {}", other.metadata.name.as_deref().unwrap_or("?")));
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
        "uid": asked["request"]["uid"], "allowed": clash.is_none(), "status": {"message": message.unwrap_or_default()}}})
}

fn ranges(pool: &Value) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let texts = pool["spec"]["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let address = |text: &str| text.trim_end_matches("/32").parse().unwrap();
        (address(first), address(last))
    };
    texts.map(range).collect()
}

/// Pools with their addresses, by name.
fn pools(ground: &Ground) -> Vec<(String, String)> {
    let list = ground.plane.kubectl(&["get", POOLS, "--namespace", "metallb-system", "-o", "json"]).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let addresses =
        |pool: &Value| -> Vec<String> { pool["spec"]["addresses"].as_array().unwrap().iter().map(text).collect() };
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pool| (text(&pool["metadata"]["name"]), addresses(pool).join(",")))
        .collect()
}

/// What the plan shows of the pools' steps, which must have been looked at without a refusal.
fn shown(ground: &Ground) -> Vec<String> {
    let plan = ground.plinth(&["plan", "--preflight", "--detailed-exitcode", "--json"]).exits(2);
    assert!(!plan.out.contains("overlaps") && !plan.said.contains("overlaps"), "{}\n{}", plan.out, plan.said);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    let steps = plan["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap().to_owned());
    steps.filter(|id| id.starts_with("platform/remove/") || id == "platform/objects/metallb").collect()
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_address_of_the_ingress_moves_and_goes_under_a_webhook_that_takes_no_overlap() {
    Ground::with("helm3", FEW, |ground| {
        ground.write("site.yaml", with_address(None));
        charts::pack(&plan_of(&ground.path("site.yaml")), &ground.path("charts"));
        let webhook = Webhook::up(&ground.plane.admin());
        ground.apply(&webhook.configuration());
        let pair = |name: &str, addresses: &str| (name.to_owned(), addresses.to_owned());
        let (first, whole) = ("ingress-10.20.0.100", "10.20.0.100-10.20.0.110");
        let split = [pair(first, "10.20.0.100/32"), pair("platform", "10.20.0.101-10.20.0.110")];
        ground.apply_site().exits(0);
        assert_eq!(pools(ground), split);
        ground.plan_is_empty();
        // The webhook does refuse.
        let words = ["patch", POOLS, "platform", "--namespace", "metallb-system", "--type=merge", "-p"];
        let patch = format!(r#"{{"spec": {{"addresses": ["{whole}"]}}}}"#);
        let refused = ground.plane.kubectl(&[&words[..], &[patch.as_str()]].concat()).unwrap_err().to_string();
        assert!(refused.contains("overlaps with pool ingress-10.20.0.100"), "{refused}");

        let moved = [
            pair("ingress-10.20.0.105", "10.20.0.105/32"),
            pair("platform", "10.20.0.100-10.20.0.104,10.20.0.106-10.20.0.110"),
        ];
        let steps: [(Option<&str>, &Pools, bool); 3] = [
            (Some("10.20.0.105"), &moved, true),
            (Some("10.20.0.11"), &[pair("platform", whole)], true),
            (None, &split, false),
        ];
        for (address, wanted, drops) in steps {
            ground.write("site.yaml", with_address(address));
            let ids = shown(ground);
            assert_eq!(ids.contains(&"platform/remove/metallb".to_owned()), drops, "{address:?}: {ids:?}");
            ground.apply_site().exits(0);
            assert_eq!(pools(ground), *wanted, "{address:?}");
            ground.plan_is_empty();
        }
    });
}
