//! What a shared store must be able to do.

use std::time::Duration;

use tool_contract_spec::key::{IdempotencyKey, OperationId};
use tool_contract_spec::operation::OperationHash;

use crate::ledger::{
    Answer, BoxFuture, Draw, Event, Fence, Hold, Limited, Query, Record, Slot, Timestamp, Twin,
};

/// A store of records by version.
pub(crate) trait Store: Send + Sync + 'static {
    /// Writes what is proposed if what it builds on still holds, or says what
    /// there is. One atomic, durable step.
    fn exchange(&self, exchange: Exchange) -> Answer<'_, Exchanged>;

    /// Reserves `count` fences, and gives the first: none of them was or will be
    /// given to anybody else, nor any smaller one after them.
    fn reserve_fences(&self, count: u64) -> Answer<'_, Fence>;

    /// Draws from all limits, or from none.
    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>>;

    /// At most `most` operations that are finished and past their ttl (see
    /// [`Record::is_over`]), or expired and not archived yet.
    fn over(&self, most: usize) -> Answer<'_, Vec<OperationId>>;

    /// Moves the history of an expired operation, and what else no call asks for,
    /// out of the way. [`Store::history`] still finds it.
    fn archive(&self, id: OperationId) -> Answer<'_, ()>;

    /// The history of one operation, oldest event first.
    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>>;

    /// Operations in the order of their ids.
    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>>;

    /// Returns when the operation may have changed, at the latest after `within`.
    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()>;
}

/// One step on one operation.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// Which operation.
    pub(crate) id: OperationId,
    /// Of what hash to give the twins, should there be no record under the key. One
    /// that is then proposed has that hash, as has one with [twins](Put::twins).
    pub(crate) hash: Option<OperationHash>,
    /// What to write; `None` to look.
    pub(crate) put: Option<Put>,
}

/// A proposal: what is to be written, and what it builds on.
#[derive(Debug, Clone)]
pub(crate) struct Put {
    /// The version that the record has; 0 if there is none.
    pub(crate) expected: u64,
    /// What is known of its twins; `None` if they do not matter.
    pub(crate) twins: Option<Twins>,
    /// The time that it is dated with. If it is later than the store's, or
    /// earlier by more than [`Put::OLDEST`], nothing is written and
    /// [`Exchanged::Found`] tells the time.
    pub(crate) at: Timestamp,
    /// The record, to become version `expected + 1`.
    pub(crate) record: Record,
    /// What to append to its history.
    pub(crate) events: Vec<Event>,
    /// What to draw from limits first, for the [slot](Put::slot). If one has no
    /// room, nothing is written.
    pub(crate) draws: Vec<Draw>,
    /// What to do then to slots that were held before, each by [`Cell::hold`].
    ///
    /// [`Cell::hold`]: crate::ledger::Cell::hold
    pub(crate) holds: Vec<Hold>,
}

impl Put {
    /// How much earlier than the store's time a proposal may be dated.
    pub(crate) const OLDEST: Duration = Duration::from_secs(5);

    /// The slot that a claim takes where calls at a time are counted.
    pub(crate) fn slot(&self) -> Option<Slot> {
        Slot::of(&self.record)
    }
}

/// What is known of the twins of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Twins {
    /// Their hash: that of the [exchange](Exchange::hash).
    pub(crate) hash: OperationHash,
    /// All that a look shows of them (see [`Found::twins`]), newest first: key and version.
    pub(crate) seen: Vec<(IdempotencyKey, u64)>,
}

/// What came of a step.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "it is moved a few times, and a box costs more")]
pub(crate) enum Exchanged {
    /// It is written.
    Put {
        /// The time of the store.
        now: Timestamp,
    },
    /// A limit has no room; nothing is written.
    Limited {
        /// Which.
        limited: Limited,
        /// The time of the store.
        now: Timestamp,
    },
    /// Nothing is written: this is what there is.
    Found(Found),
}

/// What a store knows of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The time of the store.
    pub(crate) now: Timestamp,
    /// Its record.
    pub(crate) record: Option<Versioned>,
    /// If there is none: the twins, newest fence first, at most
    /// [`Twin::LOOK_BACK`] of those that were ever claimed.
    pub(crate) twins: Vec<TwinFound>,
}

/// A record and its version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Versioned {
    pub(crate) version: u64,
    pub(crate) record: Record,
}

/// A twin and its version.
#[derive(Debug, Clone)]
pub(crate) struct TwinFound {
    pub(crate) version: u64,
    pub(crate) twin: Twin,
}
