//! Asking a person whether a plan may run.

use crate::args::{Common, ConfirmedOptions};
use crate::printer::Printer;
use crate::verbs::plan;
use async_trait::async_trait;
use plinth_app::{Approve, Planned};
use plinth_model::{Plan, Problem};

/// Shows the plan, then asks a question; `--yes` answers it.
pub(crate) struct Question<'a> {
    common: &'a Common,
    printer: &'a Printer,
    question: fn(&Plan) -> String,
    yes: bool,
    all: bool,
}

impl<'a> Question<'a> {
    /// Refuses at once, before anything is contacted, when nobody could be asked. `first` is what to do before a `--yes`.
    pub(crate) fn new(
        common: &'a Common,
        printer: &'a Printer,
        (question, yes): (fn(&Plan) -> String, bool),
        first: &str,
    ) -> Result<Self, Problem> {
        if !yes && !Printer::can_ask() {
            return Err(nobody_to_ask("asking whether to go on", first));
        }
        Ok(Self { common, printer, question, yes, all: true })
    }

    /// Whether steps that are done already or not needed are shown like others; they are where nothing is said.
    pub(crate) fn showing(self, all: bool) -> Self {
        Self { all, ..self }
    }
}

#[async_trait]
impl Approve for Question<'_> {
    async fn approve(&self, planned: &Planned) -> Result<bool, Problem> {
        plan::show_before(self.common, self.all, &planned.plan, self.printer);
        let approved = self.yes || self.printer.ask(&(self.question)(&planned.plan)).await;
        if !approved {
            self.printer.talk("nothing was changed");
        }
        Ok(approved)
    }
}

/// Asks for the site's name; `--confirm` gives it. The plan is shown before.
pub(crate) struct SiteName<'a> {
    printer: &'a Printer,
    given: bool,
    name: &'a str,
}

impl<'a> SiteName<'a> {
    /// Refuses at once, before anything is contacted, when nobody could be asked, or when another site's name was given.
    pub(crate) fn new(way: &ConfirmedOptions, name: &'a str, printer: &'a Printer) -> Result<Self, Problem> {
        match &way.confirm {
            None if !Printer::can_ask() && !way.dry_run => {
                let first = format!("look at it with `--dry-run`, then give `--confirm {name}`");
                Err(nobody_to_ask("asking for the site's name", &first))
            }
            Some(given) if given != name => Err(other_name(given, name)),
            given => Ok(Self { printer, given: given.is_some(), name }),
        }
    }
}

#[async_trait]
impl Approve for SiteName<'_> {
    async fn approve(&self, _: &Planned) -> Result<bool, Problem> {
        let question = "This cannot be undone. Type the site's name to go on:";
        let approved = self.given || self.printer.ask_for(question, self.name).await;
        if !approved {
            self.printer.talk("nothing was changed");
        }
        Ok(approved)
    }
}

fn nobody_to_ask(doing: &str, attempt: &str) -> Problem {
    let happened = "there is no terminal to ask at; nothing was contacted or changed";
    Problem::while_doing(doing).wrong_input(happened).try_this(attempt)
}

fn other_name(given: &str, name: &str) -> Problem {
    Problem::while_doing("comparing the site's name with")
        .to(format!("`--confirm {given}`"))
        .wrong_input(format!("the site file is that of `{name}`; nothing was contacted or changed"))
        .try_this("give the right site file, or the right name")
}
