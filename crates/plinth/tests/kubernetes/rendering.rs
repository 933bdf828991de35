//! Manifests that real Helm 3 and 4 render without a cluster, and what a real API server holds of them.

use crate::helm_ground::{Ground, NAMESPACE, PASSWORD, for_each_helm, release, release_name};
use plinth_model::ObjectName;
use plinth_model::steps::Release;
use plinth_plan::manifests::{Manifests, asked};
use plinth_world::helm::{ManifestRenderer as _, Rendered, Rendering};
use plinth_world::kube::KubeContent as _;
use serde_json::{Value, json};

fn judged(name: &str, more: &[(&str, Value)]) -> Release {
    let mut values = json!({"password": {"$secret": {"file": "password"}}});
    for (key, value) in more {
        values[key] = value.clone();
    }
    release("judged", name, "1.0.0", values)
}

fn render(ground: &Ground, release: &Release) -> Rendered {
    let how = Rendering {
        kubernetes: Some("v1.31.9".parse().unwrap()),
        kinds: vec!["other.plinth.test/v1/Other".to_owned()],
        may_fetch: false,
    };
    ground.run(ground.renderer().render(&ground.ctx, release, &how)).unwrap()
}

fn manifests(ground: &Ground, release: &Release) -> Manifests {
    match render(ground, release) {
        Rendered::Manifests { objects, definitions } => Manifests {
            component: release.component.clone(),
            release: release_name(&release.release),
            objects,
            definitions,
        },
        other => panic!("not rendered: {other:?}"),
    }
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn real_helm_renders_without_a_cluster_and_a_chart_may_refuse_its_values() {
    for_each_helm(|ground| {
        let all = manifests(&ground, &judged("j", &[("hook", json!(true))]));
        let kinds: Vec<&str> = all.objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        for kind in ["ConfigMap", "Secret", "ClusterRole", "Service", "DaemonSet", "Job"] {
            assert_eq!(kinds.iter().filter(|known| **known == kind).count(), 1, "{kind} of {kinds:?}");
        }
        assert!(!kinds.contains(&"Pod"), "nobody runs the tests of a chart");
        assert_eq!(all.definitions[0]["metadata"]["name"], "things.judged.plinth.test");
        let about = all.objects.iter().find(|object| object["kind"] == "ConfigMap").unwrap();
        assert_eq!(about["data"], json!({"kubernetes": "v1.31.9", "others": "true"}));
        let text = serde_json::to_string(&all.objects).unwrap();
        let needle = serde_json::to_string(&PASSWORD[..9]).unwrap();
        assert!(!text.contains(needle.trim_matches('"')), "no secret takes part");

        let wrong = render(&ground, &judged("j", &[("port", json!("80"))]));
        let Rendered::Refused { by_schema: true, lines } = wrong else { panic!("{wrong:?}") };
        assert!(lines.iter().any(|line| line.contains("port")), "the key is named: {lines:?}");
        let complains = render(&ground, &judged("j", &[("complaint", json!("say more"))]));
        let Rendered::Refused { by_schema: false, lines } = complains else { panic!("{complains:?}") };
        assert!(lines.iter().any(|line| line.contains("say more")), "{lines:?}");
        assert_eq!(ground.stand.plane.kubectl(&["get", "namespace", NAMESPACE, "--ignore-not-found"]).unwrap(), "");
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn what_the_cluster_holds_of_a_chart_is_told_with_its_owner() {
    for_each_helm(|ground| {
        let ground = ground.settled();
        let (kube, ctx) = (&ground.stand.client, &ground.ctx);
        let ours = judged("j", &[]);
        let names = asked(&[manifests(&ground, &ours)]);
        assert_eq!(ground.run(kube.owners(ctx, &names)).unwrap(), []);
        let kinds = || ground.run(kube.further_kinds(ctx)).unwrap();
        assert_eq!(kinds(), Vec::<String>::new());
        ground.upgrade(&ours).unwrap();
        let owners = ground.run(kube.owners(ctx, &names)).unwrap();
        assert_eq!(owners.len(), names.len(), "{owners:?}");
        assert!(owners.iter().all(|(_, owner)| owner.as_ref() == Some(&release_name("j"))), "{owners:?}");
        assert_eq!(kinds(), ["judged.plinth.test/v1/Thing"]);
        let ports = ground.run(kube.node_ports(ctx)).unwrap();
        let mine: Vec<(u16, String)> = ports.iter().map(|port| (port.number, port.service.to_string())).collect();
        assert_eq!(mine, [(30999, format!("Service {NAMESPACE}/j"))]);
        assert_eq!(ports[0].release, Some(release_name("j")), "whose service has it");

        ground.kubectl(&["create", "configmap", "k-about"]);
        let names = asked(&[manifests(&ground, &judged("k", &[]))]);
        let owners = ground.run(kube.owners(ctx, &names)).unwrap();
        let by_hand = |name: &ObjectName| name.kind == "ConfigMap" && name.name == "k-about";
        assert!(matches!(&owners[..], [(name, None)] if by_hand(name)), "{owners:?}");
        let refused = ground.upgrade(&judged("k", &[("port", json!(30998))])).unwrap_err().to_string();
        assert!(refused.contains("ownership"), "that is what is foreseen: {refused}");
    });
}
