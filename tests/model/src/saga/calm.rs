//! What follows where nothing more goes wrong.

use tool_contract_spec::ledger::State;

use super::process::{At, Run};
use super::property::waits_for;
use super::world::World;
use super::{Action, Delivery, Ending, Operation, Saga};

/// How often a saga is called until it has come to its end: a step that may be asked for
/// only later takes a call of its own.
const CALLS: u32 = 8;
/// How many steps one process takes at most.
const STEPS: u32 = 64;

/// Whether a saga that nobody is at comes to its end when it is called again and nothing
/// more goes wrong; or else before a person.
pub(super) fn comes_to_an_end(model: &Saga, world: &World) -> bool {
    let is_busy = world.processes.iter().any(Option::is_some);
    if is_busy || world.ledger.find(Operation::Saga).is_none() {
        return true;
    }
    let mut world = world.clone();
    (0..CALLS).any(|_| {
        if has_ended(&world) || !waits_for(&world).is_empty() {
            return true;
        }
        // By then each lease has run out.
        world.now += 1;
        model.call(&mut world, 0);
        for _ in 0..STEPS {
            let Some(run) = &world.processes[0] else { break };
            let action = next(run, world.now);
            model.apply(&mut world, action);
        }
        false
    })
}

fn has_ended(world: &World) -> bool {
    let saga = world.ledger.find(Operation::Saga);
    saga.is_some_and(|saga| matches!(saga.state, State::Succeeded { .. }))
}

/// What the one process does next.
fn next(run: &Run, now: u64) -> Action {
    match run.at {
        At::Making { noted: None, .. } => Action::Note(0),
        At::Making { .. } => Action::Admit(0),
        At::Working { attempt: Some(_), .. } if run.may_act(now) => Action::Act(0),
        At::Working { attempt: Some(_), .. } => Action::End(0, Ending::Known, Delivery::Arrives),
        At::Asking { claim: Some(_), .. } => Action::Report(0, true),
        _ => Action::GoOn(0),
    }
}
