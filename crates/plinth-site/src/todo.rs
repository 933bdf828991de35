//! Marks that a template left for whoever fills it in.

use crate::read;
use plinth_model::finding::code;
use plinth_model::{Finding, Position};

/// Most marks that are named one by one.
const NAMED: usize = 50;

/// A finding for each line whose comment begins with `TODO`. A comment on a line of its own says nothing about a value.
pub(crate) fn report(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut offset = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let comment = read::comment(line);
        let said = comment.trim_start_matches('#').trim();
        if !line.trim_start().starts_with('#')
            && said.strip_prefix("TODO").is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        {
            let start = line.len() - comment.len();
            let place = Position {
                line: number + 1,
                column: line[..start].chars().count() + 1,
                start: offset + start,
                end: offset + start + comment.trim_end().len(),
            };
            found.push(left(said, place));
        }
        offset += line.len();
    }
    found.truncate(NAMED);
    found
}

fn left(said: &str, place: Position) -> Finding {
    let what: String = said.trim_start_matches("TODO").trim_start_matches([':', ' ']).chars().take(80).collect();
    let message = match what.as_str() {
        "" => "this line is still to be filled in".to_owned(),
        what => format!("this line is still to be filled in: {what}"),
    };
    Finding::error(code::SITE_TODO, "", message).fix("write what holds for your site, then remove the TODO").at(place)
}

#[cfg(test)]
mod tests {
    use super::report;

    #[test]
    fn every_mark_behind_a_value_is_named_and_nothing_else() {
        let text = "# TODO later\na: 1 # TODO the é\nb: 2 # a TODO\nc: \"x#TODO\"\nd: [] #TODO\ne: 1 # TODOS\n";
        let found: Vec<_> = report(text).into_iter().map(|f| (f.line, f.column, f.message)).collect();
        let said = |what: &str| format!("this line is still to be filled in{what}");
        assert_eq!(found, [(Some(2), Some(6), said(": the é")), (Some(5), Some(7), said(""))]);
    }
}
