//! Pods in manifests, and the Pod Security level that each of them needs: the controls of Kubernetes' Pod Security Standards, as the
//! API server's own admission checks them for a namespace without a pinned version. Not covered: Windows' exceptions from the
//! restricted level, and relaxations for pods with a user namespace.

use plinth_model::Version;
use plinth_model::steps::PodSecurity;
use serde_json::Value;
use std::collections::BTreeSet;

/// Capabilities that a baseline pod may add.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Kernel settings that a baseline pod may make.
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
/// SELinux types that a baseline pod may have.
const SELINUX: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
/// Volumes that a restricted pod may have.
const VOLUMES: [&str; 8] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
/// Beginning of the annotations that name an AppArmor profile, before there was a field for it.
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
/// The Kubernetes from which on the host of a probe counts.
const PROBES_SINCE: (u64, u64) = (1, 34);

/// A pod as an object makes it.
pub(super) struct Pod<'a> {
    /// `DaemonSet prometheus/node-exporter`.
    pub(super) title: String,
    pub(super) namespace: String,
    annotations: &'a Value,
    pub(super) spec: &'a Value,
}

/// The pod of an object; none: it makes none.
pub(super) fn pod<'a>(object: &'a Value, title: String, namespace: String) -> Option<Pod<'a>> {
    let kind = object["kind"].as_str()?;
    let template: &'a Value = match kind {
        "Pod" => object,
        "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            object.pointer("/spec/template")?
        }
        "CronJob" => object.pointer("/spec/jobTemplate/spec/template")?,
        "PodTemplate" => object.get("template")?,
        _ => return None,
    };
    let spec = template.get("spec").filter(|spec| spec.is_object())?;
    Some(Pod { title, namespace, annotations: &template["metadata"]["annotations"], spec })
}

impl<'a> Pod<'a> {
    /// All of its containers.
    pub(super) fn containers(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let spec = self.spec;
        ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|list| items(&spec[list]))
    }

    /// Whether it is on the network of its node.
    pub(super) fn is_on_host_network(&self) -> bool {
        is_true(&self.spec["hostNetwork"])
    }

    /// Why it cannot be in a namespace of this level; empty: it can.
    pub(super) fn refused_at(&self, level: PodSecurity, kubernetes: Option<&Version>) -> Vec<String> {
        let mut reasons = BTreeSet::new();
        if level <= PodSecurity::Baseline {
            reasons.extend(self.no_baseline(kubernetes));
        }
        if level == PodSecurity::Restricted {
            reasons.extend(self.no_restricted());
        }
        reasons.into_iter().collect()
    }

    fn no_baseline(&self, kubernetes: Option<&Version>) -> Vec<String> {
        let spec = self.spec;
        let mut reasons: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
            .into_iter()
            .filter(|name| is_true(&spec[*name]))
            .map(|name| format!("{name} is true"))
            .collect();
        let paths = items(&spec["volumes"]).filter(|volume| volume.get("hostPath").is_some_and(|path| !path.is_null()));
        reasons.extend(paths.map(|volume| format!("volume {} is a hostPath", name(volume))));
        let sysctls = items(&spec["securityContext"]["sysctls"]).map(name);
        let forbidden = sysctls.filter(|sysctl| !SYSCTLS.contains(sysctl));
        reasons.extend(forbidden.map(|sysctl| format!("sysctl {sysctl} is set")));
        reasons.extend(context_no_baseline(&spec["securityContext"], "the pod"));
        reasons.extend(self.apparmor_of_annotations());
        let probes_count = kubernetes.is_some_and(|version| {
            let version = version.semver();
            (version.major, version.minor) >= PROBES_SINCE
        });
        for container in self.containers() {
            reasons.extend(container_no_baseline(container, probes_count));
        }
        reasons
    }

    fn apparmor_of_annotations(&self) -> Vec<String> {
        let all = self.annotations.as_object().into_iter().flatten();
        let is_fine =
            |profile: &str| profile.is_empty() || profile == "runtime/default" || profile.starts_with("localhost/");
        let forbidden =
            all.filter(|(key, profile)| key.starts_with(APPARMOR) && !profile.as_str().is_some_and(is_fine));
        forbidden.map(|(key, _)| format!("AppArmor is off for {}", &key[APPARMOR.len()..])).collect()
    }

    fn no_restricted(&self) -> Vec<String> {
        let context = &self.spec["securityContext"];
        let mut reasons = Vec::new();
        for volume in items(&self.spec["volumes"]) {
            let kinds =
                volume.as_object().into_iter().flatten().filter(|(key, kind)| *key != "name" && !kind.is_null());
            let forbidden = kinds.map(|(kind, _)| kind.as_str()).filter(|kind| !VOLUMES.contains(kind));
            reasons.extend(forbidden.map(|kind| format!("volume {} is a {kind}", name(volume))));
        }
        if context["runAsUser"] == 0 {
            reasons.push("runAsUser is 0".to_owned());
        }
        for container in self.containers() {
            reasons.extend(container_no_restricted(container, context));
        }
        reasons
    }
}

fn container_no_baseline(container: &Value, probes_count: bool) -> Vec<String> {
    let (context, name) = (&container["securityContext"], name(container));
    let mut reasons = context_no_baseline(context, &format!("container {name}"));
    if is_true(&context["privileged"]) {
        reasons.push(format!("container {name} is privileged"));
    }
    let added = texts(&context["capabilities"]["add"]).filter(|capability| !CAPABILITIES.contains(capability));
    reasons.extend(added.map(|capability| format!("container {name} adds capability {capability}")));
    let ports = items(&container["ports"]).filter_map(|port| port["hostPort"].as_u64()).filter(|port| *port != 0);
    reasons.extend(ports.map(|port| format!("container {name} has hostPort {port}")));
    if context["procMount"].as_str().is_some_and(|mount| mount != "Default") {
        reasons.push(format!("container {name} has an unmasked /proc"));
    }
    if probes_count && asks_another_host(container) {
        reasons.push(format!("a probe or hook of container {name} names a host"));
    }
    reasons
}

fn asks_another_host(container: &Value) -> bool {
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"].map(|probe| &container[probe]);
    let hooks = ["postStart", "preStop"].map(|hook| &container["lifecycle"][hook]);
    let host = |action: &Value| action["host"].as_str().is_some_and(|host| !host.is_empty());
    probes.into_iter().chain(hooks).any(|handler| host(&handler["httpGet"]) || host(&handler["tcpSocket"]))
}

/// What is the same for a pod and for a container.
fn context_no_baseline(context: &Value, of: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if is_true(&context["windowsOptions"]["hostProcess"]) {
        reasons.push(format!("{of} is a host process"));
    }
    let selinux = &context["seLinuxOptions"];
    let given = |key: &str| selinux[key].as_str().is_some_and(|text| !text.is_empty());
    if given("user") || given("role") || selinux["type"].as_str().is_some_and(|kind| !SELINUX.contains(&kind)) {
        reasons.push(format!("{of} has SELinux options of its own"));
    }
    for (field, what) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
        if context[field]["type"] == "Unconfined" {
            reasons.push(format!("{what} is off for {of}"));
        }
    }
    reasons
}

fn container_no_restricted(container: &Value, pod: &Value) -> Vec<String> {
    let (context, name) = (&container["securityContext"], name(container));
    let mut reasons = Vec::new();
    if context["allowPrivilegeEscalation"] != false {
        reasons.push(format!("container {name} does not set allowPrivilegeEscalation to false"));
    }
    if !texts(&context["capabilities"]["drop"]).any(|capability| capability == "ALL") {
        reasons.push(format!("container {name} does not drop ALL capabilities"));
    }
    let added = texts(&context["capabilities"]["add"]).filter(|capability| *capability != "NET_BIND_SERVICE");
    reasons.extend(added.map(|capability| format!("container {name} adds capability {capability}")));
    let own_or_pods = |key: &str| if context[key].is_null() { &pod[key] } else { &context[key] };
    if *own_or_pods("runAsNonRoot") != true {
        reasons.push(format!("container {name} may run as root (runAsNonRoot)"));
    }
    if context["runAsUser"] == 0 {
        reasons.push(format!("container {name} has runAsUser 0"));
    }
    if !matches!(own_or_pods("seccompProfile")["type"].as_str(), Some("RuntimeDefault" | "Localhost")) {
        reasons.push(format!("container {name} has no seccomp profile"));
    }
    reasons
}

fn is_true(value: &Value) -> bool {
    *value == true
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    items(list).filter_map(Value::as_str)
}

fn name(item: &Value) -> &str {
    item["name"].as_str().unwrap_or("without a name")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(spec: &Value, level: PodSecurity, kubernetes: &str) -> Vec<String> {
        let object = json!({"kind": "Deployment", "spec": {"template": {"spec": spec}}});
        let pod = pod(&object, String::new(), String::new()).unwrap();
        pod.refused_at(level, Some(&kubernetes.parse().unwrap()))
    }

    /// A pod that every level takes.
    fn hardened() -> Value {
        json!({
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "c"}}],
            "containers": [{
                "name": "c", "ports": [{"containerPort": 80}],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
            }],
        })
    }

    /// The hardened pod with a value at a place.
    fn with(place: &str, value: Value) -> Value {
        let mut spec = hardened();
        let (parent, key) = place.rsplit_once('/').unwrap();
        let parent = spec.pointer_mut(parent).unwrap();
        match key.parse::<usize>() {
            Ok(index) => parent[index] = value,
            Err(_) => parent[key] = value,
        }
        spec
    }

    #[test]
    fn a_hardened_pod_may_be_everywhere_and_a_plain_one_in_baseline() {
        for level in [PodSecurity::Restricted, PodSecurity::Baseline, PodSecurity::Privileged] {
            assert_eq!(refused(&hardened(), level, "v1.34.0"), Vec::<String>::new());
        }
        let plain = json!({"containers": [{"name": "c"}]});
        assert_eq!(refused(&plain, PodSecurity::Baseline, "v1.34.0"), Vec::<String>::new());
        assert_eq!(refused(&plain, PodSecurity::Restricted, "v1.34.0").len(), 4);
    }

    #[test]
    fn every_control_of_baseline_is_seen() {
        let cases = [
            ("/hostNetwork", json!(true), "hostNetwork is true"),
            ("/hostPID", json!(true), "hostPID is true"),
            ("/hostIPC", json!(true), "hostIPC is true"),
            ("/volumes/0", json!({"name": "v", "hostPath": {"path": "/"}}), "volume v is a hostPath"),
            ("/securityContext/sysctls", json!([{"name": "kernel.msgmax"}]), "sysctl kernel.msgmax is set"),
            ("/securityContext/seLinuxOptions", json!({"type": "spc_t"}), "the pod has SELinux options of its own"),
            ("/securityContext/windowsOptions", json!({"hostProcess": true}), "the pod is a host process"),
            ("/containers/0/securityContext/privileged", json!(true), "container c is privileged"),
            ("/containers/0/securityContext/procMount", json!("Unmasked"), "container c has an unmasked /proc"),
            (
                "/containers/0/securityContext/seccompProfile",
                json!({"type": "Unconfined"}),
                "seccomp is off for container c",
            ),
            (
                "/containers/0/securityContext/appArmorProfile",
                json!({"type": "Unconfined"}),
                "AppArmor is off for container c",
            ),
            (
                "/containers/0/securityContext/capabilities/add",
                json!(["NET_ADMIN"]),
                "container c adds capability NET_ADMIN",
            ),
            ("/containers/0/ports/0/hostPort", json!(80), "container c has hostPort 80"),
        ];
        for (place, value, reason) in cases {
            let spec = with(place, value);
            assert_eq!(refused(&spec, PodSecurity::Baseline, "v1.31.9"), [reason], "{place}");
            assert!(refused(&spec, PodSecurity::Restricted, "v1.31.9").contains(&reason.to_owned()), "{place}");
            assert_eq!(refused(&spec, PodSecurity::Privileged, "v1.31.9"), Vec::<String>::new());
        }
        let probe = with("/containers/0/livenessProbe", json!({"httpGet": {"host": "10.0.0.1", "port": 1}}));
        assert_eq!(refused(&probe, PodSecurity::Baseline, "v1.33.9"), Vec::<String>::new());
        assert_eq!(refused(&probe, PodSecurity::Baseline, "v1.34.0"), ["a probe or hook of container c names a host"]);
    }

    #[test]
    fn every_control_of_restricted_is_seen() {
        let cases = [
            ("/volumes/0", json!({"name": "v", "nfs": {"path": "/"}}), "volume v is a nfs"),
            ("/securityContext/runAsNonRoot", json!(false), "container c may run as root (runAsNonRoot)"),
            ("/securityContext/runAsUser", json!(0), "runAsUser is 0"),
            ("/securityContext/seccompProfile", json!(null), "container c has no seccomp profile"),
            ("/containers/0/securityContext/runAsUser", json!(0), "container c has runAsUser 0"),
            ("/containers/0/securityContext/runAsNonRoot", json!(false), "container c may run as root (runAsNonRoot)"),
            (
                "/containers/0/securityContext/capabilities/drop",
                json!(["NET_RAW"]),
                "container c does not drop ALL capabilities",
            ),
            ("/containers/0/securityContext/capabilities/add", json!(["CHOWN"]), "container c adds capability CHOWN"),
            (
                "/containers/0/securityContext/allowPrivilegeEscalation",
                json!(null),
                "container c does not set allowPrivilegeEscalation to false",
            ),
        ];
        for (place, value, reason) in cases {
            let spec = with(place, value);
            assert_eq!(refused(&spec, PodSecurity::Restricted, "v1.31.9"), [reason], "{place}");
            assert_eq!(refused(&spec, PodSecurity::Baseline, "v1.31.9"), Vec::<String>::new(), "{place}");
        }
        let mut own = with("/securityContext", json!({}));
        own["containers"][0]["securityContext"]["runAsNonRoot"] = true.into();
        own["containers"][0]["securityContext"]["seccompProfile"] = json!({"type": "Localhost"});
        assert_eq!(refused(&own, PodSecurity::Restricted, "v1.31.9"), Vec::<String>::new(), "each container says it");
    }

    #[test]
    fn init_containers_count_and_all_that_makes_pods_is_known() {
        let spec =
            json!({"initContainers": [{"name": "i", "securityContext": {"privileged": true}}], "containers": []});
        let template = json!({"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/i": "unconfined"}}, "spec": spec});
        let makers = [
            json!({"kind": "Pod", "metadata": template["metadata"], "spec": spec}),
            json!({"kind": "DaemonSet", "spec": {"template": template}}),
            json!({"kind": "Job", "spec": {"template": template}}),
            json!({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}}),
        ];
        for object in &makers {
            let found = pod(object, String::new(), String::new()).unwrap();
            let reasons = found.refused_at(PodSecurity::Baseline, None);
            assert_eq!(reasons, ["AppArmor is off for i", "container i is privileged"], "{object}");
        }
        assert!(
            pod(&json!({"kind": "Service", "spec": {"template": {"spec": {}}}}), String::new(), String::new())
                .is_none()
        );
    }
}
