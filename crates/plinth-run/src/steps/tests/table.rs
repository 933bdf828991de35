use super::*;
use crate::steps::{EXPLANATIONS, explain};
use plinth_model::steps::NodeConnect;

/// All kinds, from the message with which an unknown one is refused.
fn kinds() -> Vec<String> {
    let refusal =
        serde_json::from_value::<Work>(serde_json::json!({"kind": "nope", "params": {}})).unwrap_err().to_string();
    let (_, expected) = refusal.split_once("expected one of").unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_kind_is_explained_once() {
    let kinds = kinds();
    assert!(kinds.len() >= 23, "{kinds:?}");
    let explained: Vec<&str> = EXPLANATIONS.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, explained);
    for kind in &kinds {
        let found = explain(kind).unwrap();
        for text in [found.title, found.probe, found.act] {
            assert!(text.ends_with('.') && text.len() > 10, "{kind}: {text}");
        }
    }
    assert_eq!(explain("node.nothing"), None);
}

#[tokio::test]
async fn an_unexpected_call_is_an_error() {
    let bench = Bench::new();
    let error = bench.look(&Work::NodeConnect(NodeConnect { target: target() })).await.unwrap_err();
    assert_eq!(error.happened, "unexpected call");
}
