//! `plinth render`.

use crate::args::{Common, Render, Rendering};
use crate::input;
use crate::printer::Printer;
use crate::screen::Screen;
use plinth_app::certificates::{self, CertificateReview};
use plinth_app::own_files::OwnFiles;
use plinth_app::{Access, Depth, Failure, Goal, Input};
use plinth_model::steps::{HelmRelease, KubeObjects};
use plinth_model::{Exit, Plan, Problem, Work};
use plinth_plan::engines::{self, EngineFile, MirrorList};

/// Shows what would be handed to Kubespray and helm. Secrets stay references.
pub(crate) async fn run(common: &Common, verb: &Render, printer: &Printer) -> Result<Exit, Failure> {
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));
    let (access, goal) = match verb.what {
        Rendering::MirrorList => (Access::Change, Goal::MirrorList),
        _ => (Access::Read, Goal::Site),
    };
    let input = Input::load(&common.file)?;
    let mut operation = input::open(common, input, recorded, access, goal, &screen)?;
    let seen = operation.observe(Depth::Inventory).await?;
    let planned = operation.plan(seen)?;
    let files = match verb.what {
        Rendering::Inventory if verb.ini => {
            vec![(
                "inventory.ini".to_owned(),
                plinth_plan::kubespray::inventory_ini(operation.desired(), &planned.cluster),
            )]
        }
        Rendering::Inventory => engine(&planned.plan, EngineFile::Inventory),
        Rendering::Variables => engine(&planned.plan, EngineFile::Variables),
        Rendering::Values => values(&planned.plan, common.json)?,
        Rendering::Objects => objects(&planned.plan, common.json)?,
        Rendering::Certs => vec![certs(&operation.certificates(&planned)?, common.json)],
        Rendering::MirrorList => vec![mirror_list(&operation.mirror_list(&planned).await?, common.json)],
    };
    write_all(common, verb, &files, printer)
}

fn mirror_list(list: &MirrorList, json: bool) -> (String, String) {
    if json { ("mirror-list.json".to_owned(), list.json()) } else { ("mirror-list.txt".to_owned(), list.text()) }
}

fn certs(reviews: &[CertificateReview], json: bool) -> (String, String) {
    if json {
        ("certificates.json".to_owned(), format!("{:#}\n", certificates::json(reviews)))
    } else {
        ("certificates.txt".to_owned(), certificates::text(reviews))
    }
}

fn write_all(common: &Common, verb: &Render, files: &Files, printer: &Printer) -> Result<Exit, Failure> {
    match &verb.out {
        None if common.json && matches!(verb.what, Rendering::Values | Rendering::Objects) => {
            printer.json(&documents(files)?);
        }
        None => printer.file(&joined(files)),
        Some(folder) => {
            for path in OwnFiles::of(folder).write(files)? {
                printer.talk(&format!("wrote {}", path.display()));
            }
        }
    }
    Ok(Exit::Done)
}

type Files = Vec<(String, String)>;

fn engine(plan: &Plan, wanted: EngineFile) -> Files {
    engines::file(plan, wanted).map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect()
}

fn values(plan: &Plan, json: bool) -> Result<Files, Problem> {
    let releases = plan.steps.iter().filter_map(|step| match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some(release),
        _ => None,
    });
    releases
        .map(|release| {
            let values = plinth_plan::render::helm_values(&release.values);
            let text =
                if json { Ok(plinth_plan::kubespray::json(&values)) } else { plinth_plan::kubespray::yaml(&values) };
            let text =
                text.map_err(|error| Problem::while_doing("writing values of").to(&release.component).bug(error))?;
            let head = format!("# {} {} in namespace {}\n", release.chart, release.version, release.namespace);
            let extension = if json { "json" } else { "yaml" };
            Ok((format!("values/{}.{extension}", release.component), if json { text } else { head + &text }))
        })
        .collect()
}

/// Objects that are applied beside releases: of one component, a list in JSON and a document each in YAML.
fn objects(plan: &Plan, json: bool) -> Result<Files, Problem> {
    let steps = plan.steps.iter().filter_map(|step| match &step.work {
        Work::KubeObjects(objects) => Some(objects),
        _ => None,
    });
    let file = |objects: &KubeObjects| {
        let bug = |error: String| Problem::while_doing("writing objects of").to(&objects.component).bug(error);
        let (text, extension) = if json {
            (serde_json::to_string_pretty(&objects.objects).map_err(|error| bug(error.to_string()))?, "json")
        } else {
            (plinth_plan::render::manifests(objects).map_err(bug)?, "yaml")
        };
        Ok((format!("objects/{}.{extension}", objects.component), text))
    };
    steps.map(file).collect()
}

/// What there is of each component, as one JSON document.
fn documents(files: &Files) -> Result<serde_json::Map<String, serde_json::Value>, Problem> {
    let document = |(name, text): &(String, String)| {
        let component = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".json").to_owned();
        let value =
            serde_json::from_str(text).map_err(|error| Problem::while_doing("writing").to(&component).bug(error))?;
        Ok((component, value))
    };
    files.iter().map(document).collect()
}

/// Several documents of YAML, or the one text as it is.
fn joined(files: &Files) -> String {
    let texts: Vec<&str> = files.iter().map(|(_, text)| text.trim_end()).collect();
    texts.join("\n---\n")
}
