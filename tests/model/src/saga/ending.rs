//! How a process brings a saga to its end: what it has to find out, and what it undoes.

use std::collections::BTreeMap;
use std::sync::Arc;

use tool_contract_spec::decide::{NextStep, decide};
use tool_contract_spec::ledger::{
    Admitted, Fence, Finding, Note, ReconcileClaim, Reconciled, Refusal, Renewed, StateName,
    Timestamp,
};
use tool_contract_spec::outcome::{Cause, OutcomeClass};
use tool_contract_spec::saga::{Journal, Next, Place, Undoing, Why, settled, unwind};

use super::attempt::{Hold, Then, progress};
use super::process::{At, Came, Run};
use super::world::World;
use super::{Fault, Operation, Saga, Sight};

impl Run {
    /// Its body gave up, now or in an earlier run. What the body was told is unknown is
    /// found out, and the body runs again; otherwise what happened is undone.
    pub(super) fn body_ends(&mut self, model: &Saga, world: &mut World) {
        let place = |step: u32| (step, Place::new(world.ledger.stand(step as usize)));
        let steps = self.journal.effects().map(|stepped| stepped.step);
        self.places = Some(steps.map(place).collect());
        self.go_on(model, world);
    }

    /// Does what `spec::saga` decides.
    fn go_on(&mut self, model: &Saga, world: &mut World) {
        if self.halted {
            self.at = At::Leaving(Came::Rests);
            return;
        }
        let next = self.next(model);
        if let Some(Next::Rest(why)) = &next {
            world.saw(match why {
                Why::Stuck(_) => Sight::Stuck,
                Why::Unknown(_) | Why::NotUndone(_) => Sight::AsksPerson,
            });
        }
        self.at = match next {
            Some(Next::Wait(step)) => At::Waiting { step: step as usize },
            Some(Next::FindOut(step)) => {
                At::Asking { step: step as usize, has_attempted: true, claim: None }
            }
            Some(Next::Note) => At::NotingUnwinding,
            Some(Next::Undo(step)) => At::Undoing { step: step as usize },
            Some(Next::Undone(_)) => At::Leaving(Came::Undone),
            Some(Next::Committed | Next::Rest(_)) | None => At::Leaving(Came::Rests),
        };
    }

    /// What follows from what it knows; `None` if the body has to run again.
    fn next(&self, model: &Saga) -> Option<Next> {
        let (journal, places) = self.known(model)?;
        if self.in_doubt {
            return settled(&places);
        }
        let next = unwind(&journal, &places);
        Some(match model.fault {
            Some(fault) => fault.of_next(next, &places),
            None => next,
        })
    }

    /// What it knows, as far as no guard is missing.
    fn known(&self, model: &Saga) -> Option<(Arc<Journal>, BTreeMap<u32, Place>)> {
        let (mut journal, mut places) = (Arc::clone(&self.journal), self.places.clone()?);
        if let Some(fault) = model.fault {
            fault.at_the_end(Arc::make_mut(&mut journal), &mut places);
        }
        Some((journal, places))
    }

    fn place(&mut self, step: usize) -> Option<&mut Place> {
        self.places.as_mut()?.get_mut(&(step as u32))
    }

    // ---- finding out ----

    /// A step was asked for or waited for; or, while its body runs, asked for.
    fn found(&mut self, model: &Saga, world: &mut World, step: usize) {
        let stand = world.ledger.stand(step);
        if let Some(place) = self.place(step) {
            place.found(stand);
        }
        self.go_on(model, world);
    }

    /// Waits while somebody is at a step.
    pub(super) fn wait(&mut self, model: &Saga, world: &mut World) {
        let At::Waiting { step } = self.at else { return };
        // Nobody has that fence; asking for it shows a lease that ran out.
        match world.ledger.renew(Operation::Call(step), Fence::NONE, None, world.now) {
            Renewed::Lost { state: Some(StateName::Running | StateName::Reconciling) } => {}
            _ => self.found(model, world, step),
        }
    }

    /// Asks to be the one who finds out what came of a step.
    pub(super) fn begin_asking(&mut self, model: &Saga, world: &mut World) {
        let At::Asking { step, has_attempted, claim: None } = self.at else { return };
        match world.ledger.begin(model, Operation::Call(step), world.now) {
            ReconcileClaim::Claimed { fence, now, .. } => {
                self.at = At::Asking { step, has_attempted, claim: Some((fence, now.0)) };
            }
            ReconcileClaim::Refused { .. } => self.ask_again(model, world, step),
        }
    }

    /// Somebody else is at it, or was: admission says what came of it.
    fn ask_again(&mut self, model: &Saga, world: &mut World, step: usize) {
        if self.places.is_some() {
            self.found(model, world, step);
        } else {
            self.at = At::Making { noted: Some(true), admitted: None };
        }
    }

    /// Looks, and reports what it saw; or that it `can_tell` nothing.
    pub(super) fn report(&mut self, model: &Saga, world: &mut World, can_tell: bool) {
        let At::Asking { step, has_attempted, claim: Some((fence, told)) } = self.at else {
            return;
        };
        let of = Operation::Call(step);
        let finding = finding(model, world, step, can_tell, told);
        let mut found = world.ledger.finish(of, fence, &finding, world.now);
        let mut can_tell = !matches!(finding, Finding::CannotTell { .. });
        if let Reconciled::TooEarly { .. } = found {
            // It rests until it is called again, and looks once more then.
            can_tell = false;
            let finding = Finding::CannotTell { why: "it is too early".into() };
            found = world.ledger.finish(of, fence, &finding, world.now);
        }
        let Reconciled::Recorded { state, .. } = found else {
            return self.ask_again(model, world, step);
        };
        world.saw(match state {
            StateName::Succeeded => Sight::FoundToHave,
            _ if can_tell => Sight::FoundNotToHave,
            _ => Sight::CannotTell,
        });
        match state {
            _ if self.places.is_some() => self.found(model, world, step),
            StateName::Succeeded => self.step_done(model, world),
            _ if !can_tell => self.step_unknown(model, world),
            _ if !has_attempted => self.at = At::Making { noted: Some(true), admitted: None },
            _ => self.did_not_happen(model, world, of),
        }
    }

    /// Its own attempt left nothing behind.
    fn did_not_happen(&mut self, model: &Saga, world: &mut World, of: Operation) {
        let outcome = OutcomeClass::RetryableFailure(Cause::Other).into();
        match decide(model.policy(of), outcome, progress(false)).step {
            NextStep::RetryAfter { .. } => {
                self.at = At::Making { noted: Some(true), admitted: None };
            }
            _ => self.step_failed(model, world),
        }
    }

    // ---- undoing ----

    /// Notes that the saga gives up.
    pub(super) fn note_unwinding(&mut self, model: &Saga, world: &mut World) {
        let is_noted = model.fault == Some(Fault::UnwindingNotNoted)
            || self.write(model, world, Some(&Note::Unwinding("no".into())));
        if is_noted {
            Arc::make_mut(&mut self.journal).unwinding = Some("no".into());
        }
        self.go_on(model, world);
    }

    /// Asks for the admission of what undoes a step.
    pub(super) fn admit_undoing(&mut self, model: &Saga, world: &mut World) {
        let At::Undoing { step } = self.at else { return };
        let of = Operation::Undoing(step);
        let then = match world.ledger.admit(model, of, world.now) {
            Admitted::Claimed(claim) => {
                let hold = Hold::of(model, of, world.now, &claim);
                self.at = At::Working { of, hold, attempt: None };
                return;
            }
            Admitted::Replay(_) => {
                world.saw(Sight::UndoneBefore);
                Undoing::Done
            }
            Admitted::Refused(Refusal::InFlight { .. }) => return,
            Admitted::Refused(Refusal::Abandoned { .. }) => Undoing::GivenUp,
            Admitted::Refused(_) => Undoing::Failed,
        };
        self.is_undone(model, world, step, then);
    }

    pub(super) fn after_undoing(
        &mut self,
        model: &Saga,
        world: &mut World,
        step: usize,
        then: Then,
    ) {
        let undoing = if then == Then::Done { Undoing::Done } else { Undoing::Failed };
        self.is_undone(model, world, step, undoing);
    }

    fn is_undone(&mut self, model: &Saga, world: &mut World, step: usize, undoing: Undoing) {
        match undoing {
            Undoing::GivenUp => world.saw(Sight::GivenUp),
            Undoing::Failed => world.saw(Sight::NotUndone),
            Undoing::Due | Undoing::Done => {}
        }
        if let Some(place) = self.place(step) {
            place.undoing = undoing;
        }
        self.go_on(model, world);
    }
}

/// What a reconciler says of a step that was `told` this time before it looked.
fn finding(model: &Saga, world: &World, step: usize, can_tell: bool, told: u64) -> Finding {
    let looked_at = Timestamp(told);
    let delay = std::time::Duration::ZERO;
    if !can_tell && model.fault == Some(Fault::CannotTellTakenForNo) {
        Finding::DidNotHappen { looked_at, delay }
    } else if !can_tell {
        Finding::CannotTell { why: String::new() }
    } else if world.outside[step].happened > 0 {
        Finding::Happened { result: "done".into() }
    } else {
        Finding::DidNotHappen { looked_at, delay }
    }
}
