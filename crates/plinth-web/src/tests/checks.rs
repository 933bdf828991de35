//! Checks by what they check, beside those of the last good run.

use super::Page;
use super::script::{Script, Scripted, broken};
use plinth_model::run::Outcome;
use plinth_model::{Event, StepState};

/// A run with a check of each of a thousand nodes; these fail.
fn checked(run: &str, failing: &[usize]) -> Vec<Event> {
    let mut script = Script::begin(run, 1001, false);
    for node in 0..1000 {
        let step = format!("checks/gpu-pod/dgx-{node:04}");
        script.starts(1.0, &step);
        let finding = failing.contains(&node).then(|| broken("no GPU in the pod"));
        let state = if finding.is_some() { StepState::Failed } else { StepState::Unchanged };
        script.ends(2.0, &step, state, "8 GPUs in the pod", finding);
    }
    script.ends(2.0, "checks/dns/basepod-a", StepState::Unchanged, "it answers", None);
    script.over(9.0, if failing.is_empty() { Outcome::Done } else { Outcome::Partly });
    script.0
}

#[tokio::test]
async fn checks_of_a_thousand_nodes_are_one_group_with_its_exceptions() {
    let page = Page::of(&Scripted::of(checked("run-1", &[7, 500])));
    let body = page.get("/r/run-1/checks").await.body;
    assert!(body.len() < 60_000, "{} bytes", body.len());
    let at = |text: &str| body.find(text).unwrap_or_else(|| panic!("no `{text}` in {body}"));
    assert!(body.contains("2 fail, 998 hold"), "{body}");
    assert!(at("checks/gpu-pod/dgx-0007") < at("checks/gpu-pod/dgx-0500"));
    assert!(body.contains("998 checks: dgx-[0000-0006,0008-0499,0501-0999]"), "{body}");
    assert!(at("2 fail, 998 hold") < at("checks/dns/basepod-a"), "what fails is first");
    assert!(body.contains("there is nothing to compare them with"), "{body}");
}

#[tokio::test]
async fn what_stands_otherwise_since_the_last_good_run_is_named() {
    let source = Scripted::of(checked("run-1", &[]));
    source.add("run-2", checked("run-2", &[3]));
    source.add("run-3", checked("run-3", &[7]));
    let page = Page::of(&source);
    let changes = |body: &str| {
        body.split("Since the last good run").nth(1).unwrap().split("</section>").next().unwrap().to_owned()
    };
    let body = page.get("/r/run-3/checks").await.body;
    let changes_now = changes(&body);
    assert_eq!(changes_now.matches("<tr>").count(), 2, "the head and one check: {changes_now}");
    assert!(
        changes_now.contains("/r/run-1/checks") && changes_now.contains("checks/gpu-pod/dgx-0007"),
        "{changes_now}"
    );
    assert!(changes_now.find("holds").unwrap() < changes_now.find("not known").or(changes_now.find("fails")).unwrap());
    source.add("run-4", checked("run-4", &[]));
    let body = page.get("/r/run-4/checks").await.body;
    assert!(changes(&body).contains("Every check stands as it stood then"), "{body}");
}
