//! Absolute paths on a node.

use crate::checked::{TextError, checked_text};

checked_text!(
    /// An absolute path of a folder or a program on a node, `/local/containerd`: no slash at its end, no `.` and `..`, and no sign that a
    /// shell, YAML or a template would take as its own.
    HostPath,
    judge
);

impl HostPath {
    const DOING: &'static str = "reading a path on the node";

    /// What is of this name in it.
    ///
    /// # Errors
    /// When the name has a sign that no path on a node has.
    pub fn join(&self, name: &str) -> Result<Self, TextError> {
        Self::new(&format!("{self}/{name}"))
    }
}

const fn judge(text: &str) -> Result<(), (&'static str, &'static str)> {
    if is_host_path(text.as_bytes()) {
        Ok(())
    } else {
        Err((
            "is not an absolute path of a folder on the node",
            "begin with `/`, end without one, and leave out `..` and blanks",
        ))
    }
}

const fn is_host_path(text: &[u8]) -> bool {
    if text.is_empty() || text[0] != b'/' {
        return false;
    }
    let (mut at, mut length, mut dots) = (1, 0, 0);
    while at < text.len() {
        let byte = text[at];
        if byte == b'/' {
            if is_nowhere(length, dots) {
                return false;
            }
            (length, dots) = (0, 0);
        } else {
            if !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_' | b'-' | b'+' | b'@') {
                return false;
            }
            length += 1;
            dots += (byte == b'.') as usize;
        }
        at += 1;
    }
    !is_nowhere(length, dots)
}

/// Whether a part of so many signs, so many of them dots, is none: `//`, `/./`, `/../`.
const fn is_nowhere(length: usize, dots: usize) -> bool {
    length == 0 || length == dots && length <= 2
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::HostPath;
    use crate::{Exit, Problem};

    #[test]
    fn paths_are_whole_and_plain() {
        for good in ["/a", "/local/containerd", "/a/.b", "/a/...", "/x@y/z+1_2-3.4"] {
            assert_eq!(HostPath::new(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "/", "a", "a/b", "/a/", "//a", "/a//b", "/a/./b", "/a/..", "/../a", "/a b", "/a'b", "/ä", "/a\n"]
        {
            assert!(HostPath::new(bad).is_err(), "{bad}");
        }
        assert_eq!(HostPath::fixed("/home").join("svc").unwrap(), HostPath::fixed("/home/svc"));
        assert!(HostPath::fixed("/home").join("../etc").is_err());
    }

    #[test]
    fn a_refusal_has_four_parts_and_the_serialised_form_is_the_text() {
        let problem = Problem::from(HostPath::new("a b").unwrap_err());
        assert_eq!((problem.exit, problem.to.as_str()), (Exit::Input, "`a b`"));
        assert_eq!(problem.doing, "reading a path on the node");
        assert!(problem.happened.contains("not an absolute path") && problem.attempt.starts_with("begin with"));
        let path: HostPath = serde_json::from_str("\"/a/b\"").unwrap();
        assert_eq!(serde_json::to_string(&path).unwrap(), "\"/a/b\"");
        assert!(serde_json::from_str::<HostPath>("\"a/b\"").is_err());
    }
}
