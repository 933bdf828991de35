//! The frame of every page: head, the line on top that stays in sight, the ways to other pages.

use super::OfRun;
use super::parts::{of_day, quoted, run_badge, told};
use crate::assets;
use crate::record::Record;
use crate::route::{Part, asked};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use plinth_analysis::Waiting;
use plinth_model::run::RunState;
use plinth_model::span::{clock, span};
use plinth_model::{SiteName, amount};
use plinth_report::runs::sentence;

/// Pages of a run, as they stand beside each other: key, name, page.
fn tabs() -> [(&'static str, &'static str, Part); 9] {
    [
        ("o", "Overview", Part::Overview),
        ("f", "Failures", Part::Failures),
        ("n", "Nodes", Part::Nodes),
        ("s", "Steps", Part::Steps),
        ("t", "Timeline", Part::Timeline),
        ("g", "Graph", Part::Graph),
        ("c", "Checks", Part::Checks),
        ("p", "Plan", Part::Plan),
        ("e", "Exports", Part::Exports),
    ]
}

/// Other forms of a page, as addresses, and the command that says the same.
pub(crate) struct Twins {
    pub(crate) json: String,
    pub(crate) text: String,
    pub(crate) command: String,
}

impl Twins {
    /// Of a page at this address, which is asked with `q`.
    pub(crate) fn of(path: &str, q: &str, command: String) -> Self {
        let form = |end: &str| asked(&format!("{path}{end}"), [("q", q)]);
        Self { json: form(".json"), text: form(".txt"), command }
    }
}

/// A page that is about no run; `live`: it tells of this one, which goes on.
pub(crate) fn plain(site: &SiteName, title: &str, live: Option<&str>, twins: &Twins, body: Markup) -> Markup {
    let title = format!("{title} · {site}");
    document(
        &title,
        live.is_some(),
        &[],
        html! {
            body data-run=[live] data-plain="1" data-state=[live.map(|_| RunState::Running.word())] {
                a.skip href="#main" { "to the content" }
                header.top {
                    div.line { a.home href="/" { "plinth" } b.site { (site) } }
                }
                main id="main" { (body) }
                (foot(twins, None))
            }
        },
    )
}

/// A page of a run. `title` names the page, `part` says which tab it belongs to.
pub(crate) fn of_run(page: &OfRun<'_>, title: &str, part: &Part, body: Markup) -> Markup {
    let on = page.record.may_go_on();
    let seq = page.record.view.seq();
    let state = page.analysis.entry.state.word();
    let title = format!("{title} · {state} · {}", page.site);
    let scripts: &[&str] = if *part == Part::Timeline { &["timeline.js"] } else { &[] };
    document(
        &title,
        on,
        scripts,
        html! {
            body data-run=(page.run()) data-seq=(seq) data-state=(state) data-live=[on.then_some("1")] data-part=(part_name(part)) {
                a.skip href="#main" { "to the content" }
                (head(page, part))
                main id="main" { (body) }
                (foot(&twins(page, part), Some(page)))
            }
        },
    )
}

const fn part_name(part: &Part) -> &'static str {
    match part {
        Part::Overview => "overview",
        Part::Timeline => "timeline",
        Part::Steps => "steps",
        Part::Nodes => "nodes",
        Part::Failures => "failures",
        _ => "other",
    }
}

fn document(title: &str, on: bool, scripts: &[&str], body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(assets::address("style.css"));
                @if on { noscript { meta http-equiv="refresh" content="5"; } }
                @for script in ["live.js"].iter().chain(scripts) {
                    script type="module" src=(assets::address(script)) {}
                }
            }
            (body)
        }
    }
}

fn head(page: &OfRun<'_>, part: &Part) -> Markup {
    let OfRun { record, analysis, links, .. } = page;
    let (entry, view) = (&analysis.entry, &record.view);
    let asof = view.at.map(|at| format!("as of {} UTC, event {}", of_day(at), view.seq())).unwrap_or_default();
    html! {
        header.top {
            div.line {
                a.home href="/" { "plinth" }
                b.site { (page.site) }
                (run_badge(entry.state, Some("t-state")))
                span id="t-elapsed" { (span(entry.seconds)) (if entry.rehearsal { " of virtual time" } else { "" }) }
                span id="t-done" { (done(page)) }
                @if view.retries == 1 { span.dim { "1 retry" } }
                @if view.retries > 1 { span.dim { (view.retries) " retries" } }
                span.grow {}
                span.dim id="t-asof" { (asof) }
                button.hold id="hold" hidden { "hold" }
            }
            p.sentence id="t-sentence" { (headline(record, &analysis.waiting, Some(analysis.groups.len()))) }
            @if record.is_on() { p.vh id="say" role="status" {} }
            (banners(page))
            nav aria-label="pages of this run" {
                @for (_, name, tab) in &tabs() {
                    a href=(links.to(tab)) aria-current=[same(tab, part).then_some("page")] { (name)
                        @if *tab == Part::Failures && !view.failed.is_empty() { " " b.count id="t-failed" { (view.failed.len()) } }
                    }
                }
                a href=(format!("/diff/last-good/{}", crate::route::encoded(page.run()))) { "Changes" }
            }
        }
    }
}

/// Whether a page belongs to a tab.
fn same(tab: &Part, part: &Part) -> bool {
    match part {
        Part::Node(_) => *tab == Part::Nodes,
        Part::Step(_) => *tab == Part::Steps,
        Part::Why => *tab == Part::Exports,
        part => tab == part,
    }
}

/// `41 of 97 done`.
pub(crate) fn done(page: &OfRun<'_>) -> String {
    let tally = page.record.view.tally();
    let total = page.analysis.entry.steps.max(tally.ended() + tally.running());
    format!("{} of {total} done", tally.done())
}

/// The one sentence: what it waits for and since when, as long as it is on; else how it ended. Who does not know the number of causes
/// leaves it out.
pub(crate) fn headline(record: &Record, waiting: &[Waiting], causes: Option<usize>) -> String {
    let view = &record.view;
    let failed = amount(view.failed.len(), "step");
    match record.state() {
        RunState::Running => match (&view.stopping, sentence(view, waiting)) {
            (Some(stopping), _) => told(stopping),
            (None, Some(waits)) => told(&waits),
            (None, None) => "everything that is left is at work".to_owned(),
        },
        RunState::Interrupted => "its end was not seen: the next run looks at what was in flight first".to_owned(),
        _ if !view.failed.is_empty() => match causes {
            Some(causes) => format!("{failed} failed for {}", amount(causes, "cause")),
            None => format!("{failed} failed"),
        },
        RunState::Done => "every step is done".to_owned(),
        state => state.word().to_owned(),
    }
}

/// That whoever runs it is silent or gone; none when all is as it should be.
pub(crate) fn silence(record: &Record, now: Timestamp) -> Option<String> {
    record.life(now).and_then(|life| plinth_report::status::sign_of_life(&life))
}

fn banners(page: &OfRun<'_>) -> Markup {
    let OfRun { record, analysis, links, .. } = page;
    let silence = silence(record, page.now);
    html! {
        @if analysis.entry.rehearsal {
            p.banner.rehearsal { b { "A rehearsal" } ": nothing real was touched, and its times are virtual." }
        }
        @if let Some(at) = record.at { (travel(page, at)) }
        @for gap in record.view.gaps() {
            p.banner.bad { b { "Incomplete" } ": events " (gap.after + 1) " to " (gap.until) " are missing." }
        }
        @if analysis.whole == Some(false) {
            p.banner.bad { b { "Incomplete" } ": the events do not fit the digest of their run: some are missing or of another run." }
        }
        // It is there while a run is on, for patches to fill and to empty.
        @if silence.is_some() || record.is_on() {
            p.banner.bad id="t-life" hidden[silence.is_none()] { (silence.unwrap_or_default()) }
        }
        p.banner.pill id="news" hidden { a href=(links.to(&Part::Failures)) {} }
    }
}

/// Where in the run the page stands, and the ways to before, after and now.
fn travel(page: &OfRun<'_>, at: u64) -> Markup {
    let query = page.query.without("at");
    let to = |at: Option<u64>| {
        let at = at.map(|at| at.to_string());
        let rest = form_urlencoded::parse(query.as_bytes()).into_owned().collect::<Vec<_>>();
        let rest = rest.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        asked("", rest.chain(at.as_deref().map(|at| ("at", at))))
    };
    let now = to(None);
    html! {
        p.banner.travel {
            b { "As it was" } " at event " (at) ", " (clock(page.record.view.elapsed())) " into the run. "
            a href=(to(Some(at.saturating_sub(50).max(1)))) { "50 earlier" } " · "
            a href=(to(Some(at.saturating_add(50)))) { "50 later" } " · "
            a href=(if now.is_empty() { "?".to_owned() } else { now }) { "now" }
        }
    }
}

/// Of a page of a run. Its exports have forms of their own.
fn twins(page: &OfRun<'_>, part: &Part) -> Twins {
    let query: Vec<(&str, &str)> = page.query.get("q").map(|q| ("q", q)).into_iter().collect();
    let form = |end: &str| if *part == Part::Exports { String::new() } else { page.links.with(part, end, &query) };
    Twins { json: form(".json"), text: form(".txt"), command: command(page, part) }
}

/// Other forms of the page, the command that says the same, and help for keys.
fn foot(twins: &Twins, run: Option<&OfRun<'_>>) -> Markup {
    html! {
        footer {
            @if !twins.json.is_empty() { a href=(twins.json) { "JSON" } " " a href=(twins.text) { "text" } " " }
            code id="command" { (twins.command) }
            @if let Some(page) = run { (moments(page)) }
            span.grow {}
            span.dim id="t-link" {}
            button id="keys" hidden { "keys" }
        }
    }
}

/// The way to another moment of the run.
fn moments(page: &OfRun<'_>) -> Markup {
    let rest = ["q", "sort"].into_iter().filter_map(|key| Some((key, told(page.query.get(key)?))));
    html! {
        form.moment {
            @for (key, value) in rest { input type="hidden" name=(key) value=(value); }
            label for="at" { "as it was at event" }
            input id="at" name="at" type="number" min="1" max=(page.record.at.unwrap_or(0).max(page.record.view.seq())) value=(page.record.view.seq());
            button { "show" }
        }
    }
}

/// The command that prints what the page shows.
fn command(page: &OfRun<'_>, part: &Part) -> String {
    let run = quoted(&page.run().chars().take(13).collect::<String>());
    match part {
        Part::Overview => format!("plinth runs show {run}"),
        Part::Failures => format!("plinth runs what-failed {run}"),
        Part::Nodes => format!("plinth runs show {run} --where 'node:*'"),
        Part::Node(node) => format!("plinth runs show {run} --where {}", quoted(&format!("node:{node}"))),
        Part::Steps => {
            format!("plinth runs show {run} --where {}", quoted(page.query.get("q").unwrap_or_default()))
        }
        Part::Step(step) => format!("plinth explain {}", quoted(step.as_str())),
        Part::Timeline | Part::Graph => format!("plinth runs critical-path {run}"),
        Part::Checks => "plinth check".to_owned(),
        Part::Plan => "plinth plan".to_owned(),
        Part::Exports => format!("plinth export {run} --format trace"),
        Part::Why => format!("plinth why {run}"),
    }
}
