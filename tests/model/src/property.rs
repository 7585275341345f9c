//! What must hold in every state, and what must be met in some.

use stateright::Property;
use tool_contract_spec::ledger::{State, StateName};

use crate::protocol::Protocol;
use crate::world::World;

/// What a step did that its states do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Note {
    /// It broke this.
    Promise(Promise),
    /// It came across this.
    Sight(Sight),
}

named! {
    of Protocol, World;
    /// What holds in every state.
    Promise {
        OneHolder = "no two hold at once",
        HolderHolds = "who believes that it holds, holds",
        NotAfterSuccess = "nothing runs after success, or after it was given up",
        NotAfterUnknown = "nothing runs after unknown unless both contracts call it harmless",
        StaleFence = "a stale fence changes nothing",
        Attempts = "every attempt is counted and none exceeds the cap",
        OneEffect = "there is one effect",
        Released = "what is released did not happen and cannot any more",
        OnRecord = "what was begun is on record",
    }
}

named! {
    of Protocol, World;
    /// What is met in some state.
    Sight {
        Success = "a call succeeds",
        Replay = "a result is replayed",
        FoundAgain = "a call whose answer was lost finds its claim again",
        Rerun = "a released key runs again",
        GivenBack = "attempts that were not made are given back",
        Exhausted = "a key has had all its attempts",
        LeaseLost = "a lease runs out under a call that still acts",
        Renewed = "a lease is prolonged",
        ToldUnknown = "a call is told that it may have happened",
        Repeated = "what may have happened is repeated",
        LateTruth = "a holder settles what became unknown",
        Superseded = "a holder comes too late",
        TooEarly = "a look begins too early to be believed",
        FoundToHave = "a reconciler finds that it happened",
        FoundNotToHave = "a reconciler finds that it did not happen",
        CannotTell = "a reconciler cannot tell",
        ReportLate = "a reconciler comes too late",
        SaidToHave = "a person says that it happened",
        SaidNotToHave = "a person says that it did not happen",
        GivenUp = "a person gives it up",
        SaidEarly = "a person is not believed yet",
        Expired = "a finished key expires",
    }
}

pub(crate) fn promises() -> Vec<Property<Protocol>> {
    vec![
        always(Promise::OneHolder, |_, world| believers(world) <= 1),
        always(Promise::HolderHolds, |_, world| holders_hold(world)),
        always(Promise::NotAfterSuccess, |_, world| !world.done || rests(world)),
        always(Promise::NotAfterUnknown, Promise::NotAfterUnknown.noted::<false>()),
        always(Promise::StaleFence, Promise::StaleFence.noted::<false>()),
        always(Promise::Attempts, attempts_are_counted),
        always(Promise::OneEffect, |_, world| world.charges() <= 1),
        always(Promise::Released, |_, world| {
            !matches!(world.ledger.state(), Some(StateName::Released | StateName::Exhausted))
                || (world.effects.is_empty() && !world.may_act())
        }),
        always(Promise::OnRecord, |_, world| world.begun == 0 || world.ledger.slot.is_some()),
    ]
}

fn always(promise: Promise, condition: fn(&Protocol, &World) -> bool) -> Property<Protocol> {
    Property::always(promise.name(), condition)
}

fn believers(world: &World) -> usize {
    world.calls.iter().filter(|call| call.believes(world.now)).count()
}

fn holders_hold(world: &World) -> bool {
    world.calls.iter().filter_map(|call| call.hold(world.now)).all(|hold| {
        world.ledger.slot.as_ref().is_some_and(|record| {
            record.fence == hold.fence
                && matches!(record.state, State::Running { lease_until } if lease_until.0 >= hold.until)
        })
    })
}

/// Whether the operation is over and nobody believes otherwise.
fn rests(world: &World) -> bool {
    matches!(
        world.ledger.state(),
        Some(StateName::Succeeded | StateName::Abandoned | StateName::Expired)
    ) && believers(world) == 0
}

fn attempts_are_counted(model: &Protocol, world: &World) -> bool {
    let cap = model.max_total();
    let counted = world.ledger.attempts();
    world.begun <= counted && counted <= cap
}

/// The sights that `model` expects.
pub(crate) fn sights(model: &Protocol) -> Vec<Property<Protocol>> {
    model
        .expects
        .iter()
        .map(|sight| Property::sometimes(sight.name(), sight.noted::<true>()))
        .collect()
}
