//! A ledger on a store that many machines share.
//!
//! The rules stay where they are: here, too, each step is the transition of
//! [`tool_contract_spec::ledger`], carried out on this side. The store knows
//! records by their version and has one atomic step, compare and exchange:
//!
//! 1. A proposal is made of what is known already. Most calls are new, so an
//!    admission proposes as if the key had never been seen; a holder that settles
//!    knows the record that it wrote.
//! 2. The store writes it if nothing has changed, or else answers with what there
//!    is. If that lets the step change nothing (a replay, a refusal), it is the
//!    answer; otherwise the next proposal is made of it.
//!
//! So admission, replay and settlement each take one round trip, and a store has
//! no rule to get wrong but one: limits are drawn where the proposal is written,
//! for there callers meet.
//!
//! # Time
//!
//! Time is the store's. What a proposal is dated with is never later than that
//! clock: it was told by the store, and counted on by a clock that never steps
//! back. So a lease ends in the ledger before its holder stops believing in it
//! by no more than the ledger says: the holder is told the store's time at which
//! it was written. Where the date must not be *earlier* than what it follows (an
//! outcome that is unknown from now on, a look of a reconciler), the store is
//! asked for its time first.

mod fences;
mod held;
mod step;
mod store;
mod time;

#[cfg(test)]
pub(in crate::ledger) mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    Verdict, admit, begin_reconcile, decide_approval, finish_reconcile, renew, resolve, settle,
};

use self::fences::Fences;
use self::held::Held;
use self::step::{From, Known, Proposal};
pub(crate) use self::store::{Exchange, Exchanged, Found, Put, Store, TwinFound, Twins, Versioned};
use self::time::StoreTime;
use super::{
    Admission, Admitted, Answer, BoxFuture, Cell, Decided, Decision, Draw, Event, Fence, Finding,
    Ledger, Limited, Note, Query, ReconcileClaim, ReconcileRequest, Reconciled, Record, Refusal,
    Renewed, Resolution, Settled, Settlement,
};
use crate::clock::Clock;

/// Makes a ledger of the type whose field `$shared` is a [`SharedLedger`]. It is
/// used where all that `Ledger` names is in scope.
#[cfg(any(feature = "postgres", feature = "redis"))]
macro_rules! is_shared {
    ($ledger:ty, $shared:tt) => {
        impl Ledger for $ledger {
            fn admit<'a>(&'a self, admission: &'a Admission) -> Answer<'a, Admitted> {
                self.$shared.admit(admission)
            }

            fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled> {
                self.$shared.settle(settlement)
            }

            fn renew(
                &self,
                id: OperationId,
                fence: Fence,
                note: Option<Note>,
            ) -> Answer<'_, Renewed> {
                self.$shared.renew(id, fence, note)
            }

            fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
                self.$shared.begin_reconcile(request)
            }

            fn finish_reconcile(
                &self,
                id: OperationId,
                fence: Fence,
                finding: Finding,
            ) -> Answer<'_, Reconciled> {
                self.$shared.finish_reconcile(id, fence, finding)
            }

            fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled> {
                self.$shared.resolve(resolution)
            }

            fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided> {
                self.$shared.decide_approval(decision)
            }

            fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
                self.$shared.draw(draws)
            }

            fn prune(&self, most: usize) -> Answer<'_, usize> {
                self.$shared.prune(most)
            }

            fn find(&self, id: OperationId) -> Answer<'_, Option<Record>> {
                self.$shared.find(id)
            }

            fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
                self.$shared.history(id)
            }

            fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
                self.$shared.list(query)
            }

            fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
                self.$shared.changed(id, within)
            }
        }
    };
}
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(super) use is_shared;

/// A ledger on a shared store.
pub(crate) struct SharedLedger<S> {
    store: S,
    time: StoreTime,
    fences: Fences,
    held: Held,
}

impl<S: Store> SharedLedger<S> {
    pub(crate) fn new(store: S, clock: Arc<dyn Clock>) -> Self {
        let time = StoreTime::new(clock);
        Self { store, time, fences: Fences::default(), held: Held::default() }
    }

    #[cfg(all(test, feature = "postgres"))]
    pub(crate) const fn store(&self) -> &S {
        &self.store
    }
}

impl<S: Store + fmt::Debug> fmt::Debug for SharedLedger<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

impl<S: Store> Ledger for SharedLedger<S> {
    fn admit<'a>(&'a self, request: &'a Admission) -> Answer<'a, Admitted> {
        Box::pin(async move {
            let (known, hash) = (Known::Guess(From::Nothing), Some(request.hash));
            let admitted = self.step(&request.id, known, hash, |slot, twin, around| {
                // The store draws; here there is always room.
                let mut cells = vec![Cell::default(); request.draws.len()];
                let step = admit(slot, request, twin, &mut cells, around);
                let drew = request.draws.iter().zip(&cells);
                let drew = drew.filter(|(_, cell)| **cell != Cell::default());
                let draws = drew.map(|(draw, _)| draw.clone()).collect();
                Proposal { step, draws }
            });
            match admitted.await? {
                Ok((Admitted::Claimed(claim), now)) => {
                    Ok(Admitted::Claimed(super::Claim { now, ..claim }))
                }
                Ok((admitted, _)) => Ok(admitted),
                Err(limited) => {
                    self.notice(&request.id).await?;
                    Ok(Admitted::Refused(Refusal::Limited(limited)))
                }
            }
        })
    }

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled> {
        Box::pin(async move {
            // What is unknown from now on must not be dated earlier.
            let may_guess = !matches!(settlement.verdict, Verdict::Unknown { .. });
            let known = if may_guess { self.held(&settlement.id) } else { Known::Nothing };
            self.change(&settlement.id, known, |slot, around| settle(slot, settlement, around))
                .await
        })
    }

    fn renew(&self, id: OperationId, fence: Fence, note: Option<Note>) -> Answer<'_, Renewed> {
        Box::pin(async move {
            let known = self.held(&id);
            let renewed = self.step(&id, known, None, |slot, _, around| {
                Proposal::of(renew(slot, fence, note.as_ref(), around))
            });
            Ok(match renewed.await? {
                Ok((Renewed::Until { lease_until, .. }, now)) => {
                    Renewed::Until { lease_until, now }
                }
                Ok((lost, _)) => lost,
                Err(_) => Renewed::Lost { state: None },
            })
        })
    }

    fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
        Box::pin(async move {
            self.change(&request.id, Known::Nothing, |slot, around| {
                begin_reconcile(slot, &request, around)
            })
            .await
        })
    }

    fn finish_reconcile(
        &self,
        id: OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Answer<'_, Reconciled> {
        Box::pin(async move {
            self.change(&id, Known::Nothing, |slot, around| {
                finish_reconcile(slot, fence, &finding, around)
            })
            .await
        })
    }

    fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled> {
        Box::pin(async move {
            self.change(&resolution.id, Known::Nothing, |slot, around| {
                resolve(slot, &resolution, around)
            })
            .await
        })
    }

    fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided> {
        Box::pin(async move {
            self.change(&decision.id, Known::Nothing, |slot, around| {
                decide_approval(slot, &decision, around)
            })
            .await
        })
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        self.store.draw(draws)
    }

    fn prune(&self, most: usize) -> Answer<'_, usize> {
        Box::pin(async move {
            let over = self.store.over(most).await?;
            for id in &over {
                self.notice(id).await?;
                self.store.archive(id.clone()).await?;
            }
            Ok(over.len())
        })
    }

    fn find(&self, id: OperationId) -> Answer<'_, Option<Record>> {
        Box::pin(async move {
            let found = self.look(&id, None).await?;
            Ok(found.record.map(|versioned| versioned.record))
        })
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        self.store.history(id)
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        self.store.list(query)
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        self.store.changed(id, within)
    }
}
