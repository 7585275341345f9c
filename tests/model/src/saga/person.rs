//! A person, who knows what happened.

use tool_contract_spec::ledger::{Reconciled, Resolved, State};

use super::{Action, Operation, Saga, Sight, World};

impl Saga {
    /// What a person may say: of whatever waits for one.
    pub(super) fn person_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for step in 0..self.steps.len() {
            for of in [Operation::Call(step), Operation::Undoing(step)] {
                let Some(record) = world.ledger.find(of) else { continue };
                let is_asked = matches!(record.state, State::Unknown(_) | State::Exhausted { .. });
                if is_asked {
                    actions.push(Action::Say(of));
                }
                if is_asked && matches!(of, Operation::Undoing(_)) {
                    actions.push(Action::Abandon(of));
                }
            }
        }
    }

    /// It is said.
    pub(super) fn say(&self, world: &mut World, of: Operation) {
        let state = world.ledger.find(of).map(|record| record.state.clone());
        let happened = Resolved::Happened { result: "done".into() };
        let resolved = match (of, state) {
            (Operation::Call(step), Some(State::Unknown(_)))
                if world.outside[step].happened == 0 =>
            {
                Resolved::DidNotHappen { holder_is_dead: false }
            }
            _ => happened,
        };
        let by_hand = matches!(resolved, Resolved::Happened { .. });
        let said = world.ledger.resolve(self, of, resolved, world.now);
        if let Reconciled::Recorded { .. } = said {
            world.saw(Sight::Said);
            match of {
                Operation::Call(step) if by_hand => world.outside[step].happened = 1,
                Operation::Undoing(step) if by_hand => world.outside[step].undone = true,
                _ => {}
            }
        }
    }
}
