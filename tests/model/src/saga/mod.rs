//! A saga as a model: every order of events within bounds.
//!
//! Two processes run one saga, or recover it; either may freeze or die between any two
//! steps of its own. What the ledger does is done by the transitions of
//! `tool-contract-spec`, what a step's outcome leads to by its `decide`, what the
//! history says by its `Journal`, and what is found out or undone next by its `settled`
//! and `unwind`. What is written here is what surrounds them: the order in which a
//! process asks them.
//!
//! - Time goes in ticks, and a lease lasts one: a process that has not done a thing
//!   before the next tick has lost what it claimed, and does not know. An attempt that
//!   it began then may still have its effect for a tick.
//! - An attempt happens, fails, or its answer is lost; so does one to undo. A settlement
//!   may be lost on its way, or the answer to it.
//! - A reconciler says what is true, or that it cannot tell. A person says what is true,
//!   does by hand what could not be undone, or gives it up.
//! - A body makes its steps one after the other, and gives up when one does not succeed,
//!   or by itself.
//! - A process that died is replaced. Whoever is at nothing may call the saga.
//!
//! How requests are lost and repeated on their way to one record, how long an effect
//! takes to show, and how leases are prolonged is what the [other model](crate::Protocol)
//! tries. A [`Fault`] takes one guard away, as there.

mod attempt;
mod calm;
mod ending;
mod fault;
mod ledger;
mod person;
mod process;
mod property;
mod scenario;
mod world;

use std::sync::Arc;

use stateright::{Model, Property};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{
    Admission, Admitted, Holder, Intent, Nonce, Resolved, Terms, Trust,
};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::policy::Policy;
use tool_contract_spec::saga::{Noted, Stepped};

pub use attempt::{Delivery, Ending};
pub use fault::Fault;
pub use ledger::Operation;
use process::{At, Run};
use property::properties;
pub use property::{Promise, Sight};
pub use world::{Mishaps, World};

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It can be undone.
    Compensable,
    /// It is the point of no return.
    Pivot,
    /// It stands after the pivot, and is tried until it succeeds.
    Completable,
}

/// One saga and all around it, within bounds.
#[derive(Debug, Clone)]
pub struct Saga {
    /// The saga.
    pub id: OperationId,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The contracts of the saga, of its steps, and of what undoes them.
    pub contracts: [(Policy, Arc<Terms>); 3],
    /// How much may go wrong.
    pub mishaps: Mishaps,
    /// When time ends.
    pub ends_at: u64,
    /// What must be met.
    pub expects: Vec<Sight>,
    /// What is missing.
    pub fault: Option<Fault>,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Time goes on.
    Tick,
    /// A process calls the saga.
    Call(usize),
    /// It does the one thing that it is at.
    GoOn(usize),
    /// It notes the step that it makes.
    Note(usize),
    /// It asks for that step's admission.
    Admit(usize),
    /// Its attempt has its effect.
    Act(usize),
    /// Its attempt ended, and the ledger is told.
    End(usize, Ending, Delivery),
    /// Its reconciler says what is true, or that it cannot tell.
    Report(usize, bool),
    /// Its body gives up by itself.
    GiveUp(usize),
    /// It dies.
    Crash(usize),
    /// A person says what came of an operation, or did it by hand.
    Say(Operation),
    /// A person gives an operation up.
    Abandon(Operation),
}

impl Saga {
    fn pivot(&self) -> Option<usize> {
        self.steps.iter().position(|step| *step == Step::Pivot)
    }

    fn contract(&self, of: Operation) -> &(Policy, Arc<Terms>) {
        match of {
            Operation::Saga => &self.contracts[0],
            Operation::Call(_) => &self.contracts[1],
            Operation::Undoing(_) => &self.contracts[2],
        }
    }

    fn policy(&self, of: Operation) -> &Policy {
        &self.contract(of).0
    }

    fn terms(&self, of: Operation) -> &Arc<Terms> {
        &self.contract(of).1
    }

    /// Whether the saga answers for it: it has not passed its pivot by then.
    fn is_covered(&self, of: Operation) -> bool {
        let past = |step| self.pivot().is_some_and(|pivot| pivot < step);
        matches!(of, Operation::Call(step) if !past(step))
    }

    /// What is noted of a step.
    fn stepped(&self, step: usize, noted: Option<Noted>) -> Stepped {
        let (tool, hash) = (format!("tool_{step}"), OperationHash::from_bytes([0; 32]));
        Stepped { step: step as u32, tool, hash, pivot: self.pivot() == Some(step), noted }
    }

    /// What is asked of the ledger: each time by another call.
    fn admission(&self, of: Operation) -> Admission {
        let mut terms = Arc::clone(self.terms(of));
        if self.is_covered(of) && self.fault != Some(Fault::NotCovered) {
            Arc::make_mut(&mut terms).covered = true;
        }
        if self.fault == Some(Fault::NeverTakenOver) && of == Operation::Saga {
            Arc::make_mut(&mut terms).repeatable = false;
        }
        Admission {
            id: self.id.clone(),
            hash: OperationHash::from_bytes([0; 32]),
            arguments: "{}".into(),
            nonce: Nonce(1),
            holder: Holder(0),
            terms,
            fingerprint: None,
            workflow: None,
            preimage: None,
            trust: Trust::insecure(),
            intent: Intent::Claim,
            approval: None,
            requested_by: None,
            draws: Vec::new(),
            correlation_id: None,
        }
    }

    fn call(&self, world: &mut World, who: usize) {
        match world.ledger.admit(self, Operation::Saga, world.now) {
            Admitted::Claimed(claim) => {
                if claim.in_doubt {
                    world.saw(Sight::TakenOver);
                }
                let run = Run::begin(self, world, &claim);
                world.processes[who] = Some(run);
            }
            Admitted::Replay(_) | Admitted::Refused(_) => {}
        }
    }

    fn run_actions(&self, world: &World, who: usize, run: &Run, actions: &mut Vec<Action>) {
        let left = world.left;
        match &run.at {
            At::Making { noted, admitted } => {
                if noted.is_none() {
                    actions.push(Action::Note(who));
                }
                if admitted.is_none() {
                    actions.push(Action::Admit(who));
                }
                if run.may_give_up(self) && left.troubles > 0 {
                    actions.push(Action::GiveUp(who));
                }
            }
            At::Working { of, attempt: Some(_), .. } => {
                self.attempt_actions(world, who, run, *of, actions);
            }
            At::Asking { claim: Some(_), .. } => {
                actions.push(Action::Report(who, true));
                if left.troubles > 0 {
                    actions.push(Action::Report(who, false));
                }
            }
            _ => actions.push(Action::GoOn(who)),
        }
        if left.crashes > 0 {
            actions.push(Action::Crash(who));
        }
    }

    /// How an attempt may go on. One that ended in time may be told of late.
    fn attempt_actions(
        &self,
        world: &World,
        who: usize,
        run: &Run,
        of: Operation,
        actions: &mut Vec<Action>,
    ) {
        let may_act = run.may_act(world.now);
        if may_act {
            actions.push(Action::Act(who));
        }
        let is_call = matches!(of, Operation::Call(_));
        let mut endings = Vec::new();
        if is_call || run.has_acted() {
            endings.push(Ending::Known);
        }
        let is_completable =
            matches!(of, Operation::Call(step) if self.steps[step] == Step::Completable);
        if is_completable && !run.has_acted() {
            endings.push(Ending::Later);
        }
        if world.left.troubles > 0 || run.is_cut_off(world.now) {
            endings.push(Ending::Unknown);
        }
        for ending in endings {
            actions.push(Action::End(who, ending, Delivery::Arrives));
            if world.left.losses > 0 {
                let lost = [Delivery::AnswerLost, Delivery::WordLost];
                actions.extend(lost.map(|delivery| Action::End(who, ending, delivery)));
            }
        }
    }

    fn apply_to(&self, world: &mut World, who: usize, action: Action) {
        let Some(mut run) = world.processes[who].take() else { return };
        match (action, &run.at) {
            (Action::Note(_), _) => run.note_step(self, world),
            (Action::Admit(_), _) => run.admit_step(self, world),
            (Action::Act(_), _) => run.act(self, world),
            (Action::End(_, ending, delivery), _) => run.end(self, world, ending, delivery),
            (Action::Report(_, can_tell), _) => run.report(self, world, can_tell),
            (Action::GiveUp(_), _) => run.body_ends(self, world),
            (_, At::Working { .. }) => run.attempt(self, world),
            (_, At::LettingGo { .. }) => run.let_go(self, world),
            (_, At::NotingFailure) => run.note_failure(self, world),
            (_, At::Asking { .. }) => run.begin_asking(self, world),
            (_, At::Waiting { .. }) => run.wait(self, world),
            (_, At::NotingUnwinding) => run.note_unwinding(self, world),
            (_, At::Undoing { .. }) => run.admit_undoing(self, world),
            (_, At::Leaving(_)) => return run.leave(self, world),
            (_, At::Making { .. }) => {}
        }
        world.processes[who] = Some(run);
    }

    fn apply(&self, world: &mut World, action: Action) {
        match action {
            Action::Tick => world.now += 1,
            Action::Call(who) => self.call(world, who),
            Action::Crash(who) => world.processes[who] = None,
            Action::Say(of) => self.say(world, of),
            Action::Abandon(of) => {
                world.ledger.resolve(self, of, Resolved::Abandoned, world.now);
            }
            Action::GoOn(who)
            | Action::Note(who)
            | Action::Admit(who)
            | Action::Act(who)
            | Action::End(who, ..)
            | Action::Report(who, _)
            | Action::GiveUp(who) => self.apply_to(world, who, action),
        }
    }

    /// What of the bounds an action uses up.
    fn spend(&self, world: &mut World, action: Action) {
        let is_cut_off =
            |who: usize| world.processes[who].as_ref().is_some_and(|run| run.is_cut_off(world.now));
        match action {
            Action::Crash(_) => world.left.crashes -= 1,
            Action::End(who, ending, delivery) => {
                let is_trouble = ending == Ending::Unknown && !is_cut_off(who);
                world.left.troubles -= u8::from(is_trouble);
                world.left.losses -= u8::from(delivery != Delivery::Arrives);
            }
            Action::Report(_, false) | Action::GiveUp(_) => world.left.troubles -= 1,
            Action::Say(_) | Action::Abandon(_) => world.left.words -= 1,
            _ => {}
        }
    }
}

impl Model for Saga {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.now < self.ends_at {
            actions.push(Action::Tick);
        }
        for (who, process) in world.processes.iter().enumerate() {
            match process {
                None => actions.push(Action::Call(who)),
                Some(run) => self.run_actions(world, who, run, actions),
            }
        }
        if world.left.words > 0 {
            self.person_actions(world, actions);
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        world.broken.clear();
        world.seen.0.clear();
        self.spend(&mut world, action);
        self.apply(&mut world, action);
        world.look(self);
        world.renumber();
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties(self)
    }
}
