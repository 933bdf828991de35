//! `cargo xtask page --screenshots DIR`: every page at every size, in light and dark.

use super::stage::{SIZES, Stage};
use crate::commands::{self, Failure};
use plinth_lab::browser::{Browser, Look};
use std::path::Path;
use std::time::Duration;

/// Pictures of all pages are drawn within it.
const OPEN: Duration = Duration::from_secs(3600);

/// Name of a picture, and the end of the address behind that of the run. `NODE` and `STEP` stand for what failed.
const PAGES: [(&str, &str); 13] = [
    ("overview", ""),
    ("failures", "/failures"),
    ("nodes", "/nodes"),
    ("node", "/nodes/NODE"),
    ("steps", "/steps"),
    ("steps-failed", "/steps?q=state:failed"),
    ("step", "/steps/STEP"),
    ("timeline", "/timeline"),
    ("graph", "/graph"),
    ("checks", "/checks"),
    ("plan", "/plan"),
    ("exports", "/exports"),
    ("earlier", "?at=300"),
];

/// Draws all of them into a folder. `program`: a plinth that was built before.
pub(crate) fn run(folder: &Path, program: Option<&Path>, small: bool) -> Result<bool, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
    let plinth = program.map_or_else(commands::release_binary, |program| Ok(program.to_owned()))?;
    let stage = Stage::new(plinth, OPEN)?;
    let browser = Browser::start().map_err(|error| error.to_string())?;
    for nodes in SIZES {
        let state = stage.recorded(nodes)?;
        drawn(&stage, &browser, (nodes, &state), (folder, small))?;
    }
    Ok(true)
}

fn drawn(
    stage: &Stage,
    browser: &Browser,
    (nodes, state): (usize, &Path),
    (folder, small): (&Path, bool),
) -> Result<(), Failure> {
    let served = stage.serve(state)?;
    let run = stage.last_run(state)?;
    let (node, step) = match nodes {
        5 => ("dgx-05", "nodes/downloads/dgx-05"),
        200 => ("rehearsal-00011", "nodes/downloads/rehearsal-00011"),
        _ => ("dgx-05", "platform/release/gpu-operator"),
    };
    let report = stage.folder().join(format!("report-{nodes}.html"));
    let out = report.to_string_lossy().into_owned();
    stage.told(state, 0, &["report", "--out", &out])?;
    let of_run = PAGES.iter().map(|(name, end)| {
        let end = end.replace("NODE", node).replace("STEP", step);
        (*name, format!("{}/r/{run}{end}", served.origin()))
    });
    let others = [
        ("runs", format!("{}/", served.origin())),
        ("diff", format!("{}/diff/last-good/{run}", served.origin())),
        ("report", format!("file://{}", report.display())),
    ];
    let pages: Vec<(&str, String)> = of_run.chain(others).collect();
    let failed = |error: plinth_lab::LabError| error.to_string();
    for dark in [false, true] {
        let tab = browser.tab(Look { dark, ..Look::PLAIN }).map_err(failed)?;
        tab.open(served.link()).map_err(failed)?;
        let scheme = if dark { "dark" } else { "light" };
        for (name, url) in &pages {
            tab.open(url).map_err(failed)?;
            // Canvases are drawn in the frame after the next.
            tab.ask("new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))").map_err(failed)?;
            let end = if small { "webp" } else { "png" };
            let file = folder.join(format!("{name}-{nodes}-{scheme}.{end}"));
            let picture = tab.picture(small).map_err(failed)?;
            std::fs::write(&file, picture).map_err(|error| format!("writing {}: {error}", file.display()))?;
            println!("{}", file.display());
        }
    }
    Ok(())
}
