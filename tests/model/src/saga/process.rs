//! A process that runs a saga: what it believes, and what it does in that belief. What
//! needs nobody else follows at once; each step here asks the ledger once, or acts.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tool_contract_spec::ledger::{
    Admitted, Claim, Fence, Note, Refusal, Renewed, Settled, Timestamp, Verdict,
};
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::saga::{Journal, Noted, Place, Refused, Stepped, refused};

use super::attempt::{Attempt, Hold};
use super::world::World;
use super::{Fault, Operation, Saga, Sight};

/// A saga, as the process has it that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) fence: Fence,
    /// Until when it believes that it holds the saga.
    until: u64,
    /// What it knows of the history.
    pub(super) journal: Arc<Journal>,
    /// How many steps of its body have succeeded.
    made: usize,
    /// Whether an earlier run may have begun the step that it is at.
    made_before: bool,
    /// Whether its body was told that a step may have happened.
    pub(super) in_doubt: bool,
    /// Whether it goes no further, whatever its body says.
    pub(super) halted: bool,
    /// What it knows of the steps, once its body gave up.
    pub(super) places: Option<BTreeMap<u32, Place>>,
    pub(super) at: At,
}

/// What a process does next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// It notes its next step and asks for its admission, in any order.
    Making { noted: Option<bool>, admitted: Option<Given> },
    /// It holds an operation, and attempts it.
    Working { of: Operation, hold: Hold, attempt: Option<Attempt> },
    /// It gives up a claim under which it began nothing.
    LettingGo { of: Operation, hold: Hold },
    /// It notes that its step failed.
    NotingFailure,
    /// It asks what came of a step: first to be let in; `told` is the ledger's time then.
    Asking { step: usize, has_attempted: bool, claim: Option<(Fence, u64)> },
    /// It waits for who is at a step.
    Waiting { step: usize },
    /// It notes that the saga gives up.
    NotingUnwinding,
    /// It asks for the admission of what undoes a step.
    Undoing { step: usize },
    /// It says what the saga came to.
    Leaving(Came),
}

/// What admission gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Given {
    Claim(Hold),
    Result,
    Unknown,
    /// It was refused, and that is what follows.
    Refused(Code),
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Came {
    Finished,
    Undone,
    Rests,
}

impl Run {
    /// Takes up a saga where its history says.
    pub(super) fn begin(model: &Saga, world: &mut World, claim: &Claim) -> Self {
        let journal = world.ledger.journal();
        let gave_up = journal.unwinding.is_some();
        let mut run = Self {
            fence: claim.fence,
            until: Timestamp(world.now).after(model.terms(Operation::Saga).lease).0,
            journal,
            made: 0,
            made_before: false,
            in_doubt: false,
            halted: false,
            places: None,
            at: At::Leaving(Came::Rests),
        };
        if gave_up {
            run.body_ends(model, world)
        } else {
            run.next_step(model, world)
        }
        run
    }

    pub(super) fn believes(&self, now: u64) -> bool {
        now < self.until
    }

    pub(super) fn each_fence(&mut self, of: &mut impl FnMut(&mut Fence)) {
        of(&mut self.fence);
        match &mut self.at {
            At::Making { admitted: Some(Given::Claim(hold)), .. }
            | At::Working { hold, .. }
            | At::LettingGo { hold, .. } => of(&mut hold.fence),
            At::Asking { claim: Some((fence, _)), .. } => of(fence),
            _ => {}
        }
    }

    /// The body goes on.
    pub(super) fn next_step(&mut self, model: &Saga, world: &mut World) {
        if self.made == model.steps.len() {
            self.at = At::Leaving(Came::Finished);
            return;
        }
        let known = self.journal.steps.get(&self.number());
        if known.is_some_and(|stepped| stepped.noted.is_some()) {
            world.saw(Sight::FailedBefore);
            return self.body_ends(model, world);
        }
        self.made_before = known.is_some();
        self.at = At::Making { noted: self.made_before.then_some(true), admitted: None };
    }

    fn number(&self) -> u32 {
        self.made as u32
    }

    pub(super) fn is_committed(&self, model: &Saga) -> bool {
        model.pivot().is_some_and(|pivot| pivot < self.made)
    }

    /// Whether the body may give up by itself here.
    pub(super) fn may_give_up(&self, model: &Saga) -> bool {
        let At::Making { noted, admitted: None } = self.at else { return false };
        self.made > 0 && !self.is_committed(model) && noted.is_some() == self.made_before
    }

    fn stepped(&self, model: &Saga, noted: Option<Noted>) -> Stepped {
        model.stepped(self.made, noted)
    }

    // ---- making a step ----

    /// Notes the step that it makes.
    pub(super) fn note_step(&mut self, model: &Saga, world: &mut World) {
        let stepped = self.stepped(model, None);
        let is_noted = if model.fault == Some(Fault::StepNotNoted) {
            true
        } else {
            self.write(model, world, Some(&Note::Stepped(stepped.to_detail())))
        };
        if is_noted {
            Arc::make_mut(&mut self.journal).note(stepped);
        }
        if let At::Making { noted, .. } = &mut self.at {
            *noted = Some(is_noted);
        }
        self.enter(model, world);
    }

    /// Asks for the step's admission.
    pub(super) fn admit_step(&mut self, model: &Saga, world: &mut World) {
        let of = Operation::Call(self.made);
        let given = match world.ledger.admit(model, of, world.now) {
            Admitted::Claimed(claim) => Given::Claim(Hold::of(model, of, world.now, &claim)),
            Admitted::Replay(_) => Given::Result,
            Admitted::Refused(Refusal::Unknown { .. }) => Given::Unknown,
            Admitted::Refused(Refusal::AttemptsExhausted { .. }) => {
                Given::Refused(Code::ATTEMPTS_EXHAUSTED)
            }
            Admitted::Refused(Refusal::Abandoned { .. }) => Given::Refused(Code::ABANDONED),
            // It waits its turn.
            Admitted::Refused(_) => return,
        };
        if let At::Making { admitted, .. } = &mut self.at {
            *admitted = Some(given);
        }
        self.enter(model, world);
    }

    /// The step runs if it was noted and admitted.
    fn enter(&mut self, model: &Saga, world: &mut World) {
        let At::Making { noted: Some(noted), admitted: Some(given) } = self.at else { return };
        let step = self.made;
        match (noted, given) {
            (false, Given::Claim(hold)) => {
                self.at = At::LettingGo { of: Operation::Call(step), hold };
            }
            (false, _) => self.body_ends(model, world),
            (true, Given::Claim(hold)) => {
                self.at = At::Working { of: Operation::Call(step), hold, attempt: None };
            }
            (true, Given::Result) => {
                world.saw(Sight::Replayed);
                self.step_done(model, world);
            }
            (true, Given::Unknown) => {
                self.at = At::Asking { step, has_attempted: false, claim: None };
            }
            (true, Given::Refused(code)) => {
                match refused(code, self.is_committed(model), self.made_before) {
                    Refused::Failed => self.step_failed(model, world),
                    Refused::Again | Refused::Person | Refused::Waits => {
                        self.halted = true;
                        self.body_ends(model, world);
                    }
                }
            }
        }
    }

    pub(super) fn step_done(&mut self, model: &Saga, world: &mut World) {
        let was_committed = self.is_committed(model);
        self.made += 1;
        if was_committed && self.made_before {
            world.saw(Sight::OnlyForward);
        }
        self.next_step(model, world);
    }

    /// It stays so; but after the pivot it may succeed yet.
    pub(super) fn step_failed(&mut self, model: &Saga, world: &mut World) {
        if self.is_committed(model) || self.halted {
            self.body_ends(model, world);
        } else {
            self.at = At::NotingFailure;
        }
    }

    pub(super) fn step_unknown(&mut self, model: &Saga, world: &mut World) {
        world.saw(Sight::WasUnknown);
        self.in_doubt = true;
        self.body_ends(model, world);
    }

    pub(super) fn note_failure(&mut self, model: &Saga, world: &mut World) {
        let stepped = self.stepped(model, Some(Noted::Failed("no".into())));
        if self.write(model, world, Some(&Note::Stepped(stepped.to_detail()))) {
            Arc::make_mut(&mut self.journal).note(stepped);
        }
        self.body_ends(model, world);
    }

    // ---- the claim of the saga ----

    /// Prolongs the claim, and writes a note with it; `false` if the claim is lost.
    pub(super) fn write(&mut self, model: &Saga, world: &mut World, note: Option<&Note>) -> bool {
        match world.ledger.note(model, self.fence, note, world.now) {
            Renewed::Until { lease_until, .. } => {
                self.until = lease_until.0;
                true
            }
            Renewed::Lost { .. } => {
                world.saw(Sight::ClaimLost);
                if model.fault == Some(Fault::GoesOnWithoutClaim) {
                    return true;
                }
                (self.until, self.halted) = (0, true);
                false
            }
        }
    }

    /// Says what the saga came to; its process has nothing more to do with it.
    pub(super) fn leave(&self, model: &Saga, world: &mut World) {
        let At::Leaving(came) = self.at else { return };
        let verdict = match came {
            Came::Finished => Verdict::Succeeded { result: r#"{"finished":0}"#.into() },
            Came::Undone => {
                let result = r#"{"undone":{"error":"no","steps":[]}}"#.into();
                Verdict::Succeeded { result }
            }
            Came::Rests => Verdict::Unknown { cause: "it rests".into() },
        };
        let settled =
            world.ledger.settle(model, Operation::Saga, self.fence, 1, verdict, world.now);
        match (settled, came) {
            (Settled::Recorded { .. }, Came::Finished) => world.saw(Sight::Finished),
            (Settled::Recorded { .. }, Came::Undone) => world.saw(Sight::Undone),
            _ => {}
        }
    }
}

impl Hash for Run {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.fence, self.until, self.made, self.made_before).hash(hasher);
        (self.in_doubt, self.halted, &self.at).hash(hasher);
        (self.journal.steps.len(), self.places.is_some()).hash(hasher);
        for stepped in self.journal.steps.values() {
            (stepped.step, stepped.noted.is_some()).hash(hasher);
        }
        self.journal.unwinding.is_some().hash(hasher);
        for (step, place) in self.places.iter().flatten() {
            (step, place.stand as u8, place.asked, place.undoing as u8).hash(hasher);
        }
    }
}
