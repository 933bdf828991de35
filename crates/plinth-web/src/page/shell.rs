//! The frame of every page: head, the line on top that stays in sight, the ways to other pages.

use super::OfRun;
use super::parts::{of_day, quoted, run_badge, told};
use crate::assets;
use crate::record::Record;
use crate::route::{Links, Part, asked, encoded};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use plinth_analysis::{Analysis, Waiting};
use plinth_model::run::RunState;
use plinth_model::span::{clock, span};
use plinth_model::{RunView, SiteName, amount};
use plinth_report::runs::sentence;

/// Pages of a run, in the order in which they stand beside each other; keys.js counts on it.
static TABS: [(&str, Part); 9] = [
    ("Overview", Part::Overview),
    ("Failures", Part::Failures),
    ("Nodes", Part::Nodes),
    ("Steps", Part::Steps),
    ("Timeline", Part::Timeline),
    ("Graph", Part::Graph),
    ("Checks", Part::Checks),
    ("Plan", Part::Plan),
    ("Exports", Part::Exports),
];

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
    bare(site, title, live, twins, (html! {}, body))
}

/// A page that compares a run with another one, with the tabs of that run.
pub(crate) fn compared(site: &SiteName, title: &str, run: &str, twins: &Twins, body: Markup) -> Markup {
    bare(site, title, None, twins, (tabs(&Links::new(run, None), run, None, 0), body))
}

fn bare(site: &SiteName, title: &str, live: Option<&str>, twins: &Twins, (tabs, body): (Markup, Markup)) -> Markup {
    let title = format!("{title} · {site}");
    document(
        &title,
        live.is_some(),
        &["live.js"],
        html! {
            body data-run=[live] data-plain="1" data-state=[live.map(|_| RunState::Running.word())] {
                a.skip href="#main" { "to the content" }
                header.top {
                    div.line { a.home href="/" { "plinth" } b.site { (site) } }
                    (tabs)
                }
                main id="main" { (body) }
                (foot(twins, None))
            }
        },
    )
}

/// A page of a run. `title` names the page, `part` says which tab it belongs to.
pub(crate) fn of_run(page: &OfRun<'_>, title: &str, part: &Part, body: Markup) -> Markup {
    let live = page.record.may_go_on();
    let seq = page.record.view.seq();
    let state = page.analysis.entry.state.word();
    let title = format!("{title} · {state} · {}", page.site);
    document(
        &title,
        page.record.is_on(),
        if *part == Part::Timeline { &["live.js", "timeline.js"] } else { &["live.js"] },
        html! {
            body data-run=(page.run()) data-seq=(seq) data-state=(state) data-live=[live.then_some("1")] {
                a.skip href="#main" { "to the content" }
                (head(page, part))
                main id="main" { (body) }
                (foot(&twins(page, part), Some(page)))
            }
        },
    )
}

/// The whole. A page of something that is `on` is read again every few seconds where there are no scripts.
pub(crate) fn document(title: &str, on: bool, scripts: &[&str], body: Markup) -> Markup {
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
                @for script in scripts {
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
    html! {
        header.top {
            div.line {
                a.home href="/" { "plinth" }
                b.site { (page.site) }
                (run_badge(entry.state, Some("t-state")))
                span id="t-elapsed" { (elapsed(view)) }
                span id="t-done" { (done(view)) }
                (time_left(analysis))
                @if view.retries == 1 { span.dim { "1 retry" } }
                @if view.retries > 1 { span.dim { (view.retries) " retries" } }
                span.grow {}
                span.dim id="t-asof" { (as_of(view)) }
                button.hold id="hold" hidden { "hold" }
            }
            p.sentence id="t-sentence" { (headline(record, &analysis.waiting, Some(analysis.groups.len()))) }
            @if record.is_on() { p.vh id="say" role="status" {} }
            (banners(page))
            (tabs(links, page.run(), Some(part), view.failed.len()))
        }
    }
}

/// The pages of a run. `part`: the page that this is; none: what changed. `failed`: steps that failed, where that is told.
fn tabs(links: &Links, run: &str, part: Option<&Part>, failed: usize) -> Markup {
    let is_here = |tab| part.is_some_and(|part| same(tab, part)).then_some("page");
    html! {
        nav aria-label="pages of this run" {
            @for (name, tab) in &TABS {
                a href=(links.to(tab)) aria-current=[is_here(tab)] { (name)
                    @if *tab == Part::Failures && failed > 0 { " " b.count id="t-failed" { (failed) } }
                }
            }
            a href=(format!("/diff/last-good/{}", encoded(run))) aria-current=[part.is_none().then_some("page")] { "Changes" }
        }
    }
}

/// Whether a page belongs to a tab.
fn same(tab: &Part, part: &Part) -> bool {
    match part {
        Part::Node(_) => *tab == Part::Nodes,
        Part::Step(_) => *tab == Part::Steps,
        Part::Why | Part::Logs | Part::Log(_) => *tab == Part::Exports,
        part => tab == part,
    }
}

/// `12 min of virtual time`.
pub(crate) fn elapsed(view: &RunView) -> String {
    let seconds = view.end.as_ref().map_or_else(|| view.elapsed(), |end| end.seconds);
    let of = if view.run.as_ref().is_some_and(|head| head.rehearsal) { " of virtual time" } else { "" };
    format!("{}{of}", span(seconds))
}

/// `41 of 97 done`, and where it is at work: `41 of 97 done, stage nodes`.
pub(crate) fn done(view: &RunView) -> String {
    let tally = view.tally();
    let total = view.run.as_ref().map_or(0, |head| head.steps).max(tally.ended() + tally.running());
    let at_work = view.stages.iter().filter(|(_, stage)| view.end.is_none() && stage.tally.running() > 0);
    let stages: Vec<&str> = at_work.map(|(stage, _)| stage.title()).collect();
    let stages = match stages.as_slice() {
        [] => String::new(),
        [one] => format!(", stage {one}"),
        several => format!(", stages {}", several.join(", ")),
    };
    format!("{} of {total} done{stages}", tally.done())
}

/// How long it still takes, or what is not known of that: patches fill it.
pub(crate) fn time_left(analysis: &Analysis) -> Markup {
    html! { @if let Some(left) = &analysis.left { span id="t-left" { (told(&plinth_report::runs::left(left))) } } }
}

/// Until when it tells.
pub(crate) fn as_of(view: &RunView) -> String {
    view.at.map(|at| format!("as of {} UTC, event {}", of_day(at), view.seq())).unwrap_or_default()
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
            (None, None) if view.pending() > 0 => "the next steps begin".to_owned(),
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
    let to = |at: Option<u64>| {
        let at = at.map(|at| at.to_string());
        let rest = page.query.pairs().filter(|(key, _)| *key != "at");
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

/// Of a page of a run. Its exports have forms of their own; a step, and a plan, are told from a plan that can be read.
fn twins(page: &OfRun<'_>, part: &Part) -> Twins {
    let query: Vec<(&str, &str)> = page.query.get("q").map(|q| ("q", q)).into_iter().collect();
    let has_forms = match part {
        Part::Exports => false,
        Part::Step(_) | Part::Plan => page.record.plan.is_some(),
        _ => true,
    };
    let form = |end: &str| if has_forms { page.links.with(part, end, &query) } else { String::new() };
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
        Part::Nodes | Part::Node(_) | Part::Steps => {
            format!("plinth runs show {run} --where {}", quoted(&part.filter(page.query)))
        }
        Part::Step(step) => format!("plinth explain {}", quoted(step.as_str())),
        Part::Timeline | Part::Graph => format!("plinth runs critical-path {run}"),
        Part::Checks => "plinth check".to_owned(),
        Part::Plan => "plinth plan".to_owned(),
        Part::Exports => format!("plinth export {run} --format trace"),
        Part::Why => format!("plinth why {run}"),
        Part::Logs => "plinth logs".to_owned(),
        Part::Log(what) => format!("plinth logs {}", quoted(what)),
    }
}
