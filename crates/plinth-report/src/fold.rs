//! Folding: equal news about many nodes become one line.
//!
//! News waits until every node of its kind has spoken (when the plan is known), until it is [`WINDOW`] old, or until somebody
//! asks for the rest. The first failure of a cause never comes here, others of the same cause do.

use crate::style::Sign;
use plinth_analysis::ranges;
use std::collections::BTreeMap;

/// Seconds of event time that news may wait for its like.
pub(crate) const WINDOW: f64 = 10.0;

/// More different texts than this within one kind are not worth a line each.
const TEXTS: usize = 8;

/// Stands for the name of a node in a text about several.
const NODE: &str = "the node";

/// More names than this are counted, not listed.
const NAMES: usize = 6;

/// What news has in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    /// `nodes/account`, `gate storage`; empty when the targets are whole step ids.
    pub(crate) label: String,
    /// `changed`, `relocate`.
    pub(crate) word: String,
    /// What is counted: `nodes`, `steps`.
    pub(crate) unit: &'static str,
}

/// News about one target.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) target: String,
    pub(crate) detail: String,
    /// Seconds it took, if it took any.
    pub(crate) seconds: Option<f64>,
}

/// News of a kind, ready to be written.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Seconds since the start of the run at the last news in it.
    pub(crate) at: f64,
    pub(crate) sign: Sign,
    /// Step id, or what many have in common.
    pub(crate) head: String,
    pub(crate) word: String,
    pub(crate) detail: String,
    /// Shortest and longest, seconds.
    pub(crate) seconds: Option<(f64, f64)>,
    /// Whose news it is, when there are several.
    pub(crate) names: String,
}

#[derive(Debug)]
struct Group {
    sign: Sign,
    first: f64,
    last: f64,
    news: Vec<News>,
}

/// News that waits.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    /// How many targets of a label will speak, when that is known.
    expected: BTreeMap<String, usize>,
    spoken: BTreeMap<String, usize>,
    groups: BTreeMap<Kind, Group>,
}

impl Fold {
    /// One more target of this label will speak.
    pub(crate) fn expect(&mut self, label: String) {
        *self.expected.entry(label).or_default() += 1;
    }

    /// Takes news; answers what is complete by it.
    pub(crate) fn add(&mut self, at: f64, kind: Kind, sign: Sign, news: News) -> Vec<Line> {
        let label = kind.label.clone();
        let group = self.groups.entry(kind).or_insert(Group { sign, first: at, last: at, news: Vec::new() });
        group.last = at;
        group.news.push(news);
        self.spoke(&label)
    }

    /// A target of this label spoke, here or elsewhere (it failed, or was not run). Answers what is complete by it.
    pub(crate) fn spoke(&mut self, label: &str) -> Vec<Line> {
        let spoken = self.spoken.entry(label.to_owned()).or_default();
        *spoken += 1;
        if self.expected.get(label).is_none_or(|expected| *spoken < *expected) {
            return Vec::new();
        }
        self.take(|kind, _| kind.label == label)
    }

    /// What has waited long enough.
    pub(crate) fn due(&mut self, now: f64) -> Vec<Line> {
        self.take(|_, group| now - group.first >= WINDOW)
    }

    /// Everything.
    pub(crate) fn rest(&mut self) -> Vec<Line> {
        self.take(|_, _| true)
    }

    fn take(&mut self, ready: impl Fn(&Kind, &Group) -> bool) -> Vec<Line> {
        let kinds: Vec<Kind> = self.groups.iter().filter(|(k, g)| ready(k, g)).map(|(k, _)| k.clone()).collect();
        let mut groups: Vec<(Kind, Group)> =
            kinds.into_iter().filter_map(|kind| self.groups.remove(&kind).map(|group| (kind, group))).collect();
        groups.sort_by(|(_, a), (_, b)| a.last.total_cmp(&b.last));
        groups.into_iter().flat_map(|(kind, group)| lines(&kind, group)).collect()
    }
}

/// One line per different text; one line for all when nearly every text differs.
fn lines(kind: &Kind, group: Group) -> Vec<Line> {
    let mut texts: Vec<(String, Vec<News>)> = Vec::new();
    for news in group.news {
        let text = common_text(&news);
        match texts.iter().position(|(known, _)| *known == text) {
            Some(known) => texts[known].1.push(news),
            None if texts.len() <= TEXTS => texts.push((text, vec![news])),
            // One over the limit is enough to know that they are too many; where it is kept does not matter.
            None => texts[0].1.push(news),
        }
    }
    if texts.len() > TEXTS {
        let all = texts.into_iter().flat_map(|(_, news)| news).collect();
        texts = vec![("different on each node".to_owned(), all)];
    }
    texts.into_iter().map(|(text, news)| line(kind, group.sign, group.last, text, &news)).collect()
}

/// The text without the name of its node, so that equal news about different nodes is equal.
fn common_text(news: &News) -> String {
    if news.target.len() < 3 {
        return news.detail.clone();
    }
    news.detail.replace(&news.target, NODE)
}

fn line(kind: &Kind, sign: Sign, at: f64, text: String, news: &[News]) -> Line {
    let taken = news.iter().filter_map(|n| n.seconds);
    let seconds = taken.map(|s| (s, s)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let line = |head, detail, names| Line { at, sign, head, word: kind.word.clone(), detail, seconds, names };
    match news {
        [one] if kind.label.is_empty() => line(one.target.clone(), one.detail.clone(), String::new()),
        [one] => line(format!("{}/{}", kind.label, one.target), one.detail.clone(), String::new()),
        many if kind.label.is_empty() => line(format!("{} {}", many.len(), kind.unit), text, names(many)),
        // Which ones failed is never only counted.
        many if sign == Sign::Failed => line(head(kind, many), text, ranges(many.iter().map(|n| n.target.as_str()))),
        many => line(head(kind, many), text, names(many)),
    }
}

fn head(kind: &Kind, many: &[News]) -> String {
    format!("{}  {} {}", kind.label, many.len(), kind.unit)
}

fn names(news: &[News]) -> String {
    let listed: Vec<&str> = news.iter().take(NAMES).map(|n| n.target.as_str()).collect();
    match news.len().saturating_sub(NAMES) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind() -> Kind {
        Kind { label: "nodes/account".into(), word: "changed".into(), unit: "nodes" }
    }

    fn news(target: &str, detail: &str, seconds: f64) -> News {
        News { target: target.into(), detail: detail.into(), seconds: Some(seconds) }
    }

    #[test]
    fn equal_news_is_one_line_and_different_news_is_not() {
        let mut fold = Fold::default();
        for (node, detail) in [("dgx-05", "made on dgx-05"), ("dgx-06", "made on dgx-06"), ("cpu-03", "uid fixed")] {
            assert!(fold.add(1.0, kind(), Sign::Changed, news(node, detail, 0.5)).is_empty());
        }
        let lines = fold.rest();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].head.as_str(), lines[0].detail.as_str()), ("nodes/account  2 nodes", "made on the node"));
        assert_eq!(lines[0].names, "dgx-05, dgx-06");
        assert_eq!((lines[1].head.as_str(), lines[1].detail.as_str()), ("nodes/account/cpu-03", "uid fixed"));
        assert!(fold.rest().is_empty());
    }

    #[test]
    fn news_is_told_when_all_have_spoken_or_the_window_is_over() {
        let mut fold = Fold::default();
        ["a", "b", "c"].iter().for_each(|_| fold.expect("nodes/account".into()));
        assert!(fold.add(1.0, kind(), Sign::Changed, news("dgx-05", "made", 0.2)).is_empty());
        assert!(fold.spoke("nodes/account").is_empty(), "two of three");
        assert!(fold.due(10.9).is_empty());
        let lines = fold.add(10.9, kind(), Sign::Changed, news("dgx-06", "made", 0.4));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].seconds, Some((0.2, 0.4)));

        fold.add(20.0, Kind { label: "x/y".into(), ..kind() }, Sign::Changed, news("dgx-05", "made", 0.2));
        assert_eq!(fold.due(30.0).len(), 1);
    }

    #[test]
    fn a_thousand_different_texts_are_one_line() {
        let mut fold = Fold::default();
        for n in 0..1000 {
            fold.add(1.0, kind(), Sign::Changed, news(&format!("node-{n}"), &format!("{} GiB free", n * 7), 0.1));
        }
        let lines = fold.rest();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].head, "nodes/account  1000 nodes");
        assert_eq!(lines[0].detail, "different on each node");
        assert!(lines[0].names.ends_with("and 994 more"), "{}", lines[0].names);
    }
}
