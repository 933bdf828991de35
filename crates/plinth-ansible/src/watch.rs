//! Follows a play by its events: where it is, what it waits for, what failed.

use crate::events::{HostEnded, HostResult, PlayEvent, PlayOutline};
use crate::{hints, profile};
use indexmap::IndexMap;
use plinth_world::ansible::HostStats;
use std::time::Duration;

/// Failure cards that are kept. A broken network fails on every host, and the first ones say it all.
const CARDS: usize = 12;
/// Lines of an output on a card: its last ones.
const OUTPUT_LINES: usize = 6;
/// Longest line on a card, characters.
const LINE: usize = 300;

/// What is shown of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Weight done.
    pub done: u64,
    /// Weight in all.
    pub total: u64,
    /// What is being done.
    pub message: String,
}

/// A play, as far as it was told.
#[derive(Debug, Default)]
pub struct Watch {
    playbook: &'static str,
    plays: Vec<PlayOutline>,
    weights: Vec<u64>,
    /// Plays begun.
    begun: usize,
    /// Tasks begun in this play.
    tasks: u64,
    hosts: u64,
    /// Hosts that ended the current task.
    ended: u64,
    task: String,
    since: Duration,
    note: String,
    failed: IndexMap<String, Vec<HostResult>>,
    stats: Option<IndexMap<String, HostStats>>,
    /// Tasks begun in all.
    pub started: u64,
    /// Results of hosts in all.
    pub results: u64,
}

impl Watch {
    /// Of a playbook such as `cluster.yml`.
    #[must_use]
    pub fn of(playbook: &'static str) -> Self {
        Self { playbook, ..Self::default() }
    }

    /// Takes an event in; `now` is any clock that only goes forward.
    pub fn take(&mut self, event: PlayEvent, now: Duration) {
        match event {
            PlayEvent::Begin { plays } => {
                self.weights = profile::weights(self.playbook, &plays);
                self.plays = plays;
            }
            PlayEvent::Play { name, hosts } => self.begin_play(&name, hosts),
            PlayEvent::Task { name, handler, .. } => self.begin_task(name, handler, now),
            PlayEvent::Host(result) => self.end_host(result),
            PlayEvent::Item { h, label } => self.note = format!("{}: {}", cut(&h, 40), cut(&label, 60)),
            PlayEvent::Retry { h, n, of } => {
                self.note = format!("{}: try {} of {of}", cut(&h, 40), n.saturating_add(1))
            }
            PlayEvent::Stats { hosts } => {
                self.stats = Some(hosts.into_iter().map(|(host, counts)| (host, counts.into())).collect());
            }
            PlayEvent::NoHosts | PlayEvent::Include { .. } | PlayEvent::Other => {}
        }
    }

    fn begin_play(&mut self, name: &str, hosts: u64) {
        if let Some(play) = self.plays.get_mut(self.begun).filter(|play| play.name.is_empty()) {
            name.clone_into(&mut play.name);
        }
        self.begun += 1;
        (self.tasks, self.ended, self.hosts) = (0, 0, hosts);
        self.task.clear();
    }

    fn begin_task(&mut self, name: String, handler: bool, now: Duration) {
        // Handlers stand in no list, so they do not count.
        self.tasks += u64::from(!handler);
        self.started += 1;
        (self.task, self.since, self.ended) = (name, now, 0);
        self.note.clear();
    }

    fn end_host(&mut self, result: HostResult) {
        self.ended += 1;
        self.results += 1;
        let failed = matches!(result.ended, HostEnded::Failed | HostEnded::Unreachable);
        if failed && (self.failed.len() < CARDS || self.failed.contains_key(&result.host)) {
            let of_host = self.failed.entry(result.host.clone()).or_default();
            // A rescued failure may come before the one that counts: the first and the last are kept.
            of_host.truncate(1);
            of_host.push(result);
        }
    }

    /// Final statistics; none: the play did not come to its end, or nobody told.
    #[must_use]
    pub const fn stats(&self) -> Option<&IndexMap<String, HostStats>> {
        self.stats.as_ref()
    }

    /// Whether anything was told.
    #[must_use]
    pub const fn was_heard(&self) -> bool {
        self.begun > 0 || !self.plays.is_empty()
    }

    /// What to show now.
    #[must_use]
    pub fn moment(&self, now: Duration) -> Moment {
        let total: u64 = self.weights.iter().sum();
        let before: u64 = self.weights.iter().take(self.begun.saturating_sub(1)).sum();
        let at = self.begun.checked_sub(1);
        let weight = at.and_then(|at| self.weights.get(at)).copied().unwrap_or(0);
        let outline = at.and_then(|at| self.plays.get(at));
        let of = at.map_or(1, |at| profile::tasks(self.playbook, &self.plays, at));
        let within = weight * self.tasks.saturating_sub(1).min(of) / of;
        Moment { done: (before + within).min(total), total, message: self.sentence(outline, now) }
    }

    fn sentence(&self, outline: Option<&PlayOutline>, now: Duration) -> String {
        let Some(play) = outline else { return format!("{} begins", self.playbook) };
        let mut text = format!("play {}/{}: {}", self.begun, self.plays.len(), cut(&play.name, 48));
        if !self.task.is_empty() {
            text = format!("{text} · {}", cut(&self.task, 60));
        }
        let took = now.saturating_sub(self.since).as_secs();
        if took >= 5 {
            text = format!("{text} · {} of {} hosts, {took} s", self.ended.min(self.hosts), self.hosts);
            if !self.note.is_empty() {
                text = format!("{text}, {}", self.note);
            }
        }
        text
    }

    /// Cards of the failures that count, one line each: a host that was rescued has none.
    #[must_use]
    pub fn cards(&self) -> Vec<String> {
        let mut alike: IndexMap<(String, Vec<String>), Vec<&str>> = IndexMap::new();
        for (host, result) in self.counting() {
            alike.entry((heading(result), said(result))).or_default().push(host);
        }
        let card = |((heading, lines), hosts): ((String, Vec<String>), Vec<&str>)| {
            let names = hosts.join(", ");
            let heading = format!("{names}: {heading}");
            std::iter::once(heading).chain(lines.into_iter().map(|line| format!("  {line}"))).collect::<Vec<_>>()
        };
        alike.into_iter().flat_map(card).collect()
    }

    /// What may help with these failures.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (_, result) in self.counting() {
            let HostResult { name, path, msg, stderr, module_stderr, stdout, .. } = result;
            let text = [name, path, msg, stderr, module_stderr, stdout].map(String::as_str).join("\n");
            for advice in hints::advice(&text) {
                if !found.iter().any(|known| known == advice) {
                    found.push(advice.to_owned());
                }
            }
        }
        found
    }

    fn counting(&self) -> impl Iterator<Item = (&str, &HostResult)> {
        let counts = |host: &str| match self.stats.as_ref().and_then(|stats| stats.get(host)) {
            Some(stats) => !stats.is_clean(),
            None => true,
        };
        let failed = self.failed.iter().filter(move |(host, _)| counts(host));
        failed.filter_map(|(host, results)| Some((host.as_str(), results.last()?)))
    }
}

fn heading(result: &HostResult) -> String {
    let what = if result.ended == HostEnded::Unreachable { "unreachable at" } else { "failed at" };
    let code = result.rc.map_or_else(String::new, |rc| format!(", exit code {rc}"));
    let place = place(&result.path);
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    format!("{what} task `{}`{place}{code}", cut(&result.name, 120))
}

/// `roles/etcd/tasks/main.yml:12` of a whole path.
fn place(path: &str) -> &str {
    ["/roles/", "/playbooks/"].iter().find_map(|part| path.find(part)).map_or(path, |at| &path[at + 1..])
}

fn said(result: &HostResult) -> Vec<String> {
    let errors = [&result.stderr, &result.module_stderr].into_iter().find(|text| !text.trim().is_empty());
    let output = errors.map(|text| ("stderr", text)).or_else(|| {
        let text = &result.stdout;
        (!text.trim().is_empty()).then_some(("stdout", text))
    });
    let message = result.msg.lines().filter(|line| !line.trim().is_empty()).take(OUTPUT_LINES);
    let mut lines: Vec<String> = message.map(|line| cut(line, LINE)).collect();
    if let Some((name, text)) = output.filter(|(_, text)| text.trim() != result.msg.trim()) {
        let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = all.get(all.len().saturating_sub(OUTPUT_LINES)..).unwrap_or_default();
        lines.extend(last.iter().map(|line| cut(&format!("{name}: {line}"), LINE)));
    }
    lines
}

/// The beginning of a text, on one line, without characters that steer a terminal.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.take(longest).collect();
    if text.chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Decoder;

    const EVERYTHING: &[u8] = include_bytes!("recorded/everything.jsonl");

    fn told(stream: &[u8]) -> (Watch, Vec<Moment>) {
        let mut watch = Watch::of("play.yml");
        let mut moments = Vec::new();
        for (second, event) in (0..).zip(Decoder::default().take(stream)) {
            watch.take(event, Duration::from_secs(second));
            moments.push(watch.moment(Duration::from_secs(second + 6)));
        }
        (watch, moments)
    }

    #[test]
    fn a_recorded_play_makes_these_cards() {
        let (watch, moments) = told(EVERYTHING);
        let stats = watch.stats().map(|stats| stats.values().map(|host| (host.failures, host.unreachable)).collect());
        assert_eq!(stats, Some(vec![(1, 0), (1, 0), (0, 0), (0, 1)]));
        insta::assert_snapshot!("cards", watch.cards().join("\n"));
        assert_eq!(watch.hints().len(), 1, "{:?}", watch.hints());
        let mut texts: Vec<String> =
            moments.into_iter().map(|m| format!("{}/{} {}", m.done, m.total, m.message)).collect();
        texts.dedup();
        insta::assert_snapshot!("moments", texts.join("\n"));
    }

    #[test]
    fn progress_only_goes_forward_and_ends_where_it_should() {
        let (_, moments) = told(EVERYTHING);
        assert!(moments.windows(2).all(|pair| pair[0].done <= pair[1].done), "{moments:?}");
        assert!(moments.iter().all(|moment| moment.done <= moment.total));
    }

    #[test]
    fn without_statistics_every_failure_counts() {
        let end = EVERYTHING.len() - EVERYTHING.iter().rev().skip(1).position(|byte| *byte == b'\n').unwrap_or(0) - 1;
        let (watch, _) = told(&EVERYTHING[..end]);
        assert!(watch.stats().is_none() && watch.was_heard());
        assert!(watch.cards().iter().any(|line| line.starts_with("n3: ")), "{:#?}", watch.cards());
    }
}
