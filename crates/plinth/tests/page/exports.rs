//! JUnit, held against the schema by which Jenkins takes it.

use crate::ground::{SIZES, recorded, told};
use plinth_lab::xml_validator;
use std::path::{Path, PathBuf};
use std::process::Command;

fn schema() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats/junit-10.xsd")
}

/// What is wrong with a file; empty is good.
fn wrong(file: &Path) -> String {
    xml_validator().unwrap();
    let mut command = Command::new("xmllint");
    // Nothing is fetched, whatever a file names.
    let output = command.args(["--nonet", "--noout", "--schema"]).arg(schema()).arg(file).output().unwrap();
    if output.status.success() { String::new() } else { String::from_utf8_lossy(&output.stderr).into_owned() }
}

#[test]
#[ignore = "needs xmllint: cargo xtask test --tier page"]
fn junit_of_every_size_fits_its_schema() {
    for nodes in SIZES {
        let state = recorded(nodes);
        let which = if nodes == 5 { "^1" } else { "last" };
        let text = told(0, &["export", which, "--format", "junit", "--state", state.to_str().unwrap()]);
        let file = state.with_extension("xml");
        std::fs::write(&file, &text).unwrap();
        assert_eq!(wrong(&file), "", "{nodes} nodes");
        let (cases, failures) = (text.matches("<testcase ").count(), text.matches("<failure ").count());
        assert!(cases > 90 && failures > 0, "{nodes} nodes: {cases} steps, {failures} failures");
        // What it takes says something only if it does not take everything.
        for (good, bad) in
            [("<testcase name=", "<testcase called="), ("<skipped", "<left-out"), (" tests=\"", " steps=\"")]
        {
            assert!(text.contains(good), "{good}");
            std::fs::write(&file, text.replace(good, bad)).unwrap();
            assert!(wrong(&file).contains("error"), "{bad} is taken");
        }
    }
}
