//! Why there is no approval.

use std::sync::Arc;

use tool_contract_spec::ledger::ApprovalId;

use crate::ledger::{LedgerError, Undecided};

/// Why there is no approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// A person refused.
    #[error("{request} was refused by {by} [TC0210]: {why}; the call was not run")]
    Denied {
        /// The request.
        request: ApprovalId,
        /// Who refused.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// It expired, was spent, or never was.
    #[error(
        "{request} has expired, was spent or never was [TC0211]; ask again with `.request_approval(..)`"
    )]
    Gone {
        /// The request.
        request: ApprovalId,
    },
    /// The call has begun.
    #[error(
        "the call for which {request} was granted has begun: this run is not stopped any more; if nothing comes of it, a refusal stops the next"
    )]
    Begun {
        /// The request.
        request: ApprovalId,
    },
    /// Who asked may not decide.
    #[error("{by} asked for {request} and may not decide on it; another person has to")]
    Requester {
        /// The request.
        request: ApprovalId,
        /// Who asked.
        by: Arc<str>,
    },
    /// A quorum is of different people.
    #[error(
        "{by}, or somebody with the same key, has agreed to {request} already; if that is not enough, another person has to"
    )]
    Again {
        /// The request.
        request: ApprovalId,
        /// Who agreed.
        by: Arc<str>,
    },
    /// Enough people agreed.
    #[error("enough people have agreed to {request} already: it runs when it is called again")]
    Enough {
        /// The request.
        request: ApprovalId,
    },
    /// More people have to agree.
    #[error("{by} agreed to {request}, and {missing} more have to")]
    Quorum {
        /// The request.
        request: ApprovalId,
        /// Who agreed.
        by: Arc<str>,
        /// How many are missing.
        missing: u32,
    },
    /// It is not signed by somebody who is trusted.
    #[error(
        "what {by} says of {request} is not signed with a key that counts, and was not recorded; sign it with the key whose public half stands among the approvers, as `tool-contract approvals grant` does"
    )]
    Unproven {
        /// The request.
        request: ApprovalId,
        /// In whose name.
        by: Arc<str>,
    },
    /// The grant would be over before it could be used.
    #[error(
        "the grant of {request} would be over already, and was not recorded; look at the clocks"
    )]
    Over {
        /// The request.
        request: ApprovalId,
    },
    /// The record does not say what its hash is of.
    #[error(
        "the record of {request} does not say what would run: the hash is not of its arguments; somebody may have changed it; do not agree to it"
    )]
    Altered {
        /// The request.
        request: ApprovalId,
    },
    /// The call succeeded before: there is nothing to decide.
    #[error("the call succeeded before; call it again to get its result, which needs no approval")]
    NothingToDecide,
    /// The ledger could not be asked.
    #[error("the ledger could not be asked: {0}")]
    Ledger(#[from] LedgerError),
}

impl ApprovalError {
    /// What a ledger says of a decision that does not count.
    #[must_use]
    pub fn undecided(undecided: &Undecided, request: ApprovalId, by: Arc<str>) -> Self {
        match undecided {
            Undecided::NoRequest { .. } => Self::Gone { request },
            Undecided::Begun => Self::Begun { request },
            Undecided::Requester => Self::Requester { request, by },
            Undecided::Again => Self::Again { request, by },
            Undecided::Enough => Self::Enough { request },
            Undecided::Unproven => Self::Unproven { request, by },
            Undecided::Over => Self::Over { request },
        }
    }
}
