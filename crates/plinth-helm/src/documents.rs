//! Texts of helm as objects. They are read document by document, so that one that is large does not count against the others.

use serde_json::Value;

/// All objects of a text of helm, those of lists one by one.
///
/// # Errors
/// With why a document cannot be read.
pub fn objects(text: &str) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for part in parts(text) {
        all.extend(opened(part)?);
    }
    all.retain(|object| object["kind"].is_string());
    Ok(all)
}

/// The documents of a text as texts.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    // What stands behind the three dashes is a comment or nothing.
    text.split("\n---").map(|part| part.trim_start_matches("---"))
}

/// The objects of such a part. helm takes a list for what is in it.
pub(crate) fn opened(part: &str) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for mut document in documents(part)? {
        let is_list = document["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
        match document.get_mut("items").filter(|items| is_list && items.is_array()).map(Value::take) {
            Some(Value::Array(items)) => all.extend(items),
            _ => all.push(document),
        }
    }
    Ok(all)
}

/// Documents of a YAML text, without empty ones.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    // helm reads `0644` as a number with the base 8 (YAML 1.1).
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    let all: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| error.to_string())?;
    Ok(all.into_iter().filter(|document| !document.is_null()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_read_one_by_one_and_lists_are_opened() {
        let text = "---\n# Source: a/templates/x.yaml\nkind: A\nmetadata: {name: one}\n---\n# nothing\n---\nkind: List\nitems:\n\
            - kind: B\n- kind: C\n---\n{\"kind\": \"RoleList\", \"items\": [{\"kind\": \"Role\"}]}\n---\nkind: ConfigMap\ndata:\n  items: |\n\
            \x20   ---\n    kind: List\n---\nhello: 1\n";
        let objects = objects(text).unwrap();
        let kinds: Vec<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
        assert_eq!(kinds, ["A", "B", "C", "Role", "ConfigMap"]);
        assert!(super::objects("---\n{{ x }}: [").is_err());
    }
}
