//! A page that was patched says what one says that is read at that event. What live.js does with a patch is done here once more: the same
//! is asked of a browser in the tier `page`.

use super::Page;
use super::plan::plan_of;
use super::script::{Script, Scripted, broken, id};
use futures::{FutureExt as _, StreamExt as _};
use plinth_model::run::{Outcome, Progress};
use plinth_model::{Event, EventBody, Plan, StepState};
use serde_json::Value;
use std::collections::BTreeMap;

const TEXTS: [&str; 10] =
    ["t-elapsed", "t-done", "t-retries", "t-failed", "t-asof", "t-sentence", "t-life", "t-slots", "t-more", "t-steps"];
const OWN: [&str; 4] = ["s-took", "s-attempts", "s-what", "s-last"];
/// States in the order in which lists count them.
const ORDER: &str = "fxalnpcus";
/// The step that a page of this test is about.
const STEP: &str = "nodes/account/dgx-05";
const PAGES: [&str; 6] = ["", "/failures", "/nodes", "/steps", "/nodes/dgx-05", "/steps/nodes/account/dgx-05"];

/// What of a page is alive, by the id of its element; equal on two pages that say the same.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cells {
    part: &'static str,
    seq: u64,
    /// Elements by their id, each as what it says.
    told: BTreeMap<String, Vec<String>>,
    /// A page that is read again.
    again: bool,
}

/// The inside of the element that has this attribute, and the whole of its beginning.
fn element<'a>(body: &'a str, attribute: &str) -> Option<(&'a str, &'a str)> {
    let at = body.find(&format!(" {attribute}"))?;
    let begin = body[..at].rfind('<')?;
    let name = body[begin + 1..].split([' ', '>']).next()?;
    let inside = begin + body[begin..].find('>')? + 1;
    let end = inside + body[inside..].find(&format!("</{name}>"))?;
    Some((&body[inside..end], &body[begin..inside]))
}

/// Words without what is between `<` and `>`.
fn words(html: &str) -> String {
    let text: String = html
        .split('<')
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) })
        .collect();
    text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&").replace("&quot;", "\"")
}

fn attribute(tag: &str, name: &str) -> String {
    let rest = tag.split(&format!("{name}=\"")).nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// A state as a label: class, and letter with word.
fn badge(html: &str) -> [String; 2] {
    let (inside, tag) = element(html, "class=\"st ").unwrap_or_else(|| panic!("no state in {html}"));
    [attribute(tag, "class").replace("st ", ""), words(inside)]
}

/// Pieces of a row: between one tag of that name and the next.
fn pieces<'a>(row: &'a str, tag: &str) -> Vec<&'a str> {
    row.split(&format!("<{tag}")).skip(1).collect()
}

fn cell(piece: &str) -> String {
    words(piece.split_once('>').map_or("", |(_, rest)| rest))
}

impl Cells {
    fn of(part: &'static str, body: &str) -> Self {
        let mut told = BTreeMap::new();
        let seq = attribute(body.split("<body").nth(1).unwrap(), "data-seq").parse().unwrap();
        for name in TEXTS.iter().chain(&OWN) {
            if let Some((inside, _)) = element(body, &format!("id=\"{name}\"")) {
                told.insert((*name).to_owned(), vec![words(inside)]);
            }
        }
        told.insert("t-state".into(), badge(body).into());
        for at in 0..40 {
            if let Some((row, _)) = element(body, &format!("id=\"k{at}\"")) {
                told.insert(format!("k{at}"), kind(row));
            }
            if let Some((row, tag)) = element(body, &format!("id=\"n{at}\"")) {
                let letters: String =
                    pieces(row, "i").iter().map(|cell| format!("{:1}", attribute(cell, " class"))).collect();
                told.insert(format!("n{at}"), vec![letters, cell(pieces(row, "u")[0]), attribute(tag, "data-st")]);
            }
            if let Some((row, _)) = element(body, &format!("id=\"w{at}\"")) {
                told.insert(
                    format!("w{at}"),
                    pieces(row, "span").iter().map(|piece| cell(piece.split("</").next().unwrap())).collect(),
                );
            }
        }
        if let Some((all, _)) = element(body, "class=\"strip\"") {
            told.insert(
                "strip".into(),
                vec![words(all.split("<span id=\"strip\">").nth(1).unwrap()).trim().to_owned()],
            );
        }
        for part in body.split(" data-s=\"").skip(1) {
            let step = part.split('"').next().unwrap();
            let (row, _) = element(body, &format!("data-s=\"{step}\"")).unwrap();
            let cells = pieces(row, "td");
            let rest = cells.get(2..).unwrap_or_default().iter().map(|piece| cell(piece));
            let held = cells.get(3).map(|piece| attribute(piece.split('>').next().unwrap(), "title"));
            let mut row: Vec<String> = badge(row).into_iter().chain(rest).chain(held).collect();
            // Why a step has not begun is told when the page is read.
            row.truncate(if row[0] == "p" { 2 } else { row.len() });
            told.insert(format!("s:{step}"), row);
        }
        if let Some((list, _)) = element(body, "id=\"running\"") {
            told.insert(
                "running".into(),
                pieces(list, "li").iter().map(|row| badge(row)[0].clone() + &cell(row)).collect(),
            );
        }
        Self { part, seq, told, again: false }
    }

    fn put(&mut self, name: &str, value: Vec<String>) {
        if let Some(known) = self.told.get_mut(name) {
            *known = value;
        }
    }

    /// What live.js does.
    fn apply(&mut self, patch: &Value) {
        assert!(patch["from"].as_u64().unwrap() <= self.seq, "a gap: {patch}");
        self.seq = self.seq.max(patch["seq"].as_u64().unwrap());
        let state = text(&patch["state"][1]);
        if patch["reload"] == true || patch["ended"] == true {
            self.again = true;
            return;
        }
        for (name, value) in patch["text"].as_object().unwrap() {
            self.put(name, vec![text(value)]);
        }
        self.put("t-failed", vec![patch["failed"].to_string()]);
        let letter = self.told["t-state"][1].split(' ').next().unwrap().to_owned();
        self.put("t-state", vec![text(&patch["state"][0]), format!("{letter} {state}")]);
        for row in patch["kinds"].as_array().unwrap() {
            self.put(&format!("k{}", row[0]), vec![bar(&row[2]), text(&row[1]), text(&row[3]), text(&row[4])]);
        }
        for row in patch["nodes"].as_array().unwrap() {
            self.put(&format!("n{}", row[0]), [1, 2, 3].map(|at| text(&row[at])).to_vec());
            self.put(&format!("w{}", row[0]), [2, 4].map(|at| text(&row[at])).to_vec());
        }
        self.count();
        self.steps(patch["steps"].as_array().unwrap());
        let running = patch["running"].as_array().unwrap();
        let times = running.iter().map(|row| (text(&row[3]), text(&row[4])));
        let others = patch["times"].as_array().unwrap().iter().map(|row| (text(&row[0]), text(&row[1])));
        for (step, took) in times.chain(others) {
            if let Some(row) = self.told.get_mut(&format!("s:{step}")).filter(|row| row.len() > 2) {
                row[4].clone_from(&took);
            }
            if step == STEP {
                self.put("s-took", vec![took]);
            }
        }
        let row = |row: &Value| {
            let [class, letter, word, step, time, doing] = [0, 1, 2, 3, 4, 5].map(|at| text(&row[at]));
            format!("{class}{letter} {word} {step} {time} {doing}")
        };
        self.put("running", running.iter().map(row).collect());
    }

    fn count(&mut self) {
        let nodes = self.told.iter().filter(|(name, _)| name.starts_with('n'));
        let states: Vec<&str> = nodes.map(|(_, row)| row[2].as_str()).collect();
        let signs = |kind: &str| match kind {
            "f" => "F failed",
            "a" => "A acting",
            "l" => "L looking",
            "n" => "N not run",
            "p" => "· waiting",
            "c" => "C changed",
            "u" => "= unchanged",
            "s" => "S skipped",
            _ => "X interrupted",
        };
        let counts =
            ORDER.chars().map(|kind| (kind.to_string(), states.iter().filter(|one| **one == kind.to_string()).count()));
        let told: Vec<String> =
            counts.filter(|(_, count)| *count > 0).map(|(kind, count)| format!("{count} {}", signs(&kind))).collect();
        self.put("strip", vec![told.join(" ")]);
    }

    fn steps(&mut self, rows: &[Value]) {
        for row in rows {
            let step = text(&row[0]);
            let name = format!("s:{step}");
            let Some(known) = self.told.get(&name) else { continue };
            let is_row = matches!(self.part, "/steps" | "/nodes/dgx-05");
            let state = vec![text(&row[1]), format!("{} {}", text(&row[2]), text(&row[3]))];
            self.again |= self.part.ends_with(STEP) && step == STEP && known[0] != state[0];
            let rest = if is_row { [4, 5, 7, 8, 6].map(|at| text(&row[at])).to_vec() } else { Vec::new() };
            self.put(&name, [state, rest].concat());
            if step == STEP {
                for (name, at) in OWN.iter().zip([7, 9, 8, 10]) {
                    self.put(name, vec![text(&row[at])]);
                }
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// How a kind stands: its bar, words, and times.
fn kind(row: &str) -> Vec<String> {
    let cells = pieces(row, "td");
    let share = |piece: &&str| {
        format!("{} {:.1}", attribute(piece, "class"), attribute(piece, "width").parse::<f64>().unwrap())
    };
    let drawn: Vec<String> = pieces(cells[0], "rect").iter().map(share).collect();
    [vec![drawn.join(", ")], cells[1..4].iter().map(|piece| cell(piece)).collect()].concat()
}

fn bar(shares: &Value) -> String {
    let shares: Vec<(String, f64)> =
        shares.as_array().unwrap().iter().map(|share| (text(&share[0]), share[1].as_f64().unwrap())).collect();
    let all: f64 = shares.iter().map(|share| share.1).sum();
    shares.iter().map(|(class, count)| format!("{class} {:.1}", count * 100.0 / all)).collect::<Vec<_>>().join(", ")
}

/// A run in which something of everything happens: fourteen nodes at once, retries of a look and of an effect, failures, a wait.
fn eventful() -> (Plan, Vec<Event>) {
    let nodes: Vec<String> = (1..=14).map(|node| format!("dgx-{node:02}")).collect();
    let of = |kind: &str| nodes.iter().map(|node| format!("nodes/{kind}/{node}")).collect::<Vec<String>>();
    let (accounts, storages) = (of("account"), of("storage"));
    let mut steps: Vec<(&str, Vec<&str>)> = accounts.iter().map(|step| (step.as_str(), Vec::new())).collect();
    steps.extend(storages.iter().zip(&accounts).map(|(step, need)| (step.as_str(), vec![need.as_str()])));
    steps.push(("kubernetes/deploy/basepod-a", accounts.iter().map(String::as_str).collect()));
    let steps: Vec<(&str, &[&str])> = steps.iter().map(|(step, needs)| (*step, needs.as_slice())).collect();
    let mut script = Script::begin("run-1", steps.len(), true);
    for (at, step) in accounts.iter().enumerate() {
        script.starts(1.0 + at as f64, step);
    }
    script.fails(16.0, STEP, 1, "connecting: no route to host");
    script.acts(19.0, &accounts[0], "a user");
    script.acts(20.0, STEP, "a user");
    let progress = EventBody::StepProgress { step: id(STEP), done: 1, total: 3, message: "asking".into() };
    script.say(21.0, progress);
    script.fails(22.0, STEP, 1, "making the user: it is busy");
    let again = EventBody::StepActing { step: id(STEP), diff: vec![], attempt: 2, reads_only: false, installed: None };
    script.say(25.0, again);
    for (at, step) in accounts.iter().enumerate() {
        let (state, finding) = match at {
            2 => (StepState::Failed, Some(broken("no answer"))),
            3 => (StepState::Skipped, None),
            at if at % 2 == 0 => (StepState::Changed, None),
            _ => (StepState::Unchanged, None),
        };
        script.ends(30.0 + 2.0 * at as f64, step, state, "done so", finding);
    }
    script.starts(62.0, &storages[0]);
    script.ends(63.0, &storages[2], StepState::NotRun, "it needs what failed", None);
    script.ends(65.5, &storages[0], StepState::Failed, "no disk", Some(broken("no disk")));
    script.over(66.0, Outcome::Partly);
    for (at, event) in script.0.iter_mut().enumerate() {
        if let EventBody::StepFinished { seconds, .. } = &mut event.body {
            *seconds = at as f64;
        }
    }
    (plan_of(&steps, "x"), script.0)
}

/// A page that was opened at an event, with its stream.
struct Open {
    part: &'static str,
    cells: Cells,
    frames: axum::body::BodyDataStream,
}

impl Open {
    async fn at(page: &Page, part: &'static str) -> Self {
        let cells = Cells::of(part, &page.get(&format!("/r/run-1{part}")).await.body);
        let bearer = format!("Bearer {}", page.token.expose());
        let headers = [("host", "localhost"), ("authorization", bearer.as_str())];
        let response = page.respond("GET", &format!("/r/run-1/live?from={}", cells.seq + 1), &headers).await;
        Self { part, cells, frames: response.into_body().into_data_stream() }
    }

    /// Takes in what has come.
    fn hear(&mut self) {
        while let Some(Some(frame)) = self.frames.next().now_or_never() {
            let frame = frame.unwrap();
            let frame = std::str::from_utf8(&frame).unwrap();
            assert!(!frame.contains("event: reset"), "{}: it is told to come again", self.part);
            let data = frame.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_default();
            if frame.contains("event: patch") {
                self.cells.apply(&serde_json::from_str(data).unwrap());
            }
        }
    }

    /// It says what somebody reads who comes now, and who asks later how it was then.
    async fn is_right(&mut self, page: &Page, at: u64) {
        let mut fresh = Cells::of(self.part, &page.get(&format!("/r/run-1{}", self.part)).await.body);
        if self.cells.again {
            self.cells = fresh;
            return;
        }
        // Which steps stand in a list is told when it is read.
        let listed =
            |told: &BTreeMap<String, Vec<String>>, name: &str| !name.starts_with("s:") || told.contains_key(name);
        fresh.told.retain(|name, _| listed(&self.cells.told, name));
        assert_eq!(self.cells, fresh, "{} at {at}", self.part);
        let mut then = Cells::of(self.part, &page.get(&format!("/r/run-1{}?at={at}", self.part)).await.body);
        then.told.retain(|name, _| listed(&self.cells.told, name));
        // Nobody is silent then, and nothing more may begin.
        let now_only = |name: &str| ["t-life", "running", "t-slots", "t-more"].contains(&name);
        let lost: Vec<&String> = self.cells.told.keys().filter(|name| !then.told.contains_key(*name)).collect();
        assert!(lost.iter().all(|name| now_only(name)), "{} as it was at {at}: {lost:?}", self.part);
        let mut now = self.cells.clone();
        now.told.retain(|name, _| then.told.contains_key(name));
        assert_eq!(now, then, "{} as it was at {at}", self.part);
    }
}

/// Follows all pages, each opened at an event, from there to the end.
async fn followed(plan: Option<Plan>, events: &[Event], opened: usize, chunk: usize) {
    let source = Scripted::of(events[..opened].to_vec());
    *source.plan.lock().unwrap() = plan;
    source.held("run-1", true);
    let page = Page::of(&source);
    page.look();
    let mut pages = Vec::new();
    for part in PAGES {
        // A node and a step that nothing was said of have a page only where there is a plan.
        if page.get(&format!("/r/run-1{part}")).await.status == axum::http::StatusCode::OK {
            pages.push(Open::at(&page, part).await);
        }
    }
    for part in events[opened..].chunks(chunk) {
        source.add("run-1", part.to_vec());
        page.look();
        for open in &mut pages {
            open.hear();
            open.is_right(&page, part.last().unwrap().seq).await;
        }
    }
}

#[tokio::test]
async fn a_page_that_was_patched_says_what_one_says_that_is_read_then() {
    let (plan, events) = eventful();
    for (opened, chunk) in [(1, 1), (8, 4), (17, 1), (20, 4), (26, 1)] {
        followed(Some(plan.clone()), &events, opened, chunk).await;
    }
}

#[tokio::test]
async fn a_step_that_is_tried_again_says_so_with_its_attempt_wherever_it_stands() {
    let (plan, events) = eventful();
    let source = Scripted::of(events);
    *source.plan.lock().unwrap() = Some(plan);
    let page = Page::of(&source);
    for (at, attempt) in [(16, Some(2)), (18, None), (20, Some(3)), (21, Some(3)), (26, None)] {
        for part in ["", "/steps", "/nodes/dgx-05", "/steps/nodes/account/dgx-05"] {
            let body = page.get(&format!("/r/run-1{part}?at={at}")).await.body;
            let wanted = attempt.map(|attempt| format!("</i> tried again, attempt {attempt}</span>"));
            match &wanted {
                Some(wanted) => assert!(body.contains(wanted), "{part} at {at}: {body}"),
                None => assert!(!body.contains("</i> tried again"), "{part} at {at}: {body}"),
            }
        }
    }
}

#[tokio::test]
async fn pages_of_a_run_without_its_plan_are_right_too_although_rows_come_in_between() {
    let (_, events) = eventful();
    for opened in [2, 20] {
        followed(None, &events, opened, 1).await;
    }
}

#[tokio::test]
async fn what_moves_without_an_event_is_on_every_page_that_has_the_step() {
    let (plan, events) = eventful();
    let source = Scripted::of(events[..15].to_vec());
    *source.plan.lock().unwrap() = Some(plan);
    source.held("run-1", true);
    let page = Page::of(&source);
    page.look();
    // The last one to begin is not among the twelve that are told as being at work.
    for (step, message) in [(STEP, "pulling"), ("nodes/account/dgx-14", "pushing")] {
        let mut pages = Vec::new();
        for part in PAGES {
            pages.push(Open::at(&page, part).await);
        }
        let told = Progress { done: 3, total: 9, message: message.into() };
        source.moving.lock().unwrap().insert(id(step), told);
        page.look();
        for mut open in pages {
            open.hear();
            let fresh = Cells::of(open.part, &page.get(&format!("/r/run-1{}", open.part)).await.body);
            assert_eq!(open.cells, fresh, "{}", open.part);
            let has_it = match open.part {
                "/steps" => true,
                "/nodes" | "/failures" => false,
                _ => step == STEP,
            };
            let shown = format!("{:?}", open.cells);
            assert_eq!(shown.contains(&format!("{message} (3 of about 9)")), has_it, "{}: {shown}", open.part);
        }
    }
}

#[tokio::test]
async fn the_list_of_runs_goes_on_saying_which_step_has_waited_longest_for_a_slot() {
    let (plan, mut events) = eventful();
    if let EventBody::RunStarted(head) = &mut events[0].body {
        head.parallel = 2;
    }
    let source = Scripted::of(events[..3].to_vec());
    *source.plan.lock().unwrap() = Some(plan);
    source.held("run-1", true);
    let page = Page::of(&source);
    page.look();
    let oldest = |body: &str| words(element(body, "id=\"t-oldest\"").unwrap_or_else(|| panic!("{body}")).0);
    let first = oldest(&page.get("/").await.body);
    assert_eq!(first, "longest ready: nodes/account/dgx-03, ready 2 s, no slot (2 busy with 2 nodes/account)");
    let mut open = Open::at(&page, "").await;
    open.cells.told.insert("t-oldest".to_owned(), vec![first]);
    source.add("run-1", events[3..4].to_vec());
    page.look();
    open.hear();
    let later = oldest(&page.get("/").await.body);
    assert!(later.starts_with("longest ready: nodes/account/dgx-04, ready 3 s, no slot"), "{later}");
    assert_eq!(open.cells.told["t-oldest"], [later]);
}
