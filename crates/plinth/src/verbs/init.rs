//! `plinth init`.

use crate::args::{Common, Init};
use crate::printer::Printer;
use plinth_app::Failure;
use plinth_app::new_site::NewSite;
use plinth_model::{Exit, Problem, SiteName, amount};

/// Writes a commented site file, and the schema for editors beside it. Never over an existing file.
pub(crate) async fn run(common: &Common, verb: &Init, printer: &Printer) -> Result<Exit, Failure> {
    let new = NewSite {
        file: &common.file,
        bcm: verb.from_bcm.as_deref(),
        ca_file: verb.ca_file.as_deref(),
        insecure: verb.insecure,
    };
    new.check()?;
    let name = named(verb, new.offered_name(), printer).await?;
    let draft = new.draft(&name).await?;
    for (node, why) in &draft.left_out {
        printer.talk(&format!("left out {node}: {why}"));
    }
    let (schema, is_new) = new.write(&draft)?;
    let (file, schema) = (common.file.display(), schema.display());
    printer.talk(&match is_new {
        true => format!("wrote {file}, and {schema} with which editors check it"),
        false => format!("wrote {file}; editors check it with {schema}, which was there and was left alone"),
    });
    let next = match draft.to_fill_in() {
        0 => "look through it".to_owned(),
        count => format!("fill in {} marked TODO", amount(count, "line")),
    };
    printer.talk(&format!("{next}, then: plinth validate -f {}", common.file.display()));
    Ok(Exit::Done)
}

/// The name that was given, or an answer to the question. It is also the name of the state folder, so it is never made up.
async fn named(verb: &Init, offered: Option<String>, printer: &Printer) -> Result<SiteName, Problem> {
    let name = match (&verb.name, offered) {
        (Some(name), _) => name.clone(),
        (None, offered) if Printer::can_ask() => {
            let shown = offered.as_deref().map(|name| format!(" [{name}]")).unwrap_or_default();
            let answer = printer.ask_text(&format!("Name of the site{shown}:")).await;
            if answer.is_empty() { offered.unwrap_or_default() } else { answer }
        }
        (None, Some(offered)) => offered,
        (None, None) => {
            return Err(Problem::while_doing("naming the site")
                .wrong_input("it has no name, and there is no terminal to ask at")
                .try_this(
                    "give it with `--name NAME`; it is also the name of the folder in which plinth keeps what it knows",
                ));
        }
    };
    SiteName::new(&name).map_err(|error| {
        Problem::while_doing("naming the site").wrong_input(error).try_this("give another one with `--name`")
    })
}
