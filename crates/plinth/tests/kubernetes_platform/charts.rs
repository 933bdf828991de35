//! Stand-in charts: for every release of a plan a package of the real name and version, which takes any values and makes what the
//! catalog says proves the component's health.

use flate2::Compression;
use flate2::write::GzEncoder;
use plinth_catalog::Catalog;
use plinth_model::Work;
use plinth_model::plan::Plan;
use plinth_model::steps::{CrdPolicy, Health, HelmRelease, KubeObjects, Release};
use plinth_plan::Observed;
use plinth_site::desired::InventorySource;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Rolls pods out anew when a value changes, and shows no value.
const VALUES: &str = "{{ toJson .Values | sha256sum }}";
/// What a monitor of the GPU operator is made of, whose kind Prometheus' chart brings.
const MONITORS: &str = "servicemonitors.monitoring.coreos.com";

/// Pools of addresses of nv-ipam, which only the policy's controller brings.
pub(crate) const POOLS: &str = "ippools.nv-ipam.nvidia.com";

/// Resources that the catalog names by their plural only, and what one of them is called.
const KINDS: [(&str, &str); 17] = [
    ("alertmanagers", "Alertmanager"),
    ("bucketaccesses", "BucketAccess"),
    ("bucketclaims", "BucketClaim"),
    ("clusterpolicies", "ClusterPolicy"),
    ("ipaddresspools", "IPAddressPool"),
    ("knativeservings", "KnativeServing"),
    ("leaderworkersets", "LeaderWorkerSet"),
    ("mpijobs", "MPIJob"),
    ("network-attachment-definitions", "NetworkAttachmentDefinition"),
    ("nimservices", "NIMService"),
    ("prometheuses", "Prometheus"),
    ("runaiconfigs", "RunaiConfig"),
    ("servicemonitors", "ServiceMonitor"),
    ("sriovnetworknodestates", "SriovNetworkNodeState"),
    ("volumesnapshotclasses", "VolumeSnapshotClass"),
    ("volumesnapshotcontents", "VolumeSnapshotContent"),
    ("volumesnapshots", "VolumeSnapshot"),
];

/// A kind that a stand-in chart defines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) kind: String,
    pub(crate) namespaced: bool,
}

impl Kind {
    /// Of an object that the plan has.
    fn of(object: &Value) -> Option<Self> {
        let (group, version) = object["apiVersion"].as_str()?.split_once('/')?;
        let kind = object["kind"].as_str()?;
        let small = kind.to_lowercase();
        let plural = small.strip_suffix('y').map_or_else(|| format!("{small}s"), |stem| format!("{stem}ies"));
        let namespaced = object.pointer("/metadata/namespace").is_some();
        let text = str::to_owned;
        Some(Self { group: text(group), version: text(version), plural, kind: text(kind), namespaced })
    }

    /// Of a resource that only a rule of health names: `clusterpolicies.nvidia.com`.
    pub(crate) fn named(resource: &str, namespaced: bool) -> Option<Self> {
        let (plural, group) = resource.split_once('.')?;
        let kind = KINDS
            .iter()
            .find(|(name, _)| *name == plural)
            .unwrap_or_else(|| panic!("what is one of {plural} called?"))
            .1;
        let text = str::to_owned;
        Some(Self { group: text(group), version: "v1".into(), plural: text(plural), kind: text(kind), namespaced })
    }

    pub(crate) fn definition(&self) -> Value {
        let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{}.{}", self.plural, self.group),
                "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in"}},
            "spec": {
                "group": self.group, "scope": if self.namespaced { "Namespaced" } else { "Cluster" },
                "names": {"plural": self.plural, "kind": self.kind, "singular": self.kind.to_lowercase(),
                    "listKind": format!("{}List", self.kind)},
                "versions": [{"name": self.version, "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": anything}}],
            },
        })
    }
}

/// A rule that an operator fulfils: the object's status must say so.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) component: String,
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// To be merged into the object.
    pub(crate) status: Value,
}

impl Told {
    /// The same object says this, too.
    fn also(&mut self, more: &Value) {
        for (key, value) in more["status"].as_object().unwrap() {
            match (&mut self.status["status"][key], value) {
                (Value::Array(known), Value::Array(more)) => known.extend(more.iter().cloned()),
                (known, more) => *known = more.clone(),
            }
        }
    }
}

/// The plan of a site file that nobody looked at yet.
pub(crate) fn plan_of(site: &Path) -> Plan {
    let desired = plinth_site::load(site).unwrap_or_else(|rejected| panic!("{:#?}", rejected.findings)).desired;
    let InventorySource::Static(nodes) = &desired.inventory else { panic!("a static inventory") };
    let observed = Observed::new(plinth_plan::static_inventory(nodes));
    plinth_plan::plan(&desired, &observed, &Catalog::embedded().unwrap()).unwrap_or_else(|found| panic!("{found:#?}"))
}

/// What belongs to one release of a plan.
struct Part<'a> {
    release: &'a Release,
    objects: Vec<&'a KubeObjects>,
}

/// Each release of a plan with the objects beside it.
fn parts(plan: &Plan) -> Vec<Part<'_>> {
    let releases = plan.steps.iter().filter_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some(&**release),
        _ => None,
    });
    let of = |release: &Release| {
        let objects = plan.steps.iter().filter_map(|step| match &step.work {
            Work::KubeObjects(objects) if objects.component == release.component => Some(objects),
            _ => None,
        });
        objects.collect()
    };
    releases.map(|release| Part { release, objects: of(release) }).collect()
}

/// Kinds that the component's chart defines.
fn kinds(part: &Part<'_>) -> Vec<Kind> {
    let mut all: Vec<Kind> = part.objects.iter().flat_map(|step| step.objects.iter().filter_map(Kind::of)).collect();
    for rule in part.release.health.iter().chain(part.objects.iter().flat_map(|step| &step.health)) {
        if let Health::Field { resource, namespace, .. } | Health::Condition { resource, namespace, .. } = rule
            && !is_built_in(resource)
            && !all.iter().any(|kind| *resource == format!("{}.{}", kind.plural, kind.group))
        {
            all.extend(Kind::named(resource, !namespace.is_empty()));
        }
        if let Health::Condition { resource, name, .. } = rule
            && resource == "customresourcedefinitions.apiextensions.k8s.io"
        {
            all.extend(Kind::named(name, true));
        }
    }
    if part.release.component == "kube-prometheus-stack" {
        all.extend(Kind::named(MONITORS, true));
    }
    // Only the controller of the network operator's policy brings that kind, once the policy is ready; nobody else makes states of nodes.
    all.retain(|kind| format!("{}.{}", kind.plural, kind.group) != POOLS);
    all.sort();
    all.dedup();
    all
}

fn is_built_in(resource: &str) -> bool {
    resource.ends_with(".k8s.io") && !resource.ends_with(".x-k8s.io")
}

/// Everything that operators have to say for the plan to end well.
pub(crate) fn told(plan: &Plan) -> Vec<Told> {
    let mut all = Vec::new();
    for part in parts(plan) {
        let kinds = kinds(&part);
        for rule in part.release.health.iter().chain(part.objects.iter().flat_map(|step| &step.health)) {
            let (resource, namespace, name, status) = match rule {
                // That operator takes its time, and is played on its own.
                Health::Field { resource, .. } if resource.starts_with("sriovnetworknodestates.") => continue,
                Health::Field { resource, namespace, name, path, equals } if path.starts_with(".status.") => {
                    let field = path.trim_start_matches(".status.");
                    (resource, namespace, name, json!({"status": {field: equals}}))
                }
                Health::Condition { resource, namespace, name, condition } if !is_built_in(resource) => {
                    let condition = json!({"type": condition, "status": "True", "reason": "StandIn",
                        "lastTransitionTime": "2026-01-01T00:00:00Z"});
                    (resource, namespace, name, json!({"status": {"conditions": [condition]}}))
                }
                _ => continue,
            };
            let kind = kinds.iter().find(|kind| *resource == format!("{}.{}", kind.plural, kind.group)).unwrap();
            let component = part.release.component.clone();
            let one = Told { component, kind: kind.clone(), namespace: namespace.clone(), name: name.clone(), status };
            match all.iter_mut().find(|known: &&mut Told| known.kind == one.kind && known.name == one.name) {
                Some(known) => known.also(&one.status),
                None => all.push(one),
            }
        }
    }
    all
}

/// Packs a chart for every release of a plan into a folder; answers the names of the files.
pub(crate) fn pack(plan: &Plan, folder: &Path) -> Vec<String> {
    pack_with(plan, folder, |_, _| ())
}

/// The files of a chart, by their names.
pub(crate) type Files = BTreeMap<String, String>;

/// The same, with these changes to the files of each chart.
pub(crate) fn pack_with(plan: &Plan, folder: &Path, change: impl Fn(&Release, &mut Files)) -> Vec<String> {
    std::fs::create_dir_all(folder).unwrap();
    let packed = parts(plan).into_iter().map(|part| {
        let release = part.release;
        let chart = release.chart.rsplit('/').next().unwrap();
        let version = release.version.version();
        let name = format!("{chart}-{version}.tgz");
        let mut files = files(&part);
        change(release, &mut files);
        std::fs::write(folder.join(&name), package(chart, version.as_str(), &files)).unwrap();
        name
    });
    packed.collect()
}

/// The file of objects that somebody makes for this component of a plan, whose maker publishes no chart.
pub(crate) fn objects(plan: &Plan, component: &str) -> String {
    let parts = parts(plan);
    let part = parts.iter().find(|part| part.release.component == component).unwrap();
    let mut documents =
        vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": part.release.namespace}})];
    for text in files(part).values() {
        let mut object: Value = serde_json::from_str(text).unwrap();
        match object["kind"].as_str().unwrap() {
            // It belongs to a chart.
            "Job" => continue,
            "CustomResourceDefinition" | "ValidatingWebhookConfiguration" => (),
            _ => object["metadata"]["namespace"] = json!(part.release.namespace),
        }
        documents.push(object);
    }
    documents.iter().map(|document| format!("{document}\n")).collect::<Vec<_>>().join("---\n")
}

/// A package of these files, as `helm package` makes it.
pub(crate) fn package(chart: &str, version: &str, files: &Files) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let about = format!("apiVersion: v2\nname: {chart}\nversion: {version}\ndescription: a stand-in\n");
    let fixed = [("Chart.yaml".to_owned(), about), ("values.yaml".to_owned(), "{}\n".to_owned())];
    let all = fixed.iter().map(|(name, text)| (name, text)).chain(files);
    for (name, text) in all {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, Path::new(chart).join(name), text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// Everything but what every chart has.
fn files(part: &Part<'_>) -> Files {
    let release = part.release;
    let mut files = BTreeMap::new();
    let own = if release.crds == CrdPolicy::Templates { "templates" } else { "crds" };
    for kind in kinds(part) {
        files.insert(format!("{own}/{}.{}.yaml", kind.plural, kind.group), kind.definition().to_string());
    }
    let mut add = |name: &str, object: Value| {
        let name = format!("templates/{name}.yaml");
        assert!(files.insert(name.clone(), object.to_string()).is_none(), "{}: two times {name}", release.component);
    };
    for (number, rule) in release.health.iter().enumerate() {
        if let Some(object) = proof(part, rule) {
            add(&format!("proof-{number}"), object);
        }
    }
    add("webhook", webhook(release));
    add("settings", settings(release));
    let hook = match release.component.as_str() {
        "runai-cluster" => Some(("pre-install", "pre-install,pre-upgrade")),
        _ if matches!(release.crds, CrdPolicy::Hook | CrdPolicy::Apply) => Some(("hook", "post-install,post-upgrade")),
        _ => None,
    };
    if let Some((name, when)) = hook {
        add("hook", job(name, when));
    }
    if release.component == "gpu-operator" {
        add(
            "monitor",
            json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "metadata": {"name": "gpu-operator"}, "spec": {}}),
        );
    }
    if release.component == "runai-cluster" {
        add(
            "credential",
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "stand-in-credential"},
            "data": {"secret": "{{ .Values.controlPlane.clientSecret | default `` | b64enc }}",
                "existing": "{{ .Values.controlPlane.existingSecret | default `` | b64enc }}",
                "key": "{{ (.Values.controlPlane.secretKeys | default dict).clientSecret | default `` | b64enc }}",
                "uid": "{{ .Values.cluster.uid | b64enc }}", "url": "{{ .Values.controlPlane.url | b64enc }}"}}),
        );
    }
    files
}

/// What a chart makes so that a rule of health can hold; none where plinth or an operator makes it.
fn proof(part: &Part<'_>, rule: &Health) -> Option<Value> {
    match rule {
        Health::Workload { kind, name } => Some(reading_authority(&part.release.component, workload(kind, name))),
        Health::Condition { resource, name, .. } if resource == "apiservices.apiregistration.k8s.io" => {
            // Without a service it is the API server's own, and available at once.
            let (version, group) = name.split_once('.')?;
            Some(json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name},
                "spec": {"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100}}))
        }
        Health::Field { resource, name, equals, .. } if resource == "ingressclasses.networking.k8s.io" => {
            Some(json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
                "spec": {"controller": equals}}))
        }
        Health::Field { resource, name, equals, .. } if resource == "storageclasses.storage.k8s.io" => {
            Some(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": equals,
                "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": "{{ .Values.storageClass.defaultClass }}"}}}))
        }
        Health::Field { resource, namespace, name, .. } | Health::Condition { resource, namespace, name, .. }
            if !is_built_in(resource) =>
        {
            let kind = kinds(part).into_iter().find(|kind| *resource == format!("{}.{}", kind.plural, kind.group))?;
            // Two rules may be about one object: the first makes it.
            let first = part.release.health.iter().find(|other| of_object(other) == of_object(rule));
            (first == Some(rule)).then(|| custom(&kind, namespace, name))
        }
        _ => None,
    }
}

fn of_object(rule: &Health) -> Option<(&str, &str)> {
    match rule {
        Health::Field { resource, name, .. } | Health::Condition { resource, name, .. } => Some((resource, name)),
        _ => None,
    }
}

fn custom(kind: &Kind, namespace: &str, name: &str) -> Value {
    let mut object = json!({"apiVersion": format!("{}/{}", kind.group, kind.version), "kind": kind.kind,
        "metadata": {"name": name}, "spec": {}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

/// A pod that every Pod Security level takes and every node.
fn template(labels: &Value) -> Value {
    json!({
        "metadata": {"labels": labels, "annotations": {"stand-in/values": VALUES}},
        "spec": {
            "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false,
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "main", "image": "stand-in.invalid/nothing:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
        },
    })
}

fn workload(kind: &str, name: &str) -> Value {
    let labels = json!({"app": name});
    let mut object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template(&labels)}});
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = name.into();
    }
    if kind != "DaemonSet" {
        object["spec"]["replicas"] = 1.into();
    }
    object
}

/// Run:ai's parts mount the authority as one file, by sub-path, and optionally here: a tenant's has none.
fn reading_authority(component: &str, mut workload: Value) -> Value {
    if component.starts_with("runai-") {
        let spec = &mut workload["spec"]["template"]["spec"];
        spec["volumes"] = json!([{"name": "ca", "secret": {"secretName": "runai-ca-cert", "optional": true}}]);
        spec["containers"][0]["volumeMounts"] = json!([{"name": "ca", "mountPath": "/etc/ssl/certs/runai-ca.pem", "subPath": "runai-ca.pem", "readOnly": true}]);
    }
    workload
}

fn job(name: &str, when: &str) -> Value {
    let mut template = template(&json!({"job": name}));
    template["spec"]["restartPolicy"] = "Never".into();
    json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "annotations": {"helm.sh/hook": when, "helm.sh/hook-delete-policy": "before-hook-creation"}},
        "spec": {"backoffLimit": 0, "template": template}})
}

/// A webhook that is asked about what nobody makes, since nobody answers it here.
fn webhook(release: &Release) -> Value {
    let service = json!({"name": "webhook", "namespace": release.namespace});
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": format!("stand-in-{}", release.component)},
        "webhooks": [{"name": "nothing.stand-in.invalid", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail", "clientConfig": {"service": service},
            "rules": [{"apiGroups": ["stand-in.invalid"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nothings"]}]}],
    })
}

fn settings(release: &Release) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("stand-in-{}", release.release)},
        "data": {"values": VALUES, "color": "blue"}})
}
