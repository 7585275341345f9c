//! A cache of finished results in front of a ledger.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::operation::OperationHash;

use super::{
    Admission, Admitted, Answer, BoxFuture, Decided, Decision, Draw, Event, Fence, Finding, Ledger,
    Limited, Note, Query, ReconcileClaim, ReconcileRequest, Reconciled, Record, Renewed, Replay,
    Resolution, Settled, Settlement,
};
use crate::clock::{Clock, SystemClock};

/// A cache of finished results in front of a ledger, so that an agent that repeats
/// itself costs no round trip.
///
/// Only results are cached, which nothing changes but a person's word
/// ([`Ledger::resolve`]) and the end of their ttl. A word that comes through this
/// cache holds at once. One that comes through another process shows after
/// [`max_age`](CachedLedger::max_age) at the latest; until then the old result is
/// replayed, and nothing runs. All else is asked of the ledger, and a key with a
/// sliding ttl always is.
///
/// ```
/// # use tool_contract_runtime as tool_contract;
/// use tool_contract::ledger::{CachedLedger, MemoryLedger};
///
/// let ledger = CachedLedger::new(MemoryLedger::new()).capacity(50_000);
/// ```
pub struct CachedLedger {
    inner: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    capacity: usize,
    max_age: Duration,
    shelf: Mutex<Shelf>,
}

/// What is cached, in two halves: what was not used while the newer half filled
/// up is dropped with the older one.
#[derive(Default)]
struct Shelf {
    newer: HashMap<OperationId, Cached>,
    older: HashMap<OperationId, Cached>,
    /// How often a person's word made something false. What was asked before the
    /// newest is not cached.
    words: u64,
}

#[derive(Clone)]
struct Cached {
    hash: OperationHash,
    replay: Replay,
    /// When the ledger was asked, by the clock that only counts.
    asked_at: Duration,
}

impl CachedLedger {
    /// How many results are cached, unless said otherwise.
    pub const CAPACITY: usize = 10_000;

    /// For how long a result is, unless said otherwise.
    pub const MAX_AGE: Duration = Duration::from_secs(1);

    /// A cache in front of `ledger`.
    pub fn new(ledger: impl Ledger) -> Self {
        Self {
            inner: Arc::new(ledger),
            clock: Arc::new(SystemClock::new()),
            capacity: Self::CAPACITY,
            max_age: Self::MAX_AGE,
            shelf: Mutex::default(),
        }
    }

    /// Caches at most so many results; 0 caches none.
    #[must_use]
    pub const fn capacity(mut self, results: usize) -> Self {
        self.capacity = results;
        self
    }

    /// Asks the ledger again for a result that was asked for longer ago.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Lives by this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result, if it is cached, and young enough.
    fn find(&self, request: &Admission, now: Duration) -> Option<Replay> {
        let mut kept = self.shelf();
        let cached = kept.get(&request.id, self.capacity)?;
        let is_young = now.saturating_sub(cached.asked_at) < self.max_age;
        (is_young && cached.hash == request.hash).then(|| cached.replay.clone())
    }

    async fn ask(&self, request: &Admission) -> Result<Admitted, super::LedgerError> {
        let (words, asked_at) = (self.shelf().words, self.clock.elapsed());
        let admitted = self.inner.admit(request).await?;
        if let Admitted::Replay(replay) = &admitted
            && replay.reminted_from.is_none()
            && !request.terms.sliding
        {
            let cached = Cached { hash: request.hash, replay: replay.clone(), asked_at };
            let mut kept = self.shelf();
            if kept.words == words {
                kept.put(&request.id, cached, self.capacity);
            }
        }
        Ok(admitted)
    }
}

impl Shelf {
    /// What is cached; it stays in the newer half, or comes there.
    fn get(&mut self, id: &OperationId, capacity: usize) -> Option<&Cached> {
        if let Some(cached) = self.older.remove(id) {
            self.put(id, cached, capacity);
        }
        self.newer.get(id)
    }

    fn put(&mut self, id: &OperationId, cached: Cached, capacity: usize) {
        self.forget(id);
        if self.newer.len() >= capacity / 2 {
            self.older = std::mem::take(&mut self.newer);
        }
        if capacity >= 2 {
            self.newer.insert(id.clone(), cached);
        }
    }

    fn forget(&mut self, id: &OperationId) {
        self.newer.remove(id);
        self.older.remove(id);
    }
}

impl Ledger for CachedLedger {
    fn admit<'a>(&'a self, request: &'a Admission) -> Answer<'a, Admitted> {
        match self.find(request, self.clock.elapsed()) {
            Some(replay) => Box::pin(std::future::ready(Ok(Admitted::Replay(replay)))),
            None => Box::pin(self.ask(request)),
        }
    }

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled> {
        self.inner.settle(settlement)
    }

    fn renew(&self, id: OperationId, fence: Fence, note: Option<Note>) -> Answer<'_, Renewed> {
        self.inner.renew(id, fence, note)
    }

    fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
        self.inner.begin_reconcile(request)
    }

    fn finish_reconcile(
        &self,
        id: OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Answer<'_, Reconciled> {
        self.inner.finish_reconcile(id, fence, finding)
    }

    fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled> {
        Box::pin(async move {
            let id = resolution.id.clone();
            let resolved = self.inner.resolve(resolution).await;
            // Also after an error: it may have been carried out.
            let mut kept = self.shelf();
            kept.words += 1;
            kept.forget(&id);
            resolved
        })
    }

    fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided> {
        self.inner.decide_approval(decision)
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        self.inner.draw(draws)
    }

    fn prune(&self, most: usize) -> Answer<'_, usize> {
        self.inner.prune(most)
    }

    fn find(&self, id: OperationId) -> Answer<'_, Option<Record>> {
        self.inner.find(id)
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        self.inner.history(id)
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        self.inner.list(query)
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        self.inner.changed(id, within)
    }
}

impl fmt::Debug for CachedLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedLedger").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
