//! The report in a browser: as a file, without script, without style, under rules that forbid everything, and with what a mail gateway
//! leaves of it.

use crate::ground::{FAILED_NODES, FAILED_RELEASE, SIZES, browser, recorded, sound, told};
use plinth_lab::browser::Look;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest report of each size, bytes: the budget.
const LARGEST: [usize; 3] = [150_000, 400_000, 1_200_000];
/// What Jenkins says about artefacts.
const JENKINS: &str = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';";
/// Nothing at all, not even a style.
const NOTHING: &str = "sandbox; default-src 'none'";

/// The run that is reported: of the small site the first, which failed.
fn report(nodes: usize) -> PathBuf {
    let state = recorded(nodes).to_str().unwrap();
    let file = recorded(nodes).with_extension("html");
    let which = if nodes == 5 { "^1" } else { "last" };
    told(0, &["report", which, "--state", state, "--out", file.to_str().unwrap()]);
    file
}

/// What everybody must be able to read in it.
fn facts(nodes: usize) -> Vec<&'static str> {
    let mut facts =
        vec!["What failed", "What did not run, and why", "Where the time went", "Kinds of steps", "nodes/downloads"];
    match nodes {
        200 => facts.extend(FAILED_NODES),
        _ => facts.extend([FAILED_RELEASE, "helm upgrade gpu-operator", "dgx-05"]),
    }
    facts
}

#[track_caller]
fn has(text: &str, nodes: usize, how: &str) {
    for fact in facts(nodes) {
        assert!(text.contains(fact), "{how}, {nodes} nodes: `{fact}` is not to be read:\n{text:.3000}");
    }
}

/// Serves a folder under rules of its server; the origin.
fn served(folder: &Path, rules: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, folder) = (stream.unwrap(), folder.clone());
            std::thread::spawn(move || {
                let mut asked = [0; 4096];
                let count = stream.read(&mut asked).unwrap_or(0);
                let asked = String::from_utf8_lossy(&asked[..count]).into_owned();
                let path = asked.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
                let content = std::fs::read(folder.join(path)).unwrap_or_default();
                let kind = if path.ends_with(".css") { "text/css" } else { "text/html; charset=utf-8" };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Security-Policy: {rules}\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n",
                    content.len()
                );
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&content));
            });
        }
    });
    origin
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_report_is_read_as_a_file_in_light_and_dark_and_lists_its_events() {
    let browser = browser();
    for (nodes, largest) in SIZES.into_iter().zip(LARGEST) {
        let file = report(nodes);
        let size = std::fs::metadata(&file).unwrap().len();
        assert!(size <= largest as u64, "{nodes} nodes: {size} bytes");
        let url = format!("file://{}", file.display());
        for dark in [false, true] {
            let tab = browser.tab(Look { dark, ..Look::PLAIN }).unwrap();
            tab.open(&url).unwrap();
            sound(&tab, &url, &url);
            tab.ask("document.querySelectorAll('details').forEach((one) => one.open = true)").unwrap();
            has(&tab.text().unwrap(), nodes, "as a file");
            tab.ask("document.querySelector('#read button').click()").unwrap();
            tab.wait("document.querySelectorAll('#read tbody tr').length > 100", Duration::from_secs(90)).unwrap();
            tab.ask("document.querySelector('#read input').value = 'run.finished'").unwrap();
            tab.ask("document.querySelector('#read input').dispatchEvent(new Event('input'))").unwrap();
            let found = tab.ask("document.querySelectorAll('#read tbody tr').length").unwrap();
            assert_eq!(found, 1, "one event is found by its name");
            if nodes == 5 {
                sound(&tab, &url, "with its events");
            }
        }
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_report_says_the_same_whatever_is_taken_from_it() {
    let browser = browser();
    let folder = tempfile::tempdir().unwrap();
    for nodes in [5, 200] {
        let whole = std::fs::read_to_string(report(nodes)).unwrap();
        let open = |tab: &plinth_lab::browser::Tab<'_>, url: &str| -> String {
            tab.open(url).unwrap();
            let read = tab.ask("document.body.textContent.replace(/\\s+/g, ' ')").unwrap();
            read.as_str().unwrap().split("H4sI").next().unwrap().to_owned()
        };
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            format!("file://{}", file.display())
        };
        let (plain, without) =
            (browser.tab(Look::PLAIN).unwrap(), browser.tab(Look { scripts: false, ..Look::PLAIN }).unwrap());
        let url = write("whole.html", &whole);
        let said = open(&without, &url);
        has(&said, nodes, "without script");
        let button = "List them here";
        assert_eq!(open(&plain, &url).replace(button, ""), said, "a script adds nothing but its button");

        // A mail gateway takes scripts out.
        let (before, rest) = whole.split_once("<script type=").unwrap();
        let (_, after) = rest.rsplit_once("</script>").unwrap();
        assert_eq!(open(&plain, &write("mail.html", &(before.to_owned() + after))).trim(), said.trim());
        let begin = whole.find("<style>").unwrap();
        let end = whole.find("</style>").unwrap();
        let unstyled = format!("{}{}", &whole[..begin], &whole[end + 8..]);
        has(&open(&without, &write("unstyled.html", &unstyled)), nodes, "without style");

        for rules in [JENKINS, NOTHING] {
            let origin = served(folder.path(), rules);
            assert_eq!(open(&without, &format!("{origin}/whole.html")).trim(), said.trim(), "{rules}");
        }
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_report_in_a_folder_keeps_its_style_where_no_page_may_have_one() {
    let (browser, folder) = (browser(), tempfile::tempdir().unwrap());
    let state = recorded(5).to_str().unwrap();
    told(0, &["report", "^1", "--state", state, "--dir", folder.path().to_str().unwrap()]);
    let origin = served(folder.path(), JENKINS);
    let tab = browser.tab(Look { scripts: false, ..Look::PLAIN }).unwrap();
    tab.open(&format!("{origin}/index.html")).unwrap();
    assert_eq!(tab.seen().unwrap().troubles(&origin), Vec::<String>::new());
    let edge = tab.ask("getComputedStyle(document.querySelector('.card')).borderLeftWidth").unwrap();
    assert_eq!(edge, "4px", "the style is there");
    tab.ask("document.querySelectorAll('details').forEach((one) => one.open = true)").unwrap();
    has(&tab.text().unwrap(), 5, "in Jenkins");
    let packed = std::fs::read(folder.path().join("events.ndjson.gz")).unwrap();
    let mut events = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut events).unwrap();
    let report = report(5);
    assert_eq!(events, told(0, &["report", "--extract", report.to_str().unwrap()]), "both hold the same events");
}
