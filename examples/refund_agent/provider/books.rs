//! What the provider did, and for whom: the only count that matters.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::money::Money;

/// How long it wants to be left alone when it says 429 for the first time.
const QUIET: Duration = Duration::from_secs(1);

/// What a card on file is good for.
const CARD_LIMIT: Money = Money(100_000);

/// One charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charge {
    /// Its name.
    pub(crate) id: String,
    pub(crate) order_id: String,
    pub(crate) cents: Money,
}

/// A line of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The order or the customer that it is about.
    pub(crate) subject: String,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// What a line of the journal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Somebody looked.
    Look,
    /// Somebody wanted something done, and it was not.
    NotDone,
    /// The world changed.
    Done,
}

/// What the provider shows to whoever audits it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Accounts {
    pub(crate) charges: Vec<Charge>,
    pub(crate) journal: Vec<Entry>,
}

impl Accounts {
    /// How often something was done about `subject`.
    pub(crate) fn effects(&self, subject: &str) -> usize {
        self.about(subject).filter(|entry| entry.kind == Kind::Done).count()
    }

    /// How often somebody wanted something done about `subject`.
    pub(crate) fn requests(&self, subject: &str) -> usize {
        self.about(subject).filter(|entry| entry.kind != Kind::Look).count()
    }

    /// What was noted about `subject`, oldest first.
    pub(crate) fn about<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.journal.iter().filter(move |entry| entry.subject == subject)
    }
}

/// The provider's memory.
#[derive(Default)]
pub(super) struct Books {
    pub(super) open: Accounts,
    script: HashMap<String, VecDeque<Fault>>,
    quiet: HashMap<String, Quiet>,
}

/// How long it wants to be left alone. Who comes too early waits twice as long.
struct Quiet {
    span: Duration,
    until: Instant,
}

impl Quiet {
    fn of(now: Instant, span: Duration) -> Self {
        Self { span, until: now + span }
    }
}

impl Books {
    pub(super) fn script(&mut self, subject: String, faults: Vec<Fault>) {
        self.script.insert(subject, faults.into());
    }

    /// What goes wrong with the next request about `subject`.
    pub(super) fn next_fault(&mut self, subject: &str) -> Option<Fault> {
        let now = Instant::now();
        if let Some(quiet) = self.quiet.get_mut(subject).filter(|quiet| now < quiet.until) {
            *quiet = Quiet::of(now, quiet.span * 2);
            return Some(Fault::RateLimited);
        }
        let fault = self.script.get_mut(subject)?.pop_front();
        if fault == Some(Fault::RateLimited) {
            self.quiet.insert(subject.to_owned(), Quiet::of(now, QUIET));
        }
        fault
    }

    /// How long it wants to hear nothing about `subject`.
    pub(super) fn retry_after(&self, subject: &str) -> Duration {
        self.quiet.get(subject).map_or(QUIET, |quiet| quiet.span)
    }

    pub(super) fn note(&mut self, subject: &str, kind: Kind, text: String) {
        self.open.journal.push(Entry { subject: subject.to_owned(), kind, text });
    }

    /// Charges, unless the card is not good for it.
    pub(super) fn charge(&mut self, order_id: &str, cents: Money) -> Result<Charge, &'static str> {
        if cents > CARD_LIMIT {
            return Err("the card is not good for that much");
        }
        let id = format!("ch_{}", self.open.charges.len() + 1);
        let charge = Charge { id, order_id: order_id.to_owned(), cents };
        self.open.charges.push(charge.clone());
        Ok(charge)
    }

    pub(super) fn charges_of(&self, order_id: &str) -> Vec<Charge> {
        self.open.charges.iter().filter(|charge| charge.order_id == order_id).cloned().collect()
    }
}
