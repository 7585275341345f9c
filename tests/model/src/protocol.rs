//! The model: what may happen next in a world.

use std::sync::Arc;

use stateright::{Model, Property};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{Admission, Holder, Intent, Nonce, Terms, Trust};
use tool_contract_spec::operation::OperationHash;

use crate::call::{Answer, Call, Choice};
use crate::fault::Fault;
use crate::look::{Look, Report};
use crate::property::{Sight, promises, sights};
use crate::world::World;

/// One operation and all around it, within bounds.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// The operation.
    pub id: OperationId,
    /// The contract of each call.
    pub terms: Vec<Arc<Terms>>,
    /// How many reconcilers there are.
    pub looks: usize,
    /// Whether a person looks, too.
    pub person: bool,
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
    /// A call is made, or asks again.
    Ask(usize),
    /// Its request arrives.
    Admit(usize, Answer),
    /// It does something by itself.
    Do(usize, Choice),
    /// It prolongs its lease.
    Renew(usize, Answer),
    /// Its last word arrives.
    Settle(usize),
    /// Its process dies.
    Crash(usize),
    /// A reconciler asks to be let in.
    BeginLook(usize, Answer),
    /// It prolongs its lease.
    RenewLook(usize),
    /// It looks, and sees that it happened or nothing.
    Look(usize, bool),
    /// Its report arrives.
    Report(usize, Report),
    /// A person says what happened, and perhaps that the holders are dead.
    Resolve(bool),
    /// A person gives it up, without looking.
    GiveUp,
}

impl Protocol {
    pub(crate) fn max_total(&self) -> u32 {
        self.terms.iter().map(|terms| terms.max_total).max().unwrap_or_default()
    }

    /// What call `who` asks of the ledger: calls live in two processes.
    pub(crate) fn admission(&self, who: usize, world: &World) -> Admission {
        let mut request = Admission {
            id: self.id.clone(),
            hash: OperationHash::from_bytes([0; 32]),
            arguments: "{}".into(),
            nonce: Nonce(who as u128),
            holder: Holder(who as u128 % 2),
            terms: Arc::clone(&self.terms[who]),
            fingerprint: None,
            workflow: None,
            preimage: None,
            trust: Trust::insecure(),
            intent: Intent::Claim,
            approval: None,
            requested_by: None,
            draws: Vec::new(),
            correlation_id: None,
        };
        if let Some(fault) = self.fault {
            fault.in_request(&mut request, world.ledger.slot.as_ref());
        }
        request
    }

    fn call_actions(&self, world: &World, who: usize, actions: &mut Vec<Action>) {
        match &world.calls[who] {
            Call::Idle => actions.push(Action::Ask(who)),
            Call::Asked { .. } => {
                actions.extend([
                    Action::Admit(who, Answer::Arrives),
                    Action::Admit(who, Answer::IsLost),
                ]);
            }
            Call::Holding(hold) => {
                let choices = hold.choices(self, who, world.now);
                actions.extend(choices.into_iter().map(|choice| Action::Do(who, choice)));
                actions.extend([
                    Action::Renew(who, Answer::Arrives),
                    Action::Renew(who, Answer::IsLost),
                    Action::Crash(who),
                    Action::Admit(who, Answer::IsLost),
                ]);
            }
            Call::Settling { .. } => {
                actions.extend([Action::Settle(who), Action::Admit(who, Answer::IsLost)]);
            }
            Call::Gone => actions.push(Action::Admit(who, Answer::IsLost)),
        }
    }

    fn look_actions(world: &World, who: usize, actions: &mut Vec<Action>) {
        match world.looks[who] {
            Look::Idle => actions.extend([
                Action::BeginLook(who, Answer::Arrives),
                Action::BeginLook(who, Answer::IsLost),
            ]),
            Look::Looking { saw, .. } => {
                actions.extend([Action::RenewLook(who), Action::Report(who, Report::CannotTell)]);
                if saw.is_some() {
                    actions.push(Action::Report(who, Report::Seen));
                }
                if !world.effects.is_empty() {
                    actions.push(Action::Look(who, true));
                }
                if !world.shows() {
                    actions.push(Action::Look(who, false));
                }
            }
        }
    }

    fn apply(&self, world: &mut World, action: Action) {
        match action {
            Action::Tick => world.tick(self),
            Action::Ask(who) => world.ask(who),
            Action::Admit(who, answer) => world.admit(self, who, answer),
            Action::Do(who, Choice::Begin) => world.begin(self, who),
            Action::Do(who, Choice::Act) => world.act(self, who),
            Action::Do(who, Choice::End(ending)) => world.end(who, ending),
            Action::Do(who, Choice::LetGo) => world.let_go(who),
            Action::Renew(who, answer) => world.renew(self, who, answer),
            Action::Settle(who) => world.settle(self, who),
            Action::Crash(who) => world.crash(who),
            Action::BeginLook(who, answer) => world.begin_look(self, who, answer),
            Action::RenewLook(who) => world.renew_look(who),
            Action::Look(who, happened) => world.look(who, happened),
            Action::Report(who, report) => world.report(self, who, report),
            Action::Resolve(dead) => world.resolve(self, dead),
            Action::GiveUp => world.give_up(self),
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.terms.len(), self.looks)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.now < self.ends_at {
            actions.push(Action::Tick);
        }
        for who in 0..world.calls.len() {
            self.call_actions(world, who, actions);
        }
        for who in 0..world.looks.len() {
            Self::look_actions(world, who, actions);
        }
        if self.person {
            actions.push(Action::Resolve(false));
            actions.push(Action::GiveUp);
            if !world.may_act() {
                actions.push(Action::Resolve(true));
            }
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        world.note = None;
        self.apply(&mut world, action);
        world.renumber();
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = promises();
        properties.extend(sights(self));
        properties
    }
}
