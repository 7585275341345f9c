//! Those who find out what happened: reconcilers and a person.

use std::time::Duration;

use tool_contract_spec::ledger::{
    Fence, Finding, Holder, Nonce, ReconcileClaim, ReconcileRequest, Reconciled, Renewed,
    Resolution, Resolved, Timestamp,
};

use crate::call::Answer;
use crate::fault::Fault;
use crate::property::Sight;
use crate::protocol::Protocol;
use crate::world::World;

/// What a reconciler is at. Once it has looked, its report may arrive at any
/// time, and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    /// It has not begun, or knows no answer.
    Idle,
    /// It was let in.
    Looking {
        fence: Fence,
        /// The ledger's time, as it was told last.
        told: u64,
        /// What it saw, and the time that it had been told before it looked.
        saw: Option<(bool, u64)>,
    },
}

impl Look {
    pub(crate) fn fence(&mut self) -> Option<&mut Fence> {
        match self {
            Self::Looking { fence, .. } => Some(fence),
            Self::Idle => None,
        }
    }
}

/// What a reconciler reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Report {
    /// What it saw.
    Seen,
    /// That it cannot tell.
    CannotTell,
}

/// The steps of reconciler `who`; the model says when each is possible.
impl World {
    /// It asks to be the one reconciler.
    pub(crate) fn begin_look(&mut self, model: &Protocol, who: usize, answer: Answer) {
        let request = ReconcileRequest {
            id: model.id.clone(),
            nonce: Nonce(1 << 16 | who as u128),
            holder: Holder(0),
        };
        let claim = self.ledger.begin(self.now, &request);
        if let (ReconcileClaim::Claimed { fence, now, .. }, Answer::Arrives) = (claim, answer) {
            self.looks[who] = Look::Looking { fence, told: now.0, saw: None };
        }
    }

    /// It prolongs its lease, and is told the time.
    pub(crate) fn renew_look(&mut self, who: usize) {
        let Look::Looking { fence, .. } = self.looks[who] else { return };
        let before = self.ledger.clone();
        let renewed = self.ledger.renew(self.now, fence);
        self.check_stale(&before, fence);
        if let (Renewed::Until { .. }, Look::Looking { told, .. }) = (renewed, &mut self.looks[who])
        {
            *told = self.now;
        }
    }

    /// It looks, and sees what shows at this moment.
    pub(crate) fn look(&mut self, who: usize, happened: bool) {
        if let Look::Looking { saw, told, .. } = &mut self.looks[who] {
            *saw = Some((happened, *told));
        }
    }

    /// Its report arrives at the ledger, for the first time or again.
    pub(crate) fn report(&mut self, model: &Protocol, who: usize, report: Report) {
        let Look::Looking { fence, told, saw } = self.looks[who] else { return };
        let finding = match (report, saw) {
            (Report::Seen, Some((true, _))) => Finding::Happened { result: "done".into() },
            (Report::Seen, Some((false, told_before))) => {
                let is_late = model.fault == Some(Fault::LookTimedByItsEnd);
                let looked_at = Timestamp(if is_late { told } else { told_before });
                Finding::DidNotHappen { delay: Duration::ZERO, looked_at }
            }
            (Report::CannotTell, _) | (Report::Seen, None) => {
                Finding::CannotTell { why: String::new() }
            }
        };
        let before = self.ledger.clone();
        let reconciled = self.ledger.finish(model.fault, self.now, fence, &finding);
        match (reconciled, finding) {
            (Reconciled::Recorded { .. }, Finding::Happened { .. }) => {
                self.happened();
                self.saw(Sight::FoundToHave);
            }
            (Reconciled::Recorded { .. }, Finding::DidNotHappen { .. }) => {
                self.open = None;
                self.saw(Sight::FoundNotToHave);
            }
            (Reconciled::Recorded { .. }, Finding::CannotTell { .. }) => {
                self.saw(Sight::CannotTell);
            }
            (Reconciled::TooEarly { .. }, _) => self.saw(Sight::TooEarly),
            (Reconciled::Superseded { .. }, _) => self.saw(Sight::ReportLate),
            (Reconciled::OfItsSteps { .. }, _) => unreachable!("it is no saga"),
        }
        self.check_stale(&before, fence);
    }

    /// A person says what happened, and perhaps that the holders are dead.
    pub(crate) fn resolve(&mut self, model: &Protocol, dead: bool) {
        let happened = if dead { !self.effects.is_empty() } else { self.shows() };
        let resolved = if happened {
            Resolved::Happened { result: "done".into() }
        } else {
            Resolved::DidNotHappen { holder_is_dead: dead }
        };
        match self.ledger.resolve(self.now, &word(model, resolved)) {
            Reconciled::Recorded { .. } if happened => {
                self.happened();
                self.saw(Sight::SaidToHave);
            }
            Reconciled::Recorded { .. } => {
                self.open = None;
                self.saw(Sight::SaidNotToHave);
            }
            Reconciled::TooEarly { .. } => self.saw(Sight::SaidEarly),
            Reconciled::Superseded { .. } => {}
            Reconciled::OfItsSteps { .. } => unreachable!("it is no saga"),
        }
    }

    /// A person gives it up.
    pub(crate) fn give_up(&mut self, model: &Protocol) {
        let said = self.ledger.resolve(self.now, &word(model, Resolved::Abandoned));
        if let Reconciled::Recorded { .. } = said {
            // Nothing may run again, as if it had happened.
            self.happened();
            self.saw(Sight::GivenUp);
        }
    }
}

fn word(model: &Protocol, resolved: Resolved) -> Resolution {
    let (by, why) = ("ada".into(), "looked".into());
    Resolution { id: model.id.clone(), escalation: None, by, why, resolved }
}
