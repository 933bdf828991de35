//! Kubernetes, with defaults.

use crate::defaults;
use crate::desired::{
    ApiEndpoint, Calico, Downloads, Engine, Kubernetes, KubesprayTools, Oidc, Reserved, Runai, WebProxy,
};
use crate::raw::cluster::{self, Endpoint, ProxyMode};
use crate::raw::kubernetes::{self as raw, Plugin};
use crate::raw::text::Text;
use indexmap::IndexMap;
use ipnet::Ipv4Net;

pub(super) fn resolve(kubernetes: &raw::Kubernetes, runai: Option<&Runai>) -> Kubernetes {
    let network = kubernetes.network.clone().unwrap_or_default();
    let kubespray = kubernetes.kubespray.as_ref();
    let api = kubernetes.api.as_ref();
    let kubelet = kubernetes.kubelet.clone().unwrap_or_default();
    let dns = kubernetes.dns.as_ref();
    Kubernetes {
        engine: engine(kubernetes.engine),
        version: kubernetes.version.as_ref().map(|version| version.0.clone()),
        kubeconfig: kubernetes.kubeconfig.as_ref().map(|file| file.0.0.clone()),
        kubespray: kubespray.and_then(|k| k.version.clone()).map(|version| version.0),
        kubespray_source: kubespray.and_then(|k| k.source.clone()),
        kubespray_tools: kubespray.map(tools).unwrap_or_default(),
        plugin: network.plugin.unwrap_or(Plugin::Calico).as_str().to_owned(),
        pods: range(kubernetes, network.pods, defaults::PODS),
        services: range(kubernetes, network.services, defaults::SERVICES),
        node_prefix: network.node_prefix.unwrap_or(defaults::NODE_PREFIX),
        mtu: network.mtu,
        proxy_mode: network.proxy_mode.unwrap_or(ProxyMode::Ipvs).as_str().to_owned(),
        calico: calico(network.calico_or_default()),
        extra_names: api.iter().flat_map(|api| &api.extra_names).map(|name| name.0.0.clone()).collect(),
        endpoint: endpoint(api.and_then(|api| api.endpoint.as_ref())),
        oidc: api.and_then(|api| api.oidc.as_ref()).and_then(|given| oidc(given, runai)),
        max_pods: kubelet.max_pods,
        system_reserved: reserved(kubelet.system_reserved.as_ref()),
        kube_reserved: reserved(kubelet.kube_reserved.as_ref()),
        feature_gates: kubernetes.feature_gates.iter().map(|(gate, on)| (gate.0.0.clone(), *on)).collect(),
        node_dns_cache: dns.and_then(|dns| dns.node_cache).unwrap_or(true),
        dns_servers: dns.iter().flat_map(|dns| &dns.servers).map(|server| server.0).collect(),
        proxy: kubernetes.proxy.as_ref().map(proxy),
        downloads: downloads(&kubernetes.downloads.clone().unwrap_or_default()),
        renew_certificates: kubernetes.renew_certificates.unwrap_or(true),
        remove_docker: kubernetes.remove_docker.unwrap_or(false),
        extra_vars: kubernetes.extra_vars.clone(),
    }
}

/// A range of the cluster. One that somebody else made has its own, which nobody told.
fn range(kubernetes: &raw::Kubernetes, given: Option<Text<Ipv4Net>>, default: Ipv4Net) -> Option<Ipv4Net> {
    let is_ours = kubernetes.engine != Some(raw::Engine::Existing);
    given.map(|net| net.0).or_else(|| is_ours.then_some(default))
}

fn tools(kubespray: &raw::Kubespray) -> KubesprayTools {
    KubesprayTools {
        pin: kubespray.pin.as_ref().map(|pin| (pin.commit.0.0.clone(), pin.tree.0.0.clone())),
        python: kubespray.python.clone(),
        index: kubespray.index.clone(),
        wheels: kubespray.wheels.clone(),
    }
}

const fn engine(engine: Option<raw::Engine>) -> Engine {
    match engine {
        None | Some(raw::Engine::Kubespray) => Engine::Kubespray,
        Some(raw::Engine::Bcm) => Engine::Bcm,
        Some(raw::Engine::Existing) => Engine::Existing,
    }
}

fn calico(calico: cluster::Calico) -> Calico {
    Calico { block_size: calico.block_size, typha: calico.typha, interface: calico.interface }
}

fn endpoint(endpoint: Option<&Endpoint>) -> ApiEndpoint {
    match endpoint {
        None => ApiEndpoint::NodeProxy,
        Some(Endpoint::KubeVip(vip)) => {
            ApiEndpoint::KubeVip { address: vip.address.0, interface: vip.interface.clone() }
        }
        Some(Endpoint::LoadBalancer(balancer)) => {
            ApiEndpoint::LoadBalancer { address: balancer.address.0, port: balancer.port.unwrap_or(ApiEndpoint::PORT) }
        }
    }
}

/// Tokens of Run:ai are made for client `runai`, and its users go by their names as they are (NVIDIA Run:ai docs 2.25, Cluster Authentication).
/// None where the checks have said what is missing.
fn oidc(oidc: &cluster::Oidc, runai: Option<&Runai>) -> Option<Oidc> {
    let of_runai = runai.filter(|_| oidc.runai);
    let given = oidc.issuer.as_ref().map(|issuer| issuer.0.0.clone());
    let elsewhere = of_runai.and_then(|runai| runai.control_plane.as_ref()?.authority.clone());
    let authority = oidc.authority.as_ref().map(|pem| format!("{}\n", pem.0.0.trim()));
    Some(Oidc {
        issuer: of_runai.map(Runai::issuer).or(given)?,
        client: oidc.client.clone().or_else(|| of_runai.map(|_| "runai".to_owned()))?,
        username_claim: oidc.username_claim.clone(),
        username_prefix: oidc.username_prefix.clone().or_else(|| of_runai.map(|_| "-".to_owned())),
        groups_claim: oidc.groups_claim.clone(),
        groups_prefix: oidc.groups_prefix.clone(),
        authority: authority.or(elsewhere),
    })
}

fn reserved(reserved: Option<&cluster::Reserved>) -> Reserved {
    let Some(reserved) = reserved else { return Reserved::default() };
    Reserved {
        cpu: reserved.cpu.as_ref().map(|amount| amount.0.0.clone()),
        memory: reserved.memory.as_ref().map(|amount| amount.0.0.clone()),
        ephemeral_storage: reserved.ephemeral_storage.as_ref().map(|amount| amount.0.0.clone()),
        pids: reserved.pids,
    }
}

fn proxy(proxy: &cluster::WebProxy) -> WebProxy {
    WebProxy {
        http: proxy.http.as_ref().map(|address| address.0.0.clone()),
        https: proxy.https.as_ref().map(|address| address.0.0.clone()),
        no_proxy: proxy.no_proxy.iter().map(|host| host.0.0.clone()).collect(),
    }
}

fn downloads(downloads: &cluster::Downloads) -> Downloads {
    Downloads {
        push: downloads.push.unwrap_or(true),
        files: downloads.files.as_ref().map(|address| address.0.0.trim_end_matches('/').to_owned()),
        images: downloads.images.as_ref().map(images).unwrap_or_default(),
    }
}

fn images(images: &cluster::Images) -> IndexMap<String, String> {
    let mirrors = [
        ("registry.k8s.io", &images.kubernetes),
        ("quay.io", &images.quay),
        ("docker.io", &images.docker),
        ("ghcr.io", &images.github),
        ("gcr.io", &images.google),
    ];
    let given = mirrors.into_iter().filter_map(|(registry, mirror)| Some((registry, mirror.as_ref()?)));
    given.map(|(registry, mirror)| (registry.to_owned(), mirror.0.0.trim_end_matches('/').to_owned())).collect()
}
