//! How things are shown: form, colour, progress, how much is said.

use clap::ValueEnum;

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// Live on a terminal that can; calm where `ACCESSIBLE` is set; lines elsewhere, in CI and on a dumb terminal
    Auto,
    /// A view that is drawn again and again
    Live,
    /// A line for each thing that happens
    Lines,
    /// Failures at once, else a sentence now and then; nothing is drawn twice, so a screen reader reads it once
    Calm,
    /// Nothing but what went wrong
    None,
}

/// Form of the data on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
    /// The same as JSON, in YAML
    Yaml,
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Questions and problems
    Quiet,
    /// What a person wants to follow
    Default,
    /// What happens inside, too
    Verbose,
    /// In detail
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
