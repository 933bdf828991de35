//! The mark of a state directory on what it manages, so that a second directory for the same site is recognised there: a file on each
//! node, and in a cluster that somebody else installed, whose nodes plinth does not touch, an object of that cluster.

/// Whose state directory it is, as it stands on what is managed from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteMark {
    /// Unique, and the same wherever the directory is copied to.
    pub id: String,
    /// As its site file names it.
    pub site: String,
    /// Who made the directory: user and host.
    pub by: String,
    /// Path of the directory on the machine of whoever made the mark.
    pub directory: String,
    /// When the directory was made, as text.
    pub since: String,
    /// What another one manages becomes ours.
    pub takes_over: bool,
}

impl SiteMark {
    /// What it says, each on one line.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, String); 5] {
        let line = |text: &str| text.replace(['\n', '\r'], " ");
        [
            ("id", line(&self.id)),
            ("site", line(&self.site)),
            ("by", line(&self.by)),
            ("directory", line(&self.directory)),
            ("since", line(&self.since)),
        ]
    }

    /// The file on a node.
    #[must_use]
    pub fn text(&self) -> String {
        let head = "# Written by plinth: the state directory that manages this node. See docs/sharing.md.\n";
        let lines = self.entries().map(|(key, value)| format!("{key}={value}\n"));
        head.to_owned() + &lines.concat()
    }
}

/// Whose another one is, in words: `by anna@bastion, directory /home/anna/state, since 2026-11-29T02:13:05Z`. `value` answers its
/// entries; it is a text of others.
#[must_use]
pub fn whose<'a>(value: impl Fn(&str) -> Option<&'a str>) -> String {
    let said = ["by", "directory", "since"].into_iter().filter_map(|key| Some(format!("{key} {}", value(key)?)));
    said.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{SiteMark, whose};

    #[test]
    fn a_mark_has_a_line_for_each_entry_whatever_is_in_it() {
        let mark = SiteMark {
            id: "1".to_owned(),
            site: "lab".to_owned(),
            by: "anna@bastion".to_owned(),
            directory: "/a\nid=2".to_owned(),
            since: "2026-11-29T02:13:05Z".to_owned(),
            takes_over: false,
        };
        let text = mark.text();
        assert_eq!(text.lines().filter(|line| line.starts_with("id=")).count(), 1, "{text}");
        assert!(
            text.starts_with("# ") && text.contains("\nsite=lab\n") && text.ends_with("\nsince=2026-11-29T02:13:05Z\n")
        );
        let entries = mark.entries();
        let words = whose(|key| entries.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str()));
        assert_eq!(words, "by anna@bastion, directory /a id=2, since 2026-11-29T02:13:05Z");
        assert_eq!(whose(|_| None), "");
    }
}
