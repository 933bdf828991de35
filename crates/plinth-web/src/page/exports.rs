//! The run in the formats of other tools, and its story.

use super::OfRun;
use super::overview::told_lines;
use crate::route::Part;
use maud::{Markup, html};

const FORMATS: [(&str, &str, &str); 7] = [
    ("trace.json", "Trace", "Chrome's trace events, for Perfetto or about:tracing"),
    ("otlp.json", "OpenTelemetry", "traces as OTLP/JSON, for a collector"),
    ("ctrf.json", "CTRF", "Common Test Report Format, for build systems"),
    ("junit.xml", "JUnit", "for build systems"),
    ("summary.md", "Markdown", "a summary for a merge request or a ticket"),
    ("metrics.prom", "Prometheus", "for node_exporter's textfile collector"),
    ("events.ndjson", "Events", "every event as it is kept, one a line"),
];

pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    html! {
        h1 { "Exports" }
        table.runs { tbody {
            tr { th scope="row" { a href=(page.links.file("report.html")) { "Report" } } td { "the run as one page that needs no server, to hand over: for a mail, a ticket, an archive. " code { "plinth report" } " also searches it for the secrets of the site" } td.dim { code { "report.html" } } }
            @for (file, name, what) in FORMATS {
                tr { th scope="row" { a href=(page.links.file(file)) { (name) } } td { (what) } td.dim { code { (file) } } }
            }
            tr { th scope="row" { a href=(page.links.to(&Part::Why)) { "Story" } } td { "the whole story in a few kilobytes, for whoever takes over" } td.dim { code { "why.txt" } } }
            tr { th scope="row" { a href=(page.links.to(&Part::Logs)) { "Logs" } } td { "what programs said that steps started, such as plays and helm" } td.dim { code { "logs" } } }
            tr { th scope="row" { a href=(page.links.with(&Part::Overview, ".json", &[])) { "JSON" } } td { "all that is computed of the run" } td.dim { code { "plinth runs show --json" } } }
        } }
    }
}

/// The story.
pub(crate) fn why(story: &str) -> Markup {
    html! { h1 { "The whole story" } pre.told tabindex="0" { (told_lines(story)) } }
}
