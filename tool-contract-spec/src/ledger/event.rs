//! The history of an operation, each event bound to the one before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Attempt, Fence, Timestamp};
use crate::worded::worded;

worded! {
    /// What happened to an operation. Its number goes into hashes that are kept:
    /// never give one a new meaning.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum EventKind {
        /// A person was asked.
        ApprovalRequested = 1 => "approval_requested",
        /// A person agreed.
        ApprovalGranted = 2 => "approval_granted",
        /// A person refused.
        ApprovalDenied = 3 => "approval_denied",
        /// Nobody answered in time, or the grant was not used in time; or nobody needs it
        /// any more, and the detail says who withdrew it, and why.
        ApprovalExpired = 4 => "approval_expired",
        /// A call claimed it.
        Claimed = 5 => "claimed",
        /// A call claimed it, though the same operation stands under another key.
        ClaimedReminted = 6 => "claimed_reminted",
        /// It succeeded.
        Succeeded = 7 => "succeeded",
        /// Nothing happened; the key is free again.
        Released = 8 => "released",
        /// It may have happened.
        BecameUnknown = 9 => "became_unknown",
        /// Its holder or its reconciler vanished.
        LeaseLost = 10 => "lease_lost",
        /// Somebody began to find out.
        ReconcileBegan = 11 => "reconcile_began",
        /// The reconcile function found that it happened.
        ReconciledHappened = 12 => "reconciled_happened",
        /// The reconcile function found that it did not happen.
        ReconciledDidNotHappen = 13 => "reconciled_did_not_happen",
        /// The reconcile function could not tell; a person has to.
        ReconciledCannotTell = 14 => "reconciled_cannot_tell",
        /// A person said that it happened.
        ResolvedHappened = 15 => "resolved_happened",
        /// A person said that it did not happen.
        ResolvedDidNotHappen = 16 => "resolved_did_not_happen",
        /// Its key is past its ttl.
        Expired = 17 => "expired",
        /// Attempts failed under the claim; the detail is their list.
        Attempted = 18 => "attempted",
        /// A person let it run again.
        Reopened = 19 => "reopened",
        /// The claim that follows binds more than its arguments; the detail is its
        /// fingerprint.
        Bound = 20 => "bound",
        /// A saga is about to begin a step, or has come to know what one came to; the
        /// detail is what [`crate::saga::Journal`] reads.
        Stepped = 21 => "stepped",
        /// A saga gave up, and undoes what it did; the detail is its error.
        Unwinding = 22 => "unwinding",
        /// A person gave it up: it never runs again.
        ResolvedAbandoned = 23 => "resolved_abandoned",
        /// The claim that follows is made in a workflow; the detail is its name.
        InWorkflow = 24 => "in_workflow",
        /// A saga begins on behalf of a user; the detail is the name, empty for nobody.
        OnBehalf = 25 => "on_behalf",
    }
}

/// One event of an operation's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the history, from 1.
    pub seq: u32,
    /// When, by the ledger's clock.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The newest fence of the operation then.
    pub fence: Fence,
    /// More about it: a cause, who and why; the result of an expired key; the
    /// failed attempts as JSON, which [`Event::attempts`] reads.
    pub detail: Option<String>,
    /// SHA-256 over all of this and the hash of the event before it.
    #[serde(with = "crate::hex")]
    pub hash: [u8; 32],
}

impl Event {
    /// The failed attempts of an [`Attempted`](EventKind::Attempted) event.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        let listed = self.detail.as_deref().filter(|_| self.kind == EventKind::Attempted);
        listed.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }
}

/// The end of a history: what the next event is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chain {
    /// How many events there are.
    pub length: u32,
    /// The hash of the newest.
    #[serde(with = "crate::hex")]
    pub head: [u8; 32],
}

impl Chain {
    /// Appends an event.
    pub(super) fn append(
        &mut self,
        at: Timestamp,
        fence: Fence,
        kind: EventKind,
        detail: Option<String>,
    ) -> Event {
        let mut event =
            Event { seq: self.length.saturating_add(1), at, kind, fence, detail, hash: [0; 32] };
        event.hash = link(&self.head, &event);
        self.length = event.seq;
        self.head = event.hash;
        event
    }
}

/// What the first event is bound to; it keeps these hashes apart from every
/// other use of SHA-256.
const ORIGIN: [u8; 32] = *b"tool-contract/event/v1\0\0\0\0\0\0\0\0\0\0";

/// The hash of `event` after `previous`. Every part has a fixed length but the
/// last, so no two events are written alike; without a detail all fit in one
/// block of SHA-256, and most events have none.
fn link(previous: &[u8; 32], event: &Event) -> [u8; 32] {
    let mut fixed = [0; 32 + 4 + 8 + 8 + 2];
    fixed[..32].copy_from_slice(if event.seq == 1 { &ORIGIN } else { previous });
    fixed[32..36].copy_from_slice(&event.seq.to_be_bytes());
    fixed[36..44].copy_from_slice(&event.at.0.to_be_bytes());
    fixed[44..52].copy_from_slice(&event.fence.0.to_be_bytes());
    fixed[52..].copy_from_slice(&[event.kind as u8, u8::from(event.detail.is_some())]);
    // One piece: each costs more to hand over than to hash.
    let hash = Sha256::new_with_prefix(fixed);
    let hash = event.detail.iter().fold(hash, Digest::chain_update);
    hash.finalize().into()
}

/// Where a history is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An event was changed, removed or put in.
    #[error("event {0} is not the one that was written, or one before it is missing")]
    Event(u32),
    /// The history ends before its record says.
    #[error("the history has {found} events, and its record speaks of {expected}")]
    Length {
        /// How many there are.
        found: u32,
        /// How many the record speaks of.
        expected: u32,
    },
    /// The newest event is not the one that the record is bound to.
    #[error("the newest event is not the one that the record is bound to")]
    Head,
}

/// Checks that `events` are the whole history that ends in `chain`.
///
/// # Errors
/// The first place where they are not.
pub fn verify<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    chain: &Chain,
) -> Result<(), Broken> {
    let mut seen = Chain::default();
    for event in events {
        let expected = seen.length.saturating_add(1);
        if event.seq != expected || event.hash != link(&seen.head, event) {
            return Err(Broken::Event(expected));
        }
        seen = Chain { length: event.seq, head: event.hash };
    }
    if seen.length != chain.length {
        return Err(Broken::Length { found: seen.length, expected: chain.length });
    }
    if seen.head == chain.head { Ok(()) } else { Err(Broken::Head) }
}
