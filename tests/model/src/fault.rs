//! Guards that can be taken away.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::ledger::{Admission, Claim, Holder, Nonce, Record, State, Timestamp};

/// A guard that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An expired lease is a licence to run again.
    ExpiredLeaseIsLicence,
    /// A contract of today that calls repetition harmless is enough, whatever
    /// the one said under which it may have happened.
    OneContractRepeats,
    /// A claim that repeats what is unknown forgets it.
    DoubtForgotten,
    /// Attempts are counted when they are settled, not when they are claimed.
    AttemptsNotReserved,
    /// Whatever fence is shown at settlement, it is taken for the newest.
    SettlementNeedsNoFence,
    /// Likewise when a reconciler reports.
    ReportNeedsNoFence,
    /// Fences start over with every claim.
    FencesStartOver,
    /// All calls have one nonce, and live in one process.
    OneNonceForAll,
    /// A call that asks again has another nonce.
    NonceOfEachRequest,
    /// A record that nobody has changed for long is swept, be it finished or not.
    UnfinishedExpire,
    /// "It did not happen" is believed by the time of the report, whenever the
    /// look began.
    LookIsNotTimed,
    /// A reconciler names the time that it was told last, be it after its look.
    LookTimedByItsEnd,
    /// "It did not happen" is believed before an effect had time to show.
    BelievedTooEarly,
    /// "It did not happen" is believed though the holder may act on.
    BelievedWithoutTimeout,
    /// A body that cannot be stopped is believed to end at its timeout.
    TakenForStoppable,
    /// A call begins attempts though its lease ran out.
    BeginsWithoutLease,
}

impl Fault {
    /// What it makes of a request on its way to the ledger.
    pub(crate) fn in_request(self, request: &mut Admission, record: Option<&Record>) {
        let terms = Arc::make_mut(&mut request.terms);
        match self {
            Self::OneNonceForAll => (request.nonce, request.holder) = (Nonce(0), Holder(0)),
            Self::NonceOfEachRequest => {
                request.nonce = Nonce(record.map_or(0, |record| record.nonce.0 + 1));
            }
            Self::BelievedTooEarly => terms.settle = Duration::ZERO,
            Self::BelievedWithoutTimeout => terms.timeout = Duration::ZERO,
            Self::TakenForStoppable => terms.stoppable = true,
            _ => {}
        }
    }

    /// What it makes of the record before a call is admitted.
    pub(crate) fn before_admission(self, record: &mut Record, now: u64, request: &Admission) {
        match (self, &record.state) {
            (Self::ExpiredLeaseIsLicence, State::Running { lease_until })
                if lease_until.0 <= now =>
            {
                record.state = State::Released { not_before: Timestamp::ZERO };
            }
            (Self::OneContractRepeats, _) => {
                Arc::make_mut(&mut record.terms).repeatable = request.terms.repeatable
            }
            _ => {}
        }
    }

    /// What it makes of the record, and of the answer, after a claim.
    pub(crate) fn after_claim(self, record: &mut Record, claim: &mut Claim) {
        match self {
            Self::DoubtForgotten => (record.doubt, claim.in_doubt) = (None, false),
            Self::AttemptsNotReserved => {
                record.attempts = claim.attempts_before;
                record.reserved = 0;
            }
            _ => {}
        }
    }
}
