//! What can be done about an operation: the commands, ready to be copied.

use serde::Serialize;
use tool_contract_runtime::ledger::{Record, State, Timestamp};
use tool_contract_runtime::saga::Story;
use tool_contract_spec::key::OperationId;
use tool_contract_spec::saga::Stand;

use super::stand;
use crate::operator::text::plain;
use crate::operator::word::WHY;
use crate::operator::{Desk, Problem, time};

/// What stands for a result in a command; it is not JSON, so that it is not
/// taken for one.
const RESULT: &str = "--happened RESULT";

/// What stands for what a saga came to.
const OUTCOME: &str = "--happened OUTCOME";

/// That it did not happen.
const NOT: &str = "--did-not-happen";

/// One way to go on.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Next {
    when: String,
    command: Option<String>,
}

/// The ways to go on from where the operation stands, which is `record` as the
/// next step will find it. `no_tenant` says so where tenants share the key.
pub(super) fn steps(desk: &Desk, id: &OperationId, record: &Record, no_tenant: bool) -> Vec<Next> {
    let command = |verb: &str, more: &str| {
        let more = if no_tenant { format!("--no-tenant {more}") } else { more.to_owned() };
        Some(desk.command(verb, id, more.trim_end()))
    };
    let reopen = |when: &str| {
        let when = format!("{when}, though its effect may then happen again");
        vec![Next { when, command: command("reopen", &format!("--why {WHY}")) }]
    };
    let nothing = |when: String| vec![Next { when, command: None }];
    let look = |when: String| vec![Next { when, command: command("show", "") }];
    let resolve = |when: String, flags: &str| Next {
        when,
        command: command("resolve", &format!("{flags} --why {WHY}")),
    };
    let give_up = || {
        resolve(
            "to give it up: it never runs again, and its callers are told why".to_owned(),
            "--abandon",
        )
    };
    match &record.state {
        State::Unknown(unknown) => {
            let happened = "if it happened (RESULT is what its callers get, as JSON)".to_owned();
            let did_not = did_not_happen(unknown.believed_from, desk.now).into_iter();
            std::iter::once(resolve(happened, RESULT))
                .chain(did_not.map(|(when, flags)| resolve(when, flags)))
                .chain([give_up()])
                .collect()
        }
        State::Exhausted { .. } => {
            let by_hand = "if somebody did it by hand (RESULT is what its callers get, as JSON)";
            let mut steps = reopen(if stand::has_failed_for_good(record) {
                "it failed for good, and its saga cannot do without it. To let it be tried again"
            } else {
                "it has had all its attempts. To allow as many again"
            });
            steps.extend([resolve(by_hand.to_owned(), RESULT), give_up()]);
            steps
        }
        State::Running { lease_until } | State::Reconciling { lease_until, .. } => look(format!(
            "somebody is at it, until {} unless that is renewed; look again then",
            time::both(*lease_until, desk.now)
        )),
        State::AwaitingApproval => {
            let request = record.approval.as_ref().map(|approval| format!("show {}", approval.id));
            let command = request.map(|show| desk.begin_in("approvals", &show));
            vec![Next { when: "people have to agree; this says to what".to_owned(), command }]
        }
        State::Approved => nothing("it is approved: its caller may run it now".to_owned()),
        State::Released { .. } if record.terms.covered => {
            nothing("nothing happened, and its saga goes by that".to_owned())
        }
        State::Released { .. } if record.attempts >= record.terms.max_total => {
            reopen("it has had all its attempts. To allow more")
        }
        State::Released { .. } if Stand::of(Some(record)) == Stand::Waits => nothing(
            "nobody said yes in time, or that yes is spent: who calls it again asks people anew"
                .to_owned(),
        ),
        State::Released { not_before } if *not_before > desk.now => nothing(format!(
            "nothing happened: the next call with this key runs it, from {} on",
            time::both(*not_before, desk.now)
        )),
        State::Released { .. } => {
            nothing("nothing happened: the next call with this key runs it".to_owned())
        }
        State::Succeeded { .. } => {
            reopen("it happened, and nothing is left to do. To run it again")
        }
        State::Abandoned { .. } => reopen("a person gave it up. To run it again all the same"),
        State::Denied { .. } => reopen("a person refused it. To let it be asked for again"),
        State::Expired => reopen("its key was used and is past its ttl. To run it again"),
    }
}

/// The ways to go on with a saga that rests: what it waits for, with the ways to go
/// on with that; then the saga itself.
pub(crate) async fn of_saga(desk: &Desk, story: &Story) -> Result<Vec<Next>, Problem> {
    let mut next = Vec::new();
    for id in story.waits_for() {
        let Some(record) = desk.ledger.find(id.clone()).await? else { continue };
        let record = stand::at(&record, desk.now);
        let when = format!("it waits for {id}, which is {}", record.state.name());
        next.push(Next { when, command: Some(desk.command("show", &id, "")) });
        next.extend(steps(desk, &id, &record, false));
    }
    let then = if next.is_empty() { "" } else { "then " };
    let when = format!("{then}call it again with its key, or `runtime.recover()`: it goes on");
    next.push(Next { when, command: None });
    let when = "if its steps were finished or undone by hand (OUTCOME is what it came to, \
                {\"finished\":RESULT} or {\"undone\":{\"error\":WHY,\"steps\":[]}}, as JSON)";
    let say = desk.command("resolve", &story.id, &format!("{OUTCOME} --why {WHY}"));
    next.push(Next { when: when.to_owned(), command: Some(say) });
    Ok(next)
}

/// How to say that it did not happen, and when that is believed.
fn did_not_happen(from: Option<Timestamp>, now: Timestamp) -> Vec<(String, &'static str)> {
    let dead = (
        "if it did not happen, and its process is known to be dead (if that still lives, it may act on top of the \
         next call)"
            .to_owned(),
        "--did-not-happen --holder-is-dead",
    );
    match from {
        Some(from) if from <= now => vec![("if it did not happen".to_owned(), NOT)],
        Some(from) => {
            vec![(format!("if it did not happen: from {} on", time::both(from, now)), NOT), dead]
        }
        None => vec![dead],
    }
}

/// The ways to go on, for people.
pub(crate) fn told(steps: &[Next]) -> String {
    let lines = steps.iter().map(|step| {
        let command = step.command.as_ref().map(|command| format!("\n    {}", plain(command)));
        format!("  {}{}\n", step.when, command.unwrap_or_default())
    });
    lines.collect()
}
