//! What a ledger knows of one operation.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ApprovalId, CellId, Chain, EscalationId, Fence, Holder, Nonce, Signature, Timestamp};
use crate::operation::{OperationHash, Preimage};
use crate::policy::{Contract, Reconcile, Remint, Text};
use crate::worded::worded;

/// What a contract says that matters to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of the contract")]
pub struct Terms {
    /// How many attempts one claim reserves: `retry.max`.
    pub attempts: u32,
    /// How many attempts one key may have: `retry.max_total`.
    pub max_total: u32,
    /// Whether repeating what may have happened is harmless.
    pub repeatable: bool,
    /// Whether there is a reconcile function.
    pub reconcilable: bool,
    /// How long a claim holds without being renewed.
    pub lease: Duration,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// Whether an attempt ends at its timeout. A body that is not async cannot be
    /// stopped: it may act for as long as its process lives.
    pub stoppable: bool,
    /// How long an effect may take to become visible.
    pub settle: Duration,
    /// How long a finished key replays.
    pub ttl: Duration,
    /// Whether each replay starts the ttl again.
    pub sliding: bool,
    /// What follows when the same operation comes under another key.
    pub remint: Remint,
    /// How long an approval is good for, and how many people it takes; `None`
    /// where none is wanted.
    pub confirm: Option<(Duration, u32)>,
    /// Whether it is a saga: what it did stands on the records of its steps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub saga: bool,
    /// Whether a saga answers for it: a step before the point of no return. If it uses
    /// up its attempts, the saga sees to that, and no person has to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub covered: bool,
}

impl Terms {
    /// The terms of `contract`, for claims that hold for `lease` and bodies that
    /// are `stoppable`.
    #[must_use]
    pub fn of(contract: &Contract, lease: Duration, stoppable: bool) -> Self {
        let policy = &contract.policy;
        Self {
            attempts: if policy.is_idempotent() { policy.retry.max } else { 1 },
            max_total: if policy.is_idempotent() { policy.retry.max_total } else { 1 },
            repeatable: policy.is_repeatable(),
            reconcilable: policy.reconcile.is_some(),
            lease,
            timeout: policy.timeout,
            stoppable,
            settle: policy
                .reconcile
                .as_ref()
                .map_or(Reconcile::DEFAULT_SETTLE, |reconcile| reconcile.settle),
            ttl: policy.ttl.window,
            sliding: policy.ttl.sliding,
            remint: policy.remint,
            confirm: policy.confirm.map(|confirm| (confirm.ttl, confirm.quorum)),
            saga: false,
            covered: false,
        }
    }
}

/// One person's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// Until when it may be used.
    #[serde(default)]
    pub until: Timestamp,
    /// What the person signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// One person's no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Who.
    pub by: Arc<str>,
    /// Why.
    pub why: Arc<str>,
    /// What the person signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// A request for approval, bound to one operation and its hash.
///
/// It is what is on record, and whoever can write the ledger can write it:
/// whether it counts, a [`Ballot`](super::Ballot) says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// Its name.
    pub id: ApprovalId,
    /// On whose behalf it was asked, where the call said so.
    pub requested_by: Option<Arc<str>>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// Until when it may be granted, and then be used.
    pub expires_at: Timestamp,
    /// How many different people must agree.
    pub quorum: u32,
    /// Who agreed.
    pub grants: Vec<Grant>,
    /// Who refused, last.
    pub denied: Option<Denial>,
    /// Who refused before that, oldest first: for whom the last one does not count,
    /// one of these may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_before: Vec<Denial>,
    /// What the operation's hash is of, so that who is asked need not believe the
    /// arguments on record.
    #[serde(default)]
    pub preimage: Option<Preimage>,
}

impl ApprovalRecord {
    /// The arguments that the operation's hash leaves out.
    #[must_use]
    pub fn ignored(&self) -> Option<&str> {
        self.preimage.as_ref()?.ignored.as_deref()
    }
}

/// An outcome that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Since when.
    pub since: Timestamp,
    /// From when on "it did not happen" is believed: by then the former holder
    /// can no longer act, and an effect had time to become visible. `None` if
    /// that holder may act for as long as its process lives: then only a person
    /// who knows that it is dead is believed.
    pub believed_from: Option<Timestamp>,
    /// What is known of the cause.
    pub cause: Text,
}

/// Where an operation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A person has been asked.
    AwaitingApproval,
    /// The people who were asked agreed; it may be claimed once.
    Approved,
    /// A person refused.
    Denied {
        /// When this is forgotten, but for the key.
        expires_at: Timestamp,
    },
    /// A call holds it.
    Running {
        /// Until when, unless renewed.
        lease_until: Timestamp,
    },
    /// Nothing happened; it may be claimed.
    Released {
        /// Not before this.
        not_before: Timestamp,
    },
    /// Nothing happened, and the key, which might have been tried more than once,
    /// has had all its attempts, or failed for good where somebody counts on it: a
    /// person has to look.
    Exhausted {
        /// Should a contract come to allow more: not before this.
        not_before: Timestamp,
    },
    /// It happened.
    Succeeded {
        /// The result, as JSON.
        result: Arc<str>,
        /// Until when it is replayed.
        expires_at: Timestamp,
    },
    /// It may have happened.
    Unknown(Unknown),
    /// Somebody is finding out whether it happened.
    Reconciling {
        /// Until when, unless renewed.
        lease_until: Timestamp,
        /// What is being found out.
        unknown: Unknown,
    },
    /// A person gave it up, whether it happened or not: the key never runs again.
    Abandoned {
        /// Who, and why.
        no: Denial,
        /// When this is forgotten, but for the key.
        expires_at: Timestamp,
    },
    /// A tombstone: the key was used and is past its ttl.
    Expired,
}

worded! {
    /// A state's word.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum StateName {
        /// See [`State::AwaitingApproval`].
        AwaitingApproval => "awaiting_approval",
        /// See [`State::Approved`].
        Approved => "approved",
        /// See [`State::Denied`].
        Denied => "denied",
        /// See [`State::Running`].
        Running => "running",
        /// See [`State::Released`].
        Released => "released",
        /// See [`State::Exhausted`].
        Exhausted => "exhausted",
        /// See [`State::Succeeded`].
        Succeeded => "succeeded",
        /// See [`State::Unknown`].
        Unknown => "unknown",
        /// See [`State::Reconciling`].
        Reconciling => "reconciling",
        /// See [`State::Abandoned`].
        Abandoned => "abandoned",
        /// See [`State::Expired`].
        Expired => "expired",
    }
}

impl StateName {
    /// Whether somebody is at it, so that waiting for a change makes sense.
    #[must_use]
    pub const fn is_moving(self) -> bool {
        matches!(self, Self::Running | Self::Reconciling | Self::AwaitingApproval)
    }

    /// Whether it is in the queue of those whom nothing but a person's word moves
    /// on: what may have happened, and what was tried as often as it may be.
    #[must_use]
    pub const fn is_escalated(self) -> bool {
        matches!(self, Self::Unknown | Self::Exhausted)
    }
}

impl std::fmt::Display for StateName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl State {
    /// Its word.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::AwaitingApproval => StateName::AwaitingApproval,
            Self::Approved => StateName::Approved,
            Self::Denied { .. } => StateName::Denied,
            Self::Running { .. } => StateName::Running,
            Self::Released { .. } => StateName::Released,
            Self::Exhausted { .. } => StateName::Exhausted,
            Self::Succeeded { .. } => StateName::Succeeded,
            Self::Unknown(_) => StateName::Unknown,
            Self::Reconciling { .. } => StateName::Reconciling,
            Self::Abandoned { .. } => StateName::Abandoned,
            Self::Expired => StateName::Expired,
        }
    }
}

/// What a ledger knows of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it does: tool, contract version and arguments.
    pub hash: OperationHash,
    /// The arguments as JSON, secrets left out.
    pub arguments: Arc<str>,
    /// Where it stands.
    pub state: State,
    /// The newest claim of any kind.
    pub fence: Fence,
    /// The call that made that claim.
    pub nonce: Nonce,
    /// The runtime that made that claim.
    pub holder: Holder,
    /// How many attempts the key has had; those that a claim reserved and has
    /// not given back are counted.
    pub attempts: u32,
    /// How many of them the newest claim reserved.
    pub reserved: u32,
    /// The terms of the newest claim.
    pub terms: Arc<Terms>,
    /// Of which limits the newest claim holds slots while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<CellId>,
    /// The request for approval that stands; a spent one is gone.
    pub approval: Option<Box<ApprovalRecord>>,
    /// The name under which a person has to look at it, or had to: an unknown
    /// outcome's stays through a claim that repeats it.
    pub escalation: Option<EscalationId>,
    /// What an earlier claim left unknown, if the newest one repeats it.
    pub doubt: Option<Unknown>,
    /// What ties it to other calls.
    pub correlation_id: Option<Arc<str>>,
    /// When the key was first seen.
    pub created_at: Timestamp,
    /// When the state last changed.
    pub changed_at: Timestamp,
    /// The end of its history.
    pub chain: Chain,
}

impl Record {
    /// Whether at `now` it is finished and past its ttl, and nobody has noticed.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        match &self.state {
            State::Succeeded { expires_at, .. }
            | State::Denied { expires_at }
            | State::Abandoned { expires_at, .. } => *expires_at <= now,
            _ => false,
        }
    }

    /// Whether at `now` this record still speaks for its operation where the
    /// operation comes under another key. A released or refused one does not, for
    /// it did not happen; a finished one and one that was given up do until their
    /// ttl.
    #[must_use]
    pub fn speaks_at(&self, now: Timestamp) -> bool {
        match &self.state {
            State::Succeeded { expires_at, .. } | State::Abandoned { expires_at, .. } => {
                *expires_at > now
            }
            State::Running { .. } | State::Unknown(_) | State::Reconciling { .. } => true,
            State::AwaitingApproval
            | State::Approved
            | State::Denied { .. }
            | State::Released { .. }
            | State::Exhausted { .. }
            | State::Expired => false,
        }
    }
}
