//! What is in a chart's package: its definitions of kinds (`crds/`), those of its sub-charts included that the values switch on. A
//! package comes from outside, so how much of it is read is bounded.

use crate::documents::documents;
use crate::failure::CLIENT;
use plinth_model::steps::Release;
use plinth_world::helm::ChartDefaults;
use plinth_world::packed::{Budget, each_file};
use plinth_world::{ClientError, ClientResult};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

/// Most that is unpacked, bytes, with the packages inside: the largest known ones have some 10 MB.
const UNPACKED: u64 = 256 << 20;
/// Most entries, with those of the packages inside. The largest of the catalog has some 500.
const ENTRIES: usize = 100_000;
/// Longest file that is read, bytes.
const FILE: u64 = 16 << 20;
/// Sub-charts inside each other.
const DEEPEST: usize = 8;

/// A chart's files that we read, by the names of the charts around them: empty for the chart itself.
type Charts = BTreeMap<Vec<String>, Files>;

#[derive(Default)]
struct Files {
    chart: Value,
    requirements: Value,
    values: Value,
    definitions: Vec<(String, Vec<Value>)>,
}

/// Definitions that come with a package, in helm's order: as manifests.
///
/// # Errors
/// With why the package cannot be read.
pub(super) fn definitions(package: &Path, values: &Value) -> Result<Vec<Value>, String> {
    let charts = charts(package)?;
    let on = charts.iter().filter(|(path, _)| (1..=path.len()).all(|depth| is_on(&charts, &path[..depth], values)));
    let mut found = Vec::new();
    for (_, files) in on {
        let mut files: Vec<_> = files.definitions.iter().collect();
        files.sort_by(|one, other| one.0.cmp(&other.0));
        found.extend(files.into_iter().flat_map(|(_, documents)| documents.iter().cloned()));
    }
    Ok(found)
}

/// What a chart has where nobody gives values, with that of its sub-charts under the keys by which it names them: its own settings for
/// them come over theirs, as helm has it.
///
/// # Errors
/// With why the package cannot be read.
pub(super) fn defaults(package: &Path) -> Result<ChartDefaults, String> {
    let charts = charts(package)?;
    let mut open = Vec::new();
    let values = with_sub_charts(&charts, &[], "", &mut open);
    Ok(ChartDefaults { values, open })
}

fn charts(package: &Path) -> Result<Charts, String> {
    let mut charts = Charts::new();
    let mut file = File::open(package).map_err(|error| error.to_string())?;
    unpack(&mut file, &[], &Budget::of(UNPACKED, ENTRIES), &mut charts).map_err(|Unreadable(why)| why)?;
    if charts.contains_key(&Vec::new()) { Ok(charts) } else { Err("it has no Chart.yaml".to_owned()) }
}

fn with_sub_charts(charts: &Charts, at: &[String], prefix: &str, open: &mut Vec<String>) -> Value {
    let mut values =
        charts.get(at).map(|files| files.values.clone()).filter(Value::is_object).unwrap_or_else(|| json!({}));
    let named: Vec<(&str, &str)> = charts.get(at).map(Files::dependencies).unwrap_or_default();
    let inside = charts.keys().filter(|path| path.len() == at.len() + 1 && path.starts_with(at));
    let inside: Vec<&String> = inside.filter_map(|path| path.last()).collect();
    for sub in &inside {
        let keys = named.iter().filter(|(name, _)| name == sub).map(|(_, key)| *key);
        let keys: Vec<&str> = keys.collect();
        let path: Vec<String> = at.iter().chain([*sub]).cloned().collect();
        for key in if keys.is_empty() { vec![sub.as_str()] } else { keys } {
            let mut below = with_sub_charts(charts, &path, &format!("{prefix}{key}."), open);
            lay_over(&mut below, &values[key]);
            values[key] = below;
        }
    }
    let away = named.iter().filter(|(name, _)| !inside.iter().any(|sub| sub == name));
    open.extend(away.map(|(_, key)| format!("{prefix}{key}")));
    values
}

fn lay_over(values: &mut Value, over: &Value) {
    match (values, over) {
        (Value::Object(values), Value::Object(over)) => {
            over.iter().for_each(|(key, over)| lay_over(values.entry(key.clone()).or_insert(Value::Null), over));
        }
        (_, Value::Null) => {}
        (values, over) => *values = over.clone(),
    }
}

/// Why a package cannot be read.
struct Unreadable(String);

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self(format!("it is cut off or damaged: {error}"))
    }
}

fn unpack(package: &mut dyn Read, within: &[String], budget: &Budget, charts: &mut Charts) -> Result<(), Unreadable> {
    each_file(package, budget, |mut file| {
        let Some((at, name)) = place(&file.path, within) else { return Ok(()) };
        if at.len() > DEEPEST {
            return Err(Unreadable(format!("its sub-charts are more than {DEEPEST} deep")));
        }
        if at.len() > within.len() && name.ends_with(".tgz") {
            return unpack(&mut file.bytes(FILE)?.as_slice(), &at, budget, charts);
        }
        let definition = is_definition(&name);
        if !definition && !matches!(&*name, "Chart.yaml" | "values.yaml" | "requirements.yaml") {
            return Ok(());
        }
        let documents = documents(&file.text(FILE)?)
            .map_err(|error| Unreadable(format!("{name} in it cannot be read: {error}")))?;
        charts.entry(at).or_default().take(name, documents);
        Ok(())
    })
}

impl Files {
    /// Sub-charts that it names: the name of each, and the key of its values.
    fn dependencies(&self) -> Vec<(&str, &str)> {
        let lists = [&self.chart, &self.requirements].into_iter().filter_map(|file| file["dependencies"].as_array());
        let named = lists.flatten().filter_map(|one| Some((one["name"].as_str()?, one["alias"].as_str())));
        named.map(|(name, alias)| (name, alias.unwrap_or(name))).collect()
    }

    fn take(&mut self, name: String, documents: Vec<Value>) {
        let first = |documents: Vec<Value>| documents.into_iter().next().unwrap_or_default();
        match &*name {
            "Chart.yaml" => self.chart = first(documents),
            "values.yaml" => self.values = first(documents),
            "requirements.yaml" => self.requirements = first(documents),
            _ => self.definitions.push((name, documents)),
        }
    }
}

/// In which chart a file is, and its name there: `charts/a/crds/x.yaml` is `crds/x.yaml` of `a`. A sub-chart may also be packed.
fn place(path: &Path, within: &[String]) -> Option<(Vec<String>, String)> {
    let parts: Option<Vec<&str>> = path
        .components()
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    let parts = parts?;
    let (mut at, mut rest) = (within.to_vec(), parts.get(1..)?);
    while let ["charts", sub, inside @ ..] = rest {
        if inside.is_empty() {
            let packed = sub.strip_suffix(".tgz")?;
            // `NAME-1.2.3.tgz`: the name is what stands before the first dash with a number behind it.
            let end = packed
                .match_indices('-')
                .find(|(dash, _)| packed[dash + 1..].starts_with(|c: char| c.is_ascii_digit()));
            at.push(end.map_or(packed, |(dash, _)| &packed[..dash]).to_owned());
            return Some((at, (*sub).to_owned()));
        }
        at.push((*sub).to_owned());
        rest = inside;
    }
    Some((at, rest.join("/")))
}

fn is_definition(name: &str) -> bool {
    name.starts_with("crds/") && [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

/// Whether a sub-chart is switched on by the condition under which its parent names it. Tags are not looked at: no chart that plinth
/// knows switches definitions by them.
fn is_on(charts: &Charts, path: &[String], values: &Value) -> bool {
    let Some((name, parent)) = path.split_last() else { return true };
    let listed = charts.get(parent).and_then(|files| {
        let all = [&files.chart, &files.requirements].into_iter().filter_map(|file| file["dependencies"].as_array());
        all.flatten().find(|one| one["alias"] == name.as_str() || one["name"] == name.as_str())
    });
    let Some(condition) = listed.and_then(|one| one["condition"].as_str()) else { return true };
    let conditions = condition.split(',').map(str::trim);
    conditions.filter_map(|condition| setting(charts, parent, condition, values)).next().unwrap_or(true)
}

/// A truth value as a chart sees it: from the values given, else from the defaults of the charts around it, else from its own.
fn setting(charts: &Charts, chart: &[String], path: &str, values: &Value) -> Option<bool> {
    let of = |values: &Value, around: &[String]| {
        let mut found = values;
        for key in around.iter().map(String::as_str).chain(path.split('.')) {
            found = found.get(key)?;
        }
        found.as_bool()
    };
    let default = |depth: usize| charts.get(&chart[..depth]).and_then(|files| of(&files.values, &chart[depth..]));
    of(values, chart).or_else(|| (0..=chart.len()).find_map(default))
}

/// All definitions of a package.
pub(super) fn of_package(release: &Release, package: &Path, doing: &str) -> ClientResult<Vec<Value>> {
    definitions(package, &release.values).map_err(|why| {
        ClientError::new(CLIENT, doing)
            .happened(format!("package {} cannot be read: {why}", package.display()))
            .attempt("remove it: it is fetched again")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, *content).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn names(files: &[(&str, &[u8])], values: Value) -> Result<Vec<String>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), packed(files)).unwrap();
        let found = definitions(file.path(), &values)?;
        Ok(found.iter().map(|one| one["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect())
    }

    #[test]
    fn definitions_of_the_chart_and_of_what_is_switched_on_are_found() {
        let chart = b"name: a\ndependencies:\n  - {name: sub, condition: sub.enabled}\n  - {name: other, condition: 'x.y,other.on'}\n";
        let inner = packed(&[
            ("packed/Chart.yaml", b"name: packed"),
            ("packed/crds/c.yml", b"---\nmetadata: {name: four}\n---\n\n---\nmetadata: {name: five}\n"),
        ]);
        let files: [(&str, &[u8]); 9] = [
            ("a/Chart.yaml", chart),
            ("a/values.yaml", b"sub: {enabled: true}\nother: {on: false}\n"),
            ("a/crds/b.yaml", b"metadata: {name: one}"),
            ("a/crds/a.json", b"{\"metadata\": {\"name\": \"zero\"}}"),
            ("a/crds/README.md", b"{{ no yaml"),
            ("a/templates/x.yaml", b"{{ no yaml"),
            ("a/charts/sub/crds/x.yaml", b"metadata: {name: two}"),
            ("a/charts/other/crds/x.yaml", b"metadata: {name: three}"),
            ("a/charts/packed-1.2.tgz", &inner),
        ];
        assert_eq!(names(&files, json!({})).unwrap(), ["zero", "one", "four", "five", "two"]);
        assert_eq!(names(&files, json!({"sub": {"enabled": false}})).unwrap(), ["zero", "one", "four", "five"]);
        let all = names(&files, json!({"x": {"y": true}})).unwrap();
        assert!(all.contains(&"three".to_owned()), "{all:?}");
    }

    #[test]
    fn defaults_are_those_of_the_chart_over_those_of_its_sub_charts() {
        let chart = b"name: a\ndependencies:\n  - {name: sub, alias: one}\n  - {name: sub, alias: two}\n  - {name: packed}\n  - {name: away}\n";
        let inner = packed(&[("packed/Chart.yaml", b"name: packed"), ("packed/values.yaml", b"p: 1\n")]);
        let files: [(&str, &[u8]); 5] = [
            ("a/Chart.yaml", chart),
            ("a/values.yaml", b"x: 1\none: {y: {z: 3}, more: true}\n"),
            ("a/charts/sub/Chart.yaml", b"name: sub\ndependencies: [{name: deep}]\n"),
            ("a/charts/sub/values.yaml", b"y: {z: 1, w: 2}\n"),
            ("a/charts/packed-1.2.tgz", &inner),
        ];
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), packed(&files)).unwrap();
        let found = defaults(file.path()).unwrap();
        let wanted = json!({"x": 1, "one": {"y": {"z": 3, "w": 2}, "more": true}, "two": {"y": {"z": 1, "w": 2}}, "packed": {"p": 1}});
        assert_eq!(found.values, wanted);
        let mut open = found.open;
        open.sort();
        assert_eq!(open, ["away", "one.deep", "two.deep"], "what is not in the package");
    }

    #[test]
    fn packages_inside_share_the_bounds_and_what_is_too_long_is_refused() {
        let long = format!("a: 1\n#{}", "x".repeat(usize::try_from(FILE).unwrap()));
        let files: [(&str, &[u8]); 2] = [("a/Chart.yaml", b"name: a"), ("a/values.yaml", long.as_bytes())];
        assert!(names(&files, json!({})).unwrap_err().contains("longer than 16 MiB"), "cut, it would be read in part");
        let inner = packed(&[("b/Chart.yaml", b"name: b"), ("b/large", &vec![0; 20 << 20])]);
        let mut files: Vec<(String, &[u8])> = vec![("a/Chart.yaml".to_owned(), b"name: a")];
        files.extend((0..13).map(|number| (format!("a/charts/b{number}-1.0.tgz"), inner.as_slice())));
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), *content)).collect();
        assert!(names(&files, json!({})).unwrap_err().contains("more than 256 MiB"));
        assert!(names(&files[..12], json!({})).is_ok());
    }

    #[test]
    fn what_is_no_package_is_refused() {
        assert!(names(&[("a/README", b"x")], json!({})).unwrap_err().contains("Chart.yaml"));
        let bad: [(&str, &[u8]); 2] = [("a/Chart.yaml", b"name: a"), ("a/crds/x.yaml", b"{{")];
        assert!(names(&bad, json!({})).unwrap_err().contains("crds/x.yaml"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"no archive").unwrap();
        assert!(definitions(file.path(), &json!({})).unwrap_err().contains("damaged"));
        let mut cut = packed(&[("a/Chart.yaml", b"name: a")]);
        cut.truncate(cut.len() / 2);
        std::fs::write(file.path(), cut).unwrap();
        assert!(definitions(file.path(), &json!({})).unwrap_err().contains("damaged"));
    }
}
