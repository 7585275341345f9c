//! A call that asks to be admitted, and what it is told.

use std::sync::Arc;
use std::time::Duration;

use super::{
    ApprovalId, Ballot, Draw, EscalationId, Fence, Holder, Limited, Nonce, Record, StateName,
    Terms, Timestamp, Trust,
};
use crate::key::{IdempotencyKey, OperationId};
use crate::operation::{Fingerprint, OperationHash, Preimage};
use crate::policy::Text;

/// What a call wants of its admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To run.
    Claim,
    /// To be approved, and not to run yet.
    RequestApproval,
}

/// A call that asks to be admitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// Which operation.
    pub id: OperationId,
    /// What it does.
    pub hash: OperationHash,
    /// Its arguments as JSON, secrets left out.
    pub arguments: Arc<str>,
    /// The call's own name, the same when it asks again.
    pub nonce: Nonce,
    /// The runtime that asks.
    pub holder: Holder,
    /// What its contract says.
    pub terms: Arc<Terms>,
    /// What it wants.
    pub intent: Intent,
    /// The approval that it brings.
    pub approval: Option<ApprovalId>,
    /// On whose behalf it is made.
    pub requested_by: Option<Arc<str>>,
    /// What it draws from limits if it claims.
    pub draws: Vec<Draw>,
    /// What ties it to other calls.
    pub correlation_id: Option<Arc<str>>,
    /// What it binds besides its arguments; the hash covers it.
    pub fingerprint: Option<Fingerprint>,
    /// The workflow to be noted, where others are to go on with the call: that of a
    /// saga.
    pub workflow: Option<Arc<str>>,
    /// What its hash is of, for who is asked to approve it.
    pub preimage: Option<Preimage>,
    /// Whose approval counts.
    pub trust: Trust,
}

impl Admission {
    /// This call's view of a request for approval: all but the request itself
    /// and who agreed is its own, and nothing of it from the record.
    #[must_use]
    pub fn ballot(&self, now: Timestamp) -> Ballot<'_> {
        Ballot {
            id: &self.id,
            hash: &self.hash,
            ignored: self.preimage.as_ref().and_then(|preimage| preimage.ignored.as_deref()),
            requested_by: self.requested_by.as_deref(),
            trust: &self.trust,
            now,
        }
    }
}

/// A right to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What the holder shows at settlement.
    pub fence: Fence,
    /// Attempts that the key had before.
    pub attempts_before: u32,
    /// Attempts that this claim may use. At least 1.
    pub attempts: u32,
    /// Until when it holds, unless renewed.
    pub lease_until: Timestamp,
    /// The time of the ledger.
    pub now: Timestamp,
    /// Whether an earlier attempt may have happened: the claim was given all
    /// the same, because repetition is harmless.
    pub in_doubt: bool,
    /// Whether nobody has claimed it before. One whose reply was lost may be told
    /// `false`.
    pub is_first: bool,
    /// The same operation's key, where it stands under another one.
    pub reminted_from: Option<IdempotencyKey>,
    /// The request whose grant it uses.
    pub approval: Option<ApprovalId>,
}

/// A finished operation's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The result, as JSON.
    pub result: Arc<str>,
    /// Attempts that it took.
    pub attempts: u32,
    /// The key under which it stands, where it is not the one that was asked.
    pub reminted_from: Option<IdempotencyKey>,
}

/// Why a call does not run. Nothing was executed, and nothing is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The key stands for other arguments.
    Conflict {
        /// Where that operation stands.
        state: StateName,
    },
    /// The key was used and is past its ttl.
    Expired,
    /// Another call holds the operation, or somebody reconciles it.
    InFlight {
        /// Whether it is being reconciled.
        reconciling: bool,
        /// When its lease runs out, unless renewed.
        lease_until: Timestamp,
    },
    /// The backoff of an earlier call has not passed.
    NotBefore {
        /// How much of it is left.
        retry_after: Duration,
    },
    /// The key has had all its attempts, or failed for good where somebody counts
    /// on it.
    AttemptsExhausted {
        /// How many it had.
        attempts: u32,
        /// How many it may have.
        max_total: u32,
        /// Its escalation, if its own contract is the one that allows no more.
        escalation: Option<EscalationId>,
    },
    /// It may have happened.
    Unknown {
        /// Its escalation.
        escalation: EscalationId,
        /// What is known of the cause.
        cause: Text,
    },
    /// Nobody has approved it yet.
    AwaitingApproval {
        /// The request.
        request: ApprovalId,
        /// Until when it may be granted.
        expires_at: Timestamp,
    },
    /// It is approved, and was not to be run.
    Approved {
        /// The request.
        request: ApprovalId,
        /// Until when the grant may be used.
        expires_at: Timestamp,
    },
    /// Somebody refused it.
    Denied {
        /// Who.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// Somebody gave it up: the key never runs again.
    Abandoned {
        /// Who.
        by: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// The approval that the call brought is not the one that stands.
    WrongApproval,
    /// It was asked on behalf of somebody else.
    OtherRequester {
        /// The request.
        request: ApprovalId,
        /// Whether it was said on whose behalf.
        was_named: bool,
    },
    /// It was asked with other values of what the operation ignores.
    OtherIgnored {
        /// The request.
        request: ApprovalId,
        /// What was asked for, in canonical form.
        ignored: Arc<str>,
    },
    /// It asked for an approval, and no contract wants one.
    NothingToApprove,
    /// A limit has no room.
    Limited(Limited),
    /// The same operation stands under another key.
    Reminted {
        /// That key.
        first: IdempotencyKey,
        /// Where it stands.
        state: StateName,
    },
}

/// The answer to an admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// It may run.
    Claimed(Claim),
    /// It ran before; this is its result.
    Replay(Replay),
    /// It does not run.
    Refused(Refusal),
}

/// The same operation under another key: of the same tenant, tool and hash the
/// record with the newest fence of those that [speak](Record::speaks_at) for it.
/// A store looks for it only if there is no record under the key itself, and
/// only among the [newest](Twin::LOOK_BACK).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// Its key.
    pub key: IdempotencyKey,
    /// What is known of it.
    pub record: Record,
}

impl Twin {
    /// Among how many records of an intent, newest fence first, a store looks
    /// for one that speaks. So a tool that is called again and again with the same
    /// arguments under ever new keys, and fails, does not make each call slower.
    pub const LOOK_BACK: usize = 32;
}
