//! What programs said, read from afar.

use super::Page;
use super::script::{Scripted, run};
use axum::http::StatusCode;
use plinth_report::document;
use serde_json::Value;
use std::fmt::Write as _;

const STEP: &str = "nodes/account/dgx-06";

#[tokio::test]
async fn a_failure_leads_to_all_that_its_program_said() {
    let source = Scripted::of(run("no route to host"));
    let page = Page::of(&source);
    let places = ["/r/run-1/failures".to_owned(), format!("/r/run-1/steps/{STEP}")];
    for place in &places {
        let body = page.get(place).await.body;
        assert!(body.contains("all of it was in <code>/logs/x</code>"), "it is not kept here: {body}");
    }
    assert_eq!(page.get("/r/run-1/logs/x").await.status, StatusCode::NOT_FOUND);
    source.wrote("x", STEP, "one\n  two\nsecret was taken out\n");
    for place in &places {
        let body = page.get(place).await.body;
        assert!(body.contains("href=\"/r/run-1/logs/x\""), "{place}: {body}");
    }
    let log = page.get("/r/run-1/logs/x").await.body;
    assert!(log.contains("one\n  two\n") && log.contains(&format!("href=\"/r/run-1/steps/{STEP}\"")), "{log}");
    assert!(!log.contains("bytes are left out") && log.contains("<code id=\"command\">plinth logs x</code>"), "{log}");
    assert_eq!(page.get("/r/run-1/logs/x.txt").await.body, "one\n  two\nsecret was taken out\n");
    assert_eq!(page.get(&format!("/r/run-1/logs/{STEP}.txt")).await.body, page.get("/r/run-1/logs/x.txt").await.body);
    let told: Value = serde_json::from_str(&page.get("/r/run-1/logs/x.json").await.body).unwrap();
    assert_eq!((told["step"].as_str(), told["size"].as_u64()), (Some(STEP), Some(31)));
    let list = page.get("/r/run-1/logs").await.body;
    assert!(list.contains("1 log of programs") && list.contains("href=\"/r/run-1/logs/x\""), "{list}");
    assert!(page.get("/r/run-1/exports").await.body.contains("href=\"/r/run-1/logs\""));
}

#[tokio::test]
async fn a_step_that_runs_shows_the_last_lines_of_its_log() {
    let source = Scripted::of(run("x"));
    let lines = (0..100).fold(String::new(), |mut lines, line| {
        writeln!(lines, "TASK {line:03}").unwrap();
        lines
    });
    source.wrote("deploy.log", "kubernetes/deploy/basepod-a", lines);
    let body = Page::of(&source).get("/r/run-1/steps/kubernetes/deploy/basepod-a").await.body;
    assert!(body.contains("TASK 060\n") && body.contains("TASK 099") && !body.contains("TASK 059"), "{body}");
    assert!(body.contains("href=\"/r/run-1/logs/deploy.log\""), "{body}");
}

#[tokio::test]
async fn a_large_log_is_bounded_and_every_byte_of_it_can_be_had() {
    let source = Scripted::of(run("x"));
    let all = (0..60_000).fold(String::new(), |mut all, line| {
        writeln!(all, "line {line:06} of the play").unwrap();
        all
    });
    source.wrote("deploy.log", "kubernetes/deploy/basepod-a", all.clone());
    let page = Page::of(&source);
    let body = page.get("/r/run-1/logs/deploy.log").await.body;
    assert!(body.len() < 400_000, "{} bytes", body.len());
    assert!(body.contains(&format!(" of {} bytes. ", all.len())) && body.contains("bytes are left out here"));
    assert!(body.contains("line 000000 of") && body.contains("line 059999 of") && !body.contains("line 030000 of"));
    let text = page.get("/r/run-1/logs/deploy.log.txt").await.body;
    let (first, rest) = text.split_once("[").unwrap();
    let (note, last) = rest.split_once("]\n").unwrap();
    assert!(all.starts_with(first) && all.ends_with(last) && last.starts_with("line "), "{note}");
    let left_out = all.len() - first.len() - last.len();
    assert_eq!(
        note,
        format!("{left_out} of {} bytes are left out here; `?from={}` shows them", all.len(), first.len())
    );
    let (mut read, mut from) = (String::new(), 0);
    while from < all.len() {
        let text = page.get(&format!("/r/run-1/logs/deploy.log.txt?from={from}")).await.body;
        let piece = text.split("\n[").next().unwrap().trim_end_matches('\n').to_owned() + "\n";
        from += piece.len();
        read += &piece;
    }
    assert!(read == all, "{} of {} bytes", read.len(), all.len());
    let behind = page.get("/r/run-1/logs/deploy.log?from=99999999").await;
    assert_eq!(behind.status, StatusCode::OK);
}

#[tokio::test]
async fn only_names_that_the_run_knows_lead_to_a_file() {
    let source = Scripted::of(run("x"));
    source.wrote("x", STEP, "it");
    let page = Page::of(&source);
    for name in ["..%2Fjournal.db", "%2Fetc%2Fpasswd", "x%2F..%2Fy", "run", "plinth.log", "../x", "a/b"] {
        let got = page.get(&format!("/r/run-1/logs/{name}")).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{name}: {}", got.body);
    }
}

#[tokio::test]
async fn the_report_is_offered_and_is_a_file() {
    let events = run("no route to host");
    let page = Page::of(&Scripted::of(events.clone()));
    assert!(page.get("/r/run-1/exports").await.body.contains("href=\"/r/run-1/report.html\""));
    let got = page.get("/r/run-1/report.html").await;
    assert_eq!(got.headers["content-disposition"], "attachment; filename=\"plinth-basepod-a-run-1.html\"");
    let back = document::extract(&got.body).unwrap();
    assert_eq!(back.lines().count(), events.len());
    assert!(got.body.contains("no route to host") && got.body.contains("dgx-06"));
    let then = page.get("/r/run-1/report.html?at=5").await;
    assert_eq!(document::extract(&then.body).unwrap().lines().count(), 5);
}
