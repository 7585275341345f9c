//! Without a guard of a saga, the checker finds what the guard prevents.

use stateright::{Checker, HasDiscoveries, Model};
use tool_contract_model::saga::{Fault, Promise, Saga};

/// With `fault` the promise is broken.
fn breaks(model: Saga, fault: Fault, promise: Promise) {
    let until = HasDiscoveries::AllOf([promise.name()].into());
    let checker = model.with(fault).checker().threads(2).finish_when(until).spawn_bfs().join();
    let path = checker.assert_any_discovery(promise.name());
    println!("{}: {:?}", promise.name(), path.into_actions());
}

#[test]
fn claimed_while_held() {
    breaks(Saga::before_the_pivot(), Fault::ClaimedWhileHeld, Promise::OneAdvances);
}

#[test]
fn never_taken_over() {
    breaks(Saga::before_the_pivot(), Fault::NeverTakenOver, Promise::ComesToAnEnd);
}

#[test]
fn notes_need_no_fence() {
    breaks(Saga::before_the_pivot(), Fault::NotesNeedNoFence, Promise::OneAdvances);
}

#[test]
fn goes_on_without_claim() {
    breaks(Saga::before_the_pivot(), Fault::GoesOnWithoutClaim, Promise::OneAdvances);
    breaks(Saga::before_the_pivot(), Fault::GoesOnWithoutClaim, Promise::NotForwardAgain);
    breaks(Saga::before_the_pivot(), Fault::GoesOnWithoutClaim, Promise::NotInSilence);
}

#[test]
fn step_not_noted() {
    breaks(Saga::before_the_pivot(), Fault::StepNotNoted, Promise::OnRecord);
    breaks(Saga::before_the_pivot(), Fault::StepNotNoted, Promise::NotInSilence);
}

/// The body that runs again does not give up where the first one did.
#[test]
fn unwinding_not_noted() {
    breaks(Saga::in_trouble(), Fault::UnwindingNotNoted, Promise::NotInSilence);
}

#[test]
fn unknown_runs_again() {
    breaks(Saga::before_the_pivot(), Fault::UnknownRunsAgain, Promise::HappensOnce);
    breaks(Saga::before_the_pivot(), Fault::UnknownRunsAgain, Promise::NotAfterUndone);
}

#[test]
fn unknown_taken_for_done() {
    breaks(Saga::in_trouble(), Fault::UnknownTakenForDone, Promise::KnownFirst);
    breaks(Saga::in_trouble(), Fault::UnknownTakenForDone, Promise::UndoesWhatHappened);
}

#[test]
fn unknown_taken_for_not_done() {
    breaks(Saga::in_trouble(), Fault::UnknownTakenForNotDone, Promise::KnownFirst);
    breaks(Saga::in_trouble(), Fault::UnknownTakenForNotDone, Promise::NotInSilence);
}

#[test]
fn cannot_tell_taken_for_no() {
    breaks(Saga::in_trouble(), Fault::CannotTellTakenForNo, Promise::HappensOnce);
    breaks(Saga::in_trouble(), Fault::CannotTellTakenForNo, Promise::NotInSilence);
}

#[test]
fn pivot_forgotten() {
    breaks(Saga::past_the_pivot(), Fault::PivotForgotten, Promise::NotAfterPivot);
}

#[test]
fn oldest_first() {
    breaks(Saga::before_the_pivot(), Fault::OldestFirst, Promise::NewestFirst);
}

#[test]
fn undoing_forgotten() {
    breaks(Saga::before_the_pivot(), Fault::UndoingForgotten, Promise::UndoneOnce);
}

#[test]
fn failure_taken_for_undone() {
    breaks(Saga::in_trouble(), Fault::FailureTakenForUndone, Promise::NotInSilence);
}

/// Somebody who is asked may do it by hand, be its saga undone or not.
#[test]
fn not_covered() {
    breaks(Saga::with_a_person(), Fault::NotCovered, Promise::NotInSilence);
}
