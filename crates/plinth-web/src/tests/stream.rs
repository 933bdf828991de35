//! Following a run: page and stream together are what a reader of everything has, whenever one comes.

use super::Page;
use super::plan::plan;
use super::script::{Script, Scripted, id, run};
use futures::StreamExt as _;
use plinth_model::run::{Outcome, Progress};
use plinth_model::{Event, StepState};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A browser, as far as live.js goes.
#[derive(Default)]
struct Browser {
    seq: u64,
    texts: BTreeMap<String, String>,
    nodes: BTreeMap<u64, String>,
    resets: usize,
    /// The page is to be read again.
    reloads: usize,
    ended: bool,
}

impl Browser {
    /// Reads a page.
    async fn open(page: &Page) -> Self {
        let body = page.get("/r/run-1").await.body;
        let seq = body.split("data-seq=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        Self { seq, ..Self::default() }
    }

    fn hear(&mut self, frame: &str) {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        match field("event: ") {
            "reset" => self.resets += 1,
            "end" => self.ended = true,
            "patch" => {
                let patch: Value = serde_json::from_str(field("data: ")).unwrap();
                assert!(patch["from"].as_u64().unwrap() <= self.seq, "a gap: {patch}");
                assert_eq!(field("id: "), patch["seq"].to_string());
                self.seq = self.seq.max(patch["seq"].as_u64().unwrap());
                if patch["reload"] == true {
                    self.reloads += 1;
                    return;
                }
                for (name, text) in patch["text"].as_object().unwrap() {
                    self.texts.insert(name.clone(), text.as_str().unwrap().to_owned());
                }
                for node in patch["nodes"].as_array().unwrap() {
                    self.nodes.insert(node[0].as_u64().unwrap(), node[1].as_str().unwrap().to_owned());
                }
            }
            _ => {}
        }
    }

    /// Hears what there is until nothing comes for a moment, or it is over.
    async fn follow(&mut self, page: &Page, from: Option<u64>) {
        let bearer = format!("Bearer {}", page.token.expose());
        let query = from.map(|from| format!("?from={from}")).unwrap_or_default();
        let headers = [("host", "localhost"), ("authorization", bearer.as_str())];
        let response = page.respond("GET", &format!("/r/run-1/live{query}"), &headers).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut frames = response.into_body().into_data_stream();
        while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(50), frames.next()).await {
            self.hear(std::str::from_utf8(&frame.unwrap()).unwrap());
        }
    }
}

/// What a stream says until nothing comes for a moment.
async fn heard(page: &Page, address: &str) -> String {
    let bearer = format!("Bearer {}", page.token.expose());
    let headers = [("host", "localhost"), ("authorization", bearer.as_str())];
    rest(page.respond("GET", address, &headers).await).await
}

async fn rest(response: axum::response::Response) -> String {
    let mut frames = response.into_body().into_data_stream();
    let mut all = String::new();
    while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(50), frames.next()).await {
        all.push_str(std::str::from_utf8(&frame.unwrap()).unwrap());
    }
    all
}

fn growing(events: &[Event], known: usize) -> (Arc<Scripted>, Page) {
    let source = Scripted::of(events[..known].to_vec());
    *source.plan.lock().unwrap() = Some(plan("x"));
    source.held("run-1", true);
    let page = Page::of(&source);
    page.look();
    (source, page)
}

#[tokio::test]
async fn whoever_comes_in_the_middle_ends_where_the_reader_of_everything_does() {
    let events = run("x");
    let (_, whole) = growing(&events, events.len());
    let whole = whole.get("/r/run-1").await.body;
    for opened in 1..events.len() {
        for chunk in [1, 3] {
            let (source, page) = growing(&events, opened);
            let mut browser = Browser::open(&page).await;
            let from = browser.seq + 1;
            for part in events[opened..].chunks(chunk) {
                source.add("run-1", part.to_vec());
                page.look();
            }
            browser.follow(&page, Some(from)).await;
            assert!(browser.resets == 0 && browser.ended, "opened at {opened}");
            assert!(whole.contains(&format!(">{}<", browser.texts["t-asof"])), "{}", browser.texts["t-asof"]);
            assert!(whole.contains(&browser.texts["t-done"]));
            assert_eq!(browser.texts["t-life"], "");
            if opened < 10 {
                assert_eq!(browser.nodes[&2], "fn", "account failed, storage did not run");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_was_restarted_goes_on_or_says_that_the_page_is_old() {
    let events = run("x");
    let (_, page) = growing(&events, 6);
    let seen = Browser::open(&page).await.seq;
    let (source, again) = growing(&events, 6);
    let mut browser = Browser { seq: seen, ..Browser::default() };
    browser.follow(&again, Some(seen + 1)).await;
    assert_eq!(browser.resets, 0, "it missed nothing");
    source.add("run-1", events[6..8].to_vec());
    again.look();
    browser.follow(&again, Some(seen + 1)).await;
    assert_eq!((browser.resets, browser.seq), (0, events[7].seq), "what came since was kept");
    let (_, later) = growing(&events, 9);
    browser.follow(&later, Some(seen + 1)).await;
    assert_eq!(browser.resets, 1, "what it missed is not there any more");
}

#[tokio::test]
async fn progress_and_the_death_of_the_runner_are_told() {
    let events = run("x");
    let (source, page) = growing(&events, 4);
    let mut browser = Browser::open(&page).await;
    let from = browser.seq + 1;
    let told = Progress { done: 3, total: 9, message: "pulling".into() };
    source.moving.lock().unwrap().insert(id("nodes/account/dgx-05"), told);
    page.look();
    page.look();
    source.held("run-1", false);
    page.look();
    let all = heard(&page, &format!("/r/run-1/live?from={from}")).await;
    assert!(all.contains("pulling (3 of about 9)"), "{all}");
    assert!(all.contains(r#""reload":true"#) && all.contains("interrupted"), "the death changes the whole page: {all}");
    assert_eq!(all.matches("event: patch").count(), 2, "nothing new is nothing said: {all}");
    browser.follow(&page, Some(from)).await;
    assert!(browser.resets == 0 && browser.reloads == 1 && !browser.ended);
}

#[tokio::test]
async fn a_new_run_ends_the_streams_of_the_one_before_and_a_flood_is_one_word() {
    let events = run("x");
    let (source, page) = growing(&events, 5);
    let mut browser = Browser::open(&page).await;
    let from = browser.seq + 1;
    let mut next = Script::begin("run-2", 700, true);
    source.add("run-2", next.0.clone());
    source.held("run-2", true);
    page.look();
    browser.follow(&page, Some(from)).await;
    assert!(browser.ended, "nobody goes on with it");
    let known = next.0.len();
    for node in 0..700 {
        next.ends(1.0, &format!("nodes/account/n{node}"), StepState::Changed, "", None);
    }
    source.add("run-2", next.0[known..].to_vec());
    page.look();
    let headers = [("host", "localhost"), ("authorization", &*format!("Bearer {}", page.token.expose()))];
    let response = page.respond("GET", "/r/run-2/live?from=2", &headers).await;
    let mut frames = response.into_body().into_data_stream();
    let hello = frames.next().await.unwrap().unwrap();
    assert!(hello.starts_with(b"event: hello"));
    let patch = frames.next().await.unwrap().unwrap();
    assert!(patch.len() < 200 && std::str::from_utf8(&patch).unwrap().contains("\"reload\":true"));
    next.over(2.0, Outcome::Done);
}

#[tokio::test]
async fn a_stream_ends_with_the_server_and_is_counted_while_it_is_open() {
    let (_, page) = growing(&run("x"), 5);
    let headers = [("host", "localhost"), ("authorization", &*format!("Bearer {}", page.token.expose()))];
    let response = page.respond("GET", "/r/run-1/live", &headers).await;
    assert_eq!(page.app.followers.count(), 1);
    let mut frames = response.into_body().into_data_stream();
    assert!(frames.next().await.is_some());
    page.stop.send_replace(true);
    let end = tokio::time::timeout(Duration::from_secs(2), frames.next()).await;
    assert!(matches!(end, Ok(None)));
    drop(frames);
    assert_eq!(page.app.followers.count(), 0);
}

#[tokio::test]
async fn a_run_that_began_just_now_is_not_called_over() {
    let (source, page) = growing(&run("x"), 5);
    source.add("run-2", Script::begin("run-2", 8, false).0);
    source.held("run-2", true);
    let live = "/r/run-2/live?from=2";
    let early = heard(&page, live).await;
    assert!(early.contains("event: reset") && !early.contains("event: end"), "{early}");
    let taken_up = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        page.look();
    };
    let ((), followed) = futures::future::join(taken_up, heard(&page, live)).await;
    assert!(
        followed.contains("hello") && !followed.contains("reset") && !followed.contains("event: end"),
        "{followed}"
    );
}

#[tokio::test]
async fn a_journal_that_goes_away_takes_its_run_with_it() {
    let (source, page) = growing(&run("x"), 5);
    let headers = [("host", "localhost"), ("authorization", &*format!("Bearer {}", page.token.expose()))];
    let follower = page.respond("GET", "/r/run-1/live", &headers).await;
    source.runs.lock().unwrap().clear();
    page.look();
    assert!(rest(follower).await.contains("event: end"));
    assert!(page.app.runs.live().is_none());
    for address in ["/r/run-1", "/r/run-1/live"] {
        assert_eq!(page.get(address).await.status, axum::http::StatusCode::NOT_FOUND, "{address}");
    }
    source.add("run-1", run("x"));
    page.look();
    assert_eq!(page.get("/r/run-1").await.status, axum::http::StatusCode::OK);
}

#[tokio::test]
async fn an_end_that_is_written_while_it_is_read_is_no_death() {
    let events = run("x");
    let (source, page) = growing(&events, 6);
    let mut browser = Browser::open(&page).await;
    let from = browser.seq + 1;
    *source.meanwhile.lock().unwrap() = events[6..].to_vec();
    page.look();
    browser.follow(&page, Some(from)).await;
    assert_eq!((browser.reloads, browser.resets, browser.ended), (0, 0, true), "it ended, and nobody is gone");
    assert!(page.get("/r/run-1").await.body.contains("data-state=\"partly\""));

    let source = Scripted::of(events[..6].to_vec());
    source.held("run-1", true);
    *source.meanwhile.lock().unwrap() = events[6..].to_vec();
    let body = Page::of(&source).get("/r/run-1").await.body;
    assert!(body.contains("data-state=\"partly\""), "nor for whoever reads it whole: {body}");
}

#[tokio::test]
async fn a_page_of_a_silent_runner_hears_that_it_goes_on() {
    let events = run("x");
    let (source, page) = growing(&events, 6);
    source.held("run-1", false);
    page.look();
    let mut browser = Browser::open(&page).await;
    let from = browser.seq + 1;
    source.held("run-1", true);
    source.add("run-1", events[6..8].to_vec());
    page.look();
    browser.follow(&page, Some(from)).await;
    assert!(browser.resets == 0 && !browser.ended && browser.seq == events[7].seq);
}

#[tokio::test]
async fn a_stream_of_an_earlier_run_ends() {
    let source = Scripted::of(run("x"));
    source.add("run-2", Script::begin("run-2", 8, false).0);
    let page = Page::of(&source);
    page.look();
    assert!(heard(&page, "/r/run-1/live").await.contains("event: end"));
}
