//! Findings for people: the sentence, the line, what is pointed at, and the fix.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use plinth_model::text::visible;
use plinth_model::{Finding, Position, Severity};
use std::path::Path;

/// Longest line that is shown whole, bytes; of a longer one only what is around the place.
const LONGEST_LINE: usize = 400;

/// Findings as text, in the order given, one block each, with an empty line between two. A finding with a position shows its
/// line of `source`; one without stands alone. `source` should be [`crate::Site::source`] or [`crate::Rejected`]'s, in
/// which literal secrets are hidden.
#[must_use]
pub fn findings_text(findings: &[Finding], source: &str, file: &Path, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let name = visible(&file.display().to_string()).into_owned();
    let blocks: Vec<String> = findings.iter().map(|finding| block(finding, source, &name, &renderer)).collect();
    let mut text = blocks.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn block(finding: &Finding, source: &str, name: &str, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let code = visible(finding.code.as_str());
    let title = level.primary_title(visible(&sentence(finding)).into_owned()).id(&*code);
    let window = finding.position.and_then(|place| window(source, place));
    let mut group = match &window {
        Some(window) => group_with_line(Group::with_title(title), window, name),
        None => Group::with_title(title),
    };
    for line in &finding.evidence {
        group = group.element(Level::NOTE.message(visible(line).into_owned()));
    }
    if !finding.fix.is_empty() {
        group = group.element(Level::HELP.message(visible(&finding.fix).into_owned()));
    }
    renderer.render(&[group])
}

/// The message; with its subject where no line says what it is about.
fn sentence(finding: &Finding) -> String {
    match finding.position {
        None if !finding.subject.is_empty() => format!("{}: {}", finding.subject, finding.message),
        _ => finding.message.clone(),
    }
}

fn group_with_line<'a>(group: Group<'a>, window: &'a Window, name: &'a str) -> Group<'a> {
    let pointed = AnnotationKind::Primary.span(window.start..window.end);
    group.element(Snippet::source(window.text.as_str()).line_start(window.line).path(name).annotation(pointed))
}

/// The line that is shown, and what is pointed at in it.
struct Window {
    text: String,
    line: usize,
    start: usize,
    end: usize,
}

/// The line of a place. None when the place is not in the text, or in a line too long to be shown.
fn window(source: &str, place: Position) -> Option<Window> {
    let before = source.get(..place.start)?;
    let begin = before.rfind('\n').map_or(0, |line_break| line_break + 1);
    let rest = source.get(begin..)?;
    let text = rest.split(['\n', '\r']).next()?;
    if text.len() > LONGEST_LINE {
        return None;
    }
    let start = (place.start - begin).min(text.len());
    let wanted = place.end.saturating_sub(begin).clamp(start, text.len());
    // A place may end within a character: where it was only known to begin.
    let end = (wanted..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    // Each part by itself, so that what is pointed at is known behind characters that are written out.
    let parts = [visible(text.get(..start)?), visible(text.get(start..end)?), visible(text.get(end..)?)];
    let (start, end) = (parts[0].len(), parts[0].len() + parts[1].len());
    Some(Window { text: parts.concat(), line: place.line, start, end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_model::Code;

    #[test]
    fn a_finding_points_at_its_line_and_one_without_a_place_names_its_subject() {
        let place = Position { line: 2, column: 4, start: 8, end: 11 };
        let here = Finding::error(Code::named("site.x"), "b", "wrong").fix("fix it").evidence("seen").at(place);
        let nowhere = Finding::warning(Code::named("site.y"), "node", "odd");
        let text = findings_text(&[here, nowhere], "a: b\nc: def\n", Path::new("s.yaml"), false);
        assert!(text.contains("error[site.x]: wrong"), "{text}");
        assert!(text.contains("s.yaml:2:4") && text.contains("^^^"), "{text}");
        assert!(text.contains("note: seen") && text.contains("help: fix it"), "{text}");
        assert!(text.contains("warning[site.y]: node: odd"), "{text}");
    }

    #[test]
    fn text_of_others_shows_what_is_hidden_in_it_and_the_place_stays_right() {
        let source = "a\u{9b}\u{202e}: \u{1b}x\u{200b}y # \r\n";
        let start = source.find('\u{1b}').unwrap();
        let end = source.find(" #").unwrap();
        let place = Position { line: 1, column: 5, start, end };
        let odd = "\u{1b}[2J\r\u{85}\u{2066}";
        let finding = Finding::error(Code::named("site.x"), odd, odd).fix(odd).evidence(odd);
        for color in [false, true] {
            let text = findings_text(&[finding.clone().at(place), finding.clone()], source, Path::new(odd), color);
            let text = plinth_model::text::visible_styled(&text);
            assert_eq!(text.matches(r"\u{1b}[2J\u{d}\u{85}\u{2066}").count(), 8, "{text}");
            assert!(text.contains(r"a\u{9b}\u{202e}: \u{1b}x\u{200b}y"), "{text}");
        }
        let plain = findings_text(&[finding.at(place)], source, Path::new("s"), false);
        let (line, marks) = plain
            .lines()
            .collect::<Vec<_>>()
            .windows(2)
            .find(|two| two[1].contains("^^"))
            .map(|t| (t[0].to_owned(), t[1].to_owned()))
            .unwrap();
        assert_eq!((marks.find('^'), marks.matches('^').count()), (line.find(r"\u{1b}"), r"\u{1b}x\u{200b}y".len()));
    }

    #[test]
    fn a_place_outside_the_text_is_not_fatal() {
        let place = Position { line: 9, column: 1, start: 900, end: 901 };
        let text =
            findings_text(&[Finding::error(Code::named("site.x"), "", "wrong").at(place)], "a", Path::new("s"), true);
        assert!(text.contains("wrong"));
        assert_eq!(findings_text(&[], "", Path::new("s"), false), "");
    }
}
