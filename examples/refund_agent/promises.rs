//! What this example claims, held against what happened.

use std::io::{self, Write};

use tool_contract::Status;
use tool_contract::spec::key::OperationId;

use crate::incidents::Incident;
use crate::money::Money;
use crate::page::Page;
use crate::provider::books::Accounts;
use crate::report::done;

/// What was promised and did not come true.
#[derive(Default)]
pub(crate) struct Promises {
    broken: Vec<String>,
    kept: usize,
}

impl Promises {
    fn hold(&mut self, is_kept: bool, promise: impl FnOnce() -> String) {
        if is_kept {
            self.kept += 1;
        } else {
            self.broken.push(promise());
        }
    }

    /// The agent is told the truth.
    pub(crate) fn heard(&mut self, incident: &Incident, heard: Option<Status>) {
        let Incident { subject, heard: wanted, .. } = incident;
        self.hold(heard == Some(*wanted), || {
            format!("{subject}: the agent hears {wanted:?}, and it heard {heard:?}")
        });
    }

    /// Once with contracts, or not at all.
    pub(crate) fn with(&mut self, incidents: &[Incident], books: &Accounts) {
        for Incident { subject, effects, verb, .. } in incidents {
            let times = books.effects(subject);
            let promise = || {
                format!(
                    "{subject}: {} with contracts, and was {times} times",
                    done(*verb, *effects)
                )
            };
            self.hold(times == *effects, promise);
        }
    }

    /// As often as was said without.
    pub(crate) fn without(&mut self, incidents: &[Incident], books: &Accounts) {
        for Incident { subject, without, verb, .. } in incidents {
            let times = books.effects(subject);
            let promise =
                || format!("{subject}: {} without, and was {times} times", done(*verb, *without));
            self.hold(times == *without, promise);
        }
    }

    /// What the tools say is what the provider did.
    pub(crate) fn seen(&mut self, subject: &str, seen: Money, charged: Money) {
        self.hold(seen == charged, || {
            format!("{subject}: `order_status` says {seen}, and {charged} was charged")
        });
    }

    /// Nobody has changed the ledger's histories.
    pub(crate) fn unbroken(&mut self, id: &OperationId, is_unbroken: bool) {
        self.hold(is_unbroken, || format!("{id}: its history is not what was written"));
    }

    /// What is unknown waits for a person, and nothing else does.
    pub(crate) fn waiting(&mut self, incidents: &[Incident], waiting: usize) {
        let wanted = incidents.iter().filter(|incident| incident.heard == Status::Unknown).count();
        self.hold(waiting == wanted, || format!("{wanted} wait for a person, and {waiting} did"));
    }

    /// Says how it went; returns whether every promise was kept.
    pub(crate) fn tell<W: Write>(&self, page: &mut Page<W>) -> io::Result<bool> {
        for promise in &self.broken {
            page.line(&format!("BROKEN PROMISE  {promise}"))?;
        }
        page.line(&format!("{} promises kept, {} broken.", self.kept, self.broken.len()))?;
        Ok(self.broken.is_empty())
    }
}
