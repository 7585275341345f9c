//! The end: the provider's count, who waits for a person, and what would have
//! happened without contracts.

use std::error::Error;
use std::io::{self, Write};

use tool_contract::Runtime;
use tool_contract::ledger::{Query, StateName, verify};

use crate::incidents::{Incident, Verb};
use crate::money::Money;
use crate::page::Page;
use crate::promises::Promises;
use crate::provider::books::Accounts;
use crate::tools::order_status;

/// The provider's own count, and what the agent's own tool says of it.
pub(crate) async fn count<W: Write>(
    runtime: &Runtime,
    books: &Accounts,
    incidents: &[Incident],
    promises: &mut Promises,
    page: &mut Page<W>,
) -> Result<(), Box<dyn Error>> {
    page.line(&format!(
        "{:<14}{:>8}{:>14}{:>10}{:>16}",
        "", "charges", "amount", "requests", "order_status"
    ))?;
    for Incident { subject, .. } in
        incidents.iter().filter(|incident| incident.verb == Verb::Charged)
    {
        let charges = books.charges.iter().filter(|charge| charge.order_id == *subject);
        let (count, cents) =
            charges.fold((0, 0), |(count, cents), charge| (count + 1, cents + charge.cents.0));
        let seen =
            order_status((*subject).to_owned()).correlation_id("audit").call(runtime).await?;
        promises.seen(subject, seen.cents, Money(cents));
        let (amount, requests) = (Money(cents).to_string(), books.requests(subject));
        page.line(&format!(
            "{subject:<14}{count:>8}{amount:>14}{requests:>10}{:>16}",
            seen.cents.to_string()
        ))?;
    }
    Ok(())
}

/// What waits for a person; returns how much that is.
pub(crate) async fn waiting<W: Write>(
    runtime: &Runtime,
    promises: &mut Promises,
    page: &mut Page<W>,
) -> Result<usize, Box<dyn Error>> {
    let Some(ledger) = runtime.ledger() else { return Ok(0) };
    let mut count = 0;
    for (id, record) in ledger.list(Query::default()).await? {
        let history = ledger.history(id.clone()).await?;
        promises.unbroken(&id, verify(&history, &record.chain).is_ok());
        let unknown = record.escalation.filter(|_| record.state.name() == StateName::Unknown);
        let Some(escalation) = unknown else { continue };
        page.line(&format!("{escalation}: did `{}` happen? {}", id.tool, record.arguments))?;
        let events: Vec<_> = history.iter().map(|event| event.kind.as_str()).collect();
        page.says("key", id.key.as_str())?;
        page.says("history", &events.join(", "))?;
        count += 1;
    }
    Ok(count)
}

/// What happened with contracts, and what without.
pub(crate) fn compare<W: Write>(
    with: &Accounts,
    without: &Accounts,
    incidents: &[Incident],
    page: &mut Page<W>,
) -> io::Result<()> {
    page.line(&format!("{:<14}{:<30}{:<32}", "", "with contracts", "without contracts"))?;
    for Incident { subject, verb, effects, .. } in incidents {
        let with = cell(*verb, with, subject);
        let harm = harm(*verb, *effects, without.effects(subject));
        let without = cell(*verb, without, subject);
        page.line(&format!("{subject:<14}{with:<30}{without:<32}{harm}"))?;
    }
    Ok(())
}

fn cell(verb: Verb, books: &Accounts, subject: &str) -> String {
    let requests = books.requests(subject);
    let s = if requests == 1 { "" } else { "s" };
    format!("{}, {requests} request{s}", done(verb, books.effects(subject)))
}

/// `charged 3 times`.
pub(crate) fn done(verb: Verb, times: usize) -> String {
    let verb = match verb {
        Verb::Charged => "charged",
        Verb::Mailed => "mailed",
        Verb::Closed => "closed",
    };
    match times {
        0 => format!("not {verb}"),
        1 => format!("{verb} once"),
        2 => format!("{verb} twice"),
        times => format!("{verb} {times} times"),
    }
}

fn harm(verb: Verb, wanted: usize, without: usize) -> String {
    match (verb, without.checked_sub(wanted)) {
        (_, None) => "<- never".to_owned(),
        (Verb::Closed, _) => "<- unasked".to_owned(),
        (_, Some(0)) => String::new(),
        (_, Some(more)) => format!("<- {more} too many"),
    }
}
