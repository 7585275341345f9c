//! What can be done about an operation: the commands, ready to be copied.

mod saga;

use serde::Serialize;
use tool_contract_runtime::ledger::{Record, State, StateName, Timestamp};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::saga::Ended;

use super::part::Part;
use super::stand;
use crate::operator::text::plain;
use crate::operator::word::WHY;
use crate::operator::{Desk, time};

/// What stands for a result in a command; it is not JSON, so that it is not
/// taken for one.
const RESULT: &str = "--happened RESULT";

/// Of a step, that its saga has ended.
const OVER: &str = "its saga has ended, and calls it no more: a new try is a new key";

/// That it did not happen.
const NOT: &str = "--did-not-happen";

pub(crate) use saga::of_saga;

/// One way to go on.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Next {
    when: String,
    command: Option<String>,
}

impl Next {
    /// When, in words.
    pub(super) fn when(&self) -> &str {
        &self.when
    }

    pub(crate) fn new(when: impl Into<String>, command: Option<String>) -> Self {
        Self { when: when.into(), command }
    }
}

/// The ways to go on from where the operation stands, which is `record` as the
/// next step will find it, and as what it is in its saga. `no_tenant` says so where
/// tenants share the key.
pub(crate) fn steps(
    desk: &Desk,
    id: &OperationId,
    record: &Record,
    part: Option<Part>,
    no_tenant: bool,
) -> Vec<Next> {
    let command = |verb: &str, more: &str| {
        let more = if no_tenant { format!("--no-tenant {more}") } else { more.to_owned() };
        Some(desk.command(verb, id, more.trim_end()))
    };
    let nothing = |when: String| vec![Next { when, command: None }];
    let reopen = |when: &str| {
        if part == Some(Part::Over) {
            return nothing(OVER.to_owned());
        }
        let when = format!("{when}{}", again(record.state.name()));
        vec![Next { when, command: command("reopen", &format!("--why {WHY}")) }]
    };
    let look = |when: String| vec![Next { when, command: command("show", "") }];
    let resolve = |when: String, flags: &str| Next {
        when,
        command: command("resolve", &format!("{flags} --why {WHY}")),
    };
    let give_up = || {
        let then = match part {
            Some(Part::CountedOn) => "its saga then waits for your word on the whole",
            _ => "its callers are told why",
        };
        resolve(format!("to give it up: it never runs again, and {then}"), "--abandon")
    };
    if let Some(ended) = of_ended(record) {
        return vec![ended];
    }
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
        State::Approved => nothing(approved(part).to_owned()),
        State::Released { .. } if part == Some(Part::Over) => nothing(OVER.to_owned()),
        State::Released { .. } if stand::asks_anew(record) => nothing(unanswered(record, part)),
        State::Released { .. } if record.terms.covered => {
            nothing("nothing happened, and its saga goes by that".to_owned())
        }
        State::Released { .. } if record.attempts >= record.terms.max_total => {
            reopen("it has had all its attempts. To allow more")
        }
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

/// What follows of a saga that has ended; `None` of anything else.
pub(crate) fn of_ended(record: &Record) -> Option<Next> {
    let when = match stand::came_to(record)? {
        Ended::Finished => "it finished, and answers the same again: to do it anew takes a new key",
        Ended::Undone => "it is undone, and answers the same again: a new try is a new key",
    };
    Some(Next::new(when, None))
}

/// What to say where what is reopened may have happened before.
pub(super) const fn again(state: StateName) -> &'static str {
    match state {
        StateName::Denied | StateName::Exhausted | StateName::Released => "",
        _ => ", though its effect may then happen again",
    }
}

const fn approved(part: Option<Part>) -> &'static str {
    match part {
        None => "it is approved: its caller may run it now",
        Some(Part::Over) => OVER,
        Some(_) => "it is approved: it runs when its saga goes on",
    }
}

/// That nothing of it runs before people were asked anew.
pub(crate) fn unanswered(record: &Record, part: Option<Part>) -> String {
    let why = if stand::is_unanswered(record) {
        "nobody answered in time, or the yes ran out unused"
    } else {
        "its yes is spent"
    };
    let who = match part {
        None => "its caller calls it again, people are asked anew",
        Some(_) => {
            "the caller of its saga calls that again, people are asked anew (`recover` does not ask)"
        }
    };
    format!("{why}: when {who}")
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
