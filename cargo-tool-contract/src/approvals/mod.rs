//! `approvals`: people agree to what cannot be undone, and sign it.

mod decide;
mod find;
mod key;
mod keygen;
mod ls;
mod show;
mod standing;
mod view;

use crate::End;
use crate::args::{Approvals, ApprovalsCommand};
use crate::operator::Desk;

pub(crate) fn run(args: &Approvals) -> End {
    let json = args.access.json;
    if let ApprovalsCommand::Keygen(person) = &args.command {
        return keygen::run(person, json).unwrap_or_else(|problem| problem.tell(json));
    }
    Desk::open(&args.access, async |desk| match &args.command {
        // It needs no ledger, and was done above.
        ApprovalsCommand::Keygen(_) => Ok(End::Fine),
        ApprovalsCommand::Ls(list) => ls::run(&desk, list).await,
        ApprovalsCommand::Show(request) => show::run(&desk, request).await,
        ApprovalsCommand::Grant(grant) => decide::grant(&desk, grant).await,
        ApprovalsCommand::Deny(deny) => decide::deny(&desk, deny).await,
    })
}
