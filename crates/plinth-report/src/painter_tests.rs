#![allow(clippy::unwrap_used)]

use super::*;
use crate::frame::Ink;
use proptest::prelude::*;
use vt100::Parser;

fn lines(texts: &[&str]) -> Vec<Line> {
    texts.iter().map(|text| Line::of(Ink::Plain, *text)).collect()
}

fn painter() -> Painter {
    Painter::new(Features::default(), Palette::PLAIN)
}

fn screen(rows: u16, columns: u16) -> Parser {
    Parser::new(rows, columns, 100)
}

fn rows(terminal: &Parser) -> Vec<String> {
    let (_, columns) = terminal.screen().size();
    let mut rows: Vec<String> = terminal.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

#[test]
fn a_frame_takes_the_place_of_the_one_before_and_lines_scroll_above() {
    let (mut painter, mut terminal) = (painter(), screen(10, 20));
    terminal.process(b"$ plinth\r\n");
    terminal.process(painter.paint(&[], &lines(&["one", "two", "three"]), (20, 10), None).as_bytes());
    assert_eq!(rows(&terminal), ["$ plinth", "one", "two", "three"]);
    assert!(terminal.screen().hide_cursor());
    let above = ["a line that is longer than the terminal".to_owned(), "short".to_owned()];
    terminal.process(painter.paint(&above, &lines(&["1", "2"]), (20, 10), None).as_bytes());
    assert_eq!(rows(&terminal), ["$ plinth", "a line that is longe", "r than the terminal", "short", "1", "2"]);
    terminal.process(painter.erase(&["done".to_owned()], (20, 10)).as_bytes());
    assert_eq!(rows(&terminal).last().unwrap(), "done");
    assert!(!terminal.screen().hide_cursor());
    assert_eq!(terminal.screen().cursor_position(), (5, 0));
}

#[test]
fn a_terminal_that_became_narrower_keeps_nothing_of_the_frame() {
    let (mut painter, mut terminal) = (painter(), screen(20, 40));
    terminal.process(b"$ plinth\r\n");
    let wide = "x".repeat(39);
    let _ = painter.paint(&[], &lines(&[&wide, &wide, "foot"]), (40, 20), None);
    // As terminals do that break the lines anew: each of 39 columns is two rows of 20, the cursor stays on the last line.
    terminal.screen_mut().set_size(20, 20);
    let broken = format!("{wide}\r\n{wide}\r\nfoot\r");
    terminal.process(broken.as_bytes());
    terminal.process(painter.paint(&[], &lines(&["one", "two"]), (20, 20), None).as_bytes());
    assert_eq!(rows(&terminal), ["$ plinth", "one", "two"]);
}

#[test]
fn only_a_terminal_that_knows_it_is_told_how_far_it_is_and_at_the_end_no_more() {
    let features = Features { synchronized: true, taskbar: true };
    let mut painter = Painter::new(features, Palette::PLAIN);
    let bar = |percent, failed| Some(Taskbar { percent, failed });
    let first = painter.paint(&[], &lines(&["a"]), (80, 24), bar(10, false));
    assert!(first.starts_with(BEGIN_UPDATE) && first.ends_with(END_UPDATE), "{first:?}");
    assert!(first.contains("\u{1b}]9;4;1;10\u{1b}\\"), "{first:?}");
    assert!(!painter.paint(&[], &lines(&["a"]), (80, 24), bar(10, false)).contains("]9;4"), "nothing changed");
    assert!(painter.paint(&[], &lines(&["a"]), (80, 24), bar(10, true)).contains("]9;4;2;10"), "it failed");
    assert!(painter.erase(&[], (80, 24)).contains(NO_TASKBAR));
    let mut other = self::painter();
    let all = other.paint(&[], &lines(&["a"]), (80, 24), bar(10, false)) + &other.erase(&[], (80, 24));
    assert!(!all.contains("]9;4") && !all.contains("2026"), "{all:?}");
}

#[test]
fn terminals_are_known_by_their_variables_and_not_through_tmux() {
    let detect = |variables: &[(&str, &str)]| {
        Features::detect(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(detect(&[("TERM", "xterm-256color")]), Features::default());
    assert_eq!(detect(&[("TERM_PROGRAM", "WezTerm")]), Features { synchronized: true, taskbar: true });
    assert_eq!(detect(&[("TERM_PROGRAM", "ghostty"), ("TMUX", "/tmp/x")]), Features::default());
    assert_eq!(detect(&[("TERM", "screen-256color"), ("WT_SESSION", "1")]), Features::default());
    assert_eq!(detect(&[("TERM", "foot")]), Features { synchronized: true, taskbar: false });
    for known in [Features::default(), Features { synchronized: true, taskbar: true }] {
        assert_eq!(known.give_back().contains("]9;4;0"), known.taskbar);
        assert!(known.give_back().contains("[?25h"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is drawn in which order: what scrolled stands there once and in order, and below it the newest frame and nothing else.
    #[test]
    fn what_stands_at_the_end_is_what_was_told(
        turns in proptest::collection::vec((proptest::collection::vec(0_usize..30, 0..4), 0_usize..6), 1..20),
    ) {
        let (mut painter, mut terminal, mut told) = (painter(), screen(60, 20), Vec::new());
        for (turn, (above, height)) in turns.iter().enumerate() {
            let above: Vec<String> = above.iter().enumerate().map(|(n, width)| format!("{turn}.{n}{}", "x".repeat(*width))).collect();
            let frame: Vec<String> = (0..*height).map(|n| format!("frame {turn} {n}")).collect();
            let frame: Vec<Line> = frame.into_iter().map(|text| Line::of(Ink::Plain, text)).collect();
            terminal.process(painter.paint(&above, &frame, (20, 60), None).as_bytes());
            told.extend(above);
        }
        let last = (0..turns.last().unwrap().1).map(|n| format!("frame {} {n}", turns.len() - 1));
        let wanted: Vec<String> = told.iter().cloned().chain(last).collect();
        let wrapped: Vec<String> = wanted.iter().flat_map(|line| {
            line.as_bytes().chunks(20).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>()
        }).collect();
        let seen = rows(&terminal);
        let from = wrapped.len().saturating_sub(59);
        if wrapped.len() < 55 {
            prop_assert_eq!(&seen, &wrapped);
        } else {
            prop_assert!(seen.ends_with(&wrapped[from.max(wrapped.len() - 40)..]));
        }
        terminal.process(painter.erase(&[], (20, 60)).as_bytes());
        prop_assert!(!rows(&terminal).iter().any(|row| row.starts_with("frame")));
    }
}
