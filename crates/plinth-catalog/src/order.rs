//! Order of components: each behind everything it needs, otherwise as they stand.

use crate::component::{Component, Need};
use crate::{CatalogError, ResolvedComponent};
use indexmap::IndexMap;

/// No component needs itself, over whatever others.
pub(crate) fn check(components: &IndexMap<String, Component>) -> Result<(), CatalogError> {
    let names = components.keys().map(String::as_str).collect();
    let needs = |name: &str| -> Vec<&str> {
        components.get(name).map_or_else(Vec::new, |c| c.needs.iter().flat_map(Need::any_of).collect())
    };
    match ordered(names, needs) {
        (_, circle) if circle.is_empty() => Ok(()),
        (_, circle) => Err(CatalogError::content(
            "components",
            format!("these need each other in a circle: {}", circle.join(", ")),
        )),
    }
}

pub(crate) fn sort(components: &mut [ResolvedComponent]) {
    let names: Vec<&str> = components.iter().map(|c| c.name.as_str()).collect();
    let needs = |name: &str| -> Vec<&str> {
        components
            .iter()
            .find(|c| c.name == name)
            .map_or_else(Vec::new, |c| c.needs.iter().map(String::as_str).collect())
    };
    let (sorted, _) = ordered(names, needs);
    let place: Vec<String> = sorted.into_iter().map(str::to_owned).collect();
    components.sort_by_key(|component| place.iter().position(|name| *name == component.name));
}

/// Names in order, and the names that are left in circles.
fn ordered<'a>(mut left: Vec<&'a str>, needs: impl Fn(&str) -> Vec<&'a str>) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut done: Vec<&str> = Vec::with_capacity(left.len());
    while let Some(next) = left.iter().position(|name| needs(name).iter().all(|need| !left.contains(need))) {
        done.push(left.remove(next));
    }
    (done, left)
}

#[cfg(test)]
mod tests {
    use super::ordered;

    #[test]
    fn each_stands_behind_its_needs_and_circles_are_left() {
        let needs = |name: &str| match name {
            "a" => vec!["c"],
            "b" => vec![],
            "c" => vec!["b"],
            "x" => vec!["y"],
            "y" => vec!["x"],
            _ => vec!["not there"],
        };
        assert_eq!(ordered(vec!["a", "b", "c", "d"], needs), (vec!["b", "c", "a", "d"], vec![]));
        assert_eq!(ordered(vec!["x", "b", "y"], needs), (vec!["b"], vec!["x", "y"]));
    }
}
