//! What the ledger's refusals say to a caller.

mod approval;
mod key;
mod limit;

use tool_contract_spec::ledger::Refusal;

pub(super) use self::limit::limited;
use crate::error::{About, CallError, UnknownOutcome};

/// A refusal in the caller's words.
pub(crate) fn refused(about: About, refusal: Refusal) -> CallError<()> {
    CallError::from(match refusal {
        Refusal::Unknown { escalation, cause } => {
            let (cause, escalation) = (cause.into_owned(), Some(escalation));
            return CallError::from(UnknownOutcome::new(about, cause, escalation));
        }
        Refusal::Limited(limit) => return limited(about, &limit),
        Refusal::Conflict { state } => key::conflict(about, state),
        Refusal::Expired => key::expired(about),
        Refusal::InFlight { reconciling, .. } => key::in_flight(about, reconciling),
        Refusal::NotBefore { retry_after } => key::not_before(about, retry_after),
        Refusal::AttemptsExhausted { attempts, max_total, escalation } => {
            key::exhausted(about, attempts, max_total, escalation.as_ref())
        }
        Refusal::Abandoned { by, why } => key::abandoned(about, &by, &why),
        Refusal::Reminted { first, state } => key::reminted(about, &first, state),
        Refusal::AwaitingApproval { request, .. } => approval::awaited(about, request),
        Refusal::Approved { request, .. } => approval::unused(about, request),
        Refusal::Denied { by, why } => approval::denied(about, &by, &why),
        Refusal::OtherRequester { request, was_named } => {
            approval::other_requester(about, &request, was_named)
        }
        Refusal::OtherIgnored { request, ignored } => {
            approval::other_ignored(about, &request, &ignored)
        }
        Refusal::WrongApproval => approval::wrong(about),
        Refusal::NothingToApprove => approval::needless(about),
    })
}
