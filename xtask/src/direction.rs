//! Which crate may use which. The table is exact: a crate that is not in it is refused, so that a new one is a decision.

use crate::commands::{self, Failure};
use crate::tally::Tally;
use serde_json::Value;

/// Every crate with the crates of ours that it may use. Reasons: nouns use nobody; what is pure never sees the world; only
/// `run`, `check` and `app` see client traits, beside `sim`, which stands on the other side of them; only `app` puts all together.
const MAY_USE: [(&str, &[&str]); 24] = [
    ("plinth-model", &[]),
    ("plinth-site", &["plinth-model"]),
    ("plinth-catalog", &["plinth-model", "plinth-site"]),
    ("plinth-plan", &["plinth-model", "plinth-site", "plinth-catalog"]),
    // What runs amount to, for whoever shows it: it decides nothing about the world and never sees it.
    ("plinth-analysis", &["plinth-model"]),
    ("plinth-report", &["plinth-model", "plinth-analysis"]),
    // The page draws what the terminal says, and is told runs by whoever serves it: it sees no journal, no world, no site file.
    ("plinth-web", &["plinth-model", "plinth-analysis", "plinth-report"]),
    ("plinth-world", &["plinth-model"]),
    // The real clients stand side by side: none uses another, so that they build at once and can be replaced one by one. What those
    // over HTTP have in common is in `net`.
    ("plinth-net", &["plinth-model", "plinth-world"]),
    ("plinth-ssh", &["plinth-model", "plinth-world"]),
    ("plinth-ansible", &["plinth-model", "plinth-world"]),
    ("plinth-keystore", &["plinth-model", "plinth-world"]),
    ("plinth-helm", &["plinth-model", "plinth-world"]),
    ("plinth-bcm", &["plinth-model", "plinth-world", "plinth-net"]),
    ("plinth-kube", &["plinth-model", "plinth-world", "plinth-net"]),
    ("plinth-charts", &["plinth-model", "plinth-world", "plinth-net"]),
    ("plinth-runai", &["plinth-model", "plinth-world", "plinth-net"]),
    ("plinth-check", &["plinth-model", "plinth-world"]),
    ("plinth-run", &["plinth-model", "plinth-world", "plinth-check", "plinth-plan"]),
    ("plinth-sim", &["plinth-model", "plinth-world"]),
    // Real nodes for tests and for people who try plinth; it knows nothing of plinth, so that it cannot agree with it by accident.
    ("plinth-lab", &[]),
    // The operation puts all of them together; the binary prints what it says. It knows no screen, so a page can stand on it as well.
    (
        "plinth-app",
        &[
            "plinth-model",
            "plinth-site",
            "plinth-catalog",
            "plinth-plan",
            "plinth-run",
            "plinth-world",
            "plinth-net",
            "plinth-ssh",
            "plinth-ansible",
            "plinth-keystore",
            "plinth-bcm",
            "plinth-kube",
            "plinth-helm",
            "plinth-charts",
            "plinth-runai",
            "plinth-sim",
        ],
    ),
    (
        "plinth",
        &[
            "plinth-model",
            "plinth-site",
            "plinth-plan",
            "plinth-run",
            "plinth-world",
            "plinth-app",
            "plinth-analysis",
            "plinth-report",
            "plinth-web",
        ],
    ),
    // The catalog is held against real charts for every example site: values, and no client.
    ("xtask", &["plinth-lab", "plinth-model", "plinth-site", "plinth-catalog", "plinth-plan", "plinth-helm"]),
];

/// One crate using another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    from: String,
    to: String,
    /// Only its tests, examples and benchmarks do.
    tests_only: bool,
}

/// Checks the workspace.
pub(crate) fn check() -> Result<Tally, Failure> {
    let uses = uses(&commands::metadata()?)?;
    let wrong = wrong(&uses);
    for line in &wrong {
        eprintln!("direction: {line}");
    }
    for one in uses.iter().filter(|one| one.tests_only) {
        println!("direction: note: tests of {} use {}", one.from, one.to);
    }
    Ok(Tally::check(wrong.is_empty()))
}

/// Crates of ours that use crates of ours. A package that uses none appears as using nothing, so that it is known.
fn uses(metadata: &Value) -> Result<Vec<Use>, Failure> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = packages.iter().map(|package| text(&package["name"])).collect();
    let mut uses = Vec::new();
    for package in packages {
        let from = text(&package["name"]);
        let dependencies = package["dependencies"].as_array().ok_or("a package lists no dependencies")?;
        uses.push(Use { from: from.clone(), to: String::new(), tests_only: false });
        for dependency in dependencies.iter().filter(|dependency| names.contains(&text(&dependency["name"]))) {
            let tests_only = dependency["kind"] == "dev";
            uses.push(Use { from: from.clone(), to: text(&dependency["name"]), tests_only });
        }
    }
    Ok(uses)
}

/// Uses that the table does not allow, in words.
fn wrong(uses: &[Use]) -> Vec<String> {
    let say = |one: &Use| match MAY_USE.iter().find(|(name, _)| *name == one.from) {
        None if one.to.is_empty() => {
            Some(format!("{} is not in the table of xtask/src/direction.rs: decide what it may use", one.from))
        }
        None => None,
        Some((_, allowed)) if one.to.is_empty() || allowed.contains(&&*one.to) => None,
        Some(_) if one.tests_only => None,
        Some(_) => Some(format!("{} must not use {}", one.from, one.to)),
    };
    uses.iter().filter_map(say).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn metadata(from: &str, to: &str, kind: Value) -> Value {
        let package = |name: &str, dependencies: Value| serde_json::json!({"name": name, "dependencies": dependencies});
        let one = serde_json::json!([{"name": to, "kind": kind}, {"name": "serde", "kind": null}]);
        serde_json::json!({"packages": [package(from, one), package(to, serde_json::json!([]))]})
    }

    #[test]
    fn the_table_is_enforced() {
        let cases = [
            ("plinth-plan", "plinth-site", Value::Null, None),
            ("plinth-plan", "plinth-world", Value::Null, Some("plinth-plan must not use plinth-world")),
            ("plinth-report", "plinth-plan", Value::Null, Some("plinth-report must not use plinth-plan")),
            ("plinth-run", "plinth-sim", Value::Null, Some("plinth-run must not use plinth-sim")),
            ("plinth-run", "plinth-sim", "build".into(), Some("plinth-run must not use plinth-sim")),
            ("plinth-run", "plinth-sim", "dev".into(), None),
        ];
        for (from, to, kind, want) in cases {
            let found = wrong(&uses(&metadata(from, to, kind)).unwrap());
            assert_eq!(found, want.into_iter().collect::<Vec<_>>(), "{from} -> {to}");
        }
    }

    #[test]
    fn a_new_crate_is_a_decision() {
        let found = wrong(&uses(&metadata("plinth-new", "plinth-model", Value::Null)).unwrap());
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("plinth-new is not in the table"), "{found:?}");
    }

    #[test]
    fn the_workspace_obeys() {
        let found = uses(&commands::metadata().unwrap()).unwrap();
        assert!(found.len() > 10, "metadata was not understood: {found:?}");
        assert_eq!(wrong(&found), Vec::<String>::new());
    }
}
