//! Text of nodes, programs and addresses: shown as what it is, never obeyed.

use super::Page;
use super::pages::PARTS;
use super::plan::plan;
use super::script::{Scripted, run};

const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e}gnp.exe\u{1b}]8;;https://evil.example\u{7}here\u{1b}]8;;\u{7}\u{0}\r\n\u{200b}\
                       <script>alert(1)</script><img src=x onerror=alert(1)>\"' onmouseover='alert(1)";

fn is_hidden(c: char) -> bool {
    plinth_model::text::is_hidden(c)
}

#[tokio::test]
async fn nothing_from_outside_is_obeyed_on_any_page() {
    let source = Scripted::of(run(HOSTILE));
    *source.plan.lock().unwrap() = Some(plan(HOSTILE));
    *source.kernel.lock().unwrap() = HOSTILE.to_owned();
    source.wrote("x", "nodes/account/dgx-06", HOSTILE);
    source.wrote("y", "kubernetes/deploy/basepod-a", HOSTILE);
    let page = Page::of(&source);
    let more =
        ["/trace.json", "/otlp.json", "/ctrf.json", "/junit.xml", "/summary.md", "/events.ndjson", "/columns.json"];
    let parts = PARTS
        .iter()
        .chain(&["/logs/x", "/steps/kubernetes/deploy/basepod-a"])
        .filter(|part| !part.contains('?'))
        .flat_map(|part| ["", ".json", ".txt"].map(|end| format!("/r/run-1{part}{end}")));
    for address in parts.chain(more.iter().map(|file| format!("/r/run-1{file}"))).chain(["/".to_owned()]) {
        let got = page.get(&address).await;
        let hidden: Vec<char> = got.body.chars().filter(|c| is_hidden(*c)).collect();
        assert!(hidden.is_empty(), "{address}: {hidden:?}");
        if got.headers["content-type"].to_str().unwrap().starts_with("text/html") {
            for sign in ["<script>", "<img", "href=\"https:", "\" onmouseover"] {
                assert!(!got.body.contains(sign), "{address} has {sign}: {}", got.body);
            }
        }
    }
}

#[tokio::test]
async fn a_line_without_an_end_is_cut_where_lists_are() {
    let endless = "x".repeat(1_000_000);
    let source = Scripted::of(run(&endless));
    *source.plan.lock().unwrap() = Some(plan(&endless));
    let page = Page::of(&source);
    for part in ["", "/failures", "/nodes", "/steps", "/timeline", "/graph", "/plan"] {
        let body = page.get(&format!("/r/run-1{part}")).await.body;
        assert!(body.len() < 200_000, "{part}: {} bytes", body.len());
    }
}

#[tokio::test]
async fn what_stands_in_an_address_is_shown_and_not_obeyed() {
    let page = Page::of(&Scripted::of(run("x")));
    let evil = "%3Cscript%3Ealert(1)%3C/script%3E%22%3E%E2%80%AE";
    for address in [
        format!("/?q={evil}"),
        format!("/r/run-1/steps?q={evil}"),
        format!("/r/run-1/nodes?q={evil}"),
        format!("/r/{evil}"),
        format!("/explain/{evil}"),
        format!("/r/run-1?at=3&x={evil}"),
        format!("/r/run-1/steps/a/b/{}", evil.replace('/', "%2F")),
    ] {
        let body = page.get(&address).await.body;
        assert!(!body.contains("<script>") && !body.contains('\u{202e}'), "{address}: {body}");
    }
    let long = format!("/?q={}", "x".repeat(9_000));
    assert_eq!(page.get(&long).await.status, axum::http::StatusCode::URI_TOO_LONG);
    let elsewhere =
        page.ask("GET", &format!("//evil.example/?token={}", page.token.expose()), &[("host", "localhost")]).await;
    let location = elsewhere.headers.get("location").map(|place| place.to_str().unwrap().to_owned());
    assert!(location.is_none_or(|place| !place.starts_with("//")), "the token leads nowhere else");
}
