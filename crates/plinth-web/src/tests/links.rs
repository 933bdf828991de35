//! What an address keeps: cards that are linked, facets, the order of a plan, the head.

use super::Page;
use super::plan::plan;
use super::script::{Script, Scripted, run};
use plinth_model::{Change, StepState};

#[tokio::test]
async fn a_link_to_a_card_names_what_is_inside_it_so_that_a_browser_opens_it() {
    let source = Scripted::of(run("no route to host"));
    *source.plan.lock().unwrap() = Some(plan("x"));
    let mut second = Script::begin("run-2", 8, false);
    second.ends(1.0, "nodes/account/dgx-05", StepState::Failed, "x", None);
    source.add("run-2", second.0);
    let page = Page::of(&source);
    for place in ["/r/run-1/failures", "/r/run-1/checks", "/r/run-1/plan", "/diff/run-1/run-2"] {
        let body = page.get(place).await.body;
        let links: Vec<&str> =
            body.split("class=\"link\" href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(!links.is_empty(), "{place}: {body}");
        for id in links {
            let before = body.split(&format!(" id=\"{id}\"")).next().unwrap();
            assert!(before.len() < body.len(), "{place}: nothing has the id {id}: {body}");
            let (opened, closed) = (before.matches("<details").count(), before.matches("</details>").count());
            let begun = before.rfind("</summary>").unwrap() > before.rfind("<details").unwrap();
            assert!(opened > closed && begun, "{place}: {id} is not inside its card, behind the summary");
        }
    }
    let overview = page.get("/r/run-1").await.body;
    let link = overview.split("/r/run-1/failures#").nth(1).unwrap().split('"').next().unwrap();
    assert!(page.get("/r/run-1/failures").await.body.contains(&format!("id=\"{link}\"")), "{link}");
}

#[tokio::test]
async fn a_plan_begins_with_what_is_to_be_done() {
    let source = Scripted::of(run("x"));
    let mut made = plan("x");
    for step in &mut made.steps {
        if !matches!(step.id.as_str(), "kubernetes/deploy/other" | "nodes/storage/dgx-06") {
            step.change = Change::None;
        }
    }
    *source.plan.lock().unwrap() = Some(made);
    let body = Page::of(&source).get("/r/run-1/plan").await.body;
    let at = |text: &str| body.find(text).unwrap_or_else(|| panic!("no `{text}` in {body}"));
    assert!(at("<code>kubernetes/deploy</code>") < at("Nothing to do"), "{body}");
    assert!(at("Nothing to do") < at("<code>nodes/account</code>"), "although its stage is earlier: {body}");
    assert!(at("nodes/storage/dgx-06\"") < at("nodes/storage/dgx-05\""), "within a kind too: {body}");
    assert!(body.contains("4 steps of 2 kinds"), "{body}");
}

#[tokio::test]
async fn steps_are_narrowed_by_stage_and_many_nodes_by_their_groups() {
    let mut script = Script::begin("run-1", 101, false);
    for node in 0..100 {
        script.ends(1.0, &format!("nodes/account/dgx-{node:03}"), StepState::Changed, "made", None);
    }
    script.ends(2.0, "nodes/account/cpu-1", StepState::Changed, "made", None);
    script.ends(2.0, "kubernetes/deploy/basepod-a", StepState::Changed, "made", None);
    let page = Page::of(&Scripted::of(script.0));
    let all = page.get("/r/run-1/steps").await.body;
    assert!(all.contains("?q=stage%3Akubernetes") && all.contains("?q=node%3Adgx-*"), "{all}");
    assert!(all.contains(">dgx-*</a> 100 of 100 nodes"), "{all}");
    let stage = page.get("/r/run-1/steps?q=stage:kubernetes").await.body;
    assert!(stage.contains("id=\"s:kubernetes/deploy/basepod-a\"") && !stage.contains("id=\"s:nodes/"), "{stage}");
    let narrowed = page.get("/r/run-1/steps?q=node:dgx-*").await.body;
    assert!(
        narrowed.contains("node%3Adgx-00*") || narrowed.contains("node%3Adgx-0*"),
        "each choice leaves fewer: {narrowed}"
    );
}

#[tokio::test]
async fn the_head_and_the_pinned_run_say_the_stage_and_the_time_left() {
    let source = Scripted::of(run("x")[..6].to_vec());
    source.held("run-1", true);
    *source.plan.lock().unwrap() = Some(plan("x"));
    let page = Page::of(&source);
    for place in ["/", "/r/run-1", "/r/run-1/steps"] {
        let body = page.get(place).await.body;
        let text = |id: &str| {
            let rest =
                body.split(&format!("id=\"{id}\">")).nth(1).unwrap_or_else(|| panic!("no {id} on {place}: {body}"));
            rest.split('<').next().unwrap().to_owned()
        };
        assert!(text("t-done").ends_with(" done, stage nodes"), "{place}: {}", text("t-done"));
        assert!(
            text("t-left").contains("time left unknown") || text("t-left").contains("still "),
            "{}",
            text("t-left")
        );
        assert_eq!(body.matches("id=\"t-left\"").count(), 1, "{place}");
    }
    let over = Page::of(&Scripted::of(run("x"))).get("/r/run-1").await.body;
    assert!(!over.contains("t-left") && !over.contains("stage nodes"), "{over}");
}

#[tokio::test]
async fn without_a_good_run_the_one_before_is_offered_to_compare_with() {
    let source = Scripted::of(run("x"));
    source.add("run-2", Script::begin("run-2", 8, false).0);
    let page = Page::of(&source);
    let body = page.get("/diff/last-good/run-2").await.body;
    assert!(body.contains("href=\"/diff/run-1/run-2\""), "{body}");
    assert!(!page.get("/diff/last-good/run-1").await.body.contains("compare it with the run before it"));
}
