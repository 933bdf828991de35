//! Which test kills which script: one that is in no row fails it.

use super::operations::LOOKS;
use super::states::ALL;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a script is dealt with.
#[derive(Clone, Copy)]
enum How {
    /// Killed by the sweep, within this operation.
    Swept(&'static str),
    /// Killed elsewhere: a file below the crate's tests, and a test in it.
    Killed(&'static str, &'static str),
    /// It only looks; the sweep counts no effect of it.
    Looks,
}

const STAGES: How =
    How::Killed("nodes/storage.rs", "a_killed_plinth_ends_the_move_when_it_runs_again_from_every_stage");

/// Every script that runs on nodes.
const SCRIPTS: [(&str, How); 24] = [
    ("scripts/sh/account.sh", How::Swept("account")),
    ("scripts/sh/account_main.sh", How::Swept("account")),
    ("scripts/sh/admin_config.sh", How::Looks),
    ("scripts/sh/bootstrap.sh", How::Looks),
    ("scripts/sh/control_plane.sh", How::Looks),
    ("scripts/sh/downloads.sh", How::Looks),
    ("scripts/sh/facts.sh", How::Looks),
    ("scripts/sh/files.sh", How::Swept("registries")),
    ("scripts/sh/leftovers.sh", How::Swept("leftovers")),
    ("scripts/sh/manager.sh", How::Swept("account")),
    // Every answer is said by it.
    ("scripts/sh/prelude.sh", How::Swept("prepare")),
    ("scripts/sh/prepare.sh", How::Swept("prepare")),
    ("scripts/sh/prepare_main.sh", How::Swept("prepare")),
    ("scripts/sh/registries.sh", How::Swept("registries")),
    ("scripts/sh/storage.sh", How::Swept("old storage")),
    ("scripts/sh/storage_main.sh", STAGES),
    ("scripts/sh/storage_move.sh", STAGES),
    ("scripts/sh/units.sh", How::Swept("prepare")),
    // The way there, with a password that is asked for and without.
    ("transport/sh/child.sh", How::Swept("account")),
    ("transport/sh/inner.sh", How::Swept("account")),
    ("transport/sh/outer.sh", How::Swept("account")),
    ("transport/sh/push_inner.sh", How::Swept("push")),
    ("transport/sh/push_outer.sh", How::Swept("push")),
    // The programs that make an account are killed in their own middle, too.
    (
        "scripts/sh/account.sh",
        How::Killed("nodes/half.rs", "an_account_that_was_half_made_when_plinth_was_killed_is_completed"),
    ),
];

fn below(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

#[test]
fn every_script_that_runs_on_nodes_is_killed_by_a_test_or_only_looks() {
    let source = below("../plinth-ssh/src");
    let mut there = BTreeSet::new();
    for folder in ["scripts/sh", "transport/sh"] {
        for entry in std::fs::read_dir(source.join(folder)).unwrap() {
            there.insert(format!("{folder}/{}", entry.unwrap().file_name().display()));
        }
    }
    let rows: BTreeSet<String> = SCRIPTS.iter().map(|(script, _)| (*script).to_owned()).collect();
    assert_eq!(there, rows, "a script has no row, or a row no script");
    for (script, how) in SCRIPTS {
        match how {
            How::Swept(operation) => {
                assert!(ALL.iter().any(|swept| swept.name == operation), "{script}: {operation} is not swept");
            }
            How::Killed(file, test) => {
                let text = std::fs::read_to_string(below("tests").join(file)).unwrap();
                assert!(text.contains(&format!("fn {test}()")), "{script}: {test} is not in {file}");
            }
            How::Looks => {
                let name = script.rsplit('/').next().unwrap().trim_end_matches(".sh");
                assert!(LOOKS.contains(&name), "{script}: nothing counts its effects");
            }
        }
    }
}
