//! What the page of a node knows beside the run.

use super::Page;
use super::script::{Script, Scripted, broken, run};
use plinth_model::StepState;
use plinth_model::run::Outcome;

#[tokio::test]
async fn a_node_is_shown_with_what_is_wrong_with_it_what_it_is_and_how_it_stood_before() {
    let source = Scripted::of(run("no route to host"));
    *source.kernel.lock().unwrap() = "6.8.0-51".to_owned();
    let mut second = Script::begin("run-2", 2, false);
    second.ends(2.0, "nodes/account/dgx-06", StepState::Changed, "made", None);
    second.over(5.0, Outcome::Done);
    source.add("run-2", second.0);
    let page = Page::of(&source);
    let first = page.get("/r/run-1/nodes/dgx-06").await.body;
    assert_eq!(first.matches("<b>node.connection-lost</b>").count(), 1, "said once: {first}");
    for text in [
        "of <a class=\"id\" href=\"/r/run-1/steps/nodes/account/dgx-06\"",
        "check the node",
        "<dt>kernel</dt><dd>6.8.0-51</dd>",
    ] {
        assert!(first.contains(text), "no `{text}` in {first}");
    }
    assert!(first.contains("as it told them at <time datetime=\"2026-01-01T10:00:00Z\""), "{first}");
    let rows = |body: &str| {
        body.split("<h2>In this run and those before it</h2>")
            .nth(1)
            .unwrap()
            .split("</table>")
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(!rows(&first).contains("run-2"), "what came later says nothing: {first}");
    let rows = rows(&page.get("/r/run-2/nodes/dgx-06").await.body);
    let (now, before) = rows.split_once("/r/run-1/nodes/dgx-06").unwrap();
    assert!(now.contains("/r/run-2/nodes/dgx-06") && now.contains("</i> changed"), "{rows}");
    assert!(before.contains("</i> failed"), "{rows}");
    let other = page.get("/r/run-1/nodes/cpu-03").await.body;
    assert!(other.contains("Nothing was read from it yet") && !other.contains("<h2>Findings</h2>"), "{other}");
}

#[tokio::test]
async fn a_finding_belongs_to_every_node_that_it_names() {
    let finding = |message: &str, subject: &str| {
        let mut finding = broken(message);
        finding.subject = subject.to_owned();
        plinth_model::EventBody::Finding { finding: Box::new(finding), step: None }
    };
    let mut script = Script(run("x"));
    script.say(62.5, finding("both are late", "cpu-03, dgx-05"));
    script.say(62.5, finding("another one", "dgx-051"));
    let page = Page::of(&Scripted::of(script.0));
    for (node, has) in [("cpu-03", true), ("dgx-05", true), ("dgx-06", false)] {
        let body = page.get(&format!("/r/run-1/nodes/{node}")).await.body;
        assert_eq!(body.contains("both are late"), has, "{node}: {body}");
        assert!(!body.contains("another one"), "{node}");
    }
}
