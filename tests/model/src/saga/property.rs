//! What must hold in every state of a saga, and what must be met in some.

use std::collections::BTreeMap;

use stateright::Property;
use tool_contract_spec::ledger::{Record, State};
use tool_contract_spec::saga::{Ended, Next, Place, Stand, Undoing, Why, ended, unwind};

use super::world::Outside;
use super::{Operation, Saga, World};

/// What a step did that its states do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Note {
    /// It broke this.
    Promise(Promise),
    /// It came across this.
    Sight(Sight),
}

named! {
    of Saga, World;
    /// What holds in every state.
    Promise {
        OneAdvances = "one process at a time advances the saga",
        OnRecord = "no step begins that the saga's history does not know",
        NotForwardAgain = "a saga that gave up makes no more steps",
        HappensOnce = "no step happens twice",
        NotAfterUndone = "no step happens after it was undone",
        UndoesWhatHappened = "nothing is undone that did not happen",
        UndoneOnce = "nothing is undone again that is on record as undone",
        KnownFirst = "nothing is undone while it is not known what a step came to",
        NewestFirst = "what happened is undone newest first",
        NotAfterPivot = "nothing is undone once the pivot has happened",
        NotInSilence = "a saga at rest has happened, or is undone, or waits for a person who was asked",
        ComesToAnEnd = "whoever calls a saga that nobody is at brings it to its end, or before a person",
    }
}

named! {
    of Saga, World;
    /// What is met in some state.
    Sight {
        Finished = "a saga finishes",
        Undone = "a saga is undone",
        AsksPerson = "a saga rests before a person",
        TakenOver = "a process takes a saga over",
        ClaimLost = "a process learns that it lost its saga",
        LateAct = "a step happens after its saga was lost",
        Replayed = "a step that happened is not made again",
        FailedBefore = "a step that failed is not made again",
        WasUnknown = "a process is told that a step may have happened",
        FoundToHave = "it is found that a step happened",
        FoundNotToHave = "it is found that a step did not happen",
        CannotTell = "nobody can tell whether a step happened",
        UndoneAgain = "what may have undone a step is repeated",
        UndoneBefore = "what is undone is not undone again",
        NotUndone = "a step cannot be undone",
        GivenUp = "a person gives up undoing a step",
        Said = "a person says what a step came to",
        OnlyForward = "a saga is past its pivot and goes on",
        Stuck = "a saga past its pivot cannot go on",
    }
}

/// What must hold, and what `model` expects to be met.
pub(super) fn properties(model: &Saga) -> Vec<Property<Saga>> {
    let promises = Promise::ALL.iter();
    let promises =
        promises.map(|promise| Property::always(promise.name(), promise.noted::<false>()));
    let sights = model.expects.iter();
    promises
        .chain(sights.map(|sight| Property::sometimes(sight.name(), sight.noted::<true>())))
        .collect()
}

/// Whether nothing stands half done but before a person who was asked.
pub(super) fn is_not_silent(world: &World) -> bool {
    let stands = |outside: &Outside| outside.happened > 0 && !outside.undone;
    let all = |is: &dyn Fn(usize, &Outside) -> bool| {
        world.outside.iter().enumerate().all(|(step, outside)| is(step, outside))
    };
    let Some(saga) = world.ledger.find(Operation::Saga) else {
        return all(&|_, outside| !stands(outside));
    };
    match &saga.state {
        State::Succeeded { result, .. } => match ended(result) {
            Some(Ended::Finished) => all(&|_, outside| stands(outside)),
            Some(Ended::Undone) => {
                all(&|step, outside| !stands(outside) || is_given_up(world, step))
            }
            None => false,
        },
        // Somebody is at it, or its lease runs out: then it is unknown.
        State::Running { .. } => true,
        State::Unknown(_) => {
            let is_asked_of = |of| world.ledger.find(of).is_some_and(is_asked);
            is_asked(saga) && waits_for(world).into_iter().all(is_asked_of)
        }
        _ => false,
    }
}

fn is_given_up(world: &World, step: usize) -> bool {
    let undoing = world.ledger.find(Operation::Undoing(step));
    Undoing::of(undoing, &[]) == Undoing::GivenUp
}

/// Whether a person is asked to look at it.
fn is_asked(record: &Record) -> bool {
    record.state.name().is_escalated() && record.escalation.is_some()
}

/// What a saga waits for if it rests: what only a person moves on.
pub(super) fn waits_for(world: &World) -> Vec<Operation> {
    let saga = world.ledger.find(Operation::Saga);
    if !saga.is_some_and(|saga| matches!(saga.state, State::Unknown(_))) {
        return Vec::new();
    }
    let journal = world.ledger.journal();
    let place = |step: u32| {
        let at = step as usize;
        let stand = world.ledger.stand(at);
        let undoing = Undoing::of(world.ledger.find(Operation::Undoing(at)), &[]);
        (step, Place { stand, asked: stand != Stand::Moving, undoing })
    };
    let places: BTreeMap<u32, Place> =
        journal.effects().map(|stepped| place(stepped.step)).collect();
    let each = |steps: Vec<u32>, of: fn(usize) -> Operation| {
        steps.into_iter().map(|step| of(step as usize)).collect()
    };
    match unwind(&journal, &places) {
        Next::Rest(Why::Unknown(steps) | Why::Stuck(steps)) => each(steps, Operation::Call),
        Next::Rest(Why::NotUndone(steps)) => each(steps, Operation::Undoing),
        _ => Vec::new(),
    }
}
