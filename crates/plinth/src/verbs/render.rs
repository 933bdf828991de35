//! `plinth render`.

use crate::args::{Common, Render, Rendering};
use crate::input;
use crate::printer::Printer;
use crate::screen::Screen;
use plinth_app::hand_over::{self, Document, HandOver};
use plinth_app::own_files::OwnFiles;
use plinth_app::{Depth, Failure, Input};
use plinth_model::Exit;

/// Shows what would be handed to Kubespray and helm. Secrets stay references.
pub(crate) async fn run(common: &Common, verb: &Render, printer: &Printer) -> Result<Exit, Failure> {
    let (recorded, screen, what) = (verb.from.inventory.as_deref(), Screen::new(printer), what(verb));
    let input = Input::load(&common.file)?;
    let mut operation = input::open(common, input, recorded, what.access(), what.goal(), &screen)?;
    let seen = operation.observe(Depth::Inventory).await?;
    let planned = operation.plan(seen)?;
    let documents = operation.hand_over(what, &planned, common.json).await?;
    show(common, verb, what, &documents, printer)?;
    Ok(Exit::Done)
}

const fn what(verb: &Render) -> HandOver {
    match verb.what {
        Rendering::Inventory if verb.ini => HandOver::InventoryIni,
        Rendering::Inventory => HandOver::Inventory,
        Rendering::Variables => HandOver::Variables,
        Rendering::Values => HandOver::Values,
        Rendering::Objects => HandOver::Objects,
        Rendering::Certs => HandOver::Certificates,
        Rendering::MirrorList => HandOver::MirrorList,
    }
}

fn show(
    common: &Common,
    verb: &Render,
    what: HandOver,
    documents: &[Document],
    printer: &Printer,
) -> Result<(), Failure> {
    match &verb.out {
        None if common.json && what.is_by_component() => printer.json(&hand_over::by_component(documents)?),
        None => printer.file(&hand_over::joined(documents)),
        Some(folder) => {
            let texts: Vec<_> = documents.iter().map(|one| (one.name.clone(), one.text.clone())).collect();
            for path in OwnFiles::of(folder).write(&texts)? {
                printer.talk(&format!("wrote {}", path.display()));
            }
        }
    }
    Ok(())
}
