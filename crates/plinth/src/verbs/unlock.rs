//! `plinth unlock`.

use crate::args::{Common, Unlock};
use crate::printer::Printer;
use plinth_app::state::{self, Held};
use plinth_app::{Failure, Input};
use plinth_model::{Exit, Problem};

/// Frees a lock that nobody holds any more. One that is renewed meanwhile stays.
pub(crate) async fn run(common: &Common, verb: &Unlock, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let site = input.site.desired.name.clone();
    let directory = state::directory(common.state.as_deref(), &site)?;
    state::same_identity(&directory, &input.site)?;
    let Some(held) = Held::of(&directory)? else {
        printer.talk(&format!("nobody holds the lock of site {site}; nothing was changed"));
        return Ok(Exit::Done);
    };
    if held.lapsed().is_none() {
        if !verb.yes && !Printer::can_ask() {
            return Err(nobody_to_ask().into());
        }
        let owner = &held.lock.owner;
        printer.talk(&format!(
            "{owner} holds the lock for run {}; watching it for a minute, whatever the clocks say",
            held.lock.run
        ));
        if held.shows_life().await? {
            return Err(held.lives("it lives: it renewed the lock, or gave it back, while it was watched").into());
        }
        printer.talk("it did not renew the lock. If it is only stopped and wakes, it writes nothing more");
        if !verb.yes && !printer.ask("Free the lock?").await {
            printer.talk("nothing was changed");
            return Ok(Exit::Pending);
        }
    }
    held.free()?;
    printer.talk(&format!("the lock of site {site} is free"));
    Ok(Exit::Done)
}

fn nobody_to_ask() -> Problem {
    Problem::while_doing("asking whether to free the lock")
        .wrong_input("there is no terminal to ask at; nothing was changed")
        .try_this("look at `plinth status`, then give `--yes`")
}
