//! Addresses. The address is the whole state of a page: what it shows, of which run, at which event, through which filter.

use plinth_model::StepId;
use plinth_report::export::Format;
use std::fmt::Write as _;

/// What an address asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Route {
    /// A page, in one of its forms.
    Page(Page, Form),
    /// The stream of a run.
    Live(String),
    /// Events of a run as lines.
    Events(String),
    /// Times of its steps as columns.
    Columns(String),
    /// A run in the format of another tool.
    Export(String, Format),
    /// A run as one file to hand over.
    Report(String),
    /// A file of ours, by the digest of what is in it, and its name.
    Asset(String, String),
    /// Numbers for Prometheus.
    Metrics,
    /// Whether the server lives.
    Health,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Page {
    Runs,
    Run(String, Part),
    Diff(String, String),
    Explain(String),
}

/// A page of one run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Overview,
    Failures,
    Nodes,
    Node(String),
    Steps,
    Step(StepId),
    Timeline,
    Graph,
    Checks,
    Plan,
    Exports,
    Why,
    Logs,
    /// A log, by its name, or the newest of a step.
    Log(String),
}

/// The form of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Html,
    Json,
    Text,
}

/// Exports: the last part of the address, its format, and the type of what is sent.
pub(crate) const EXPORTS: [(&str, Format, &str); 6] = [
    ("trace.json", Format::Trace, "application/json"),
    ("otlp.json", Format::Otlp, "application/json"),
    ("ctrf.json", Format::Ctrf, "application/json"),
    ("junit.xml", Format::Junit, "application/xml"),
    ("summary.md", Format::Markdown, "text/markdown; charset=utf-8"),
    ("metrics.prom", Format::Metrics, "text/plain; charset=utf-8"),
];

impl Route {
    /// Reads the path of an address; none: there is no such page.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(decoded).collect::<Option<_>>()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["healthz"] => Some(Self::Health),
            ["metrics"] => Some(Self::Metrics),
            ["assets", digest, name] => Some(Self::Asset((*digest).to_owned(), (*name).to_owned())),
            ["r", run, "live"] => Some(Self::Live((*run).to_owned())),
            ["r", run, "events.ndjson"] => Some(Self::Events((*run).to_owned())),
            ["r", run, "columns.json"] => Some(Self::Columns((*run).to_owned())),
            ["r", run, "report.html"] => Some(Self::Report((*run).to_owned())),
            ["r", run, file] if export(file).is_some() => Some(Self::Export((*run).to_owned(), export(file)?)),
            parts => page(parts),
        }
    }
}

fn export(file: &str) -> Option<Format> {
    EXPORTS.iter().find(|(name, ..)| *name == file).map(|(_, format, _)| *format)
}

fn page(parts: &[&str]) -> Option<Route> {
    let Some((last, before)) = parts.split_last() else { return Some(Route::Page(Page::Runs, Form::Html)) };
    let (last, form) = formed(last);
    let parts: Vec<&str> = before.iter().copied().chain(Some(last)).collect();
    let page = match parts.as_slice() {
        ["runs" | ""] => Page::Runs,
        ["diff", earlier, later] => Page::Diff((*earlier).to_owned(), (*later).to_owned()),
        ["explain", what @ ..] if !what.is_empty() => Page::Explain(what.join("/")),
        ["r", run, rest @ ..] => Page::Run((*run).to_owned(), part(rest)?),
        _ => return None,
    };
    Some(Route::Page(page, form))
}

fn part(parts: &[&str]) -> Option<Part> {
    Some(match parts {
        [] => Part::Overview,
        ["failures"] => Part::Failures,
        ["nodes"] => Part::Nodes,
        ["nodes", node] => Part::Node((*node).to_owned()),
        ["steps"] => Part::Steps,
        ["steps", area, verb, target] => Part::Step(StepId::try_from(format!("{area}/{verb}/{target}")).ok()?),
        ["timeline"] => Part::Timeline,
        ["graph"] => Part::Graph,
        ["checks"] => Part::Checks,
        ["plan"] => Part::Plan,
        ["exports"] => Part::Exports,
        ["why"] => Part::Why,
        ["logs"] => Part::Logs,
        ["logs", what @ ..] if what.len() == 1 || what.len() == 3 => Part::Log(what.join("/")),
        _ => return None,
    })
}

/// The form that the end of a name asks for.
fn formed(name: &str) -> (&str, Form) {
    match (name.strip_suffix(".json"), name.strip_suffix(".txt")) {
        (Some(name), _) => (name, Form::Json),
        (_, Some(name)) => (name, Form::Text),
        _ => (name, Form::Html),
    }
}

impl Part {
    /// The end of its address.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Overview => String::new(),
            Self::Failures => "/failures".to_owned(),
            Self::Nodes => "/nodes".to_owned(),
            Self::Node(node) => format!("/nodes/{}", encoded(node)),
            Self::Steps => "/steps".to_owned(),
            Self::Step(step) => format!("/steps/{}", encoded(step.as_str())),
            Self::Timeline => "/timeline".to_owned(),
            Self::Graph => "/graph".to_owned(),
            Self::Checks => "/checks".to_owned(),
            Self::Plan => "/plan".to_owned(),
            Self::Exports => "/exports".to_owned(),
            Self::Why => "/why".to_owned(),
            Self::Logs => "/logs".to_owned(),
            Self::Log(what) => format!("/logs/{}", encoded(what)),
        }
    }

    /// The filter that chooses what the page shows, as `--where` takes it. Empty: everything, or the page is about no choice of steps.
    pub(crate) fn filter(&self, query: &Query) -> String {
        let asked = query.get("q").unwrap_or_default();
        match self {
            // A node is chosen by its steps; those of no node choose none.
            Self::Nodes => format!("{asked} node:*").trim().to_owned(),
            Self::Node(node) => format!("node:{node}"),
            Self::Steps => asked.to_owned(),
            _ => String::new(),
        }
    }
}

/// Addresses of one run: those of one moment of it stay at that moment.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    run: String,
    at: Option<u64>,
}

impl Links {
    pub(crate) fn new(run: &str, at: Option<u64>) -> Self {
        Self { run: encoded(run), at }
    }

    /// A page of the run.
    pub(crate) fn to(&self, part: &Part) -> String {
        self.with(part, "", &[])
    }

    /// A page of the run in a form (`.json`), with more in its query.
    pub(crate) fn with(&self, part: &Part, form: &str, query: &[(&str, &str)]) -> String {
        let path = format!("/r/{}{}{form}", self.run, part.path());
        let at = self.at.map(|at| at.to_string());
        let at = at.as_deref().map(|at| ("at", at));
        asked(&path, query.iter().copied().chain(at))
    }

    /// A file of the run, such as an export.
    pub(crate) fn file(&self, name: &str) -> String {
        asked(&format!("/r/{}/{name}", self.run), self.at.map(|at| at.to_string()).as_deref().map(|at| ("at", at)))
    }
}

/// A path with a query; what is empty is left out.
pub(crate) fn asked<'a>(path: &str, query: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = query.into_iter().filter(|(_, value)| !value.is_empty());
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
}

/// Escapes all but what an address may have in its path as it is; slashes stay.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@' | b'^' => {
                out.push(char::from(byte));
            }
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    out
}

fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// What stands behind the question mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// A value; the first counts.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// A number.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.trim().parse().ok()
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_address_that_is_written_is_read_back() {
        let step = StepId::new("nodes", "account", "dgx ü-05");
        let parts = [
            Part::Overview,
            Part::Failures,
            Part::Nodes,
            Part::Node("dgx-05.site".to_owned()),
            Part::Steps,
            Part::Step(step),
            Part::Timeline,
            Part::Graph,
            Part::Checks,
            Part::Plan,
            Part::Exports,
            Part::Why,
            Part::Logs,
            Part::Log("20261129T001305.120Z-gpu-operator.log".to_owned()),
            Part::Log("platform/release/gpu-operator".to_owned()),
        ];
        for part in parts {
            for (end, form) in [("", Form::Html), (".json", Form::Json), (".txt", Form::Text)] {
                let address = Links::new("run-1", None).with(&part, end, &[]);
                let read = Route::parse(&address);
                assert_eq!(read, Some(Route::Page(Page::Run("run-1".to_owned(), part.clone()), form)), "{address}");
            }
        }
        assert_eq!(
            Links::new("r", Some(7)).with(&Part::Steps, "", &[("q", "a b"), ("x", "")]),
            "/r/r/steps?q=a+b&at=7"
        );
    }

    #[test]
    fn what_is_no_address_is_none() {
        for path in [
            "/r",
            "/r/x/y",
            "/r/x/steps/a/b",
            "/r/x/logs/a/b",
            "/x",
            "/diff/a",
            "/r/%ff",
            "/r/%",
            "/explain",
            "/assets",
        ] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
        assert_eq!(Route::parse("/"), Some(Route::Page(Page::Runs, Form::Html)));
        assert_eq!(Route::parse("/runs.json"), Some(Route::Page(Page::Runs, Form::Json)));
        assert_eq!(Route::parse("/r/a/trace.json"), Some(Route::Export("a".to_owned(), Format::Trace)));
    }

    proptest! {
        #[test]
        fn no_path_is_too_strange(path in ".*") {
            let _ = Route::parse(&path);
            prop_assert_eq!(decoded(&encoded(&path)), Some(path));
        }
    }
}
