//! `ledger reopen`: it may run again, though it may have run before.

use tool_contract_runtime::ledger::{Resolved, StateName};

use super::next::{self, Next};
use super::resolve::{record_word, superseded};
use super::stand;
use crate::End;
use crate::args::Reopen;
use crate::operator::word::Said;
use crate::operator::{Desk, Problem, confirm, find, text};
use crate::report::complain;

pub(super) async fn run(desk: &Desk, args: &Reopen) -> Result<End, Problem> {
    let said = Said::of(&args.word)?;
    let (id, record) = find::one(desk, &args.key, &args.among).await?;
    let stands = stand::at(&record, desk.now);
    let state = stands.state.name();
    let Some(risk) = risk(state) else {
        return Err(superseded(desk, &id, &record, state, &Resolved::Reopened));
    };
    if !desk.is_for_programs() {
        let ended = next::of_ended(&stands);
        let risk = ended.as_ref().map_or(risk, Next::when);
        complain(&text::plain(&format!("warning: {id} is {}: {risk}", stand::name(&stands))));
    }
    if !args.yes {
        confirm(id.key.as_str())?;
    }
    record_word(desk, &args.key, (id, record), said, Resolved::Reopened).await
}

/// What may come of it; `None` where it cannot be reopened.
const fn risk(state: StateName) -> Option<&'static str> {
    match state {
        StateName::Succeeded => Some("reopened, the next call with this key makes it happen again"),
        StateName::Expired => Some(
            "it may have happened; reopened, the next call with this key may make it happen again",
        ),
        StateName::Denied => Some("somebody refused it; reopened, it can be asked for again"),
        StateName::Abandoned => Some(
            "somebody gave it up, and it may have happened; reopened, the next call with this key may make it happen again",
        ),
        StateName::Exhausted | StateName::Released => {
            Some("reopened, the next call with this key runs it, its attempts counted anew")
        }
        StateName::AwaitingApproval
        | StateName::Approved
        | StateName::Running
        | StateName::Unknown
        | StateName::Reconciling => None,
    }
}
