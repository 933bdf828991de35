//! What the callback plugin tells: one JSON object a line. The reader is tolerant: what it does not know it passes over, what
//! is too long it cuts, and it holds no more than one line.

use indexmap::IndexMap;
use plinth_world::ansible::HostStats;
use serde::Deserialize;

/// Longest line that is understood, bytes. The plugin cuts every text at 4,000 characters, of which a line has a few; only the
/// first line, with all plays, and the last, with all hosts, may be longer: 100 bytes for each host.
pub const LONGEST_LINE: usize = 1024 * 1024;

/// What one line of the plugin says; its field `e` names the kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "e", rename_all = "lowercase")]
pub enum PlayEvent {
    /// First event: the plays with their tasks, as far as they are known before anything is included.
    Begin {
        /// Plays in order.
        #[serde(default)]
        plays: Vec<PlayOutline>,
    },
    /// A play begins.
    Play {
        /// As the playbook has it, cut by the plugin.
        #[serde(default)]
        name: String,
        /// How many hosts of the inventory its pattern means.
        #[serde(default)]
        hosts: u64,
    },
    /// No host matches the play that just began.
    NoHosts,
    /// A task begins, for all hosts that are left.
    Task {
        /// Name, with its role.
        #[serde(default)]
        name: String,
        /// File and line.
        #[serde(default)]
        path: String,
        /// Whether it is one that runs only where a task before notified it.
        #[serde(default)]
        handler: bool,
    },
    /// A file of tasks is included.
    Include {
        /// File.
        #[serde(default)]
        path: String,
    },
    /// A host ended a task.
    Host(HostResult),
    /// A host ended one item of a loop.
    Item {
        /// Host.
        h: String,
        /// What is gone through.
        #[serde(default)]
        label: String,
    },
    /// A host tries a task again.
    Retry {
        /// Host.
        h: String,
        /// Attempts so far.
        #[serde(default)]
        n: u64,
        /// Attempts in all.
        #[serde(default)]
        of: u64,
    },
    /// Last event.
    Stats {
        /// By name; a host that ended no task is missing.
        #[serde(default)]
        hosts: IndexMap<String, Counts>,
    },
    /// A kind that only a later plugin tells; passed over.
    #[serde(other)]
    Other,
}

/// A play before it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PlayOutline {
    /// As the playbook has it, cut by the plugin.
    #[serde(default)]
    pub name: String,
    /// Tasks that are known before anything is included.
    #[serde(default)]
    pub tasks: u64,
}

/// How a host ended a task.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct HostResult {
    /// Its name in the inventory that plinth wrote, which is the node's.
    #[serde(rename = "h")]
    pub host: String,
    /// In a word.
    #[serde(rename = "r", default)]
    pub ended: HostEnded,
    /// Seconds it took, where known.
    #[serde(rename = "s", default)]
    pub seconds: f64,
    /// Task, when it failed.
    #[serde(default)]
    pub name: String,
    /// File and line of the task, when it failed.
    #[serde(default)]
    pub path: String,
    /// Message, when it failed.
    #[serde(default)]
    pub msg: String,
    /// Its standard error.
    #[serde(default)]
    pub stderr: String,
    /// Standard error of the module itself.
    #[serde(default)]
    pub module_stderr: String,
    /// Its standard output, where there is no standard error.
    #[serde(default)]
    pub stdout: String,
    /// Its exit code.
    #[serde(default)]
    pub rc: Option<i64>,
}

/// How a host ended a task, in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostEnded {
    /// Nothing had to change.
    Ok,
    /// It changed something.
    Changed,
    /// A condition of the task left this host out.
    Skipped,
    /// A failure that is not ignored; `msg` and the outputs of [`HostResult`] say why.
    Failed,
    /// It failed, and the playbook goes on.
    Ignored,
    /// The host did not answer.
    Unreachable,
    /// A word that only a later plugin tells.
    #[default]
    #[serde(other)]
    Other,
}

/// Final counts of a host, as Ansible names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Counts {
    /// Tasks ok.
    #[serde(default)]
    pub ok: u64,
    /// Tasks that changed something.
    #[serde(default)]
    pub changed: u64,
    /// Tasks failed and not ignored.
    #[serde(default)]
    pub failures: u64,
    /// Whether it was unreachable.
    #[serde(default)]
    pub unreachable: u64,
}

impl From<Counts> for HostStats {
    fn from(counts: Counts) -> Self {
        let Counts { ok, changed, failures, unreachable } = counts;
        Self { ok, changed, failures, unreachable }
    }
}

/// Makes lines of pieces, and events of lines.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    /// The line is too long: its rest is passed over.
    over: bool,
    /// Lines that were not understood.
    strange: u64,
}

impl Decoder {
    /// Takes a piece of the stream; answers the events that it completes.
    pub fn take(&mut self, piece: &[u8]) -> Vec<PlayEvent> {
        let mut events = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            self.keep(text);
            if ends {
                events.extend(self.end_of_line());
            }
        }
        events
    }

    /// Lines so far that were not understood.
    #[must_use]
    pub const fn strange(&self) -> u64 {
        self.strange
    }

    fn keep(&mut self, text: &[u8]) {
        if self.over || self.line.len() + text.len() > LONGEST_LINE {
            self.over = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(text);
        }
    }

    fn end_of_line(&mut self) -> Option<PlayEvent> {
        let over = std::mem::take(&mut self.over);
        let event = if over { None } else { serde_json::from_slice(&self.line).ok() };
        if event.is_none() && (over || !self.line.is_empty()) {
            self.strange += 1;
        }
        self.line.clear();
        event
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_make_lines_and_what_is_unknown_is_passed_over() {
        let text = "{\"e\":\"play\",\"name\":\"etcd\",\"hosts\":3,\"new\":1}\n\nnoise\n{\"e\":\"later\"}\n\
                    {\"e\":\"host\",\"h\":\"n1\",\"r\":\"dreaming\",\"s\":0.5}\n{\"e\":\"stats\",\"hosts\":{\"n1\":{\"ok\":7}}}\n{\"e\":";
        let mut decoder = Decoder::default();
        let events: Vec<PlayEvent> = text.as_bytes().chunks(7).flat_map(|piece| decoder.take(piece)).collect();
        assert_eq!(events.len(), 4, "{events:?}");
        assert_eq!(events[0], PlayEvent::Play { name: "etcd".to_owned(), hosts: 3 });
        assert_eq!(events[1], PlayEvent::Other);
        assert!(matches!(&events[2], PlayEvent::Host(result) if result.ended == HostEnded::Other));
        assert!(matches!(&events[3], PlayEvent::Stats { hosts } if hosts["n1"].ok == 7));
        assert_eq!(decoder.strange(), 1);
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut decoder = Decoder::default();
        for _ in 0..40 {
            assert!(decoder.take(&[b'x'; 64 * 1024]).is_empty());
        }
        assert!(decoder.line.capacity() <= LONGEST_LINE + 64 * 1024);
        let events = decoder.take(b"x\n{\"e\":\"nohosts\"}\n");
        assert_eq!((events, decoder.strange()), (vec![PlayEvent::NoHosts], 1));
    }

    proptest! {
        #[test]
        fn the_cut_of_the_pieces_does_not_matter(text in "(\\{\"e\":\"(play|task|retry)\",\"h\":\"a\"\\}\n|[a-z\n]{0,9}){0,8}", size in 1usize..40) {
            let whole = Decoder::default().take(text.as_bytes());
            let mut decoder = Decoder::default();
            let cut: Vec<PlayEvent> = text.as_bytes().chunks(size).flat_map(|piece| decoder.take(piece)).collect();
            prop_assert_eq!(cut, whole);
        }
    }
}
