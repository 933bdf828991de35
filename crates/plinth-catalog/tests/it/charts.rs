//! Values against the keys that the charts know.

use crate::site::{catalog, every_way};
use plinth_catalog::keys::KeyIndex;
use serde_json::Value;
use std::path::Path;

/// Component, its default version, the folder of its default values, its sub-charts' (key in the values, folder), and paths that are
/// decided elsewhere: sub-charts whose values were not at hand.
type Chart =
    (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const CHARTS: [Chart; 30] = [
    ("local-path-provisioner", "0.0.37", "local-path-provisioner-containeroo/0.0.37", &[], &[]),
    ("ingress-nginx", "4.15.1", "ingress-nginx/4.15.1", &[], &[]),
    ("metrics-server", "3.13.0", "metrics-server/3.13.0", &[], &[]),
    (
        "kube-prometheus-stack",
        "77.6.2",
        "kube-prometheus-stack/77.6.2",
        &[
            ("grafana", "grafana/9.4.5"),
            ("kube-state-metrics", "kube-state-metrics/6.3.0"),
            ("prometheus-node-exporter", "prometheus-node-exporter/4.47.3"),
        ],
        &["prometheus-windows-exporter"],
    ),
    // The newest whose values were at hand is a minor older: 88.5.3.
    (
        "kube-prometheus-stack",
        "88.6.5",
        "kube-prometheus-stack/88.5.3",
        &[
            ("grafana", "grafana/12.11.1"),
            ("kube-state-metrics", "kube-state-metrics/8.4.0"),
            ("prometheus-node-exporter", "prometheus-node-exporter/4.56.1"),
        ],
        &["prometheus-windows-exporter"],
    ),
    ("prometheus-adapter", "5.1.0", "prometheus-adapter/5.1.0", &[], &[]),
    (
        "gpu-operator",
        "v25.3.3",
        "gpu-operator/v25.3.3",
        &[("node-feature-discovery", "node-feature-discovery/0.17.3")],
        &[],
    ),
    (
        "gpu-operator",
        "v25.10.1",
        "gpu-operator/v25.10.1",
        &[("node-feature-discovery", "node-feature-discovery/0.18.2")],
        &[],
    ),
    ("lws", "v0.7.0", "lws/v0.7.0", &[], &[]),
    ("knative-operator", "v1.16.0", "knative-operator/v1.16.0", &[], &[]),
    ("knative-operator", "v1.19.2", "knative-operator/v1.19.2", &[], &[]),
    ("knative-operator", "v1.19.6", "knative-operator/v1.19.6", &[], &[]),
    ("knative-operator", "v1.21.4", "knative-operator/v1.21.4", &[], &[]),
    ("haproxy-ingress", "1.52.1", "kubernetes-ingress/1.52.1", &[], &[]),
    ("cert-manager", "v1.18.2", "cert-manager/v1.18.2", &[], &[]),
    ("kyverno", "3.5.1", "kyverno/3.5.1", &[], &["grafana"]),
    ("kyverno-policies", "3.5.1", "kyverno-policies/3.5.1", &[], &[]),
    ("spark-operator", "2.3.0", "spark-operator/2.3.0", &[], &[]),
    ("postgres-operator", "1.14.0", "postgres-operator/1.14.0", &[], &[]),
    ("k8s-nim-operator", "2.0.2", "k8s-nim-operator/2.0.2", &[], &[]),
    ("snapshot-controller", "4.0.2", "snapshot-controller/4.0.2", &[], &[]),
    ("metallb", "0.15.2", "metallb/0.15.2", &[], &["frr-k8s"]),
    (
        "network-operator",
        "25.7.0",
        "network-operator/25.7.0",
        &[
            ("node-feature-discovery", "node-feature-discovery/network-operator-25.7.0"),
            ("sriov-network-operator", "sriov-network-operator/25.7.0"),
            ("maintenance-operator-chart", "maintenance-operator-chart/25.7.0"),
        ],
        &["nic-configuration-operator-chart"],
    ),
    NETWORK_25_10,
    NETWORK_26_1,
    // Older lines that the catalog carries, and a version beside them whose values were at hand.
    ("local-path-provisioner", "0.0.26", "local-path-provisioner-containeroo/0.0.26", &[], &[]),
    ("ingress-nginx", "4.9.0", "ingress-nginx/4.9.0", &[], &[]),
    ("metallb", "0.14.9", "metallb/0.14.9", &[], &["frr-k8s"]),
    ("metrics-server", "3.13.1", "metrics-server/3.13.1", &[], &[]),
    (
        "gpu-operator",
        "v25.3.4",
        "gpu-operator/v25.3.4",
        &[("node-feature-discovery", "node-feature-discovery/0.17.3")],
        &[],
    ),
];

const NETWORK_25_10: Chart = (
    "network-operator",
    "25.10.0",
    "network-operator/25.10.0",
    &[
        ("node-feature-discovery", "node-feature-discovery/network-operator-25.10.0"),
        ("sriov-network-operator", "sriov-network-operator/25.10.0"),
        ("maintenance-operator-chart", "maintenance-operator-chart/25.10.0"),
    ],
    &[],
);

const NETWORK_26_1: Chart = (
    "network-operator",
    "26.1.2",
    "network-operator/26.1.2",
    &[
        ("node-feature-discovery", "node-feature-discovery/network-operator-26.1.2"),
        ("sriov-network-operator", "sriov-network-operator/26.1.2"),
        ("maintenance-operator-chart", "maintenance-operator-chart/26.1.2"),
    ],
    &[],
);

/// Keys that act although the chart's default values do not list them, with the place where they were seen to act.
const UNLISTED: [(&str, &str); 1] = [("gpu-operator", "validator.driver.env")];

/// Keys of sub-charts that stand only in a comment of the default values, by the folder of the sub-chart: from 12 on Grafana makes up a password
/// where none is given.
const COMMENTED: [(&str, &str); 1] = [("grafana/12.11.1", "adminPassword")];

fn default_values(folder: &Path, chart: &Chart) -> Value {
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(folder.join(name).join("values.yaml")).unwrap();
        // Long comments exceed the parser's limit, and keys do not stand in them.
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        serde_saphyr::from_str(&lines.join("\n")).unwrap()
    };
    let mut values = read(chart.2);
    for (key, sub_chart) in chart.3 {
        let mut merged = read(sub_chart);
        for (_, key) in COMMENTED.iter().filter(|(folder, _)| folder == sub_chart) {
            merged[*key] = Value::from("");
        }
        if let Some(over) = values.get(key) {
            plinth_catalog::merge::merge(&mut merged, over);
        }
        values[*key] = merged;
    }
    values
}

/// Writes `catalog/keys` anew from a folder `<chart>/<version>/values.yaml` of published charts: to be run after a default version moved.
#[test]
#[ignore = "needs the charts' own values in the folder named by PLINTH_CHART_VALUES"]
fn write_key_indexes() {
    let folder = std::env::var("PLINTH_CHART_VALUES").unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/keys");
    // Of the others the index stays as it is.
    let at_hand = |chart: &&Chart| Path::new(&folder).join(chart.2).join("values.yaml").is_file();
    for chart in CHARTS.iter().filter(at_hand) {
        let index = KeyIndex::of_values(&default_values(Path::new(&folder), chart), chart.4);
        let head = head(chart);
        std::fs::write(keys.join(format!("{}-{}.txt", chart.0, chart.1)), head + &index.to_text()).unwrap();
    }
}

/// What the keys were made from, in lines of a comment.
fn head(chart: &Chart) -> String {
    let (component, version, folder, sub_charts, _) = chart;
    let own = folder.rsplit_once('/').is_some_and(|(_, of)| of == *version);
    let from = if own {
        "its default values".to_owned()
    } else {
        format!("the default values of {folder}, the newest at hand")
    };
    let commented = COMMENTED.iter().filter_map(|(of, key)| {
        let (place, _) = sub_charts.iter().find(|(_, sub_chart)| sub_chart == of)?;
        Some(format!("; added: {place}.{key},\n# which only a comment of {of} names"))
    });
    let added: String = commented.collect();
    format!("# Keys of {component} {version}, from {from}{added}. Made by the ignored test write_key_indexes.\n")
}

#[test]
fn each_index_says_what_it_was_made_from() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/keys");
    for chart in &CHARTS {
        let text = std::fs::read_to_string(keys.join(format!("{}-{}.txt", chart.0, chart.1))).unwrap();
        assert!(text.starts_with(&head(chart)), "{} {}: {}", chart.0, chart.1, head(chart));
    }
}

#[test]
fn every_version_that_the_catalog_carries_has_its_key_index() {
    let catalog = catalog();
    // A file of objects takes no values.
    for component in catalog.components().values().filter(|component| component.chart.objects.is_none()) {
        for pin in &component.chart.versions {
            assert!(
                catalog.keys(&component.name, pin.version.as_str()).is_some(),
                "{} {}",
                component.name,
                pin.version
            );
        }
    }
}

#[test]
fn all_values_are_keys_that_the_chart_knows() {
    let catalog = catalog();
    let mut compared = 0;
    for (way, desired, facts) in every_way() {
        for component in catalog.resolve(&desired, &facts).components {
            let Some(index) = catalog.keys(&component.name, component.release.version.version().as_str()) else {
                continue;
            };
            let unknown: Vec<String> =
                index.unknown(&component.release.values).into_iter().map(|key| key.path).collect();
            assert_eq!(unknown, [""; 0], "{way}: {}", component.name);
            compared += 1;
        }
    }
    assert!(compared > 80, "only {compared} value sets were compared");
}

/// A site may name any version that is carried, and one beside them.
#[test]
fn a_key_that_no_chart_knows_is_a_doubt_whichever_version_is_named() {
    let versions = [
        ("metallb", "0.14.9"),
        ("gpu-operator", "v25.3.4"),
        ("ingress-nginx", "4.9.0"),
        ("local-path-provisioner", "0.0.26"),
        ("metrics-server", "3.13.1"),
    ];
    for (component, version) in versions {
        let mut desired = crate::site::desired();
        crate::site::choose(&mut desired, component, |choice| {
            choice.version = Some(version.parse().unwrap());
            choice.values = Some(serde_json::json!({"bogus": 1}).try_into().unwrap());
        });
        let facts = crate::site::with(serde_json::json!({"loadBalancer.addresses": ["10.0.0.1/32"]}));
        let findings = catalog().resolve(&desired, &facts).findings;
        let subject = format!("platform.components.{component}.values.bogus");
        let told = findings.iter().any(|f| f.code == "platform.unknown-value" && f.subject == subject);
        assert!(told, "{component} {version}: {findings:#?}");
    }
}

#[test]
fn a_misspelt_key_would_be_seen() {
    let catalog = catalog();
    for (component, path) in [
        ("gpu-operator", "driver.enable"),
        ("kube-prometheus-stack", "prometheus.prometheusSpecs"),
        ("ingress-nginx", "controller.replicas"),
    ] {
        let version = catalog.components()[component].chart.versions[0].version.to_string();
        let values = path
            .rsplit('.')
            .fold(Value::from(1), |value, key| Value::Object([(key.to_owned(), value)].into_iter().collect()));
        let unknown = catalog.keys(component, &version).unwrap().unknown(&values);
        assert_eq!(unknown.iter().map(|key| key.path.as_str()).collect::<Vec<_>>(), [path]);
    }
}

#[test]
fn keys_that_act_unlisted_are_only_a_doubt() {
    for (component, path) in UNLISTED {
        let catalog = catalog();
        let version = catalog.components()[component].chart.versions[0].version.to_string();
        let values = path
            .rsplit('.')
            .fold(Value::from("x"), |value, key| Value::Object([(key.to_owned(), value)].into_iter().collect()));
        assert_eq!(catalog.keys(component, &version).unwrap().unknown(&values).len(), 1);
        let mut desired = crate::site::desired();
        crate::site::choose(&mut desired, component, |choice| choice.values = Some(values.try_into().unwrap()));
        let findings = catalog.resolve(&desired, &crate::site::facts()).findings;
        assert!(findings.iter().all(|finding| !finding.is_error()), "{findings:?}");
    }
}
