//! The section of docs/benchmarks.md that tells of pages.

use crate::commands::{Failure, root};
use crate::machine::{Machine, loaded};
use crate::page;
use plinth_model::amount;
use std::fmt::Write as _;

/// Its first line.
const HEADING: &str = "## Pages in a browser";
/// Rounds of what is measured in a browser; the middle one counts.
pub(super) const ROUNDS: usize = 5;
/// Times that the server renders a page.
pub(super) const RENDERED: usize = 100;

/// What the overview of a run costs.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) nodes: usize,
    /// Packed bytes of the page, and of scripts and styles.
    pub(super) bytes: u64,
    pub(super) assets: u64,
    pub(super) requests: usize,
    pub(super) off_origin: usize,
    pub(super) elements: f64,
    pub(super) paint_ms: f64,
    pub(super) layout_ms: f64,
    pub(super) timeline_ms: Option<f64>,
    pub(super) filter_ms: f64,
    pub(super) filter_server_ms: f64,
    pub(super) render_ms: f64,
    pub(super) render_p99_ms: f64,
    pub(super) memory_mib: f64,
}

/// What following costs.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    pub(super) seconds: f64,
    /// Times that the page was read.
    pub(super) loads: usize,
    pub(super) patches: usize,
    pub(super) patch_ms: Option<f64>,
    pub(super) delay_ms: f64,
}

/// What following a minute of a run costs that goes as slowly as a real one.
#[derive(Clone, Debug, Default)]
pub(super) struct Minute {
    /// Events that were seen on the screen.
    pub(super) events: usize,
    /// From the line in the file of events to the frame that shows it; of a hundred, 95 take no longer.
    pub(super) shown_ms: Option<f64>,
    pub(super) long_tasks: f64,
    pub(super) stream_mean: f64,
    pub(super) stream_peak: f64,
}

/// What a report costs.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub(super) bytes: u64,
    pub(super) written_s: f64,
    pub(super) paint_ms: f64,
    pub(super) data_ms: f64,
}

/// What many followers cost the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Followed {
    pub(super) rounds: usize,
    pub(super) alone_s: f64,
    pub(super) followed_s: f64,
    pub(super) followers: usize,
    pub(super) stalled: usize,
    /// Those of the others who were told of the end, in the round with the fewest.
    pub(super) heard: usize,
    pub(super) memory_mib: f64,
}

impl Followed {
    /// Whether the run was not slower, and whether all who read were with it to its end: without them the time says nothing.
    fn holds(&self) -> bool {
        ratio(self) <= RATIO && self.heard == self.followers - self.stalled
    }
}

/// All of it.
pub(super) struct Measured {
    /// Of plinth: who built it.
    pub(super) build: &'static str,
    pub(super) version: String,
    pub(super) load: f64,
    pub(super) pages: Vec<Page>,
    pub(super) lives: Vec<Live>,
    pub(super) minutes: Vec<Minute>,
    pub(super) reports: Vec<Report>,
    pub(super) followers: Followed,
}

/// A row: what is measured, and per size the figure with its limit.
struct Row {
    what: &'static str,
    cells: Vec<(f64, Option<f64>)>,
    unit: &'static str,
}

impl Row {
    /// `limits` of the sizes; none where there is no limit.
    fn new(what: &'static str, unit: &'static str, values: Vec<f64>, limits: &[f64]) -> Self {
        let limit = |place: usize| limits.get(place).copied().filter(|limit| limit.is_finite());
        let cells = values.into_iter().enumerate().map(|(place, value)| (value, limit(place))).collect();
        Self { what, cells, unit }
    }

    /// A figure that could not be measured holds no limit.
    fn holds(&self) -> bool {
        self.cells.iter().all(|(value, limit)| limit.is_none_or(|limit| *value <= limit))
    }

    fn line(&self) -> String {
        let cells = self.cells.iter().map(|(value, limit)| {
            let text = if value.is_finite() { figure(*value, self.unit) } else { "not measured".to_owned() };
            match limit {
                Some(limit) if value.is_finite() && value > limit => {
                    format!("{text} (at most {}: **missed**)", figure(*limit, self.unit))
                }
                Some(limit) => format!("{text} (at most {})", figure(*limit, self.unit)),
                None => text,
            }
        });
        format!("| {} | {} |", self.what, cells.collect::<Vec<_>>().join(" | "))
    }
}

fn figure(value: f64, unit: &str) -> String {
    match unit {
        "bytes" => format!("{:.1} kB", value / 1000.0),
        "" => format!("{value:.0}"),
        unit if value < 10.0 => format!("{value:.1} {unit}"),
        unit => format!("{value:.0} {unit}"),
    }
}

/// Writes it in the place of the one before; answers whether every limit holds.
pub(super) fn write(measured: &Measured) -> Result<bool, Failure> {
    let rows = rows(measured);
    let file = root().join("docs/benchmarks.md");
    let old = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let new = page::put(&old, HEADING, &section(measured, &rows));
    std::fs::write(&file, new).map_err(|error| format!("writing {}: {error}", file.display()))?;
    Ok(rows.iter().all(Row::holds) && measured.followers.holds())
}

/// The page with the section that another writer's page lacks.
pub(crate) fn kept(new: &str, old: &str) -> String {
    page::of(old, HEADING).map_or_else(|| new.to_owned(), |section| page::put(new, HEADING, section))
}

/// How many times as long a followed run may take.
const RATIO: f64 = 1.01;

fn ratio(followed: &Followed) -> f64 {
    followed.followed_s / followed.alone_s
}

#[allow(clippy::cast_precision_loss)]
fn rows(measured: &Measured) -> Vec<Row> {
    let page = |of: fn(&Page) -> f64| measured.pages.iter().map(of).collect::<Vec<f64>>();
    let live = |of: fn(&Live) -> f64| measured.lives.iter().map(of).collect::<Vec<f64>>();
    let minute = |of: fn(&Minute) -> f64| measured.minutes.iter().map(of).collect::<Vec<f64>>();
    let report = |of: fn(&Report) -> f64| measured.reports.iter().map(of).collect::<Vec<f64>>();
    const ANY: f64 = f64::INFINITY;
    vec![
        Row::new("overview, packed", "bytes", page(|p| p.bytes as f64), &[8e3, 15e3, 30e3]),
        Row::new("scripts and style, packed", "bytes", page(|p| p.assets as f64), &[18e3, 18e3, 18e3]),
        Row::new("requests", "", page(|p| p.requests as f64), &[4.0, 4.0, 4.0]),
        Row::new("of these to others", "", page(|p| p.off_origin as f64), &[0.0, 0.0, 0.0]),
        Row::new("elements", "", page(|p| p.elements), &[1500.0, 7000.0, 16000.0]),
        Row::new("first contentful paint", "ms", page(|p| p.paint_ms), &[150.0, 200.0, 300.0]),
        Row::new("layout and style", "ms", page(|p| p.layout_ms), &[10.0, 30.0, 80.0]),
        Row::new(
            "redraw of the timeline, 95 of 100",
            "ms",
            page(|p| p.timeline_ms.unwrap_or(f64::NAN)),
            &[8.0, 12.0, 16.0],
        ),
        Row::new("filter over all steps, by the server", "ms", page(|p| p.filter_server_ms), &[ANY, ANY, 50.0]),
        Row::new("the same on the screen", "ms", page(|p| p.filter_ms), &[ANY, ANY, 100.0]),
        Row::new("the server renders the overview, median", "ms", page(|p| p.render_ms), &[]),
        Row::new("the same, 99 of 100", "ms", page(|p| p.render_p99_ms), &[5.0, 10.0, 25.0]),
        Row::new("memory of the server", "MiB", page(|p| p.memory_mib), &[ANY, ANY, 150.0]),
        Row::new("a patch is applied, 95 of 100", "ms", live(|l| l.patch_ms.unwrap_or(f64::NAN)), &[4.0, 6.0, 8.0]),
        Row::new("patches", "", live(|l| l.patches as f64), &[]),
        Row::new("times that the page was read meanwhile", "", live(|l| l.loads as f64), &[]),
        Row::new("end of the run on the screen after", "ms", live(|l| l.delay_ms), &[800.0, 800.0, 1000.0]),
        Row::new("events of that minute", "", minute(|m| m.events as f64), &[]),
        Row::new(
            "an event is on the screen after, 95 of 100",
            "ms",
            minute(|m| m.shown_ms.unwrap_or(f64::NAN)),
            &[800.0, 800.0, 1000.0],
        ),
        Row::new("tasks over 50 ms", "", minute(|m| m.long_tasks), &[0.0, 0.0, 2.0]),
        Row::new("stream a second, mean", "bytes", minute(|m| m.stream_mean), &[1e3, 4e3, 8e3]),
        Row::new("stream a second, most", "bytes", minute(|m| m.stream_peak), &[8e3, 32e3, 64e3]),
        Row::new("report, one file", "bytes", report(|r| r.bytes as f64), &[150e3, 400e3, 1.2e6]),
        Row::new("report, written in", "ms", report(|r| r.written_s * 1000.0), &[]),
        Row::new("report, first contentful paint", "ms", report(|r| r.paint_ms), &[150.0, ANY, 250.0]),
        Row::new("report, its events unpacked and read", "ms", report(|r| r.data_ms), &[ANY, ANY, 400.0]),
    ]
}

fn section(measured: &Measured, rows: &[Row]) -> String {
    let mut text = format!("{HEADING}\n\n");
    let _ = writeln!(
        text,
        "Written by `cargo xtask bench --page`: runs of the simulator, {}, headless {}, 1280 by 800, drawn by the processor. Paint, layout, and \
         events that are read are medians of {ROUNDS} rounds, each in a fresh profile; the server's own times are of {RENDERED} requests, of the \
         filter the median of {ROUNDS}; all else was measured once. Patches and the end of a run were measured over {}, in which rehearsals \
         pass that are slowed down to be watched; what is said of a minute, over the first one of a rehearsal that goes as slowly as a real run, in \
         which the most happens at once.\n\n{} {}\n",
        measured.build,
        measured.version,
        measured.lives.iter().map(|live| format!("{:.0} s", live.seconds)).collect::<Vec<_>>().join(", "),
        Machine::here(),
        loaded(measured.load),
    );
    let sizes: Vec<String> = measured.pages.iter().map(|page| amount(page.nodes, "node")).collect();
    let _ = writeln!(text, "| what | {} |\n|---|{}", sizes.join(" | "), "---|".repeat(sizes.len()));
    for row in rows {
        let _ = writeln!(text, "{}", row.line());
    }
    let followed = &measured.followers;
    let verdict = if followed.holds() { "holds" } else { "**missed**" };
    let _ = writeln!(
        text,
        "\nA run of 200 nodes with {} followers, {} of which do not read (what they do not take the kernel keeps), runner and server on \
         different cores: {:.2} s instead of {:.2} s, {:.3} times (at most {RATIO}: {verdict}), medians of {} rounds that take turns. {} of \
         the {} who read were told of its end. The server took {:.0} MiB at most.",
        followed.followers,
        followed.stalled,
        followed.followed_s,
        followed.alone_s,
        ratio(followed),
        followed.rounds,
        followed.heard,
        followed.followers - followed.stalled,
        followed.memory_mib
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(heard: usize, followed_s: f64) -> Followed {
        Followed { rounds: 3, alone_s: 10.0, followed_s, followers: 200, stalled: 20, heard, memory_mib: 1.0 }
    }

    #[test]
    fn followers_who_were_not_there_hold_no_limit() {
        assert!(followed(180, 10.05).holds());
        assert!(!followed(180, 10.2).holds() && !followed(179, 10.0).holds() && !followed(180, f64::NAN).holds());
    }

    #[test]
    fn what_was_not_measured_and_what_is_too_much_hold_no_limit() {
        let row = |value| Row::new("a", "ms", vec![value], &[4.0]);
        assert!(row(4.0).holds() && !row(4.1).holds() && !row(f64::NAN).holds());
        assert_eq!(row(f64::NAN).line(), "| a | not measured (at most 4.0 ms) |");
        assert_eq!(row(41.0).line(), "| a | 41 ms (at most 4.0 ms: **missed**) |");
    }
}
