//! The comparable picture of a world.

use super::effect::Installed;
use super::state::{AccountProgress, Cluster, Machine, Member, Runai, State};
use plinth_model::Digest;
use serde_json::{Map, Value, json};

pub(super) fn of(state: &State) -> Value {
    let controller = &state.controller;
    json!({
        "machines": object(&state.machines, machine),
        "controller": {
            "sources": controller.sources,
            "environments": controller.environments,
            "files": controller.files,
            "held": controller.held,
            "deployed": controller.deployed,
        },
        "cluster": cluster(&state.cluster),
        "runai": runai(&state.runai),
        "keptSecrets": state.kept_secrets,
    })
}

fn object<'a, K: ToString + 'a, V: 'a>(
    entries: impl IntoIterator<Item = (&'a K, &'a V)>,
    show: impl Fn(&V) -> Value,
) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (key.to_string(), show(value))).collect::<Map<_, _>>())
}

fn machine(machine: &Machine) -> Value {
    let account = match &machine.account {
        None => Value::Null,
        Some(AccountProgress::Begun(account)) => json!({"name": account.name, "complete": false}),
        Some(AccountProgress::Made(account)) => json!({"name": account.name, "uid": account.uid, "complete": true}),
    };
    json!({
        "pinned": machine.pin.is_some(),
        "account": account,
        "relocatedTo": machine.relocated_to,
        "oldCopy": machine.old_copy,
        "preparation": machine.preparation,
        "registries": machine.registries,
        "pushed": machine.files,
        "prepared": machine.prepared,
    })
}

fn member(member: &Member) -> Value {
    let labels: std::collections::BTreeMap<_, _> = member.labels.iter().collect();
    json!({
        "version": member.version,
        "becomesReady": member.ready_at.is_some(),
        "labels": labels,
        "taints": member.taints,
    })
}

fn cluster(cluster: &Cluster) -> Value {
    json!({
        "members": object(&cluster.members, member),
        "kubeconfig": cluster.kubeconfig,
        "namespaces": cluster.namespaces,
        "secrets": object(&cluster.secrets, |secret| json!(secret.class)),
        "objects": object(&cluster.objects, |object| json!(object.digest)),
        "dns": cluster.dns,
        "releases": object(&cluster.releases, release),
    })
}

fn release(release: &Installed) -> Value {
    json!({
        "version": release.version,
        "values": Digest::of(&release.values),
        "status": release.status,
        "becomesHealthy": release.healthy_at.is_some(),
    })
}

fn runai(runai: &Runai) -> Value {
    let names: Vec<&String> = runai.clusters.iter().map(|(_, name)| name).collect();
    let mut seen = json!({"clusters": names, "credentialsKept": runai.credentials.is_some()});
    if !runai.units.is_empty() {
        seen["units"] = runai.units.values().map(|unit| json!(unit)).collect();
    }
    seen
}
