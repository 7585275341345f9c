//! `ledger`: what a ledger knows, and a person's word on it.

mod ls;
pub(crate) mod next;
pub(crate) mod part;
mod prune;
mod queue;
mod reopen;
mod resolve;
mod schema;
mod show;
pub(crate) mod stand;
mod terms;
mod verify;
pub(crate) mod view;

use crate::End;
use crate::args::{Escalations, EscalationsCommand, Ledger, LedgerCommand};
use crate::operator::Desk;

pub(crate) fn run(args: &Ledger) -> End {
    Desk::open(&args.access, async |desk| match &args.command {
        LedgerCommand::Ls(list) => ls::run(&desk, list).await,
        LedgerCommand::Show(show) => show::run(&desk, show).await,
        LedgerCommand::Verify(verify) => verify::run(&desk, verify).await,
        LedgerCommand::Resolve(resolve) => resolve::run(&desk, resolve).await,
        LedgerCommand::Reopen(reopen) => reopen::run(&desk, reopen).await,
        LedgerCommand::Prune(prune) => prune::run(&desk, prune).await,
    })
}

pub(crate) fn escalations(args: &Escalations) -> End {
    Desk::open(&args.access, async |desk| match &args.command {
        EscalationsCommand::Ls(waiting) => queue::run(&desk, waiting).await,
        EscalationsCommand::Show(show) => show::run(&desk, show).await,
        EscalationsCommand::Resolve(resolve) => resolve::run(&desk, resolve).await,
    })
}
