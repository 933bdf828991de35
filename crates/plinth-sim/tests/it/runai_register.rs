//! A registration is sent once, whatever becomes of its answer.

use crate::runai_stand::{CLUSTER, Stand, code, quick, setup};
use plinth_runai::RunaiTiming;
use plinth_sim::runai::{RunaiFault, RunaiFaultKind};
use plinth_world::Cause;
use plinth_world::runai::RunaiClient;
use serde_json::json;
use std::time::Duration;

fn once(kind: RunaiFaultKind) -> RunaiFault {
    RunaiFault::once(kind).on("register")
}

#[tokio::test]
async fn an_answer_that_is_lost_is_read_back_by_name() {
    let kinds = [
        RunaiFaultKind::AnswerLost,
        RunaiFaultKind::StatusAfter(504),
        RunaiFaultKind::StatusAfter(500),
        RunaiFaultKind::Truncated,
        RunaiFaultKind::CutJson,
        RunaiFaultKind::Html,
        RunaiFaultKind::Body(json!({"id": 7})),
        RunaiFaultKind::Endless,
        RunaiFaultKind::Stall { millis: 3_000 },
    ];
    for kind in kinds {
        // An entry of the same name is there already: the new one is the one that was not there before.
        let timing = RunaiTiming { request: Duration::from_millis(1500), ..quick() };
        let stand = Stand::timed(setup("2.21"), vec![once(kind.clone())], timing);
        let other = stand.server.registered_by_hand(CLUSTER);
        let made = stand.client.register(&stand.ctx, &stand.target).await.unwrap();
        assert_eq!(stand.server.entries(CLUSTER), [other, made.uuid], "{kind:?}");
        assert_eq!(stand.count("register"), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn what_may_be_under_way_is_not_sent_again() {
    for kind in [RunaiFaultKind::Reset, RunaiFault::status(502, "bad gateway")] {
        let stand = Stand::new(vec![once(kind.clone())]);
        let error = stand.failure(stand.client.register(&stand.ctx, &stand.target).await);
        assert_eq!((error.cause, code(&error)), (Cause::Other, "runai.registration-unknown"), "{kind:?}: {error:?}");
        assert_eq!(error.transient, None, "nobody tries again by himself: {kind:?}");
        assert_eq!((stand.count("register"), stand.server.entries(CLUSTER).len()), (1, 0), "{kind:?}");
    }
}

#[tokio::test]
async fn what_the_control_plane_refused_itself_may_be_tried_by_the_next_attempt() {
    for (status, cause) in [(500, Cause::BadAnswer), (503, Cause::BadAnswer), (409, Cause::Refused)] {
        let stand = Stand::new(vec![once(RunaiFault::status(status, "Resource with this name already exists"))]);
        let error = stand.failure(stand.client.register(&stand.ctx, &stand.target).await);
        assert_eq!(error.cause, cause, "{status}: {error:?}");
        assert!(error.transient.is_some(), "{status}: {error:?}");
        assert_eq!(stand.count("register"), 1, "{status}");
    }
}

#[tokio::test]
async fn what_was_never_taken_is_sent_again() {
    let patience = RunaiFaultKind::Status { status: 429, body: json!({}), retry_after: Some(0) };
    for fault in [once(patience), once(RunaiFaultKind::TokensEnd)] {
        let stand = Stand::new(vec![fault.clone()]);
        let made = stand.client.register(&stand.ctx, &stand.target).await.unwrap();
        assert_eq!(stand.server.entries(CLUSTER), [made.uuid], "{fault:?}");
        assert_eq!(stand.count("register"), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_when_the_list_cannot_be_read() {
    let stand = Stand::new(vec![RunaiFault::always(RunaiFault::status(500, "boom")).on("clusters")]);
    stand.failure(stand.client.register(&stand.ctx, &stand.target).await);
    assert_eq!(stand.count("register"), 0);
}

#[tokio::test]
async fn an_entry_is_found_although_the_list_fails_for_a_while() {
    let fails = RunaiFault::once(RunaiFault::status(500, "boom")).times(6).after(1).on("clusters");
    let timing = RunaiTiming { read_back: Duration::from_secs(10), ..quick() };
    let stand = Stand::timed(setup("2.21"), vec![once(RunaiFaultKind::AnswerLost), fails], timing);
    let made = stand.client.register(&stand.ctx, &stand.target).await.unwrap();
    assert_eq!(stand.server.entries(CLUSTER), [made.uuid]);
}

#[tokio::test]
async fn a_login_that_is_refused_meanwhile_is_not_sent_again_while_the_entry_is_looked_for() {
    let locked = RunaiFaultKind::Status {
        status: 401,
        body: json!({"error": "invalid_grant", "error_description": "Invalid user credentials"}),
        retry_after: None,
    };
    let faults = vec![
        once(RunaiFaultKind::AnswerLost),
        RunaiFault::once(RunaiFaultKind::TokensEnd).after(1).on("clusters"),
        RunaiFault::always(locked).after(1).on("token"),
    ];
    let timing = RunaiTiming { read_back: Duration::from_secs(60), ..quick() };
    let stand = Stand::timed(setup("2.21"), faults, timing);
    let began = std::time::Instant::now();
    let error = stand.failure(stand.client.register(&stand.ctx, &stand.target).await);
    assert_eq!(code(&error), "runai.registration-unknown", "{error:?}");
    assert!(error.happened.contains("refuses the login"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(30), "nothing is waited for");
    stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    assert_eq!(stand.count("token"), 2, "the refused password was sent once");
}
