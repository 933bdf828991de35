//! Sections of a page that have writers of their own.

/// The page with a section in the place of the one before with the same heading; at the end when there was none.
pub(crate) fn put(page: &str, heading: &str, section: &str) -> String {
    let (before, after) = match page.find(heading) {
        Some(start) => {
            let old = &page[start..];
            let end = old.find("\n## ").map_or(old.len(), |end| end + 1);
            (&page[..start], &old[end..])
        }
        None => (page, ""),
    };
    let gap = if after.is_empty() { "" } else { "\n" };
    format!("{}\n\n{}\n{gap}{after}", before.trim_end(), section.trim_end())
}

/// The section with this heading as the page has it now.
pub(crate) fn of<'page>(page: &'page str, heading: &str) -> Option<&'page str> {
    let old = &page[page.find(heading)?..];
    Some(old.find("\n## ").map_or(old, |end| &old[..=end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_takes_the_place_of_the_old_one() {
        let old = "# Page\n\nOne.\n\n## Real nodes\n\nOld.\n\n## Last\n\nTwo.\n";
        let new = put(old, "## Real nodes", "## Real nodes\n\nNew.\n");
        assert_eq!(new, "# Page\n\nOne.\n\n## Real nodes\n\nNew.\n\n## Last\n\nTwo.\n");
        assert_eq!(of(&new, "## Real nodes"), Some("## Real nodes\n\nNew.\n\n"));
        assert_eq!(put("# Page\n\nOne.\n", "## New", "## New\n\nNew.\n"), "# Page\n\nOne.\n\n## New\n\nNew.\n");
        assert_eq!(of("# Page\n", "## New"), None);
    }
}
