//! `ledger reopen`: it may run again, though it may have run before.

use tool_contract_runtime::ledger::{Resolved, StateName};

use super::resolve::record_word;
use super::stand;
use crate::End;
use crate::args::Reopen;
use crate::operator::word::Said;
use crate::operator::{Desk, Problem, confirm, find, text};
use crate::report::complain;

pub(super) async fn run(desk: &Desk, args: &Reopen) -> Result<End, Problem> {
    let said = Said::of(&args.word)?;
    let (id, record) = find::one(desk, &args.key, &args.among).await?;
    let state = stand::at(&record, desk.now).state.name();
    if !desk.is_for_programs() {
        complain(&text::plain(&format!("warning: {id} is {state}: {}", risk(state))));
    }
    if !args.yes {
        confirm(id.key.as_str())?;
    }
    record_word(desk, id, record, said, Resolved::Reopened).await
}

/// What may come of it.
const fn risk(state: StateName) -> &'static str {
    match state {
        StateName::Succeeded => {
            "it happened, and reopened, the next call with this key makes it happen again"
        }
        StateName::Expired => {
            "it may have happened, and reopened, the next call with this key may make it happen again"
        }
        StateName::Denied => "somebody refused it, and reopened, it may be asked for again",
        _ => "reopened, the next call with this key runs it, with its attempts counted anew; its effect may happen again",
    }
}
