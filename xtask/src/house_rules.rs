//! House rules about what sources say: who may print, where a runtime begins, what a failed parse may become, and that each
//! finding code is declared once and used. They read text, not types: what they cannot see, a reviewer must.

use crate::house_sources::{is_test, product};
use std::collections::BTreeMap;

/// Where finding codes are declared.
const REGISTRY: &str = "crates/plinth-model/src/finding/code/";

/// A pattern that product code may not contain, and the files that may, each with its reason.
struct Rule {
    /// Begins the path of the files that it is about.
    below: &'static str,
    patterns: &'static [&'static str],
    says: &'static str,
    /// Beginnings or endings of paths, and why.
    except: &'static [(&'static str, &'static str)],
}

/// Reads of clients. Whatever else a client can do may change its system, and is called by steps alone: these run under the lock.
const READS: &[&str] = &[
    "certificate",
    "clusters",
    "control_plane",
    "default_classes",
    "differences_to_revision",
    "downloads",
    "facts",
    "further_kinds",
    "health",
    "history",
    "host_key",
    "kubeconfig",
    "leftovers",
    "list",
    "node",
    "node_ports",
    "nodes",
    "owners",
    "preview",
    "record",
    "release",
    "status",
];

/// Files that call clients otherwise, and why.
const CALLERS: &[(&str, &str)] = &[
    ("crates/plinth-run/src/steps/", "steps"),
    ("crates/plinth-run/src/survey.rs", "pins the key of a first contact; its callers hold the lock"),
    ("crates/plinth-check/src/acceptance.rs", "the work of check steps, which make pods and take them away"),
    ("crates/plinth-world/", "clients"),
    ("crates/plinth-sim/", "clients of the simulated world"),
];

const RULES: &[Rule] = &[
    Rule {
        below: "crates/",
        patterns: &["println!(", "eprintln!(", "print!(", "eprint!(", "dbg!("],
        says: "only the printer writes to stdout and stderr",
        except: &[
            ("crates/plinth/src/printer.rs", "it is the printer"),
            ("crates/plinth-lab/", "a tool for tests that talks to whoever runs it"),
            ("/build.rs", "a build script talks to cargo"),
        ],
    },
    Rule {
        below: "crates/plinth-run/src/executor/",
        patterns: &["Work::"],
        says: "the executor reads properties and names no kind of step",
        except: &[],
    },
    Rule {
        below: "crates/",
        patterns: &["Builder::new_multi_thread(", "Builder::new_current_thread(", "Runtime::new(", "#[tokio::main"],
        says: "one runtime serves the whole process",
        except: &[
            ("crates/plinth/src/lib.rs", "the one runtime"),
            ("crates/plinth-sim/src/https.rs", "a simulated server has a thread of its own"),
            ("/fuzzed.rs", "a fuzz target, not part of the program"),
        ],
    },
];

/// What may not come right behind a parse: each makes a text that cannot be read look like an answer.
const CHAINED: &[&str] = &[".unwrap_or_default()", ".unwrap_or(", ".is_ok_and(", ".is_none_or(", ".map_or(true"];
/// What may not be done when a parse fails.
const LEFT: &[&str] =
    &["return Ok(())", "return Vec::new()", "return true", "return None", "return;", "return }", "continue"];

/// Beginnings or endings of paths of files in which one of those is meant, and why an unreadable text is safe there.
const READ_AND_REFUSED: &[(&str, &str)] = &[
    ("crates/plinth-site/src/raw/rules.rs", "a port that is no number is no port, and the address is refused"),
    ("crates/plinth-site/src/raw/cluster_rules.rs", "an amount that is no number is refused"),
    ("crates/plinth-site/src/template/guess.rs", "a guess for a template that a person fills in"),
    ("crates/plinth-check/src/preflight/network.rs", "a name server that is a name is not on the loopback network"),
    (
        "crates/plinth-plan/src/collision.rs",
        "an address that cannot be read is a finding of its own, `bcm.address-unreadable`",
    ),
    ("/facts/network.rs", "curl's status 000 and no status both mean: no answer"),
    ("/push.rs", "a place to go on from that cannot be read means from the beginning"),
    ("/environment.rs", "an ansible-core that cannot be read is refused"),
    ("/release.rs", "an installed version that cannot be read is not the wanted one, so there is something to do"),
    ("crates/plinth-lab/", "for tests only"),
];

/// What one Rust source does against the rules.
pub(crate) fn judged(name: &str, text: &str) -> Vec<String> {
    if is_test(name) {
        return Vec::new();
    }
    let product = product(text);
    let mut wrong = Vec::new();
    for rule in RULES.iter().filter(|rule| name.starts_with(rule.below) && !excepted(name, rule.except)) {
        for (number, line) in &product {
            if let Some(pattern) = rule.patterns.iter().find(|pattern| has(line, pattern)) {
                wrong.push(format!("{name}:{number}: `{pattern}`: {}", rule.says));
            }
        }
    }
    if name.starts_with("crates/plinth") && !excepted(name, CALLERS) {
        wrong.extend(effects(&product).into_iter().map(|(number, call)| {
            format!("{name}:{number}: `{call}`: what changes the world is a step of a plan, which runs under the lock")
        }));
    }
    if name.starts_with("crates/") && !excepted(name, READ_AND_REFUSED) {
        wrong.extend(fail_open(&product).into_iter().map(|(number, behind)| {
            format!("{name}:{number}: a text that cannot be read becomes an answer (`{behind}` behind a parse)")
        }));
    }
    wrong
}

fn excepted(name: &str, except: &[(&str, &str)]) -> bool {
    except.iter().any(|(file, _)| name.starts_with(file) || name.ends_with(file))
}

/// Whether a line has a pattern that does not go on a longer name: `print!(` is not in `eprint!(`.
fn has(line: &str, pattern: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let whole = !pattern.starts_with(word);
    line.match_indices(pattern).any(|(at, _)| whole || !line[..at].ends_with(word))
}

/// Calls like `clients.node.make_account(` that are no reads: the line, and the method. A client that was bound to another name before is not seen.
fn effects<'a>(product: &[(usize, &'a str)]) -> Vec<(usize, &'a str)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let method = |rest: &'a str| {
        let (noun, call) = rest.split_once('.')?;
        let (method, _) = call.split_once('(')?;
        (noun.chars().all(word) && method.chars().all(word)).then_some(method)
    };
    let calls = |(number, line): &(usize, &'a str)| {
        let number = *number;
        let rests: Vec<&str> = line.split("clients.").skip(1).collect();
        rests.into_iter().filter_map(method).map(move |method| (number, method)).collect::<Vec<_>>()
    };
    product.iter().flat_map(calls).filter(|(_, method)| !READS.contains(method)).collect()
}

/// Parses whose failure becomes an answer: the line, and what makes it one.
fn fail_open(product: &[(usize, &str)]) -> Vec<(usize, &'static str)> {
    let parses = product.iter().enumerate().filter(|(_, (_, line))| line.contains(".parse"));
    let found = parses.filter_map(|(at, (number, _))| {
        let lines: Vec<&str> = product[at..].iter().take(4).map(|(_, line)| line.trim()).collect();
        let text = lines.join(" ");
        let (_, behind) = text.split_once(".parse")?.1.split_once("()")?;
        let behind = behind.trim_start();
        let chained = CHAINED.iter().find(|fine| behind.starts_with(**fine));
        let left = || {
            let (before, refused) = behind.split_once("else {")?;
            let same = !before.contains(';') && !before.contains('{');
            LEFT.iter().find(|left| same && refused.trim_start().starts_with(**left))
        };
        Some((*number, *chained.or_else(left)?))
    });
    found.collect()
}

/// Codes that are declared twice, codes that nothing reports, and codes of the catalog that are not declared.
pub(crate) fn codes(sources: &[(String, String)]) -> Vec<String> {
    let mut declared: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (_, text) in sources.iter().filter(|(name, _)| name.starts_with(REGISTRY)) {
        for (name, code) in text.lines().filter_map(declaration) {
            *declared.entry(name.to_owned()).or_default() += 1;
            texts.insert(name.to_owned(), code.to_owned());
        }
    }
    let users: Vec<&(String, String)> = sources.iter().filter(|(name, _)| !name.starts_with(REGISTRY)).collect();
    let used = |name: &str| {
        let (constant, catalog) = (format!("code::{name}"), format!("code: {}", texts[name]));
        users.iter().any(|(file, text)| match file.ends_with(".rs") {
            true => !is_test(file) && mentions(text, &constant),
            false => text.lines().any(|line| line.trim() == catalog),
        })
    };
    let twice = declared.iter().filter(|(_, times)| **times > 1);
    let twice: Vec<String> = twice.map(|(name, _)| format!("the finding code {name} is declared twice")).collect();
    let unused = declared.keys().filter(|name| !used(name));
    let unused = unused.map(|name| format!("nothing reports the finding code {name} ({})", texts[name]));
    let catalog = users.iter().filter(|(file, _)| !file.ends_with(".rs")).flat_map(|(_, text)| text.lines());
    let undeclared = catalog
        .filter_map(|line| line.trim().strip_prefix("code: "))
        .filter(|code| !texts.values().any(|declared| declared == code))
        .map(|code| format!("the catalog reports {code}, which is not declared"));
    twice.into_iter().chain(unused).chain(undeclared).collect()
}

/// A whole word: `code::NODE_SWAP` is not in `code::NODE_SWAP_FILE`.
fn mentions(text: &str, constant: &str) -> bool {
    text.match_indices(constant)
        .any(|(at, _)| !text[at + constant.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// `    NODE_SWAP = "node.swap", You {`
fn declaration(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim().split_once(" = \"")?;
    let (code, rest) = rest.split_once("\", ")?;
    let constant = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    (constant && rest.ends_with('{')).then_some((name, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(name: &str, text: &str) -> usize {
        judged(name, text).len()
    }

    #[test]
    fn only_the_printer_prints() {
        let text = "fn f() {\n    println!(\"x\");\n    eprint!(\"y\");\n}\n";
        assert_eq!(wrong("crates/plinth/src/verbs/apply.rs", text), 2);
        assert_eq!(wrong("crates/plinth/src/printer.rs", text), 0);
        assert_eq!(wrong("crates/plinth/tests/it/main.rs", text), 0);
        assert_eq!(wrong("crates/plinth-run/src/a.rs", "// println!(\"x\")\n"), 0);
    }

    #[test]
    fn one_runtime() {
        let text = "let runtime = tokio::runtime::Builder::new_multi_thread().build()?;\n";
        assert_eq!(wrong("crates/plinth-run/src/a.rs", text), 1);
        assert_eq!(wrong("crates/plinth-run/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n    {text}}}\n")), 0);
    }

    #[test]
    fn the_executor_names_no_kind() {
        let text = "    if matches!(step.work, Work::KubesprayRun { .. }) {\n";
        assert_eq!(wrong("crates/plinth-run/src/executor/turn.rs", text), 1);
        assert_eq!(wrong("crates/plinth-run/src/steps/mod.rs", text), 0);
    }

    #[test]
    fn only_steps_change_the_world() {
        let text = "    env.clients.node.make_account(&env.ctx, target, account).await?;\n";
        assert_eq!(wrong("crates/plinth/src/verbs/preflight_fix.rs", text), 1);
        let two =
            "    (clients.helm.uninstall(a), env.clients.kube.nodes(&env.ctx), clients.a_call_of_tomorrow.erase());\n";
        assert_eq!(wrong("crates/plinth-app/src/rollback.rs", two), 2, "whatever is not known as a read");
        assert_eq!(wrong("crates/plinth-run/src/steps/node/account.rs", text), 0);
    }

    #[test]
    fn a_parse_that_fails_is_not_an_answer() {
        let bad = [
            "let Ok(target) = text.parse::<Version>() else { return Ok(()) };",
            "    let Ok(tag) = tag\n        .parse::<Version>() else {\n        return Ok(());\n    };",
            "let waits = tag.parse::<Version>().is_ok_and(|tag| tag.minor >= 3);",
            "let number: u32 = text.parse().unwrap_or_default();",
            "let number = text.parse::<u32>().unwrap_or(0);",
            "let (Ok(a), Ok(b)) = (x.parse::<V>(), y.parse::<V>()) else { return Ok(()) };",
        ];
        for text in bad {
            assert_eq!(wrong("crates/plinth-run/src/a.rs", text), 1, "{text}");
            assert_eq!(wrong("crates/plinth-run/tests/it/a.rs", text), 0, "{text}");
        }
        for text in ["let number: u32 = text.parse().map_err(refused)?;", "let a = text.parse::<u32>().ok();"] {
            assert_eq!(wrong("crates/plinth-run/src/a.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn what_is_behind_the_tests_of_a_file_is_product_again() {
        let text = "#[cfg(test)]\nmod tests;\nfn f() {\n    println!();\n}\n";
        assert_eq!(wrong("crates/plinth-run/src/a.rs", text), 1);
    }

    #[test]
    fn a_code_is_declared_once_and_used() {
        let source = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let registry = source(
            "crates/plinth-model/src/finding/code/node.rs",
            "    NODE_A = \"node.a\", You {\n    NODE_A_B = \"node.a-b\", You {\n    NODE_C = \"node.c\", You {\n",
        );
        let user = source("crates/x/src/a.rs", "report(code::NODE_A_B)");
        let catalog = source("catalog/components/c.yaml", "      code: node.c\n");
        let found = codes(&[registry.clone(), user.clone(), catalog.clone()]);
        assert_eq!(found, ["nothing reports the finding code NODE_A (node.a)"]);
        let stranger = source("catalog/components/d.yaml", "      code: node.d\n");
        let with_stranger = codes(&[registry.clone(), user.clone(), catalog.clone(), stranger]);
        assert!(with_stranger.contains(&"the catalog reports node.d, which is not declared".to_owned()));
        let both = source("crates/plinth-model/src/finding/code/run.rs", "    NODE_C = \"node.c\", You {\n");
        assert!(codes(&[registry, both, user, catalog]).iter().any(|line| line.contains("NODE_C is declared twice")));
    }
}
