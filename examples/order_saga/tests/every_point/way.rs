//! The ways that an order may go.

use order_shop::service::{Account, Desk, Fault, Service};

/// How an order goes if nothing breaks it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    AllGoesWell,
    OutOfStock,
    CardDeclined,
    /// All is undone.
    NobodyDelivers,
    /// The carrier refuses once, and would not do so again.
    RefusedOnce,
    /// The carrier has to be asked.
    ParcelAnswerLost,
    /// And cannot be asked at once.
    ParcelAnswerLostAndNobodyToAsk,
    /// The same, and no parcel left: the saga gives up, though the carrier would take
    /// the parcel by now.
    ParcelDroppedAndNobodyToAsk,
    /// The charge is repeated until the saga gives up, and again by the next process.
    ChargeAnswersLost,
    /// A compensation fails, and the other one does not.
    NobodyDeliversNorRefunds,
    NobodyDeliversNorReleases,
}

/// All of an order.
pub(super) const WHOLE: Account = Account { reserved: 2, paid: 4_200, parcels: 1 };
/// None of it.
pub(super) const NONE: Account = Account { reserved: 0, paid: 0, parcels: 0 };

/// What a person finds.
pub(super) struct Case {
    pub(super) stands: Account,
    pub(super) queued: &'static str,
}

impl Way {
    pub(super) const ALL: [Self; 11] = [
        Self::AllGoesWell,
        Self::OutOfStock,
        Self::CardDeclined,
        Self::NobodyDelivers,
        Self::RefusedOnce,
        Self::ParcelAnswerLost,
        Self::ParcelAnswerLostAndNobodyToAsk,
        Self::ParcelDroppedAndNobodyToAsk,
        Self::ChargeAnswersLost,
        Self::NobodyDeliversNorRefunds,
        Self::NobodyDeliversNorReleases,
    ];

    pub(super) fn prepare(self, service: &Service) {
        match self {
            Self::AllGoesWell => {}
            Self::OutOfStock => service.refuse(Desk::Reservations),
            Self::CardDeclined => service.refuse(Desk::Charges),
            Self::NobodyDelivers => service.refuse(Desk::Parcels),
            Self::RefusedOnce => service.fail_at(2, Fault::Refused),
            Self::ParcelAnswerLost => service.fail_at(2, Fault::AnswerLost),
            Self::ParcelAnswerLostAndNobodyToAsk => {
                service.fail_at(2, Fault::AnswerLost);
                service.fail_at(3, Fault::Busy);
            }
            Self::ParcelDroppedAndNobodyToAsk => {
                service.fail_at(2, Fault::Dropped);
                service.fail_at(3, Fault::Busy);
            }
            Self::ChargeAnswersLost => {
                (1..=4).for_each(|nth| service.fail_at(nth, Fault::AnswerLost));
            }
            Self::NobodyDeliversNorRefunds => {
                service.refuse(Desk::Parcels);
                service.refuse(Desk::Refunds);
            }
            Self::NobodyDeliversNorReleases => {
                service.refuse(Desk::Parcels);
                service.refuse(Desk::Releases);
            }
        }
    }

    /// What a person finds, if it may take one.
    pub(super) const fn rests(self) -> Option<Case> {
        let (stands, queued) = match self {
            Self::NobodyDeliversNorRefunds => {
                (Account { paid: 4_200, ..NONE }, "charge_card.rollback[order-7/1]")
            }
            Self::NobodyDeliversNorReleases => {
                (Account { reserved: 2, ..NONE }, "reserve_stock.rollback[order-7/0]")
            }
            _ => return None,
        };
        Some(Case { stands, queued })
    }
}
