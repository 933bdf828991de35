//! What a run leaves on a terminal, read by a terminal: at 20 columns, while its size changes, stopped and continued, broken off, under Ctrl-S,
//! and in a job of GitHub Actions.

use crate::readers::{Running, terminal, wait_for};
use crate::support::{basepod, plinth_with, text};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vt100::Parser;

const ROWS: u16 = 30;
/// What the view says of every run, and nothing else does.
const FOOT: &str = " steps done";

/// A terminal that is read: what stands on it, and every byte that came.
struct Watched {
    look: Arc<OwnedFd>,
    side: Option<File>,
    seen: Arc<Mutex<(Parser, Vec<u8>)>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Watched {
    fn new(columns: u16) -> Self {
        let (look, side) = terminal();
        let seen = Arc::new(Mutex::new((Parser::new(ROWS, columns, 10_000), Vec::new())));
        let watched = Self { look: Arc::new(look), side: Some(side), seen, reader: None };
        watched.resize(columns);
        watched
    }

    fn resize(&self, columns: u16) {
        self.seen.lock().unwrap().0.screen_mut().set_size(ROWS, columns);
        let size = Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&*self.look, size).unwrap();
    }

    /// Gives the program its side, and reads from now on.
    fn side(&mut self) -> File {
        let (seen, mut file) = (Arc::clone(&self.seen), File::from(self.look.try_clone().unwrap()));
        self.reader = Some(std::thread::spawn(move || {
            let mut piece = [0; 65536];
            // The kernel says that it is an error to read from a terminal whose other side is closed.
            while let Ok(read) = file.read(&mut piece) {
                if read == 0 {
                    break;
                }
                let mut seen = seen.lock().unwrap();
                seen.0.process(&piece[..read]);
                seen.1.extend_from_slice(&piece[..read]);
            }
        }));
        self.side.take().unwrap()
    }

    fn types(&self, keys: &[u8]) {
        File::from(self.look.try_clone().unwrap()).write_all(keys).unwrap();
    }

    /// The rows of the screen, as they are now.
    fn rows(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let (_, columns) = seen.0.screen().size();
        seen.0.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect()
    }

    fn shows(&self, part: &str) -> bool {
        self.rows().iter().any(|row| row.contains(part))
    }

    fn hides_cursor(&self) -> bool {
        self.seen.lock().unwrap().0.screen().hide_cursor()
    }

    fn waits_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !is_so(self) {
            assert!(Instant::now() < until, "{what}\n{}", self.rows().join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that came, when the program has ended.
    fn bytes(&mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        String::from_utf8_lossy(&self.seen.lock().unwrap().1).into_owned()
    }

    /// Whether the last line of a frame stands there, however much of it has room.
    fn shows_foot(&self) -> bool {
        self.rows().iter().any(|row| is_foot(row))
    }

    /// The view is gone, and the terminal as it was.
    fn is_clean(&self) {
        let rows = self.rows();
        assert!(!self.hides_cursor(), "the cursor is hidden\n{}", rows.join("\n"));
        assert!(!self.shows_foot(), "something of the view stands\n{}", rows.join("\n"));
    }
}

/// `07:10 8/62 steps do…`: a clock and two numbers, and nothing else begins so.
fn is_foot(row: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let of = |word: Option<&str>, between| {
        word.and_then(|word| word.split_once(between)).is_some_and(|(a, b)| is_number(a) && is_number(b))
    };
    let mut words = row.split_whitespace();
    of(words.next(), ':') && of(words.next(), '/')
}

struct Site {
    folder: TempDir,
    state: PathBuf,
    site: String,
}

impl Site {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { state: folder.path().join("state"), folder, site: basepod() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A rehearsal on this terminal.
    fn run(&self, watched: &mut Watched, more: &[&str], change: impl FnOnce(&mut Command)) -> Running {
        let arguments = [&["rehearse", "-f", &self.site, "--state", text(&self.state)], more].concat();
        let side = watched.side();
        Running::start(self.path(), &arguments, |command| {
            command.env_remove("CI").env_remove("GITHUB_ACTIONS").env_remove("TMUX").env("LANG", "C.UTF-8");
            command.stderr(side);
            change(command);
        })
    }
}

const LONG: [&str; 4] = ["--pace", "watch", "--nodes", "60"];
const FAULT: [&str; 4] = ["--pace", "watch", "--fault", "node:dgx-05:drop@kubernetes"];

#[test]
fn on_every_width_a_run_that_failed_leaves_its_summary_and_nothing_of_the_view() {
    for columns in [20, 80, 200] {
        let (site, mut watched) = (Site::new(), Watched::new(columns));
        let mut run = site.run(&mut watched, &FAULT, |_| {});
        watched.waits_until("no view is drawn", |seen| seen.hides_cursor() && seen.shows_foot());
        assert_eq!(run.ends(), Some(4));
        drop(run);
        let bytes = watched.bytes();
        watched.is_clean();
        // A narrow terminal gets it on several lines.
        let words = bytes.split_whitespace().collect::<Vec<_>>().join(" ");
        let last = words.rsplit_once("the whole story: ").expect("the story is named").1;
        assert!(last.starts_with("`plinth why -f ") && last.ends_with("/state`"), "the story comes last: {last}");
        assert!(bytes.contains("/105"), "no frame was drawn: {bytes}");
        assert!(!bytes.contains("]9;4") && !bytes.contains("?2026"), "this terminal did not say that it knows these");
        assert!(!bytes.contains("\u{1b}[2J"), "nothing is cleared but the view");
    }
}

#[test]
fn a_terminal_whose_size_changes_while_it_is_written_to_is_clean_at_the_end() {
    let (site, mut watched) = (Site::new(), Watched::new(80));
    let mut run = site.run(&mut watched, &FAULT, |_| {});
    for columns in [200, 20, 120, 33, 160, 61, 80].into_iter().cycle() {
        if run.0.try_wait().unwrap().is_some() {
            break;
        }
        watched.resize(columns);
        std::thread::sleep(Duration::from_millis(120));
    }
    assert_eq!(run.ends(), Some(4));
    watched.bytes();
    watched.is_clean();
}

/// The line of the link, in and behind the view.
const LINK: &str = "http://127.0.0.1:";

#[test]
fn the_page_beside_a_run_is_named_below_it_and_at_its_end_with_the_command_for_a_report() {
    let (site, mut watched) = (Site::new(), Watched::new(80));
    let mut run = site.run(&mut watched, &[&FAULT[..], &["--serve"]].concat(), |_| {});
    watched.waits_until("no link below the view", |seen| {
        let rows = seen.rows();
        let foot = rows.iter().position(|row| is_foot(row));
        foot.and_then(|foot| rows.get(foot + 1)).is_some_and(|row| row.starts_with(&format!("page {LINK}")))
    });
    let below = watched.rows().into_iter().find(|row| row.starts_with("page http")).unwrap();
    assert!(below.contains("/?token=") && !below.contains('…'), "{below}");
    watched.waits_until("it does not end", |seen| seen.shows("stays until Ctrl-C"));
    assert!(!watched.shows_foot() && !watched.rows().iter().any(|row| row.starts_with("page http")));
    run.signal("-INT");
    assert_eq!(run.ends(), Some(4));
    drop(run);
    let words = watched.bytes().split_whitespace().collect::<Vec<_>>().join(" ");
    watched.is_clean();
    let (_, end) = words.rsplit_once("as one page: `plinth report ").expect("the command is named");
    let (id, rest) = end.split_once(' ').unwrap();
    assert!(id.len() == 36 && rest.starts_with("-f "), "{end}");
    let (command, rest) = rest.split_once('`').unwrap();
    assert!(command.ends_with("/state --out run.html"), "{end}");
    let (story, page) = rest.split_once(" the page stays until Ctrl-C: ").unwrap();
    assert!(story.contains("plinth why") && page.starts_with(below.strip_prefix("page ").unwrap()), "{end}");
    let asked = ["report", id, "-f", &site.site, "--state", text(&site.state), "--out", "run.html"];
    plinth_with(site.path(), &[], &asked).exits(0);
}

#[test]
fn a_run_that_leaves_nothing_behind_or_did_nothing_names_no_report() {
    let site = Site::new();
    let said = |more: &[&str]| {
        plinth_with(site.path(), &[], &[&["rehearse", "-f", &site.site], more].concat()).exits(0).stderr
    };
    let kept = ["--state", text(&site.state)];
    assert!(!said(&[]).contains("plinth report"));
    assert!(said(&kept).contains("plinth report"));
    assert!(!said(&kept).contains("plinth report"), "there was nothing to do");
}

fn state_of(process: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[test]
fn a_run_that_is_stopped_by_the_terminal_leaves_it_clean_and_draws_again_when_it_goes_on() {
    let (site, mut watched) = (Site::new(), Watched::new(100));
    let mut run = site.run(&mut watched, &LONG, |_| {});
    watched.waits_until("no view", |seen| seen.shows(FOOT));
    run.signal("-TSTP");
    watched.waits_until("it is not stopped", |_| state_of(run.0.id()) == 'T');
    watched.waits_until("the view stands", |seen| !seen.shows(FOOT) && !seen.hides_cursor());
    run.signal("-CONT");
    watched.waits_until("no view is drawn again", |seen| seen.shows(FOOT) && seen.hides_cursor());
    run.signal("-TERM");
    assert_eq!(run.ends(), Some(4));
    watched.bytes();
    watched.is_clean();
}

#[test]
fn what_a_terminal_is_told_beyond_text_is_taken_back_however_the_run_ends() {
    // After one signal, after two, and after one more, which ends the process where it stands.
    for signals in [0, 1, 2, 3] {
        let (site, mut watched) = (Site::new(), Watched::new(100));
        let arguments = if signals == 0 { &FAULT[..] } else { &LONG[..] };
        let mut run = site.run(&mut watched, arguments, |command| {
            command.env("TERM_PROGRAM", "WezTerm");
        });
        watched.waits_until("no view", |seen| seen.shows(FOOT));
        for _ in 0..signals {
            run.signal("-INT");
            // Two that come at once are one.
            std::thread::sleep(Duration::from_millis(60));
        }
        assert_eq!(run.ends(), Some(4), "{signals} signals");
        let bytes = watched.bytes();
        assert!(!watched.hides_cursor(), "{signals} signals");
        let last = bytes.rsplit_once("]9;4;").expect("it was told how far it is").1;
        assert!(last.starts_with("0\u{1b}\\"), "{signals} signals: {last:?}");
        assert!(bytes.contains("\u{1b}[?2026h"));
    }
}

/// Ctrl-S on the terminal, not only one that is not read: the kernel holds back what is written until Ctrl-Q.
#[test]
fn ctrl_s_holds_up_nothing_and_after_ctrl_q_the_end_is_there() {
    let (site, mut watched) = (Site::new(), Watched::new(100));
    let mut run = site.run(&mut watched, &FAULT, |_| {});
    watched.waits_until("no view", |seen| seen.shows(FOOT));
    watched.types(b"\x13");
    wait_for(site.path(), &site.site, &site.state, |seen| seen["run"]["state"] == "partly" && seen["lock"].is_null());
    assert!(!watched.shows("plinth why"), "the terminal was not held\n{}", watched.rows().join("\n"));
    // Longer than what is said at the end waits for the view: it must come behind the last frame all the same.
    std::thread::sleep(Duration::from_millis(1_500));
    watched.types(b"\x11");
    assert_eq!(run.ends(), Some(4));
    watched.bytes();
    watched.is_clean();
    assert!(watched.shows("plinth why"), "{}", watched.rows().join("\n"));
}

#[test]
fn the_status_that_is_watched_is_the_frame_of_the_run_and_ends_with_it() {
    let (site, mut watched) = (Site::new(), Watched::new(100));
    let arguments = ["rehearse", "-f", &site.site, "--state", text(&site.state), "--pace", "watch", "--nodes", "60"];
    let mut run = Running::start(site.path(), &arguments, |_| {});
    wait_for(site.path(), &site.site, &site.state, |seen| seen["run"]["state"] == "running");
    let watch = |watched: &mut Watched| {
        let side = watched.side();
        Running::start(site.path(), &["status", "--watch", "-f", &site.site, "--state", text(&site.state)], |command| {
            command.stdout(side.try_clone().unwrap()).stderr(side).stdin(Stdio::null());
        })
    };
    let mut status = watch(&mut watched);
    watched.waits_until("no frame", |seen| seen.shows(FOOT) && seen.shows("nodes ") && seen.hides_cursor());
    status.signal("-INT");
    status.ends();
    watched.bytes();
    assert!(!watched.hides_cursor(), "the cursor is hidden behind a watch that was broken off");

    let mut watched = Watched::new(100);
    let mut status = watch(&mut watched);
    watched.waits_until("no frame", |seen| seen.shows(FOOT) && seen.hides_cursor());
    status.signal("-TSTP");
    watched.waits_until("it is not stopped", |_| state_of(status.0.id()) == 'T');
    watched.waits_until("the shell has no cursor", |seen| !seen.hides_cursor());
    status.signal("-CONT");
    watched.waits_until("it is not watched again", |seen| seen.shows(FOOT) && seen.hides_cursor());
    status.signal("-INT");
    status.ends();
    watched.bytes();
    assert!(!watched.hides_cursor());

    let mut watched = Watched::new(40);
    let mut status = watch(&mut watched);
    watched.waits_until("no frame", |seen| seen.shows("steps") && seen.hides_cursor());
    run.signal("-TERM");
    run.ends();
    assert_eq!(status.ends(), Some(0));
    watched.bytes();
    watched.is_clean();
    assert!(watched.shows("stopped") && watched.shows("lock"), "{}", watched.rows().join("\n"));
}

#[test]
fn what_is_said_fits_the_terminal_that_it_is_said_on_wherever_the_data_go() {
    let (site, mut watched) = (Site::new(), Watched::new(40));
    let side = watched.side();
    let mut run = Running::start(site.path(), &["validate", "-f", "there-is-no-such-file.yaml"], |command| {
        command.stderr(side).env("NO_COLOR", "1");
    });
    assert_eq!(run.ends(), Some(1));
    drop(run);
    let bytes = watched.bytes();
    let lines: Vec<&str> = bytes.lines().map(str::trim_end).collect();
    assert!(lines.len() > 2 && bytes.contains("there-is-no-such-file.yaml"), "{bytes}");
    assert!(lines.iter().all(|line| line.chars().count() <= 40), "{bytes}");
}

#[test]
fn what_is_told_of_a_run_afterwards_is_broken_between_words() {
    let site = Site::new();
    let of_site = ["-f", &site.site, "--state", text(&site.state)];
    let fault = ["rehearse", "--fault", "node:dgx-05:drop@kubernetes"];
    plinth_with(site.path(), &[], &[&fault[..], &of_site].concat()).exits(4);
    for verb in [&["why"][..], &["history", "dgx-05"], &["logs"], &["status"], &["explain", "dgx-05"]] {
        let arguments = [verb, &of_site].concat();
        let piped = plinth_with(site.path(), &[("LANG", "C.UTF-8")], &arguments).stdout;
        let mut watched = Watched::new(80);
        let side = watched.side();
        let mut run = Running::start(site.path(), &arguments, |command| {
            command.stdout(side).env("NO_COLOR", "1").env("LANG", "C.UTF-8");
        });
        run.ends();
        drop(run);
        let told = watched.bytes().replace('\r', "");
        assert_eq!(
            told.split_whitespace().collect::<String>(),
            piped.split_whitespace().collect::<String>(),
            "{verb:?}"
        );
        // A path may be longer than the terminal is wide.
        for line in told.lines().filter(|line| line.chars().count() > 80) {
            assert!(!line.trim().contains(' ') && !line.starts_with(' '), "{verb:?} is cut in `{line}`");
        }
    }
}

#[test]
fn a_job_of_github_gets_groups_annotations_and_the_summary_of_its_step() {
    let site = Site::new();
    let summary = site.path().join("summary.md");
    fs::write(&summary, "from before\n").unwrap();
    let env = [("GITHUB_ACTIONS", "true"), ("CI", "true"), ("GITHUB_STEP_SUMMARY", text(&summary))];
    let arguments = ["rehearse", "-f", &site.site, "--fault", "node:dgx-05:drop@kubernetes"];
    let said = plinth_with(site.path(), &env, &arguments).exits(4).stderr;
    let of = |begin: &str| said.lines().filter(|line| line.starts_with(begin)).count();
    assert!(of("::group::") >= 2 && of("::group::") == of("::endgroup::"), "{said}");
    let error: Vec<&str> = said.lines().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(error.len(), 1, "{said}");
    assert!(error[0].contains("kubespray.host-failed on dgx-05::"), "{}", error[0]);
    let outside = said.rsplit_once("::endgroup::").unwrap().1;
    assert!(outside.contains("partly applied") && outside.contains("failed"), "{said}");
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("from before\n## plinth: basepod-a partly"), "{text}");
    assert!(text.contains("kubespray.host-failed") && text.len() < 100_000, "{text}");

    let said = plinth_with(site.path(), &[("CI", "true")], &arguments).exits(4).stderr;
    assert!(!said.contains("::group::") && !said.contains("::error"), "only there: {said}");
}
