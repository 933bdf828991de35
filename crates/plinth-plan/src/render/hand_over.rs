//! What a person hands to helm and kubectl by hand: values and objects in the forms that these take.

use plinth_model::Values;
use plinth_model::steps::KubeObjects;
use serde_json::Value;

/// Values as helm takes them. A secret is a text that says where its value is found; whoever hands the file to helm puts that in.
#[must_use]
pub fn helm_values(values: &Values) -> Value {
    values.replaced(&mut |reference| Value::from(format!("<put in the secret: {reference}>")))
}

/// Objects of one component, a document each.
///
/// # Errors
/// When one cannot be written as YAML.
pub fn manifests(objects: &KubeObjects) -> Result<String, String> {
    let write = |object: &Value| serde_saphyr::to_string(object).map_err(|error| error.to_string());
    let documents = objects.objects.iter().map(write).collect::<Result<Vec<_>, _>>()?;
    Ok(documents.iter().map(|text| text.trim_end()).collect::<Vec<_>>().join("\n---\n") + "\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{helm_values, manifests};
    use plinth_model::steps::KubeObjects;
    use plinth_model::{Stage, Values};
    use serde_json::{Value, json};

    #[test]
    fn a_secret_is_a_text_that_says_where_it_is() {
        let values = json!({
            "grafana": {"adminPassword": {"$secret": {"generated": "grafana"}}, "replicas": 1},
            "list": [{"$secret": {"env": "TOKEN"}}, {"$secret": {"exec": ["pass", "show", "private"]}}],
        });
        let values = Values::new(values).unwrap();
        let wanted = json!({
            "grafana": {"adminPassword": "<put in the secret: generated grafana>", "replicas": 1},
            "list": ["<put in the secret: env TOKEN>", "<put in the secret: exec pass>"],
        });
        assert_eq!(helm_values(&values), wanted);
    }

    #[test]
    fn each_object_is_a_document() {
        let objects = KubeObjects {
            component: "x".to_owned(),
            objects: vec![json!({"kind": "A", "spec": {"n": 1}}), json!({"kind": "B", "text": "{{.Name}}"})],
            health: Vec::new(),
            timeout_s: 1,
            stage: Stage::Platform,
            upgrade_path: None,
        };
        let text = manifests(&objects).unwrap();
        let read: Vec<Value> = text.split("---\n").map(|one| serde_saphyr::from_str(one).unwrap()).collect();
        assert_eq!(read, objects.objects);
    }
}
