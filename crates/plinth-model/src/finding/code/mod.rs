//! The registry of finding codes: each is declared once, with who can fix it, what it means, what usually causes it, and what
//! to do. `plinth explain CODE` and `docs/reference/findings.md` print what stands here.

use super::Owner;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Declares the codes of one area: `NAME = "area.name", Owner { means: "…", usually: "…", fix: "…", }`.
macro_rules! findings {
    ($($name:ident = $code:literal, $owner:ident { means: $means:literal, usually: $usually:literal, fix: $fix:literal, })*) => {
        $(
            #[doc = $means]
            pub const $name: $crate::finding::Code = $crate::finding::Code::declared(&$crate::finding::Declaration {
                code: $code,
                owner: $crate::finding::Owner::$owner,
                means: $means,
                usually: $usually,
                fix: $fix,
            });
        )*
        /// All codes of this area.
        pub(super) const ALL: &[$crate::finding::Code] = &[$($name),*];
    };
}

mod bcm;
mod charts;
mod kubernetes;
mod kubespray;
mod node;
mod nodes;
mod platform;
mod run;
mod runai;
mod site;
mod source;

pub use bcm::*;
pub use charts::*;
pub use kubernetes::*;
pub use kubespray::*;
pub use node::*;
pub use nodes::*;
pub use platform::*;
pub use run::*;
pub use runai::*;
pub use site::*;
pub use source::*;

/// What is known about a code. Sentences are for people: three fields, one paragraph each.
#[derive(Debug)]
pub struct Declaration {
    /// `area.name`, as it is printed and stored.
    pub code: &'static str,
    /// Who can fix it, where the finding itself does not say otherwise.
    pub owner: Owner,
    /// What a finding with this code says.
    pub means: &'static str,
    /// What usually causes it.
    pub usually: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// A finding code such as `site.unknown-key`. New findings are made with the constants of this module; a plan or journal
/// of another release may hold a code that this one does not declare, which is kept as it is. Two codes are equal when
/// their texts are.
#[derive(Clone, Copy)]
pub struct Code(Origin);

#[derive(Clone, Copy)]
enum Origin {
    Declared(&'static Declaration),
    OtherRelease(&'static str),
}

/// Texts of other releases, each kept once for the life of the process, so that a code can be copied and stand in constants.
static OTHERS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl Code {
    /// For the registry.
    pub(crate) const fn declared(declaration: &'static Declaration) -> Self {
        Self(Origin::Declared(declaration))
    }

    /// The code with this text, as it was read from a file. To report something, use a constant instead.
    #[must_use]
    pub fn named(text: &str) -> Self {
        all().find(|code| code.as_str() == text).unwrap_or_else(|| Self(Origin::OtherRelease(interned(text))))
    }

    /// `area.name`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self.0 {
            Origin::Declared(declaration) => declaration.code,
            Origin::OtherRelease(text) => text,
        }
    }

    /// What is known about it; nothing, when it comes from another release.
    #[must_use]
    pub const fn declaration(self) -> Option<&'static Declaration> {
        match self.0 {
            Origin::Declared(declaration) => Some(declaration),
            Origin::OtherRelease(_) => None,
        }
    }
}

fn interned(text: &str) -> &'static str {
    let mut others = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = others.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.into());
    others.insert(kept);
    kept
}

/// All declared codes, area by area; sorted within an area.
pub fn all() -> impl Iterator<Item = Code> {
    let areas = [
        bcm::ALL,
        charts::ALL,
        kubernetes::ALL,
        kubespray::ALL,
        node::ALL,
        nodes::ALL,
        platform::ALL,
        run::ALL,
        runai::ALL,
        site::ALL,
        source::ALL,
    ];
    areas.into_iter().flatten().copied()
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Code {}

impl PartialEq<str> for Code {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::named(&Cow::<'de, str>::deserialize(deserializer)?))
    }
}

impl JsonSchema for Code {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Largest text of an explanation, characters.
    const LARGEST: usize = 400;

    /// `area.kebab-name`.
    fn is_code(text: &str) -> bool {
        let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_lowercase());
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        text.split_once('.').is_some_and(|(area, rest)| {
            begins(area) && begins(rest) && area.chars().all(|c| c.is_ascii_lowercase()) && rest.chars().all(letter)
        })
    }

    #[test]
    fn explanations_are_whole_and_short() {
        for code in all() {
            let declaration = code.declaration().unwrap();
            assert!(is_code(declaration.code), "{code}");
            for text in [declaration.means, declaration.usually, declaration.fix] {
                let length = text.chars().count();
                assert!((1..=LARGEST).contains(&length), "{code}: {length} characters: {text}");
                assert!(text.ends_with('.') && text.trim() == text, "{code}: no sentence: {text}");
            }
        }
    }

    #[test]
    fn each_code_is_declared_once() {
        let names: Vec<String> = all().map(|code| code.to_string()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.len() > 250);
    }

    #[test]
    fn a_code_of_another_release_is_kept_as_it_is() {
        let (known, foreign) = (NODE_SWAP, Code::named("node.invented-later"));
        for code in [known, foreign] {
            let stored = serde_json::to_string(&code).unwrap();
            assert_eq!(stored, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<Code>(&stored).unwrap(), code);
        }
        assert!(Code::named("node.swap").declaration().is_some());
        assert!(foreign.declaration().is_none());
    }
}
