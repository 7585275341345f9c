//! What breaks an order off.

use std::fmt;

use order_shop::service::Fault as Amiss;
use tool_contract::testing::Fault;

/// What breaks an order off, at some point of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    /// Its process is killed at a use of the ledger.
    KilledAtLedger(Fault),
    /// Its process is killed at a request.
    KilledAtService(Amiss),
    LedgerFails(Fault),
    ServiceFails(Amiss),
}

impl Blow {
    pub(super) const KILLED_AFTER_REQUEST: Self = Self::KilledAtService(Amiss::Silent);

    pub(super) const KILLS: [Self; 4] = [
        Self::KilledAtLedger(Fault::Hang),
        Self::KilledAtLedger(Fault::ReplyHang),
        Self::KilledAtService(Amiss::Deaf),
        Self::KILLED_AFTER_REQUEST,
    ];

    pub(super) const FAILURES: [Self; 8] = [
        Self::LedgerFails(Fault::Lost),
        Self::LedgerFails(Fault::ReplyLost),
        Self::ServiceFails(Amiss::Busy),
        Self::ServiceFails(Amiss::Refused),
        Self::ServiceFails(Amiss::Dropped),
        Self::ServiceFails(Amiss::AnswerLost),
        Self::ServiceFails(Amiss::Deaf),
        Self::ServiceFails(Amiss::Silent),
    ];

    /// What the worker does to itself.
    pub(super) const fn at_ledger(self) -> Option<Fault> {
        match self {
            Self::KilledAtLedger(fault) | Self::LedgerFails(fault) => Some(fault),
            _ => None,
        }
    }

    /// What the service does to it.
    pub(super) const fn at_service(self) -> Option<Amiss> {
        match self {
            Self::KilledAtService(fault) | Self::ServiceFails(fault) => Some(fault),
            _ => None,
        }
    }
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KilledAtLedger(Fault::Hang) => f.write_str("killed before a use of the ledger"),
            Self::KilledAtLedger(_) => f.write_str("killed after a use of the ledger"),
            Self::KilledAtService(Amiss::Deaf) => f.write_str("killed before a service acts"),
            Self::KilledAtService(_) => f.write_str("killed after a service acted"),
            Self::LedgerFails(fault) => write!(f, "the ledger fails: {fault:?}"),
            Self::ServiceFails(fault) => write!(f, "a service fails: {fault:?}"),
        }
    }
}
