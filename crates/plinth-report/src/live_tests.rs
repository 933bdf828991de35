#![allow(clippy::unwrap_used)]

use super::*;
use crate::scripted;
use indicatif::TermLike;
use std::sync::Mutex;

/// A terminal that only understands what a live view needs: lines, a cursor that moves up, lines that are cleared.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    width: u16,
    state: Arc<Mutex<(Vec<String>, usize)>>,
    drawn: Arc<Mutex<String>>,
}

impl Screen {
    pub(super) fn new(width: u16) -> Self {
        Self { width, state: Arc::new(Mutex::new((vec![String::new()], 0))), drawn: Arc::default() }
    }

    pub(super) fn text(&self) -> String {
        let lines = self.state.lock().unwrap().0.clone();
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Everything that ever stood on the screen.
    fn drawn(&self) -> String {
        self.drawn.lock().unwrap().clone()
    }

    fn row(&self, change: impl FnOnce(&mut Vec<String>, &mut usize)) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let (lines, row) = &mut *state;
        change(lines, row);
        while lines.len() <= *row {
            lines.push(String::new());
        }
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.width
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.row(|_, row| *row = row.saturating_sub(n))
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.row(|_, row| *row += n)
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.row(|_, row| *row += 1)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.drawn.lock().unwrap().push_str(&format!("{text}\n"));
        self.row(|lines, row| {
            for c in text.chars() {
                // A full line wraps when the next character comes, as terminals do it.
                if lines[*row].chars().count() >= usize::from(self.width) {
                    *row += 1;
                    lines.resize(lines.len().max(*row + 1), String::new());
                }
                lines[*row].push(c);
            }
        })
    }
    fn clear_line(&self) -> io::Result<()> {
        self.row(|lines, row| lines[*row].clear())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

const PLAIN: Palette = Palette::PLAIN;

fn shown(events: &[Event], width: u16) -> (Live, Screen) {
    let screen = Screen::new(width);
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
    let mut live = Live::drawn_on(target, TextLog::new(PLAIN, Verbosity::Notable), PLAIN);
    events.iter().for_each(|event| live.event(event));
    (live, screen)
}

/// Drawing is limited per second; waits until it is allowed again.
fn redraw(live: &mut Live) {
    std::thread::sleep(Duration::from_millis(100));
    live.draw();
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
    assert!(!text.contains("14/14") && !text.contains("user ansiblebcm is there"), "{text}");
}

#[test]
fn a_view_that_is_dropped_leaves_no_bars() {
    let (live, screen) = shown(&scripted::run()[..6], 120);
    drop(live);
    assert!(!screen.text().contains("steps,"), "{}", screen.text());
}

#[test]
fn stages_running_steps_and_foot_are_drawn() {
    let events = scripted::run();
    let at = events.iter().rposition(|event| matches!(event.body, EventBody::StepProgress { .. })).unwrap();
    let (mut live, screen) = shown(&events[..=at], 120);
    redraw(&mut live);
    let text = screen.drawn();
    for part in [
        "kubernetes",
        "6 min 40 s",
        "kubernetes/deploy/basepod-a  600/870 network_plugin/calico",
        "11/14 steps, 1 failed, 2 not run, 1 warning",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_narrow_terminal_gets_no_line_that_is_too_long() {
    let events = scripted::run();
    let (mut live, screen) = shown(&events[..events.len() - 4], 44);
    redraw(&mut live);
    let drawn = screen.drawn();
    let bars = drawn.lines().filter(|line| line.contains("###") || line.contains("steps,"));
    assert!(bars.clone().count() > 3);
    for line in bars {
        assert!(line.trim_end().chars().count() <= 44, "{line:?}");
    }
}

#[test]
fn time_stands_still_between_the_events_of_a_rehearsal_only() {
    let now = Now::new();
    now.set(5.0, false);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(now.get(), 5000);
    now.set(5.0, true);
    std::thread::sleep(Duration::from_millis(20));
    assert!((5015..60_000).contains(&now.get()), "{}", now.get());
}
