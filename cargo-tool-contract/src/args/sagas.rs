//! `sagas`, on the command line.

use clap::{Args as Arguments, Subcommand};

use super::ledger::{Access, Page, Show};

const HELP: &str = "\
The ledger is named as for `ledger`. A saga is one of these:
  running    its steps are made
  undoing    it gave up, and what it did is undone
  rests      it goes no further by itself; `show` says what it waits for
  finished   all of it happened
  undone     none of it stands

With --json, standard output is one JSON document, times as in 2026-11-22T03:01:04.000Z:
  ls       {sagas: [{tenant, tool, key, state, stands, since, attempts, escalation, approval, \
saga, steps, undone}], next}; `saga` is the word above, `steps` how many it made, `undone` how many \
of them were undone; `next` is for --after, or null
  show     one such saga with {arguments, cause, error, timeline: [{step, tool, key, pivot, \
noted_at, state, since, attempts, escalation, error, undoing: {key, tool, state, since, attempts, \
escalation}}], next}; `next` lists what can be done, as in `ledger show`

Exit codes: 0 fine; 1 a key that is not there, or is no saga's; 2 wrong usage, a ledger that cannot \
be used, or output that cannot be written.";

#[derive(Debug, Arguments)]
#[command(after_long_help = HELP)]
pub(crate) struct Sagas {
    #[command(subcommand)]
    pub(crate) command: SagasCommand,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SagasCommand {
    /// List sagas
    Ls(SagaList),
    /// Show the steps of a saga in their order, and what it waits for
    Show(Show),
}

#[derive(Debug, Arguments)]
pub(crate) struct SagaList {
    #[command(flatten)]
    pub(crate) page: Page,
    /// Those that rest: they wait for a person, or to be taken up
    #[arg(long)]
    pub(crate) resting: bool,
}
