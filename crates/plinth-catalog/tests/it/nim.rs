//! The service that docs/nim.md shows holds together, and is one of the operator that the catalog installs.

use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/nim.md");
const COMPONENT: &str = include_str!("../../../../catalog/components/k8s-nim-operator.yaml");

/// Objects of the block of YAML in which a service stands.
fn objects() -> Vec<Value> {
    let blocks = PAGE.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next());
    let service = blocks.into_iter().find(|block| block.contains("kind: NIMService")).expect("a service");
    service.split("---\n").map(|text| serde_saphyr::from_str(text).unwrap()).collect()
}

#[test]
fn the_service_of_the_page_is_one_of_the_operator_and_its_secrets_are_made() {
    let objects = objects();
    let [cache, service] = &objects[..] else { panic!("{objects:#?}") };
    for object in [cache, service] {
        assert_eq!(object["apiVersion"], "apps.nvidia.com/v1alpha1");
        assert_eq!(object["metadata"], cache["metadata"], "one name, in one namespace");
    }
    assert!(COMPONENT.contains("name: nimservices.apps.nvidia.com"));
    assert_eq!((&cache["kind"], &service["kind"]), (&"NIMCache".into(), &"NIMService".into()));
    assert_eq!(service["spec"]["storage"]["nimCache"]["name"], cache["metadata"]["name"]);
    let (ngc, spec) = (&cache["spec"]["source"]["ngc"], &service["spec"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let image = format!("{}:{}", text(&spec["image"]["repository"]), text(&spec["image"]["tag"]));
    assert_eq!(text(&ngc["modelPuller"]), image, "the model is fetched by the image that serves it");
    assert_eq!((&spec["authSecret"], &spec["image"]["pullSecrets"][0]), (&ngc["authSecret"], &ngc["pullSecret"]));
    let namespace = text(&cache["metadata"]["namespace"]);
    for secret in ["authSecret", "pullSecret"] {
        let made = format!("kubectl -n {namespace} create secret generic {} ", text(&ngc[secret]));
        assert!(PAGE.contains(&made), "{made}");
    }
    assert!(PAGE.contains(&format!("kubectl create namespace {namespace}\n")));
    let port =
        format!("port-forward service/{} {}\n", text(&service["metadata"]["name"]), spec["expose"]["service"]["port"]);
    assert!(PAGE.contains(&port), "{port}");
}
