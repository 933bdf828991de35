//! `cargo xtask page --screenshots DIR`: every page at every size, in light and dark; with `--small` also the section of docs/views.md that shows
//! them.

use super::stage::{SIZES, Stage};
use crate::commands::{self, Failure};
use plinth_lab::browser::{Browser, Look, Tab};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Pictures of all pages are drawn within it.
const OPEN: Duration = Duration::from_secs(3600);
/// The page with the pictures, where they are beside it, and its section.
const PAGE: &str = "docs/views.md";
const FOLDER: &str = "views";
const HEADING: &str = "## Pictures";
/// How the browser prefers its pages.
const SCHEMES: [&str; 2] = ["light", "dark"];

/// What a picture shows.
enum Shows {
    /// A page of the run in which something failed: the end of its address. `NODE` and `STEP` stand for what failed.
    Run(&'static str),
    /// What changed between a good run and one with another version that failed.
    Changes,
    /// The list of runs.
    Runs,
    /// A finding explained.
    Explained,
    /// The report as a file.
    Report,
}

/// Name of a picture, its caption, and what it shows. A log has none: a rehearsal starts no programs.
const PAGES: [(&str, &str, Shows); 19] = [
    ("overview", "Overview of a run", Shows::Run("")),
    ("failures", "Failures by cause", Shows::Run("/failures")),
    ("nodes", "Nodes, and how each kind of step stands on them", Shows::Run("/nodes")),
    ("node", "A node on which something failed", Shows::Run("/nodes/NODE")),
    ("steps", "Steps", Shows::Run("/steps")),
    ("steps-failed", "Steps that failed", Shows::Run("/steps?q=state:failed")),
    ("step", "A step that failed", Shows::Run("/steps/STEP")),
    ("timeline", "Timeline, queue time hatched", Shows::Run("/timeline")),
    ("graph", "Kinds of steps and what they need", Shows::Run("/graph")),
    ("checks", "Checks", Shows::Run("/checks")),
    ("plan", "Plan", Shows::Run("/plan")),
    ("diff", "What changed since the last good run", Shows::Changes),
    ("exports", "Exports", Shows::Run("/exports")),
    ("why", "The whole story in short", Shows::Run("/why")),
    ("logs", "Logs of what the run started", Shows::Run("/logs")),
    ("runs", "Runs", Shows::Runs),
    ("explain", "A finding explained", Shows::Explained),
    ("earlier", "The run as it was at an earlier event", Shows::Run("?at=300")),
    ("report", "The report as a file", Shows::Report),
];

/// Draws all of them into a folder. `program`: a plinth that was built before.
pub(crate) fn run(folder: &Path, program: Option<&Path>, small: bool) -> Result<bool, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
    let plinth = program.map_or_else(commands::release_binary, |program| Ok(program.to_owned()))?;
    let stage = Stage::new(plinth, OPEN)?;
    let browser = Browser::start().map_err(|error| error.to_string())?;
    for nodes in SIZES {
        let addresses = Addresses::of(&stage, nodes)?;
        for scheme in SCHEMES {
            drawn(&browser, &addresses, (nodes, scheme), (folder, small))?;
        }
    }
    if small && folder.canonicalize().ok() == commands::root().join("docs").join(FOLDER).canonicalize().ok() {
        let page = commands::root().join(PAGE);
        let text = std::fs::read_to_string(&page).map_err(|error| format!("reading {PAGE}: {error}"))?;
        let text = crate::page::put(&text, HEADING, &section());
        std::fs::write(&page, text).map_err(|error| format!("writing {PAGE}: {error}"))?;
    }
    Ok(true)
}

/// Servers of the pages of one size, and where each page is.
struct Addresses {
    links: Vec<String>,
    pages: Vec<(&'static str, String)>,
    /// They serve as long as this is there.
    _served: Vec<plinth_lab::browser::Served>,
}

impl Addresses {
    fn of(stage: &Stage, nodes: usize) -> Result<Self, Failure> {
        let (state, changed) = (stage.recorded(nodes)?, stage.changed(nodes)?);
        let (of_run, of_change) = (stage.serve(&state)?, stage.serve(&changed)?);
        let (run, other) = (stage.last_run(&state)?, stage.last_run(&changed)?);
        let report = stage.folder().join(format!("report-{nodes}.html"));
        stage.told(&state, 0, &["report", "--out", &report.to_string_lossy()])?;
        let (node, step) = match nodes {
            5 => ("dgx-05", "nodes/downloads/dgx-05"),
            200 => ("rehearsal-00011", "nodes/downloads/rehearsal-00011"),
            _ => ("dgx-05", "platform/release/gpu-operator"),
        };
        let address = |shows: &Shows| match shows {
            Shows::Run(end) => {
                let end = end.replace("NODE", node).replace("STEP", step);
                format!("{}/r/{run}{end}", of_run.origin())
            }
            Shows::Changes => format!("{}/diff/last-good/{other}", of_change.origin()),
            Shows::Runs => format!("{}/", of_change.origin()),
            Shows::Explained => format!("{}/explain/node.unreachable", of_run.origin()),
            Shows::Report => format!("file://{}", report.display()),
        };
        let pages = PAGES.iter().map(|(name, _, shows)| (*name, address(shows))).collect();
        let links = vec![of_run.link().to_owned(), of_change.link().to_owned()];
        Ok(Self { links, pages, _served: vec![of_run, of_change] })
    }
}

fn drawn(
    browser: &Browser,
    addresses: &Addresses,
    (nodes, scheme): (usize, &str),
    (folder, small): (&Path, bool),
) -> Result<(), Failure> {
    let failed = |error: plinth_lab::LabError| error.to_string();
    let tab = browser.tab(Look { dark: scheme == "dark", ..Look::PLAIN }).map_err(failed)?;
    for link in &addresses.links {
        tab.open(link).map_err(failed)?;
    }
    for (name, url) in &addresses.pages {
        let file = folder.join(if small { file(name, nodes, scheme) } else { format!("{name}-{nodes}-{scheme}.png") });
        let picture = picture(&tab, url, small).map_err(|error| format!("drawing {name}: {error}"))?;
        std::fs::write(&file, picture).map_err(|error| format!("writing {}: {error}", file.display()))?;
        println!("{}", file.display());
    }
    Ok(())
}

/// A picture of a page of ours: not of one that says that something is wrong.
fn picture(tab: &Tab<'_>, url: &str, small: bool) -> Result<Vec<u8>, Failure> {
    let failed = |error: plinth_lab::LabError| error.to_string();
    tab.open(url).map_err(failed)?;
    let seen = tab.seen().map_err(failed)?;
    if let Some(bad) = seen.requests.iter().find(|request| request.status >= 400) {
        return Err(format!("{} is answered with {}", bad.url, bad.status));
    }
    // Canvases are drawn in the frame after the next.
    tab.ask("new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))").map_err(failed)?;
    tab.picture(small).map_err(failed)
}

fn file(name: &str, nodes: usize, scheme: &str) -> String {
    format!("{name}-{nodes}-{scheme}.webp")
}

/// The section of the page: each page at three sizes, light beside dark.
fn section() -> String {
    let mut text = format!(
        "{HEADING}\n\nDrawn by `cargo xtask page --small --screenshots docs/views` from runs of the simulator with 5, 200 and 1,000 nodes, in headless \
         Chromium, 1280 by 800. With 5 nodes one of them does not answer, with 200 two of them, with 1,000 the release of the GPU operator fails.\n"
    );
    for (at, (name, caption, _)) in PAGES.iter().enumerate() {
        let open = if at == 0 { " open" } else { "" };
        let _ = write!(
            text,
            "\n<details{open}>\n<summary>{caption}</summary>\n\n| nodes | light | dark |\n|---|---|---|\n"
        );
        for nodes in SIZES {
            let shown = SCHEMES
                .map(|scheme| format!("![{caption}, {nodes} nodes, {scheme}]({FOLDER}/{})", file(name, nodes, scheme)));
            let _ = writeln!(text, "| {nodes} | {} |", shown.join(" | "));
        }
        text.push_str("\n</details>\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_page_is_shown_at_every_size_and_in_both_schemes() {
        let docs = commands::root().join("docs");
        let text = std::fs::read_to_string(commands::root().join(PAGE)).unwrap();
        let shown = crate::page::of(&text, HEADING).unwrap();
        assert_eq!(
            shown.trim_end(),
            section().trim_end(),
            "draw them again: cargo xtask page --small --screenshots docs/views"
        );
        let wanted: BTreeSet<String> = PAGES
            .iter()
            .flat_map(|(name, ..)| SIZES.map(|nodes| SCHEMES.map(|scheme| file(name, nodes, scheme))))
            .flatten()
            .collect();
        let there = std::fs::read_dir(docs.join(FOLDER)).unwrap();
        let there: BTreeSet<String> = there.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(there, wanted);
        for name in &wanted {
            let bytes = std::fs::read(docs.join(FOLDER).join(name)).unwrap();
            assert!(bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"), "{name}");
        }
    }
}
