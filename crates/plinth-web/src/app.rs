//! From a request to an answer.

mod logs;
mod pages;
mod report;

use crate::access::{Guard, Peer};
use crate::answer::{Answer, JSON, TEXT, guarded};
use crate::assets;
use crate::bands::Times;
use crate::live::{Followers, stream};
use crate::page::problem;
use crate::record::Record;
use crate::route::{EXPORTS, Form, Links, Page, Query, Route, asked};
use crate::runs::Runs;
use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use plinth_model::Problem;
use plinth_model::text::{visible, visible_json};
use plinth_report::export::Exported;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Bytes of an address that are read.
const LONGEST: usize = 8 * 1024;
/// Events that are sent at once unless more are asked for.
const EVENTS: u64 = 50_000;
/// Answers that are made at once: each takes a thread, and one of an earlier moment a copy of the run.
const MADE: usize = 4;
/// After so long it is said that an answer cannot be made: the disk under the journal may hang.
const PATIENCE: Duration = Duration::from_secs(60);
/// By then a run that began is followed.
const TAKEN_UP: Duration = Duration::from_secs(1);

/// The server without its sockets.
pub(crate) struct App {
    pub(crate) runs: Arc<Runs>,
    pub(crate) guard: Guard,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) followers: Followers,
    /// Room for answers that are being made.
    pub(crate) room: Arc<Semaphore>,
}

/// What went wrong with a request.
pub(crate) enum Refused {
    /// There is no such page.
    NoSuch,
    /// What stands behind the question mark is not understood.
    Unread(Problem),
    /// It cannot be told.
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl App {
    pub(crate) fn new(runs: Arc<Runs>, guard: Guard, stop: watch::Receiver<bool>) -> Self {
        Self { runs, guard, stop, followers: Followers::default(), room: Arc::new(Semaphore::new(MADE)) }
    }

    /// Answers one request. Whatever is slow is done on a thread that may be.
    pub(crate) async fn answer(self: Arc<Self>, peer: Peer, request: Request<Body>) -> Response<Body> {
        let head_only = request.method() == Method::HEAD;
        let headers = request.headers();
        let packs = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(accepts_gzip);
        let path = request.uri().path().to_owned();
        let query = Query::parse(request.uri().query());
        let long = request.uri().to_string().len() > LONGEST;
        let route = match self.gate(peer, &request, (&path, &query)) {
            _ if long => {
                return problem::plain(StatusCode::URI_TOO_LONG, "This address is too long").response(packs, head_only);
            }
            Err(answer) => return (*answer).response(packs, head_only),
            Ok(route) => route,
        };
        match &route {
            Route::Live(run) => return self.live(run, seen(&query, headers), head_only).await,
            // In memory, and wanted whatever else goes on.
            Route::Health | Route::Asset(..) => return self.told(&route, &query).response(packs, head_only),
            _ => {}
        }
        let made = self.make(move |app| app.told(&route, &query).response(packs, head_only)).await;
        made.unwrap_or_else(|problem| problem::of(&problem).response(packs, head_only))
    }

    /// Makes something on a thread that may wait, a few at a time, and does not wait for it for ever.
    async fn make<T: Send + 'static>(
        self: &Arc<Self>,
        made: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let doing = || Problem::while_doing("making the page");
        let making = async {
            let place = Arc::clone(&self.room).acquire_owned().await;
            let app = Arc::clone(self);
            let on_thread = move || {
                let made = made(&app);
                // Not before: the thread goes on when whoever asked has gone.
                drop(place);
                made
            };
            tokio::task::spawn_blocking(on_thread).await.map_err(|error| doing().bug(error))
        };
        let slow = |_| {
            doing()
                .unreachable(format!("it is not there after {} s", PATIENCE.as_secs()))
                .try_this("look whether the disk with the state directory answers, then read the page again")
        };
        tokio::time::timeout(PATIENCE, making).await.map_err(slow)?
    }

    /// What is asked for, if whoever asks may know.
    fn gate(&self, peer: Peer, request: &Request<Body>, (path, query): (&str, &Query)) -> Result<Route, Box<Answer>> {
        let headers = request.headers();
        if !self.guard.is_ours(request.uri(), headers) {
            let text = "This server does not answer under that name: `plinth serve --host NAME` adds one";
            return Err(Box::new(problem::plain(StatusCode::MISDIRECTED_REQUEST, text)));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refused =
                problem::plain(StatusCode::METHOD_NOT_ALLOWED, "This server only shows; nothing can be changed here");
            return Err(Box::new(refused.with(ALLOW, "GET, HEAD")));
        }
        let route = Route::parse(path);
        if matches!(route, Some(Route::Health | Route::Asset(..))) {
            return route.ok_or_else(|| Box::new(problem::no_such()));
        }
        if let Some(cookie) = query.get("token").and_then(|token| self.guard.admitted(token)) {
            // The token goes out of the address, so that no history and no link keeps it.
            let place = asked(path, query.pairs().filter(|(key, _)| *key != "token"));
            return Err(Box::new(Answer::elsewhere(&within(&place)).cookie(cookie)));
        }
        if !self.guard.lets_in(peer, headers) {
            return Err(Box::new(problem::locked()));
        }
        route.ok_or_else(|| Box::new(problem::no_such()))
    }

    fn told(&self, route: &Route, query: &Query) -> Answer {
        match self.tell(route, query) {
            Ok(answer) => answer,
            Err(Refused::NoSuch) => problem::no_such(),
            Err(Refused::Unread(problem)) => problem::of(&problem).status(StatusCode::BAD_REQUEST),
            Err(Refused::Problem(problem)) => problem::of(&problem),
        }
    }

    fn tell(&self, route: &Route, query: &Query) -> Result<Answer, Refused> {
        match route {
            Route::Page(page, form) => {
                if let Some(place) = self.exact(page, *form, query)? {
                    return Ok(Answer::elsewhere(&place));
                }
                self.page(page, *form, query)
            }
            Route::Events(run) => self.events(run, query),
            Route::Columns(run) => self.columns(run, query),
            Route::Export(run, format) => self.export(run, *format, query),
            Route::Report(run) => self.report(run, query),
            Route::Asset(digest, name) => {
                let asset = assets::find(digest, name).ok_or(Refused::NoSuch)?;
                Ok(Answer::new(asset.kind, asset.plain).lasting(&asset.packed))
            }
            Route::Metrics => Ok(Answer::new("text/plain; version=0.0.4; charset=utf-8", self.metrics()?)),
            Route::Health => Ok(Answer::new(TEXT, "ok\n")),
            Route::Live(_) => Err(Refused::NoSuch),
        }
    }

    /// Where a run stands that was meant by `last` or the beginning of its id: an address that goes on meaning the same.
    fn exact(&self, page: &Page, form: Form, query: &Query) -> Result<Option<String>, Refused> {
        let Page::Run(asked_for, part) = page else { return Ok(None) };
        let id = self.runs.id(asked_for, None)?;
        if id == *asked_for {
            return Ok(None);
        }
        let end = match form {
            Form::Html => "",
            Form::Json => ".json",
            Form::Text => ".txt",
        };
        let address = Links::new(&id, None).with(part, end, &[]);
        Ok(Some(asked(&address, query.pairs())))
    }

    /// Follows a run from the event that the reader has seen.
    async fn live(self: Arc<Self>, run: &str, seen: Option<u64>, head_only: bool) -> Response<Body> {
        let mut found = self.follow(run, seen).await;
        if matches!(found, Ok((_, true))) {
            tokio::time::sleep(TAKEN_UP).await;
            found = self.follow(run, seen).await;
        }
        let body = match found {
            Ok((body, _)) => body,
            Err(problem) => return problem::of(&problem).response(false, head_only),
        };
        let mut response = Response::new(if head_only { Body::empty() } else { body });
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // A proxy that collects would hold back what is meant to be seen now.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        guarded(response)
    }

    /// The stream of a run, and whether it is too early for it.
    async fn follow(self: &Arc<Self>, run: &str, seen: Option<u64>) -> Result<(Body, bool), Problem> {
        let run = run.to_owned();
        let follow = move |app: &Self| {
            let followed = app.runs.get(&app.runs.id(&run, None)?)?;
            Ok(stream(followed, seen, app.stop.clone(), &app.followers))
        };
        self.make(follow).await?
    }

    /// Events of a run, one a line.
    fn events(&self, run: &str, query: &Query) -> Result<Answer, Refused> {
        let id = self.runs.id(run, None)?;
        let from = query.number("from").unwrap_or(1).saturating_sub(1);
        let limit = usize::try_from(query.number("limit").unwrap_or(EVENTS)).unwrap_or(usize::MAX);
        let until = query.number("at").unwrap_or(u64::MAX);
        let followed = self.runs.get(&id)?;
        let record = followed.read();
        let chosen = record.events.iter().filter(|event| event.seq > from && event.seq <= until).take(limit);
        let mut text = String::new();
        for event in chosen {
            let line = serde_json::to_string(event).map_err(|error| unwritten(&error))?;
            text.push_str(&visible_json(&line));
            text.push('\n');
        }
        Ok(Answer::new("application/x-ndjson", text))
    }

    /// Times of all steps, for the timeline.
    fn columns(&self, run: &str, query: &Query) -> Result<Answer, Refused> {
        self.of_run(run, query, |record| {
            let analysis = record.analysis().ok_or(Refused::NoSuch)?;
            let times = Times::of(&analysis.columns, &record.grid, &analysis.path, record);
            let text = serde_json::to_string(&times).map_err(|error| unwritten(&error))?;
            Ok(Answer::new(JSON, visible_json(&text).into_owned()))
        })
    }

    /// Tells something of a run as it was at the event that is asked for.
    fn of_run(
        &self,
        run: &str,
        query: &Query,
        tell: impl FnOnce(&Record) -> Result<Answer, Refused>,
    ) -> Result<Answer, Refused> {
        let id = self.runs.id(run, None)?;
        let followed = self.runs.get(&id)?;
        let record = followed.read();
        match query.number("at") {
            None => tell(&record),
            Some(at) => tell(&record.then(at)),
        }
    }

    fn export(&self, run: &str, format: plinth_report::export::Format, query: &Query) -> Result<Answer, Refused> {
        self.of_run(run, query, |record| {
            let (Some(shown), Some(analysis)) = (record.shown(), record.analysis()) else {
                return Err(Refused::NoSuch);
            };
            let (site, plinth) = (self.runs.source.site(), self.runs.source.version());
            let text = Exported { site: &site, shown, columns: &analysis.columns, plinth }.write(format);
            let text = text.map_err(|error| unwritten(&error))?;
            let kind = EXPORTS.iter().find(|(_, one, _)| *one == format).map_or(TEXT, |(_, _, kind)| kind);
            let text = if kind == JSON { visible_json(&text) } else { visible(&text) };
            Ok(Answer::new(kind, text.into_owned()))
        })
    }

    /// Numbers of the newest run, and of the server.
    fn metrics(&self) -> Result<String, Refused> {
        let mut text = format!(
            "# HELP plinth_page_followers Streams that are open.\n# TYPE plinth_page_followers gauge\nplinth_page_followers {}\n",
            self.followers.count()
        );
        let Some(newest) = self.runs.source.newest()? else { return Ok(text) };
        let followed = self.runs.get(&newest)?;
        let record = followed.read();
        if let (Some(shown), Some(analysis)) = (record.shown(), record.analysis()) {
            let site = self.runs.source.site();
            let plinth = self.runs.source.version();
            let exported = Exported { site: &site, shown, columns: &analysis.columns, plinth };
            let written = exported.write(plinth_report::export::Format::Metrics).map_err(|error| unwritten(&error))?;
            text.push_str(&visible(&written));
        }
        Ok(text)
    }
}

fn unwritten(error: &dyn std::fmt::Display) -> Problem {
    Problem::while_doing("writing the run").bug(error)
}

/// Text for programs, as a verb prints it.
pub(crate) fn data(value: &impl Serialize) -> Result<Answer, Refused> {
    let text = serde_json::to_string_pretty(value).map_err(|error| unwritten(&error))?;
    Ok(Answer::new(JSON, visible_json(&text).into_owned() + "\n"))
}

/// Text for people, as a verb prints it.
pub(crate) fn text(told: &str) -> Answer {
    let end = if told.ends_with('\n') { "" } else { "\n" };
    Answer::new(TEXT, visible(told).into_owned() + end)
}

/// A path of this server: what begins with two slashes leads to another one.
fn within(place: &str) -> String {
    format!("/{}", place.trim_start_matches(['/', '\\']))
}

/// The last event that a follower has seen: what the browser says when it comes again counts more than the address it began with. None: it
/// only wants what comes from now on.
fn seen(query: &Query, headers: &HeaderMap) -> Option<u64> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    last.or_else(|| query.number("from").map(|from| from.saturating_sub(1)))
}

fn accepts_gzip(value: &str) -> bool {
    value.split(',').any(|one| {
        let mut parts = one.trim().split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip")) && !parts.any(|part| part == "q=0")
    })
}
