//! Who may look, and that looking is all.

use super::Page;
use super::script::{Scripted, run};
use axum::http::StatusCode;

#[tokio::test]
async fn the_link_lets_in_and_the_token_leaves_the_address() {
    let page = Page::of(&Scripted::of(run("x")));
    let ours = [("host", "localhost:8080")];
    for address in ["/", "/r/run-1", "/r/run-1/live", "/metrics", "/r/run-1/trace.json", "/nowhere"] {
        let got = page.ask("GET", address, &ours).await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{address}");
        assert!(!got.body.contains("dgx-06"), "{address}");
    }
    let wrong = page.ask("GET", "/?token=a-token-that-is-not-the-one", &ours).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let link = format!("/r/run-1/steps?token={}&q=state:failed", page.token.expose());
    let got = page.ask("GET", &link, &ours).await;
    assert_eq!(
        (got.status, &got.headers["location"]),
        (StatusCode::SEE_OTHER, &"/r/run-1/steps?q=state%3Afailed".parse().unwrap())
    );
    let cookie = got.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(page.token.expose()));
    let pair = cookie.split(';').next().unwrap();
    let got = page.ask("GET", "/r/run-1", &[("host", "127.0.0.1:8080"), ("cookie", pair)]).await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(!got.body.contains(page.token.expose()), "no page has the token");
}

#[tokio::test]
async fn only_hosts_of_ours_and_only_looking() {
    let page = Page::of(&Scripted::of(run("x")));
    let bearer = format!("Bearer {}", page.token.expose());
    for host in ["evil.example", "localhost.evil.example:8080", ""] {
        let got = page.ask("GET", "/", &[("host", host), ("authorization", &bearer)]).await;
        assert_eq!(got.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(got.body.contains("--host"), "{}", got.body);
    }
    assert_eq!(page.ask("GET", "/healthz", &[]).await.status, StatusCode::MISDIRECTED_REQUEST, "no host at all");
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let got = page.ask(method, "/", &[("host", "localhost"), ("authorization", &bearer)]).await;
        assert_eq!(
            (got.status, &got.headers["allow"]),
            (StatusCode::METHOD_NOT_ALLOWED, &"GET, HEAD".parse().unwrap())
        );
    }
    let head = page.ask("HEAD", "/r/run-1", &[("host", "localhost"), ("authorization", &bearer)]).await;
    assert!(head.status == StatusCode::OK && head.body.is_empty() && head.headers["content-length"] != "0");
    assert_eq!(page.ask("GET", "/healthz", &[("host", "localhost")]).await.body, "ok\n");
    let style = crate::assets::address("style.css");
    let got = page.ask("GET", &style, &[("host", "localhost")]).await;
    assert!(got.headers["cache-control"].to_str().unwrap().contains("immutable") && got.body.contains("--bg"));
    assert_eq!(page.ask("GET", "/assets/0/style.css", &[("host", "localhost")]).await.status, StatusCode::NOT_FOUND);
}
