//! Where operations are remembered.
//!
//! A ledger stores; what it may do stands in
//! [`spec::ledger`](tool_contract_spec::ledger), as pure functions. An implementation loads
//! the record of one operation, calls the function of the same name, and keeps
//! the record, the events and the cells that came of it, in one atomic,
//! durable step.

mod cached;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
mod memory;
mod pages;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(test, feature = "postgres", feature = "redis"))]
mod shared;
mod sqlite;
#[cfg(test)]
mod tests;
mod time;
mod twins;
mod waiting;

use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::key::Tenant;
pub use tool_contract_spec::ledger::{
    Admission, Admitted, ApprovalId, ApprovalRecord, ApprovalVerdict, Attempt, Ballot, Broken,
    Cell, CellId, Chain, Claim, Decided, Decision, Denial, Draw, EscalationId, Event, EventKind,
    Fence, Finding, Grant, Hold, Holder, Intent, Limited, Nonce, Note, Over, ReconcileClaim,
    ReconcileRequest, Reconciled, Record, Refusal, Renewed, Replay, Resolution, Resolved, Settled,
    Settlement, Signature, Signer, Slot, State, StateName, Statement, Terms, Timestamp, Trust,
    Twin, Undecided, Unknown, Verdict, Verifier, verify,
};

pub use self::cached::CachedLedger;
pub use self::error::LedgerError;
pub use self::memory::MemoryLedger;
pub use self::pages::Pages;
#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresLedger, PostgresOptions};
#[cfg(feature = "redis")]
pub use self::redis::{Durability as RedisDurability, RedisLedger, RedisOptions};
pub use self::sqlite::{SqliteLedger, SqliteOptions};
pub use crate::tool::BoxFuture;

/// What a ledger answers, in time.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, LedgerError>>;

/// Which operations to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Those of this tenant; `None` for those of every tenant and of none.
    pub tenant: Option<Tenant>,
    /// Those of this tool.
    pub tool: Option<String>,
    /// Those in this state. An operation whose lease ran out unseen is listed
    /// under [`StateName::Unknown`], which it is, and not under what its record
    /// still shows ([`Record::is_overdue`]); other states are as recorded.
    pub state: Option<StateName>,
    /// Only those that wait in the queue of people: see
    /// [`StateName::is_escalated`].
    pub escalated: bool,
    /// Those after this one, in the order of [`OperationId`]: for paging.
    pub after: Option<OperationId>,
    /// How many at most; 0 stands for [`Query::MOST`], and so does more.
    pub limit: usize,
}

impl Query {
    /// The most operations that one listing gives.
    pub const MOST: usize = 1_000;

    /// How many this query gives at most.
    #[must_use]
    pub const fn bound(&self) -> usize {
        if self.limit == 0 || self.limit > Self::MOST { Self::MOST } else { self.limit }
    }

    /// The states in which an operation may be; `None` if in any.
    #[must_use]
    pub fn states(&self) -> Option<Vec<StateName>> {
        let is_asked_for = |state: &StateName| {
            self.state.is_none_or(|asked| *state == asked)
                && (!self.escalated || state.is_escalated())
        };
        (self.state.is_some() || self.escalated)
            .then(|| StateName::ALL.into_iter().filter(is_asked_for).collect())
    }
}

/// Remembers operations, atomically and durably.
///
/// # Contract
///
/// * Each of [`admit`](Ledger::admit) to [`draw`](Ledger::draw) is one atomic
///   step. When it answers `Ok`, what it did is as durable as the ledger ever
///   makes anything. When it answers `Err`, it may have been done or not; the
///   caller never runs a tool on an `Err`.
/// * The step itself is the function of the same name in
///   [`spec::ledger`](tool_contract_spec::ledger), applied to the record of the operation.
/// * Fences grow over the whole life of the ledger and are never given twice.
/// * Time is the ledger's own; a caller's clock decides nothing.
/// * Dropping an answer's future does not undo the step.
/// * An admission and a settlement are lent, since the caller asks again with
///   the same one when an answer is lost; a ledger clones what it keeps.
pub trait Ledger: Send + Sync + 'static {
    /// Replays, refuses or claims.
    fn admit<'a>(&'a self, admission: &'a Admission) -> Answer<'a, Admitted>;

    /// Records what came of a claim.
    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled>;

    /// Renews the lease of a holder or a reconciler; a holder may leave a note with
    /// it, which is on record when this answers that the claim holds.
    fn renew(&self, id: OperationId, fence: Fence, note: Option<Note>) -> Answer<'_, Renewed>;

    /// Makes the caller the one reconciler of an unknown outcome.
    fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim>;

    /// Records what a reconciler found.
    fn finish_reconcile(
        &self,
        id: OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Answer<'_, Reconciled>;

    /// Records a person's word on an unknown outcome.
    fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled>;

    /// Records a person's decision on a request for approval.
    fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided>;

    /// Draws from limits without an operation: what a limited read does.
    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>>;

    /// Moves what is known of expired keys out of the way of every call: of at
    /// most `most` keys that are past their ttl. What stays is a tombstone, so that
    /// the key never runs again; [`find`](Ledger::find) and
    /// [`history`](Ledger::history) tell of it as before. It goes in small steps,
    /// and calls do not wait for it.
    ///
    /// Answers how many keys were moved: fewer than `most` if none is left.
    fn prune(&self, most: usize) -> Answer<'_, usize>;

    /// The record of one operation, as it was last written.
    fn find(&self, id: OperationId) -> Answer<'_, Option<Record>>;

    /// The history of one operation, oldest event first.
    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>>;

    /// Operations in the order of their ids.
    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>>;

    /// Returns when the operation may have changed, and at the latest after
    /// `within`. It is a hint that saves asking again: returning early or late
    /// does no harm.
    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()>;
}
