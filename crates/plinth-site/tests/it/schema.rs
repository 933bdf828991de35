//! The published schema and the parser agree.

use crate::{GOOD, changed, read};
use serde_json::Value;

/// YAML as JSON, by another reader than ours.
fn json(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_schema_is_itself_valid_and_says_what_it_is_about() {
    let schema = plinth_site::schema();
    jsonschema::meta::validate(&schema).unwrap();
    assert_eq!(schema["title"], "plinth site file");
    assert!(schema["$id"].is_string());
    let mut bare = Vec::new();
    undescribed(&schema, "", &mut bare);
    assert_eq!(bare, Vec::<String>::new(), "every key of the file is described");
}

fn undescribed(schema: &Value, path: &str, bare: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if property["description"].as_str().is_none() && !path.contains("SecretSource") && !path.contains("Selector") {
            bare.push(format!("{path}.{name}"));
        }
    }
    for (name, inner) in schema["$defs"].as_object().into_iter().flatten() {
        undescribed(inner, name, bare);
    }
}

#[test]
fn examples_fit_the_schema() {
    let validator = jsonschema::validator_for(&plinth_site::schema()).unwrap();
    for entry in std::fs::read_dir(crate::examples::folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "yaml") {
            let document = json(&std::fs::read_to_string(&path).unwrap());
            let errors: Vec<String> =
                validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
        }
    }
}

#[test]
fn the_schema_refuses_what_the_parser_refuses_about_shape() {
    let validator = jsonschema::validator_for(&plinth_site::schema()).unwrap();
    assert!(read(GOOD).is_ok() && validator.is_valid(&json(GOOD)));
    let cases = [
        ("unknown key", changed(&[("  production:", "  extra: 1\n  production:")])),
        ("missing key", changed(&[("metadata: {name: basepod-a}\n", "")])),
        ("other format", changed(&[("plinth/v1", "plinth/v0")])),
        ("other kind", changed(&[("kind: Site", "kind: Pod")])),
        ("number for text", changed(&[("version: v1.31.9", "version: 1.31")])),
        ("nothing for text", changed(&[("access:\n", "access:\n  account: {name: }\n")])),
        ("nothing for a section", format!("{GOOD}registries:\n")),
        ("nothing for a choice", changed(&[("  version: v1.31.9", "  version: v1.31.9\n  engine:")])),
        ("text for list", changed(&[("[dgx-05, dgx-06]", "dgx-05")])),
        ("literal secret", changed(&[("{env: BCM_PASSWORD}", "hunter2")])),
        ("two places of a secret", changed(&[("{env: BCM_PASSWORD}", "{env: A, file: b}")])),
        ("slash in name", changed(&[("basepod-a", "base/pod")])),
        ("upper-case node", changed(&[("cpu-03", "CPU-03")])),
        ("unknown plugin", changed(&[("calico", "weave")])),
        ("port out of range", changed(&[("30080", "80")])),
        ("port beyond u16", changed(&[("30080", "70000")])),
        ("domain with scheme", changed(&[("domain: bcm", "domain: https://bcm")])),
        ("http endpoint", changed(&[("\"https:", "\"http:")])),
        ("empty control plane", changed(&[("[cpu-03, cpu-05, cpu-06]", "[]")])),
        ("other selector", changed(&[("[dgx-*]", "[{kind: x}]")])),
        ("two inventories", changed(&[("inventory:\n", "inventory:\n  static: []\n")])),
    ];
    for (case, text) in cases {
        assert!(read(&text).is_err(), "the parser accepts: {case}");
        assert!(!validator.is_valid(&json(&text)), "the schema accepts: {case}");
    }
}
