//! Variables that the site file may not set behind plinth's back: it has a key for them, or plinth stands on them.

use super::own_names::{AMOUNTS, ANSIBLE, INSIDE, KEYED, RELIED, REPLACEABLE, RESERVED, WORKED_OUT};
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_site::Desired;
use serde_json::Value;

/// Why the site may not set this variable; none when it may. `ours`: what plinth would have written.
pub(super) fn refused(desired: &Desired, name: &str, ours: Option<&Value>, value: &Value) -> Option<Finding> {
    if ours == Some(value) {
        return None;
    }
    let (text, fix) = keyed(name)
        .or_else(|| relied(name, value))
        .or_else(|| ansible(name))
        .or_else(|| worked_out(name))
        .or_else(|| inside(name, value))
        .or_else(|| services(desired, name, value))
        .or_else(|| written(name, ours))?;
    let subject = format!("kubernetes.extraVars.{name}");
    let finding = Finding::error(code::KUBERNETES_EXTRA_VAR_OWN, subject, text).fix(fix);
    Some(match ours {
        Some(ours) => finding.evidence(format!("plinth: {ours}")),
        None => finding,
    })
}

type Refusal = (String, String);

/// The key of the site file that stands for a variable.
fn key_of(name: &str) -> Option<&'static str> {
    let one = || KEYED.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
    one().or_else(|| {
        let (begin, key) = RESERVED.iter().find(|(begin, _)| name.starts_with(begin))?;
        let amount = name.strip_prefix(begin)?.strip_suffix("_reserved")?;
        AMOUNTS.contains(&amount.strip_prefix("master_").unwrap_or(amount)).then_some(*key)
    })
}

fn keyed(name: &str) -> Option<Refusal> {
    let key = key_of(name)?;
    let text = format!("`{name}` has a key of its own, and only that is checked against the rest of the site");
    Some((text, format!("remove it, and write `{key}`")))
}

fn relied(name: &str, value: &Value) -> Option<Refusal> {
    let (_, wanted, why) = RELIED.iter().find(|(known, ..)| *known == name)?;
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_same = written == *wanted || written.strip_suffix('/') == Some(wanted);
    let fix = if wanted.is_empty() { "remove it".to_owned() } else { format!("remove it; it stays `{wanted}`") };
    (!is_same).then(|| (format!("plinth relies on another value of `{name}`: {why}"), fix))
}

fn ansible(name: &str) -> Option<Refusal> {
    let is_free = ANSIBLE.iter().any(|(known, _)| *known == name);
    (name.starts_with("ansible_") && !is_free).then(|| {
        let text = format!(
            "`{name}` is Ansible's own: how it gets onto nodes, becomes root or knows them; plinth does that with its own account, key and host keys"
        );
        (text, "remove it; logins belong under `access`, addresses under `nodes.overrides.NODE.address`".to_owned())
    })
}

fn worked_out(name: &str) -> Option<Refusal> {
    WORKED_OUT.contains(&name).then(|| {
        let text =
            format!("`{name}` is another one on each node, or follows from the rest; given here, it would be the same everywhere");
        (text, "remove it; addresses of nodes belong under `nodes.overrides.NODE.address`".to_owned())
    })
}

/// An option that plinth stands on, within a variable that is handed on as it is.
fn inside(name: &str, value: &Value) -> Option<Refusal> {
    let (_, options) = INSIDE.iter().find(|(known, _)| *known == name)?;
    let found = options.iter().find(|option| holds(value, option))?;
    let key = match *found {
        "node-labels" => "; labels belong under `nodes.overrides.NODE.labels`",
        "register-with-taints" => "; taints belong under `nodes.overrides.NODE.taints`",
        "node-ip" | "address" | "advertise-address" => "; addresses belong under `nodes.overrides.NODE.address`",
        "cluster-cidr" | "service-cluster-ip-range" | "node-cidr-mask-size" => {
            "; ranges belong under `kubernetes.network`"
        }
        _ => "",
    };
    Some((
        format!("`{name}` sets `{found}`, and plinth relies on what Kubespray sets there"),
        format!("take `{found}` out of it{key}"),
    ))
}

/// Whether flags, a list of them, or settings by name hold an option.
fn holds(value: &Value, option: &str) -> bool {
    let is_it = |flag: &str| flag.trim_start_matches('-').split(['=', ' ']).next() == Some(option);
    match value {
        Value::String(text) => text.split_whitespace().any(is_it),
        Value::Array(items) => items.iter().any(|item| holds(item, option)),
        Value::Object(map) => map.keys().any(|key| is_it(key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Two programs that give services their addresses: both would answer.
fn services(desired: &Desired, name: &str, value: &Value) -> Option<Refusal> {
    let is_on = !matches!(value, Value::Bool(false));
    let both = name == "kube_vip_services_enabled" && is_on && !desired.platform.load_balancer.is_empty();
    both.then(|| {
        let text = "kube-vip and MetalLB would both give services their addresses".to_owned();
        (text, "remove it, or remove `platform.loadBalancer`".to_owned())
    })
}

/// What plinth writes itself for this very site, unless a site may replace it.
fn written(name: &str, ours: Option<&Value>) -> Option<Refusal> {
    let is_free = REPLACEABLE.iter().any(|(known, _)| *known == name);
    (ours.is_some() && !is_free)
        .then(|| (format!("plinth writes `{name}` itself, and the rest stands on its value"), "remove it".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_option_is_found_however_flags_are_written() {
        for value in [
            json!(["--hostname-override=x"]),
            json!(["--v=2", "--hostname-override", "x"]),
            json!("--v=2 --hostname-override=x"),
            json!({"hostname-override": "x"}),
        ] {
            assert!(inside("kubelet_custom_flags", &value).is_some(), "{value}");
        }
        for value in [json!(["--v=2"]), json!("--hostname-overrides=x"), json!(1), json!({"v": "hostname-override"})] {
            assert!(inside("kubelet_custom_flags", &value).is_none(), "{value}");
        }
        assert!(inside("kubelet_config_extra_args", &json!({"clusterDNS": ["10.0.0.1"]})).is_some());
    }

    #[test]
    fn each_name_is_decided_once() {
        let mut names: Vec<&str> = KEYED.iter().map(|(name, _)| *name).collect();
        names.extend(RELIED.iter().map(|(name, ..)| *name));
        names.extend(WORKED_OUT);
        names.extend(REPLACEABLE.iter().map(|(name, _)| *name));
        names.extend(ANSIBLE.iter().map(|(name, _)| *name));
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert_eq!(key_of("system_memory_reserved"), Some("kubernetes.kubelet.systemReserved"));
        assert_eq!(key_of("kube_master_pid_reserved"), Some("kubernetes.kubelet.kubeReserved"));
        assert_eq!((key_of("system_memory_limit"), key_of("kubelet_image_gc_high_threshold")), (None, None));
    }
}
