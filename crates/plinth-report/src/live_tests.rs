#![allow(clippy::unwrap_used)]

use super::*;
use crate::scripted;
use plinth_analysis::ShapeStep;
use std::sync::{Arc, Mutex};
use vt100::Parser;

/// A terminal that keeps what stands on it, and everything that ever did.
#[derive(Clone)]
pub(super) struct Screen(Arc<Mutex<(Parser, String, usize)>>);

impl Screen {
    pub(super) fn new(width: u16) -> Self {
        Self(Arc::new(Mutex::new((Parser::new(200, width, 1000), String::new(), 0))))
    }

    pub(super) fn text(&self) -> String {
        let screen = self.0.lock().unwrap().0.screen().clone();
        let rows = screen.rows(0, screen.size().1).map(|row| row.trim_end().to_owned());
        rows.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    fn drawn(&self) -> String {
        self.0.lock().unwrap().1.clone()
    }

    fn writes(&self) -> usize {
        self.0.lock().unwrap().2
    }

    fn hides_cursor(&self) -> bool {
        self.0.lock().unwrap().0.screen().hide_cursor()
    }

    pub(super) fn terminal(&self, width: usize) -> Terminal {
        // A test looks at all of a long run at once; the frame is that of a usual terminal.
        Terminal { out: Box::new(self.clone()), size: Box::new(move || (width, 40)), features: Features::default() }
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut screen = self.0.lock().unwrap();
        screen.0.process(bytes);
        screen.1.push_str(std::str::from_utf8(bytes).unwrap());
        screen.2 += 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const PLAIN: Palette = Palette::PLAIN;

fn shown(events: &[Event], width: u16) -> (Live, Screen) {
    let screen = Screen::new(width);
    let text_log = TextLog::new(PLAIN, Verbosity::Notable);
    let mut live = Live::new(text_log, Shape::default(), PLAIN, screen.terminal(usize::from(width)));
    events.iter().for_each(|event| live.event(event));
    (live, screen)
}

#[test]
fn what_scrolled_and_the_summary_stay_and_the_view_goes() {
    let (mut live, screen) = shown(&scripted::run(), 120);
    live.finish().unwrap();
    let text = screen.text();
    assert!(text.contains("X nodes/account/dgx-06"), "{text}");
    assert!(text.contains("connection reset by peer"), "{text}");
    assert!(text.contains("partly applied (exit 4)"), "{text}");
    assert!(text.ends_with("it goes on with 5 steps"), "{text}");
    assert!(!text.contains("steps done") && !text.contains("user ansiblebcm is there"), "{text}");
    assert!(!screen.hides_cursor());
}

#[test]
fn a_view_that_is_dropped_leaves_nothing_of_itself() {
    let (live, screen) = shown(&scripted::run()[..6], 120);
    assert!(screen.text().contains("steps done") && screen.hides_cursor(), "{}", screen.text());
    drop(live);
    assert!(!screen.text().contains("steps done"), "{}", screen.text());
    assert!(!screen.hides_cursor());
}

#[test]
fn a_view_that_is_paused_is_away_and_comes_back() {
    let (mut live, screen) = shown(&scripted::run()[..6], 120);
    live.pause();
    assert!(!screen.text().contains("steps done") && !screen.hides_cursor(), "{}", screen.text());
    std::thread::sleep(FRAME);
    live.tick();
    assert!(screen.text().contains("steps done") && screen.hides_cursor(), "{}", screen.text());
}

#[test]
fn a_view_stands_before_earlier_runs_are_read_and_says_then_what_they_tell() {
    let (read, waits) = std::sync::mpsc::channel::<()>();
    let (began, screen) = (Instant::now(), Screen::new(200));
    let text_log = TextLog::new(PLAIN, Verbosity::Notable);
    let step =
        ShapeStep { id: scripted::id("platform/last/app"), needs: Vec::new(), lane: None, gate: None, expected_s: 1 };
    let live = Live::new(text_log, Shape::new(vec![step]), PLAIN, screen.terminal(200));
    let mut live = live.after(Box::new(move |run| {
        assert_eq!(run, "run-1");
        let _ = waits.recv_timeout(Duration::from_secs(60));
        Past::default()
    }));
    scripted::run()[..6].iter().for_each(|event| live.event(event));
    assert!(screen.text().contains("steps done") && began.elapsed() < Duration::from_secs(30), "{}", screen.text());
    live.draw();
    assert!(matches!(live.history, History::Reading(_)) && live.known.left.is_none());
    read.send(()).unwrap();
    while !matches!(live.history, History::Known(_)) {
        assert!(began.elapsed() < Duration::from_secs(60));
        live.draw();
    }
    assert!(live.known.left.is_some(), "what is not known of it is said as well");
}

#[test]
fn frames_are_left_out_when_events_come_faster_and_no_line_is() {
    let mut script = scripted::Script::new();
    script.begin(2000, 2000);
    for n in 0..2000 {
        // Of no node, so that none is folded into a line with others.
        let step = format!("platform/release/app-{n:04}");
        script.end(f64::from(n), &step, plinth_model::StepState::Changed, 1.0, &format!("release {n} made"));
    }
    let began = Instant::now();
    let (mut live, screen) = shown(&script.events(), 120);
    let frames = screen.writes();
    let most = began.elapsed().as_millis() / FRAME.as_millis() + 2;
    live.finish().unwrap();
    assert!(u128::try_from(frames).unwrap() <= most, "{frames} of {most}");
    let drawn = screen.drawn();
    let told: Vec<&str> = drawn
        .lines()
        .filter_map(|line| line.split_once("release ")?.1.split_once(" made"))
        .map(|told| told.0)
        .collect();
    assert_eq!(told, (0..2000).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_narrow_terminal_gets_no_line_of_the_view_that_is_too_long() {
    let events = scripted::run();
    for width in [20, 44] {
        let (mut live, screen) = shown(&events[..events.len() - 4], width);
        live.draw();
        let text = screen.text();
        let from = text.lines().position(|line| line.starts_with("discovery") || line.starts_with("nodes ")).unwrap();
        let frame: Vec<&str> = text.lines().skip(from).collect();
        assert!(frame.len() >= 4, "{text}");
        assert!(frame.iter().all(|line| line.chars().count() < usize::from(width)), "{frame:?}");
        assert!(frame.last().unwrap().contains("/14"), "{frame:?}");
    }
}

#[test]
fn time_stands_still_between_the_events_of_a_rehearsal_only() {
    let mut events = scripted::run()[..6].to_vec();
    let (live, _) = shown(&events, 80);
    let at = live.text_log.view().elapsed();
    std::thread::sleep(Duration::from_millis(20));
    assert!((live.now_s() - at).abs() < f64::EPSILON);
    if let EventBody::RunStarted(head) = &mut events[0].body {
        head.rehearsal = false;
    }
    let (live, _) = shown(&events, 80);
    std::thread::sleep(Duration::from_millis(20));
    assert!(live.now_s() >= at + 0.02);
}

/// What is left of what was drawn without the sequences that move the cursor, clear and hide it.
fn without_moves(drawn: &str) -> String {
    let mut text = drawn.replace("\r\n", "\n");
    for sequence in ["\u{1b}[K", "\u{1b}[J", "\u{1b}[?25l", "\u{1b}[?25h", "\r"] {
        text = text.replace(sequence, "");
    }
    for rows in (1..60).rev() {
        text = text.replace(&format!("\u{1b}[{rows}A"), "");
    }
    text
}

#[test]
fn whatever_a_program_says_nothing_but_our_own_moves_reaches_the_terminal() {
    let began = Instant::now();
    let mut events = crate::runs::tests::hostile_run();
    let say = |step: &str| EventBody::StepProgress {
        step: scripted::id(step),
        done: 1,
        total: 2,
        message: crate::runs::tests::hostile(),
    };
    let mut script = scripted::Script::new();
    script.begin(4, 2).start(0.5, "nodes/downloads/dgx-07").at(0.6, say("nodes/downloads/dgx-07"));
    let mut hostile = script.events();
    let from = hostile.len() as u64;
    for event in events.drain(1..) {
        let (seq, after) =
            (event.seq + from, event.after.map(|after| if after <= 1 { from - 1 } else { after + from }));
        hostile.push(Event { seq, after, ..event });
    }
    for width in [20, 80, 200] {
        let (mut live, screen) = shown(&hostile, width);
        live.draw();
        assert!(screen.text().contains("nodes/downloads") || width == 20, "{}", screen.text());
        live.finish().unwrap();
        let drawn = without_moves(&screen.drawn());
        let hidden = drawn.chars().find(|c| *c != '\n' && plinth_model::text::is_hidden(*c));
        assert_eq!(hidden, None, "{}", drawn.chars().take(2000).collect::<String>());
        assert!(drawn.contains(r"\u{1b}[2J") && drawn.len() < 100_000, "{} bytes", drawn.len());
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
