//! Many at once, and a run that is not to be had for a while: nobody is in the way of others.

use super::Page;
use super::script::{Scripted, run};
use axum::http::StatusCode;
use futures::future::join_all;
use std::sync::mpsc;
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_millis(200);
const AT_LAST: Duration = Duration::from_secs(10);

/// A page of a run that is on.
fn page() -> Page {
    let source = Scripted::of(run("x")[..6].to_vec());
    source.held("run-1", true);
    let page = Page::of(&source);
    page.look();
    page
}

/// Changes the run until it is told to let go, or for three seconds.
fn hold(page: &Page) -> mpsc::Sender<()> {
    let live = page.app.runs.live().unwrap();
    let (let_go, told) = mpsc::channel();
    let (began, begun) = mpsc::channel();
    std::thread::spawn(move || {
        let held = live.write();
        began.send(()).unwrap();
        let _ = told.recv_timeout(Duration::from_secs(3));
        drop(held);
    });
    begun.recv().unwrap();
    let_go
}

#[tokio::test]
async fn a_follower_who_has_to_wait_holds_up_nobody() {
    let page = page();
    let let_go = hold(&page);
    let bearer = format!("Bearer {}", page.token.expose());
    let headers = [("host", "localhost"), ("authorization", bearer.as_str())];
    let mut follower = Box::pin(page.respond("GET", "/r/run-1/live", &headers));
    assert!(timeout(SOON, follower.as_mut()).await.is_err(), "the only thread of this runtime was blocked");
    let_go.send(()).unwrap();
    assert_eq!(timeout(AT_LAST, follower).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn only_a_few_pages_are_made_at_once_also_for_those_who_go_away() {
    let page = page();
    let let_go = hold(&page);
    let mut many = Box::pin(join_all((0..50).map(|_| page.get("/r/run-1"))));
    assert!(timeout(SOON, many.as_mut()).await.is_err());
    assert_eq!(page.app.room.available_permits(), 0);
    let style = crate::assets::address("style.css");
    for address in ["/healthz", &style] {
        assert_eq!(timeout(SOON, page.get(address)).await.unwrap().status, StatusCode::OK, "{address}");
    }
    drop(many);
    assert!(timeout(SOON, page.get("/r/run-1")).await.is_err(), "the threads are still at work");
    let_go.send(()).unwrap();
    assert_eq!(timeout(AT_LAST, page.get("/r/run-1")).await.unwrap().status, StatusCode::OK);
}

/// Whether a writer in between would stop it for ever shows too seldom for a test.
#[tokio::test]
async fn a_run_that_is_on_can_be_compared_with_itself() {
    let got = page().get("/diff/run-1/run-1").await;
    assert!(got.status == StatusCode::OK && got.body.contains("Nothing differs"), "{}", got.body);
}
