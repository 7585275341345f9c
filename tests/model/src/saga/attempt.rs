//! What a process claims of one operation, and the attempt that it makes.

use std::time::Duration;

use tool_contract_spec::decide::{NextStep, Progress, decide};
use tool_contract_spec::ledger::{Claim, Fence, Settled, Timestamp, Verdict};
use tool_contract_spec::outcome::{Cause, OutcomeClass};

use super::process::{At, Run};
use super::world::World;
use super::{Fault, Operation, Saga, Sight};

/// A claim of a step's operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Hold {
    pub(super) fence: Fence,
    until: u64,
    in_doubt: bool,
}

/// An attempt that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Attempt {
    /// When it is cut off.
    until: u64,
    acted: bool,
}

/// What is said of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Said {
    Happened,
    Nothing,
    Failed { class: OutcomeClass, is_counted_on: bool },
    Unknown,
}

/// What follows once it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Then {
    Done,
    Failed,
    Unknown,
    Ask,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With its result, if it had its effect; or it fails for good.
    Known,
    /// It fails, and may succeed later.
    Later,
    /// Its answer is lost.
    Unknown,
}

/// What becomes of a word to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It arrives, and so does the answer.
    Arrives,
    /// It is recorded, and the answer is lost.
    AnswerLost,
    /// It never arrives.
    WordLost,
}

impl Run {
    /// Gives up a claim under which nothing is begun.
    pub(super) fn let_go(&mut self, model: &Saga, world: &mut World) {
        let At::LettingGo { of, hold } = self.at else { return };
        let said = if hold.in_doubt { Said::Unknown } else { Said::Nothing };
        world.ledger.settle(model, of, hold.fence, 0, said.verdict(), world.now);
        match of {
            Operation::Undoing(step) => self.after_undoing(model, world, step, Then::Unknown),
            Operation::Call(_) | Operation::Saga => self.body_ends(model, world),
        }
    }

    /// Begins an attempt, if the saga is held and the step is.
    pub(super) fn attempt(&mut self, model: &Saga, world: &mut World) {
        let At::Working { of, hold, attempt: None } = self.at else { return };
        let holds = self.believes(world.now) || self.write(model, world, None);
        let goes_on = model.fault == Some(Fault::GoesOnWithoutClaim);
        if !holds || (world.now >= hold.until && !goes_on) {
            self.halted = true;
            self.at = At::LettingGo { of, hold };
            return;
        }
        world.begins(model, of, self.fence);
        if hold.in_doubt {
            world.saw(Sight::UndoneAgain);
        }
        let until = Timestamp(world.now).after(model.terms(of).timeout).0;
        let attempt = Some(Attempt { until, acted: false });
        self.at = At::Working { of, hold, attempt };
    }

    /// Whether its attempt may have its effect at `now`.
    pub(super) fn may_act(&self, now: u64) -> bool {
        matches!(self.at, At::Working { attempt: Some(attempt), .. } if now <= attempt.until && !attempt.acted)
    }

    /// Whether its attempt had its effect.
    pub(super) fn has_acted(&self) -> bool {
        matches!(self.at, At::Working { attempt: Some(Attempt { acted: true, .. }), .. })
    }

    /// Whether its attempt was cut off by `now`.
    pub(super) fn is_cut_off(&self, now: u64) -> bool {
        matches!(self.at, At::Working { attempt: Some(attempt), .. } if attempt.until < now)
    }

    pub(super) fn act(&mut self, model: &Saga, world: &mut World) {
        let At::Working { of, attempt: Some(attempt), .. } = &mut self.at else { return };
        attempt.acted = true;
        world.acts(model, *of);
        let is_held =
            world.ledger.find(Operation::Saga).is_some_and(|saga| saga.fence == self.fence);
        if matches!(of, Operation::Call(_)) && !is_held {
            world.saw(Sight::LateAct);
        }
    }

    /// The attempt ended, the policy says what follows, and the ledger is told.
    pub(super) fn end(
        &mut self,
        model: &Saga,
        world: &mut World,
        ending: Ending,
        delivery: Delivery,
    ) {
        let At::Working { of, hold, attempt: Some(attempt) } = self.at else { return };
        let class = match (ending, of) {
            (Ending::Known, _) if attempt.acted => OutcomeClass::Success,
            (Ending::Known, Operation::Call(_)) => OutcomeClass::PermanentFailure,
            (Ending::Later, _) => OutcomeClass::RetryableFailure(Cause::Other),
            (Ending::Known | Ending::Unknown, _) => OutcomeClass::SideEffectUnknown,
        };
        let in_doubt = hold.in_doubt || class == OutcomeClass::SideEffectUnknown;
        let is_counted_on = matches!(of, Operation::Call(_)) && self.is_committed(model);
        let (said, then) = match decide(model.policy(of), class.into(), progress(in_doubt)).step {
            NextStep::Continue => (Said::Happened, Then::Done),
            NextStep::Stop | NextStep::RetryAfter { .. } => {
                (Said::Failed { class, is_counted_on }, Then::Failed)
            }
            NextStep::Reconcile => (Said::Unknown, Then::Ask),
            NextStep::Escalate => (Said::Unknown, Then::Unknown),
        };
        let settled = (delivery != Delivery::WordLost)
            .then(|| world.ledger.settle(model, of, hold.fence, 1, said.verdict(), world.now));
        let is_answered = delivery == Delivery::Arrives;
        let is_recorded = is_answered && matches!(settled, Some(Settled::Recorded { .. }));
        let then = if is_recorded { then } else { Then::Unknown };
        match of {
            Operation::Call(step) => self.after_call(model, world, step, then),
            Operation::Undoing(step) => self.after_undoing(model, world, step, then),
            Operation::Saga => {}
        }
    }

    fn after_call(&mut self, model: &Saga, world: &mut World, step: usize, then: Then) {
        match then {
            Then::Done => self.step_done(model, world),
            Then::Failed => self.step_failed(model, world),
            Then::Unknown => self.step_unknown(model, world),
            Then::Ask => self.at = At::Asking { step, has_attempted: true, claim: None },
        }
    }
}

/// The one attempt of a claim has ended.
pub(super) const fn progress(in_doubt: bool) -> Progress {
    let elapsed = Duration::ZERO;
    Progress { attempt: u32::MAX, total: 1, elapsed, remaining: None, in_doubt }
}

impl Hold {
    pub(super) fn of(model: &Saga, of: Operation, now: u64, claim: &Claim) -> Self {
        let until = Timestamp(now).after(model.terms(of).lease).0;
        Self { fence: claim.fence, until, in_doubt: claim.in_doubt }
    }
}

impl Said {
    fn verdict(self) -> Verdict {
        match self {
            Self::Happened => Verdict::Succeeded { result: "done".into() },
            Self::Nothing => Verdict::Released { delay: Duration::ZERO },
            Self::Failed { class, is_counted_on } => {
                Verdict::of_failure(class, Duration::ZERO, is_counted_on)
            }
            Self::Unknown => Verdict::Unknown { cause: "no answer".into() },
        }
    }
}
