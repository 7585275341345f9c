//! People have not agreed, or not to this call.

use std::sync::Arc;

use tool_contract_spec::ledger::ApprovalId;
use tool_contract_spec::rulebook::Code;

use crate::error::{About, Rejected};

pub(super) fn awaited(about: About, request: ApprovalId) -> Rejected {
    let reason = format!("nobody has approved it yet; request {request} waits for a person");
    let next = "call again with the same key and arguments once it is granted";
    let rejected = Rejected::new(Code::APPROVAL_MISSING, about, reason, next);
    Rejected { request: Some(request), ..rejected }
}

pub(super) fn unused(about: About, request: ApprovalId) -> Rejected {
    let reason = format!("{request} is granted and was not used");
    let rejected = Rejected::new(Code::APPROVAL_MISSING, about, reason, "call it");
    Rejected { request: Some(request), ..rejected }
}

pub(super) fn denied(about: About, by: &Arc<str>, why: &Arc<str>) -> Rejected {
    let reason = format!("{by} refused it: {why}");
    let next = "do not ask again under another key; talk to who refused";
    Rejected::new(Code::APPROVAL_DENIED, about, reason, next)
}

pub(super) fn other_requester(about: About, request: &ApprovalId, was_named: bool) -> Rejected {
    let (whose, next) = if was_named {
        (
            "on behalf of another `user`",
            "call with the `user` who asked; or wait until that request has expired, and ask anew",
        )
    } else {
        (
            "without `user`, on nobody's behalf",
            "call without `user`, as it was asked; or wait until that request has expired, and ask anew",
        )
    };
    let reason = format!("{request} was asked {whose}, and is for no other's call");
    Rejected::new(Code::APPROVAL_VOID, about, reason, next)
}

pub(super) fn other_ignored(about: About, request: &ApprovalId, ignored: &str) -> Rejected {
    let reason = format!(
        "{request} was asked with other values of its ignored arguments, which people see and agree to: {ignored}"
    );
    let next = "call with those values; or wait until that request has expired, and ask anew";
    Rejected::new(Code::APPROVAL_VOID, about, reason, next)
}

pub(super) fn wrong(about: About) -> Rejected {
    let reason = "the approval has expired, was spent, or is for another call";
    Rejected::new(Code::APPROVAL_VOID, about, reason, "ask for one for this very call")
}

pub(super) fn needless(about: About) -> Rejected {
    let next = "call it; or declare `confirm(..)` where a person should look first";
    Rejected::new(Code::APPROVAL_VOID, about, "its contract wants no approval", next)
}
