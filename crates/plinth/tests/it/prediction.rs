//! What a rehearsal leaves for the real run: how long each step took, of the whole job and of nothing less, on the site itself.

use crate::support::{basepod, plinth};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn only_a_rehearsal_of_the_whole_job_predicts_it() {
    let folder = TempDir::new().unwrap();
    let kept = || {
        let bytes = std::fs::read(folder.path().join(".local/state/plinth/basepod-a.rehearsed.json")).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    let rehearses = |more: &[&str]| plinth(folder.path(), &[&["rehearse", "-f", &basepod()], more].concat());

    rehearses(&["--fault", "release:gpu-operator:fails", "--state", "st"]).exits(4);
    assert!(kept().is_none(), "what fails predicts nothing");
    rehearses(&["--state", "st"]).exits(0);
    assert!(kept().is_none(), "it only did what was left");
    rehearses(&["--state", "st"]).exits(0);
    assert!(kept().is_none(), "nothing was left");

    rehearses(&["--nodes", "9"]).exits(0);
    assert!(kept().is_none(), "the site has other nodes");
    rehearses(&["--without", "dgx-05"]).exits(0);
    assert!(kept().is_none(), "it left a node out");
    rehearses(&["--fault", "node:dgx-05:drop@downloads"]).exits(0);
    assert!(kept().is_none(), "what went wrong on purpose will not go wrong again");

    rehearses(&["--state", "whole"]).exits(0);
    assert!(kept().is_none(), "what is tried in a folder of its own says nothing of the site's next run");
    rehearses(&[]).exits(0);
    let whole = kept().unwrap();
    assert!(whole["seconds"].as_f64().unwrap() > 600.0, "{whole}");
    rehearses(&["--state", "elsewhere"]).exits(0);
    assert_eq!(kept(), Some(whole), "it does not take its place either");
}
