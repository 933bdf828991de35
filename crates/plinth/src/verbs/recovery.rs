//! `plinth recover`.

use super::removal::{self, Said};
use crate::args::{Common, Recover};
use crate::input::node_names;
use crate::printer::Printer;
use plinth_app::{Failure, Goal};
use plinth_model::Exit;

/// Makes broken members of the control plane whole again.
pub(crate) async fn run(common: &Common, verb: &Recover, printer: &Printer) -> Result<Exit, Failure> {
    let said = Said {
        nothing: "nothing is broken that a recovery would fix; `plinth apply` looks at everything else",
        done: "The control plane is whole. `plinth apply` looks at everything else",
    };
    removal::run(common, &verb.way, Goal::Recovery(node_names(&verb.nodes)?), &said, printer).await
}
