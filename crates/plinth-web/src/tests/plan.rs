//! The plan of the run that is written down by hand, and what pages make of it.

use super::Page;
use super::script::{Scripted, id, run};
use plinth_model::Plan;
use serde_json::{Value, json};

/// What a step needs, by its id.
const STEPS: [(&str, &[&str]); 8] = [
    ("nodes/account/cpu-03", &[]),
    ("nodes/account/dgx-05", &[]),
    ("nodes/account/dgx-06", &[]),
    ("nodes/storage/dgx-05", &["nodes/account/dgx-05"]),
    ("nodes/storage/dgx-06", &["nodes/account/dgx-06"]),
    ("kubernetes/deploy/basepod-a", &["nodes/account/cpu-03", "nodes/account/dgx-05"]),
    ("kubernetes/deploy/other", &["kubernetes/deploy/basepod-a"]),
    ("checks/dns/basepod-a", &["kubernetes/deploy/basepod-a"]),
];

/// The plan; `word` stands wherever others may write.
pub(super) fn plan(word: &str) -> Plan {
    let steps: Vec<Value> = STEPS.iter().map(|(step, needs)| planned(step, needs, word)).collect();
    let digest = plinth_model::Digest::of_bytes(b"plan");
    let plan = json!({
        "schema": plinth_model::plan::SCHEMA,
        "hash": digest,
        "site": "basepod-a",
        "madeFrom": {"site": digest, "inventory": digest, "catalog": digest, "plinth": word},
        "steps": steps,
        "gates": [{"id": "storage/dgx-05", "question": word, "openedBy": "nodes/account/dgx-05", "answers": []}],
        "findings": [super::script::broken(word)],
    });
    serde_json::from_value(plan).unwrap()
}

fn planned(step: &str, needs: &[&str], word: &str) -> Value {
    let target = id(step).target().to_owned();
    let (kind, params) = match id(step).area() {
        "nodes" => (
            "node.connect",
            json!({"target": {"node": target, "address": "10.0.0.1", "user": "a", "credential": "agent"}}),
        ),
        "checks" => ("check", json!({"check": {"check": "system"}})),
        _ => ("kubernetes.dns", json!({"name": "a.example", "address": "10.0.0.1"})),
    };
    json!({"id": step, "kind": kind, "params": params, "needs": needs, "reason": word, "change": {"change": "apply", "diff": [word]}})
}

fn page() -> Page {
    let source = Scripted::of(run("a word"));
    *source.plan.lock().unwrap() = Some(plan("a word"));
    Page::of(&source)
}

#[tokio::test]
async fn what_was_to_be_done_is_shown_with_what_it_needs() {
    let page = page();
    let shown = page.get("/r/run-1/plan").await.body;
    for text in ["8, 8 to do", "nodes/storage/dgx-05", "a word", "not open", "Gates", "node.connection-lost"] {
        assert!(shown.contains(text), "no `{text}` in {shown}");
    }
    assert_eq!(page.get("/r/run-1/plan.json").await.status, axum::http::StatusCode::OK);
    let step = page.get("/r/run-1/steps/kubernetes/deploy/basepod-a").await.body;
    let at = |text: &str| step.find(text).unwrap_or_else(|| panic!("no `{text}` in {step}"));
    assert!(
        at("<h2>Needs ") < at("nodes/account/cpu-03\">") && at("<h2>Is needed by ") < at("kubernetes/deploy/other\">")
    );
    let never = page.get("/r/run-1/steps/nodes/storage/dgx-05").await.body;
    assert!(never.contains("waiting") && never.contains("nodes/account/dgx-05"), "it was not begun: {never}");
}

#[tokio::test]
async fn a_graph_has_a_box_for_a_kind_and_one_for_each_step_that_another_of_its_kind_needs() {
    let body = page().get("/r/run-1/graph").await.body;
    assert!(body.contains("8 steps as 5 boxes"), "{body}");
    for text in
        ["nodes/account: 1 failed, 1 changed, 1 unchanged", "kubernetes/deploy/other: 1 waiting", "class=\"box wrong\""]
    {
        assert!(body.contains(text), "no `{text}` in {body}");
    }
    assert_eq!(body.matches("class=\"edge\"").count(), 4, "{body}");
}

#[tokio::test]
async fn nodes_that_are_chosen_are_chosen_in_every_form_and_stay_at_their_moment() {
    let page = page();
    let shown = page.get("/r/run-1/nodes?q=node:dgx*+*6&at=9").await.body;
    assert!(shown.contains("id=\"n2\"") && !shown.contains("id=\"n1\"") && !shown.contains("id=\"n0\""), "{shown}");
    assert!(shown.contains("1 of 3 nodes fit <code>node:dgx* *6</code>"), "{shown}");
    let form = shown.split("<form class=\"search\"").nth(1).unwrap().split("</form>").next().unwrap();
    assert!(form.contains("name=\"at\" value=\"9\""), "{form}");
    let command = "plinth runs show run-1 --where 'node:dgx* *6 node:*'";
    assert!(shown.contains(&format!("<code id=\"command\">{command}</code>")), "{shown}");
    assert!(shown.contains("href=\"/r/run-1/nodes.json?q=node%3Adgx*+*6&amp;at=9\""), "{shown}");
    let data: Value = serde_json::from_str(&page.get("/r/run-1/nodes.json?q=node:dgx*+*6&at=9").await.body).unwrap();
    let steps: Vec<&str> =
        data["steps"].as_array().unwrap().iter().map(|one| one["step"]["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["nodes/account/dgx-06", "nodes/storage/dgx-06"], "also what was not begun then");
    let text = page.get("/r/run-1/nodes.txt?q=dgx+6").await.body;
    assert!(text.contains("nodes/storage/dgx-06") && !text.contains("dgx-05"), "{text}");
    assert!(page.get("/r/run-1/nodes?q=2*dgx").await.body.contains("No node fits"));
}

#[tokio::test]
async fn a_node_is_chosen_by_what_its_steps_are_in_the_words_of_all_pages() {
    let page = page();
    let rows = async |asked: &str| {
        let body = page.get(&format!("/r/run-1/nodes?q={asked}")).await.body;
        let ids =
            ["n0", "n1", "n2"].into_iter().filter(|id| body.contains(&format!("<li id=\"{id}\""))).collect::<Vec<_>>();
        (ids, body)
    };
    for (asked, wanted) in [
        ("state:failed", vec!["n2"]),
        ("kind:nodes/account+state:changed", vec!["n1"]),
        ("kind:nodes/storage", vec!["n1", "n2"]),
        ("stage:nodes+state:unchanged", vec!["n0"]),
        ("waiting:any", vec!["n1", "n2"]),
        ("stage:acceptance", vec![]),
    ] {
        let (ids, body) = rows(asked).await;
        assert_eq!(ids, wanted, "{asked}: {body}");
    }
    let (_, wrong) = rows("color:red").await;
    assert!(wrong.contains("`color:` is not known"), "{wrong}");
    let begun = page.get("/r/run-1/steps?q=state:waiting&at=2").await.body;
    assert!(begun.contains("id=\"s:checks/dns/basepod-a\""), "the plan has it, nothing was said of it: {begun}");
}
