//! The texts of a page of ours: all that is not a tag. In our pages `<` and `>` within a text are always escaped, and foreign text
//! stands in texts only, never in a tag.

use std::borrow::Cow;

/// All texts of a page, as a reader sees them; style, script and packed data are none.
#[must_use]
pub fn texts(page: &str) -> Vec<String> {
    let mut all = Vec::new();
    walk(page, |text, _| all.push(read(text).into_owned()));
    all
}

/// The page with every text changed.
pub(super) fn redacted(page: &str, redact: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(page.len());
    walk(page, |text, tag| {
        let plain = read(text);
        let clean = if plain.trim().is_empty() { plain.to_string() } else { redact(&plain) };
        // A text that nothing was taken out of stays as it is written.
        match clean == *plain {
            true => out.push_str(text),
            false => out.push_str(&written(&clean)),
        }
        out.push_str(tag);
    });
    out
}

/// Gives each text with the tag behind it.
fn walk(page: &str, mut each: impl FnMut(&str, &str)) {
    let mut rest = page;
    while !rest.is_empty() {
        let start = rest.find('<').unwrap_or(rest.len());
        let (text, from) = rest.split_at(start);
        let ends = ["style", "script"].into_iter().find(|name| {
            from.strip_prefix('<').and_then(|tag| tag.strip_prefix(name)).is_some_and(|tag| tag.starts_with(['>', ' ']))
        });
        let end = match ends {
            Some(name) => from.find(&format!("</{name}>")).map(|at| at + name.len() + 3),
            None => from.find('>').map(|at| at + 1),
        };
        let (tag, after) = from.split_at(end.unwrap_or(from.len()));
        each(text, tag);
        rest = after;
    }
}

fn read(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    Cow::Owned(plain)
}

fn written(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
