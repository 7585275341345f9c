//! `ledger resolve`: a person's word on an outcome that nobody knows.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tool_contract_runtime::ledger::{Reconciled, Record, Resolution, Resolved, State, StateName};
use tool_contract_runtime::saga::Story;
use tool_contract_spec::duration;
use tool_contract_spec::key::{IdempotencyKey, OperationId};
use tool_contract_spec::saga::{Ended, ended};

use super::view::Name;
use super::{next, schema, stand};
use crate::End;
use crate::args::Resolve;
use crate::operator::word::Said;
use crate::operator::{Desk, Kind, Problem, find, text, time};

#[derive(Debug, Serialize)]
struct Document<'r> {
    #[serde(flatten)]
    name: Name<'r>,
    before: StateName,
    state: StateName,
    by: &'r str,
    why: &'r str,
}

pub(super) async fn run(desk: &Desk, args: &Resolve) -> Result<End, Problem> {
    let said = Said::of(&args.word)?;
    let (id, record) = find::one(desk, &args.key, &args.among).await?;
    let resolved = match &args.happened {
        None if args.abandon => Resolved::Abandoned,
        Some(result) => {
            let result = json(result)?;
            if let Some(contract) = &args.contract {
                schema::fits(contract, &id.tool, &result)?;
            }
            Resolved::Happened { result }
        }
        None => Resolved::DidNotHappen { holder_is_dead: args.holder_is_dead },
    };
    record_word(desk, &args.key, (id, record), said, resolved).await
}

/// A result that is JSON, as it was written.
fn json(result: &str) -> Result<Arc<str>, Problem> {
    let result = result.trim();
    match serde_json::from_str::<&RawValue>(result) {
        Ok(_) => Ok(result.into()),
        Err(error) => {
            let message = format!("the result is not JSON: {error}; nothing was changed");
            Err(Problem::new(Kind::Usage, message)
                .help("write what the tool returns, such as '{\"charge\":\"ch_1\"}', '\"a text\"', 17 or null"))
        }
    }
}

/// Puts a word on record, and tells what became of it. What is `called` by the id
/// of its escalation is meant as that, and as nothing that came of it since.
pub(super) async fn record_word(
    desk: &Desk,
    called: &IdempotencyKey,
    (id, record): (OperationId, Record),
    said: Said,
    resolved: Resolved,
) -> Result<End, Problem> {
    let escalation = record.escalation.clone().filter(|id| *id.0 == *called.as_str());
    let Said { by, why } = said;
    let resolution = Resolution { id: id.clone(), escalation, by, why, resolved };
    let state = match desk.ledger.resolve(resolution.clone()).await? {
        Reconciled::Recorded { state, .. } => state,
        Reconciled::TooEarly { wait } => return Err(too_early(desk, &id, wait)),
        Reconciled::OfItsSteps { cause } => {
            return Err(of_its_steps(desk, &id, record, &cause).await?);
        }
        Reconciled::Superseded { state: None } => {
            let message = format!("the ledger knows {id} no more; nothing was changed");
            return Err(Problem::new(Kind::NotFound, message));
        }
        Reconciled::Superseded { state: Some(state) } => {
            return Err(superseded(desk, &id, &record, state, &resolution.resolved));
        }
    };
    let before = stand::at(&record, desk.now).state.name();
    let Resolution { by, why, .. } = &resolution;
    let document = Document { name: Name::of(&id), before, state, by, why };
    desk.say(&document, || {
        let then = match state {
            StateName::Succeeded => "its callers get this result",
            StateName::Abandoned => "it never runs again, and its callers are told why",
            StateName::Exhausted => "it has had all its attempts: reopen it, or give it up",
            _ => "the next call with this key runs it",
        };
        let state = match &resolution.resolved {
            Resolved::Happened { result } if record.terms.saga => {
                ended(result).map_or(state.as_str(), Ended::as_str)
            }
            _ => state.as_str(),
        };
        text::plain(&format!("{id}: {before} → {state}, on the word of {by}: {why}; {then}"))
    })?;
    Ok(End::Fine)
}

/// It is a saga, and what it did stands on the records of its steps.
async fn of_its_steps(
    desk: &Desk,
    id: &OperationId,
    record: Record,
    cause: &str,
) -> Result<Problem, Problem> {
    let state = record.state.name();
    let story = Story::read(&*desk.ledger, id.clone(), record).await?;
    let message = format!(
        "{id} is a saga, and what it did stands: of the whole can be said only that it finished, or that it was \
         undone; it came to rest: {cause}; nothing was changed"
    );
    let next = next::of_saga(desk, &story).await?;
    let help = format!("resolve what it waits for:\n{}", next::told(&next));
    Ok(Problem::new(Kind::WrongState, message).help(help.trim_end()).state(state))
}

fn too_early(desk: &Desk, id: &OperationId, wait: Option<Duration>) -> Problem {
    let dead = "Only if you know that its process is dead, and not merely slow or cut off, add \
                `--holder-is-dead`: if it still lives, what it does comes on top of what the next call does.";
    let (message, help) = match wait {
        Some(wait) => (
            format!(
                "{id}: too early to say that it did not happen, for its former holder may still act, or its \
                 effect not show yet; nothing was changed"
            ),
            format!("wait {}, look again, and say it again. {dead}", duration::wait(wait)),
        ),
        None => (
            format!(
                "{id}: that it did not happen is not believed while its former holder may live: what it runs \
                 cannot be stopped, and may act at any time; nothing was changed"
            ),
            format!("look after that process. {dead}"),
        ),
    };
    let help = format!("{help} `{}` says more", desk.command("show", id, ""));
    Problem::new(Kind::TooEarly, message).help(help).wait(wait).state(StateName::Unknown)
}

/// The operation is in a state of which that cannot be said.
pub(super) fn superseded(
    desk: &Desk,
    id: &OperationId,
    record: &Record,
    state: StateName,
    said: &Resolved,
) -> Problem {
    let wanted = match said {
        Resolved::Reopened => {
            "only what is finished, refused, given up, expired or released can be reopened"
        }
        Resolved::Withdrawn => "only what waits for people's yes, or has it, can be withdrawn",
        Resolved::DidNotHappen { .. } => "only of an unknown outcome can that be said",
        Resolved::Happened { .. } | Resolved::Abandoned => {
            "only what waits for a person's word can be resolved"
        }
    };
    let message = format!("{id} is {state}, and {wanted}; nothing was changed");
    let reopen = desk.command("reopen", id, &format!("--why {}", crate::operator::word::WHY));
    let help = match state {
        StateName::Running | StateName::Reconciling => lease(record, desk),
        StateName::Unknown => {
            format!("say what happened: `{}` says how", desk.command("show", id, ""))
        }
        StateName::AwaitingApproval | StateName::Approved => {
            format!("people decide on its approval: `{}`", desk.begin_in("approvals", "ls"))
        }
        StateName::Succeeded
        | StateName::Denied
        | StateName::Abandoned
        | StateName::Expired
        | StateName::Exhausted
        | StateName::Released => format!("`{reopen}` lets it run again{}", next::again(state)),
    };
    let help = next::of_ended(record).map_or(help, |ended| ended.when().to_owned());
    Problem::new(Kind::WrongState, message).help(help).state(state)
}

/// How long somebody else holds it.
fn lease(record: &Record, desk: &Desk) -> String {
    let until = match &record.state {
        State::Running { lease_until } | State::Reconciling { lease_until, .. } => {
            format!(" at {}", time::both(*lease_until, desk.now))
        }
        _ => String::new(),
    };
    format!(
        "somebody is at it. If that process is gone, its lease runs out{until} and it becomes unknown; \
         then a person's word counts"
    )
}
