//! The site's own values of charts of which the catalog has no list of keys, held against what the package itself has by default.

use plinth_catalog::Catalog;
use plinth_catalog::keys::KeyIndex;
use plinth_model::finding::code;
use plinth_model::steps::Release;
use plinth_model::{Finding, Plan};
use plinth_site::Desired;
use plinth_world::Context;
use plinth_world::helm::ManifestRenderer;
use serde_json::Value;

/// Keys that a chart does not know, and one note for all charts of which nothing is known. `plan`: what it says of a value is not said twice.
pub(super) async fn unknown(
    (desired, catalog, plan): (&Desired, &Catalog, &Plan),
    releases: &[&Release],
    (renderer, ctx, may_fetch): (&dyn ManifestRenderer, &Context, bool),
) -> Vec<Finding> {
    let (mut findings, mut not_checked) = (Vec::new(), Vec::new());
    for release in releases {
        let version = release.version.version().as_str();
        let Some(given) = given(desired, release) else { continue };
        if catalog.keys(&release.component, version).is_some() {
            continue;
        }
        match renderer.defaults(ctx, release, may_fetch).await {
            Ok(Some(chart)) => {
                let index = KeyIndex::of_package(&chart.values, &chart.open);
                let doubts = index.doubts(&release.component, version, given).into_iter().map(|(_, finding)| finding);
                findings.extend(doubts.filter(|finding| !is_said(plan, finding)));
            }
            Ok(None) => not_checked.push(release.component.as_str()),
            Err(error) => {
                tracing::warn!(component = %release.component, "default values were not read: {}", error.happened);
                not_checked.push(release.component.as_str());
            }
        }
    }
    findings.extend(note(&not_checked));
    findings
}

/// Values of the site itself; none: it has none, or the component takes none.
fn given<'a>(desired: &'a Desired, release: &Release) -> Option<&'a Value> {
    let values: &Value = desired.platform.components.get(&release.component)?.values.as_ref()?;
    let is_some = values.as_object().is_some_and(|map| !map.is_empty());
    (is_some && !release.of_objects).then_some(values)
}

fn is_said(plan: &Plan, finding: &Finding) -> bool {
    let below = format!("{}.", finding.subject);
    plan.findings.iter().any(|known| known.subject == finding.subject || known.subject.starts_with(&below))
}

fn note(components: &[&str]) -> Option<Finding> {
    let first = components.first()?;
    let text = format!("keys of the site's own values were not checked: {}", components.join(", "));
    let subject = format!("platform.components.{first}.values");
    Some(Finding::info(code::PLATFORM_VALUES_NOT_CHECKED, subject, text).fix(
        "nothing has to be done; `plinth preflight` fetches the packages that it may, and holds the values against the chart's own",
    ))
}
