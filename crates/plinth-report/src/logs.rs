//! The list of logs, as text.

use crate::style::{Palette, clean};
use plinth_model::SiteName;
use plinth_model::run::{LogFile, LogOf, Logs};

/// The text, without a final line break. Newest last, where people look.
#[must_use]
pub fn logs(site: &SiteName, logs: &Logs, palette: Palette) -> String {
    let name = palette.bold(site.as_str());
    let place = clean(&logs.directory);
    if logs.logs.is_empty() {
        return format!("{name}: no logs in {place}");
    }
    let mut lines = vec![format!("{name}: logs in {place}; secrets are taken out")];
    for log in &logs.logs {
        lines.push(format!("  {}", head(log)));
        lines.push(format!("      {}", clean(&log.path)));
    }
    lines.push("`plinth logs last` prints the newest log of a play, `plinth logs run` plinth's own".to_owned());
    lines.join("\n")
}

fn head(log: &LogFile) -> String {
    let at = log.at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
    let of = match (&log.step, log.of) {
        (Some(step), _) => format!("step {step}"),
        (None, LogOf::Plinth) => "plinth itself, all runs".to_owned(),
        (None, LogOf::Play) => "a play of no run that is kept".to_owned(),
    };
    let run = log.run.as_ref().map(|run| format!("  run {}", clean(run))).unwrap_or_default();
    let failed =
        if log.failed.is_empty() { String::new() } else { format!("  failed: {}", clean(&log.failed.join(", "))) };
    format!("{at}  {of}{failed}{run}  {}", size(log.size))
}

/// Bytes, short.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::run::logs::SCHEMA;

    #[test]
    fn a_play_that_failed_and_our_own() {
        let log = |name: &str, of, step: Option<&str>| LogFile {
            name: name.to_owned(),
            path: format!("/state/{name}"),
            of,
            size: 2048,
            at: "2026-11-29T02:13:05Z".parse().ok(),
            run: step.map(|_| "run-1".to_owned()),
            step: step.map(|step| plinth_model::StepId::try_from(step.to_owned()).unwrap()),
            failed: step.map(|_| "dgx-05".to_owned()).into_iter().collect(),
        };
        let play = log("20261129T021305.000Z-cluster.log", LogOf::Play, Some("kubernetes/deploy/lab"));
        let found = Logs {
            schema: SCHEMA,
            directory: "/state".to_owned(),
            logs: vec![log("plinth.log", LogOf::Plinth, None), play],
        };
        insta::assert_snapshot!(logs(&SiteName::new("lab").unwrap(), &found, Palette::PLAIN));
        assert_eq!(found.find("kubernetes/deploy/lab").unwrap().of, LogOf::Play);
    }
}
